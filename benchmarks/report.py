"""A comparison in words."""


def report(result: dict) -> str:
    """The lines that a benchmark prints; the last is the median of the ratio."""
    ours, theirs, limit, machine = (result[key] for key in ("ours", "theirs", "limit", "machine"))
    gb = ours["peak_memory_gb"], theirs["peak_memory_gb"]
    lines = [
        result["what"],
        f"against {result['against']}",
        f"{machine['cpu']}, {machine['threads']} threads; Python {machine['python']}, "
        f"torch {machine['torch']}, transformers {machine['transformers']}",
        f"allocator of ours: {_allocator(ours)}",
        f"allocator of theirs: {_allocator(theirs)}",
        "",
        f"{'tokens/s':12}{'ours':>12}{'theirs':>12}{'ratio':>9}",
        *(
            _row(f"repeat {number}", *rates)
            for number, rates in enumerate(
                zip(ours["rates"], theirs["rates"], result["ratios"], strict=True), 1
            )
        ),
        *(
            _row(kind, ours[kind], theirs[kind], result["ratio"][kind])
            for kind in ("median", "min", "max")
        ),
        f"{'peak memory':12}{gb[0]:>9.2f} GB{gb[1]:>9.2f} GB{gb[0] / gb[1]:>9.2f}",
        "",
        f"limit: matrix products {limit['gemm_gflops']:.0f} GFLOP/s ({limit['precision']}, "
        f"{limit['gemm_shape']}), memory {limit['read_gb']:.0f} GB/s read, "
        f"{limit['copy_gb']:.0f} GB/s copied",
        *(
            f"  {shape}: {rate:.0f} GFLOP/s"
            for shape, rate in limit["measured"][-1]["gemm_gflops"].items()
        ),
        f"{limit['mflop_per_token']:.2f} MFLOP per token allow "
        f"{limit['tokens_per_second']:,.0f} tokens/s; ours reaches {limit['share']:.0%}",
        f"torch's products at the model's shapes, {limit['model_gflops']:.0f} GFLOP/s together: "
        f"ours reaches {limit['model_share']:.0%}",
    ]
    if "cache_share" in limit:
        lines.append(
            f"keys and values, {limit['cache_mb_per_token']:.2f} MB per token, are read at "
            f"{limit['cache_share']:.0%} of the memory's rate"
        )
    return "\n".join([*lines, f"ratio: {result['ratio']['median']:.2f}"])


def _row(name, ours, theirs, ratio):
    return f"{name:12}{ours:>12,.0f}{theirs:>12,.0f}{ratio:>9.2f}"


def _allocator(side):
    settings = " ".join(f"{name}={value}" for name, value in side["allocator"].items())
    return settings or "as installed"
