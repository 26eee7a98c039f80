"""The state of a training, to write to disk and to restore: resumed training makes the same bits.

It holds no random generator, since training draws no random numbers: initial weights and the order
of every epoch come from seeds.
"""

import logging

import torch

log = logging.getLogger("ouroboros")


def gather(training) -> tuple[dict, dict[str, torch.Tensor]]:
    """The record and tensors of a state; the position is the length of the loss curve."""
    search = training.search
    record = {
        "losses": training.losses,
        "skipped": training.skipped,
        "scaler": training.scaler.state_dict(),
        "micro_batch": training.micro_batch,
        "held_out_losses": search.losses,
        "best": search.best,
    }
    tensors = {f"model.{name}": tensor for name, tensor in training.model.state_dict().items()}
    for name, parameter in training.model.named_parameters():
        for key, tensor in training.optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{key}.{name}"] = tensor
    tensors |= {f"best.{name}": tensor for name, tensor in (search.weights or {}).items()}
    return record, tensors


def restore(training, record: dict, tensors: dict[str, torch.Tensor]):
    """Restore `training` as it was when the state was gathered."""
    training.losses[:] = record["losses"]
    training.skipped = record["skipped"]
    training.scaler.load_state_dict(record["scaler"])
    training.micro_batch = min(training.micro_batch, record["micro_batch"])
    training.search.losses[:] = record["held_out_losses"]
    training.search.best = record["best"]
    # Copies throughout: the tensors that were read are the file itself, mapped into memory.
    training.model.load_state_dict(_part(tensors, "model."))
    best = _part(tensors, "best.")
    training.search.weights = {k: v.to(training.device, copy=True) for k, v in best.items()} or None
    for key in ("step", "exp_avg", "exp_avg_sq"):
        saved = _part(tensors, f"optimizer.{key}.")
        for name, parameter in training.model.named_parameters():
            if name in saved:
                moved = saved[name].to(parameter.device, copy=True)
                training.optimizer.state[parameter][key] = moved


def _part(tensors, prefix):
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
