"""Reseed everything that Ultralytics draws from, at the start of training."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np

from analyzer.errors import EngineError
from analyzer.replicates.seeds import rank_seed
from analyzer.replicates.worker.ddp import rank

__all__ = ["hash_state", "loaders", "reseed"]


def loaders(trainer: Any) -> tuple[Any, ...]:
    """The loaders of this process: up to 8.3 or so only the first rank of several validates."""
    found = (trainer.train_loader, getattr(trainer, "test_loader", None))
    return tuple(loader for loader in found if loader is not None)


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
    Under ``order_seed == seed`` the epoch is bit for bit that of ``order_seed=None``. On several GPUs torch's
    ``DistributedSampler`` draws the order from its ``seed`` and the epoch, on every rank alike, and everything else of
    a rank is seeded with a seed of its own.
    """
    import torch

    of_rank = rank_seed(seed, rank())
    random.seed(of_rank)
    np.random.seed(of_rank)
    torch.manual_seed(of_rank)
    _seed_order(trainer.train_loader, seed, order_seed)
    for loader in loaders(trainer):
        if getattr(loader, "generator", None) is not None:
            loader.generator.manual_seed(of_rank)
        if hasattr(loader, "reset"):
            loader.reset()


def _seed_order(loader: Any, seed: int, order_seed: int | None) -> None:
    import torch
    from torch.utils.data.distributed import DistributedSampler

    sampler: Any = getattr(loader, "sampler", None)
    if isinstance(sampler, DistributedSampler):
        sampler.seed = seed if order_seed is None else order_seed
        # As in a new process. Up to 8.4.120 or so a restarted loader whose worker processes fetch ahead draws its order
        # at once, before Ultralytics tells the sampler the epoch: that of an earlier path would count.
        sampler.set_epoch(0)
        return
    if order_seed is None:
        if getattr(sampler, "generator", None) is not None:
            sampler.generator = loader.generator  # after a path whose order was seeded apart
        return
    if getattr(sampler, "generator", None) is None:
        raise EngineError(
            f"The order of the batches cannot be seeded apart: {type(sampler).__name__} has no generator.",
            "drift variance needs a loader that shuffles with torch's RandomSampler.",
        )
    of_order = torch.Generator()
    of_order.manual_seed(order_seed)
    torch.empty((), dtype=torch.int64).random_(generator=of_order)  # the loader would draw the base of its workers
    sampler.generator = of_order


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
