"""A headless browser for tests: Debian's chromium, cut off from every network."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def rendered(page: Path, folder: Path, width: int = 1280, arguments=()) -> tuple[str, str]:
    """The page's DOM as HTML once it is shown, and what the browser had to say of it."""
    result = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
            f"--user-data-dir={folder / 'browser'}", f"--window-size={width},900",
            *arguments, "--dump-dom", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    said = [line for line in result.stderr.splitlines() if "CONSOLE" in line]
    return result.stdout, "\n".join(said)


def evaluated(page: Path, folder: Path, script: str, width: int) -> dict:
    """The value that a function body returns in the page, shown `width` pixels wide.

    Headless windows are never narrow, so the page is in a frame; and the copy may run scripts.
    """
    content = POLICY.sub("", page.read_text(encoding="utf-8"))
    report = "window.parent.postMessage(JSON.stringify((() => {" + script + "})()), '*')"
    content += f"<script>addEventListener('load', () => {{ {report} }})</script>"
    (folder / "inner.html").write_text(content, encoding="utf-8")
    (folder / "outer.html").write_text(
        f"<body><iframe src='inner.html' style='width:{width}px;height:900px;border:0'></iframe>"
        "<script>addEventListener('message', e => document.body.dataset.said = e.data)</script>"
    )
    dom, _ = rendered(folder / "outer.html", folder, 1600, ["--virtual-time-budget=10000"])
    said = re.search(r'data-said="([^"]*)"', dom)
    assert said, dom[:2000]
    return json.loads(said[1].replace("&quot;", '"').replace("&lt;", "<").replace("&amp;", "&"))
