"""Reseed everything that Ultralytics draws from, at the start of training."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np

__all__ = ["hash_state", "reseed"]


def reseed(trainer: Any, seed: int) -> None:
    """Seed python, numpy, torch (every device) and the loaders' generators, and restart the loaders.

    Up to 8.4.120 the generator is seeded with a constant, so torch's seed alone would change neither order nor
    augmentation where worker processes load the data (upstream PR #25815).

    Parameters
    ----------
    trainer
        A trainer at its ``on_train_start``.
    seed
        In [0, 2**32).
    """
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    for loader in (trainer.train_loader, trainer.test_loader):
        if getattr(loader, "generator", None) is not None:
            loader.generator.manual_seed(seed)
        if hasattr(loader, "reset"):
            loader.reset()


def hash_state(trainer: Any) -> dict[str, str]:
    """SHA-256 of the tensors of model, EMA and optimizer, in the order of their state dicts."""
    return {
        "model": _digest(trainer.model.state_dict().items()),
        "ema": _digest(trainer.ema.ema.state_dict().items()),
        "optimizer": _digest(
            (f"{i}.{k}", v) for i, s in trainer.optimizer.state_dict()["state"].items() for k, v in sorted(s.items())
        ),
    }


def _digest(named: Any) -> str:
    import torch

    digest = hashlib.sha256()
    for name, value in named:
        tensor = value.detach().cpu().contiguous() if isinstance(value, torch.Tensor) else torch.tensor(value)
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.view(torch.uint8).numpy().tobytes() if tensor.ndim else tensor.numpy().tobytes())
    return digest.hexdigest()
