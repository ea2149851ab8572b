"""Reseed everything that Ultralytics draws from, at the start of training."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np

from analyzer.errors import EngineError

__all__ = ["hash_state", "reseed"]


def reseed(trainer: Any, seed: int, order_seed: int | None = None) -> None:
    """Seed python, numpy, torch (every device) and the loaders' generators, and restart the loaders.

    Up to 8.4.120 the generator is seeded with a constant, so torch's seed alone would change neither order nor
    augmentation where worker processes load the data (upstream PR #25815).

    Parameters
    ----------
    trainer
        A trainer at its ``on_train_start``.
    seed
        In [0, 2**32).
    order_seed
        Seed of the order of the training batches alone, in [0, 2**32); None: as ``seed``.

    Raises
    ------
    EngineError
        The order cannot be seeded apart: the loader draws it from no generator of its own.

    Notes
    -----
    The order is the permutation that the loader's ``RandomSampler`` draws from its generator once an epoch. Nothing
    else is drawn from that generator but the base of the worker processes' seeds, once an iterator, and before the
    first permutation. With an ``order_seed`` the sampler therefore gets a generator of its own; the base of the
    workers' seeds stays with the loader's generator and with ``seed``, like python's, numpy's and torch's own.
    Under ``order_seed == seed`` the epoch is bit for bit that of ``order_seed=None``.
    """
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    _seed_order(trainer.train_loader, order_seed)
    for loader in (trainer.train_loader, trainer.test_loader):
        if getattr(loader, "generator", None) is not None:
            loader.generator.manual_seed(seed)
        if hasattr(loader, "reset"):
            loader.reset()


def _seed_order(loader: Any, order_seed: int | None) -> None:
    import torch

    sampler: Any = getattr(loader, "sampler", None)
    if order_seed is None:
        if getattr(sampler, "generator", None) is not None:
            sampler.generator = loader.generator  # after a path whose order was seeded apart
        return
    if getattr(sampler, "generator", None) is None:
        raise EngineError(
            f"The order of the batches cannot be seeded apart: {type(sampler).__name__} has no generator.",
            "drift variance needs a loader that shuffles with torch's RandomSampler.",
        )
    own = torch.Generator()
    own.manual_seed(order_seed)
    torch.empty((), dtype=torch.int64).random_(generator=own)  # where the loader's would give the base of the workers
    sampler.generator = own


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
