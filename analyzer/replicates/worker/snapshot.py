"""The state of a trainer just after its set-up, kept in memory and put back before each further replicate.

Restoring must leave *nothing* of an earlier replicate behind: tensors in place (the optimizer, the EMA and their
fused kernels hold references), python state by copy. The fidelity tests compare the result bit for bit with a resume
in a new process.
"""

from __future__ import annotations

from copy import copy, deepcopy
from typing import Any

from analyzer.faults.fault import trained_model
from analyzer.replicates.worker.seeding import loaders

__all__ = ["Snapshot"]

# Attributes of the trainer that `_do_train` changes and a new process would start with afresh.
_SCALARS = (
    "best_fitness", "fitness", "accumulate", "start_epoch", "epochs", "epoch", "batch_size", "loss", "loss_items",
    "tloss", "loss_names", "lr", "stop", "nan_recovery_attempts", "lf",
)  # fmt: skip


def _tensors(module: Any) -> dict[str, Any]:
    """Parameters and *all* buffers, non-persistent ones too."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _copy_beside(model: Any, criterion: Any) -> Any:
    """Copy a criterion, but keep what it shares with its model shared.

    A criterion may hold submodules of the model (the flow network of YOLO26-pose) and its arguments: copies of those
    would be neither trained nor restored.
    """
    shared = {id(part): part for part in (*model.modules(), *model.parameters(), *model.buffers())}
    arguments = getattr(model, "args", None)
    return deepcopy(criterion, {**shared, id(arguments): arguments})


def _shallow(values: dict[str, Any]) -> dict[str, Any]:
    """Copy a __dict__ one list deep: data sets fill and empty lists in place, everything else they replace."""
    return {k: (list(v) if type(v) is list else v) for k, v in values.items()}


def _clone(module: Any) -> dict[str, Any]:
    return {k: v.detach().clone() for k, v in _tensors(module).items()}


def _write(module: Any, kept: dict[str, Any]) -> None:
    import torch

    with torch.no_grad():
        for name, tensor in _tensors(module).items():
            tensor.copy_(kept[name])


class _Average:
    """State of a ModelEMA. On several GPUs older versions keep one on the first rank alone."""

    def __init__(self, average: Any) -> None:
        self.tensors = _clone(average.ema)
        self.criterion = _copy_beside(average.ema, getattr(average.ema, "criterion", None))
        self.updates = average.updates

    def restore(self, average: Any) -> None:
        _write(average.ema, self.tensors)
        average.ema.criterion = _copy_beside(average.ema, self.criterion)
        average.updates = self.updates


class Snapshot:
    """What `capture` found, ready to be put back any number of times.

    Parameters
    ----------
    trainer
        An Ultralytics trainer whose set-up is complete and that has not trained yet.
    """

    def __init__(self, trainer: Any) -> None:
        model = trained_model(trainer)
        self.model = _clone(model)
        self.criterion = _copy_beside(model, getattr(model, "criterion", None))
        self.ema = _Average(trainer.ema) if trainer.ema is not None else None
        self.engines = (trainer.optimizer, trainer.scheduler)  # a fault may put others in their place
        self.optimizer = deepcopy(trainer.optimizer.state_dict())
        self.scaler = deepcopy(trainer.scaler.state_dict())
        self.scheduler = deepcopy(trainer.scheduler.state_dict())
        self.stopper = dict(trainer.stopper.__dict__)
        self.metrics = copy(trainer.metrics)  # None where another rank validates
        self.plot_idx = list(trainer.plot_idx)
        self.args = dict(vars(trainer.args))
        self.scalars = {k: getattr(trainer, k) for k in _SCALARS if hasattr(trainer, k)}
        self.datasets = [(loader.dataset, _shallow(loader.dataset.__dict__)) for loader in loaders(trainer)]
        self.validator = dict(vars(trainer.validator.args)) if trainer.validator is not None else {}

    def restore(self, trainer: Any) -> None:
        """Put everything back, as if the set-up had just been completed in a new process."""
        model = trained_model(trainer)
        _write(model, self.model)
        model.criterion = _copy_beside(model, self.criterion)
        if self.ema is not None:
            self.ema.restore(trainer.ema)
        trainer.optimizer, trainer.scheduler = self.engines
        trainer.optimizer.load_state_dict(deepcopy(self.optimizer))
        trainer.optimizer.zero_grad()
        trainer.scaler.load_state_dict(deepcopy(self.scaler))
        trainer.scheduler.load_state_dict(deepcopy(self.scheduler))
        for target, kept in ((trainer.stopper, self.stopper), (trainer.args, self.args)):
            target.__dict__.clear()
            target.__dict__.update(kept)
        trainer.metrics, trainer.plot_idx = copy(self.metrics), list(self.plot_idx)
        for name in _SCALARS:
            if name in self.scalars:
                setattr(trainer, name, copy(self.scalars[name]))
            elif name in trainer.__dict__:
                delattr(trainer, name)
        if trainer.validator is not None:
            vars(trainer.validator.args).update(self.validator)
        self._restore_data(trainer)

    def _restore_data(self, trainer: Any) -> None:
        """Mosaic buffer, decoded images, transforms and the mosaic flag, and both loaders' iterators.

        `_do_train` shuts the loaders' workers down at its end; a loader that is not reset dies at its next use.
        """
        for dataset, kept in self.datasets:
            dataset.__dict__.clear()
            dataset.__dict__.update(_shallow(kept))
        for loader in loaders(trainer):
            if hasattr(loader, "reset"):
                loader.reset()
