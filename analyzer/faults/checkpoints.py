"""Faults of what was resumed: another checkpoint, other weights, no resume at all, a new head."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from analyzer.errors import CheckpointError
from analyzer.faults.base import Intervention, trained_model
from analyzer.runs.checkpoint import load_payload

__all__ = ["HeadRebuilt", "NotAResume", "WeightsReplaced", "WrongCheckpoint"]

_STATE = ("ema", "model", "updates", "optimizer", "scaler", "stopper", "best_fitness")


class WrongCheckpoint(Intervention):
    """The state of another checkpoint is resumed at this epoch: an older epochN.pt or best.pt taken for last.pt.

    Parameters
    ----------
    path
        The other checkpoint, read with the allow-list.
    sha256
        Of that file: names the arm, so that a replicate of another content is never reused.
    """

    id: ClassVar[str] = "wrong-checkpoint"

    def __init__(self, path: str, sha256: str = "") -> None:
        self.path = Path(path)
        self.sha256 = sha256

    def edit_checkpoint(self, payload: dict[str, Any]) -> None:
        """Take the other file's weights, EMA, optimizer and counters; epoch and arguments stay."""
        other = load_payload(self.path, sha256=self.sha256)
        arguments = getattr(payload.get("ema"), "args", None)
        payload.update({k: other.get(k) for k in _STATE if k in payload or k in other})
        if payload.get("ema") is not None and arguments is not None:
            payload["ema"].args = arguments


class WeightsReplaced(Intervention):
    """The weights are those of another file, the optimizer is the checkpoint's.

    Parameters
    ----------
    path
        The other file; layers of another shape keep the checkpoint's weights, as in Ultralytics.
    sha256
        As in :class:`WrongCheckpoint`.
    raw_only
        True: only the trained weights are replaced and the EMA is not, as by ``pretrained=`` (upstream PR #25854).
    """

    id: ClassVar[str] = "weights-replaced"

    def __init__(self, path: str, sha256: str = "", raw_only: bool = False) -> None:
        self.path = Path(path)
        self.sha256 = sha256
        self.raw_only = raw_only

    def _fitting(self, module: Any) -> dict[str, Any]:
        other = load_payload(self.path, sha256=self.sha256)
        source = other.get("ema") or other.get("model")
        if source is None:
            raise CheckpointError(f"{self.path} holds no weights.", "Give an Ultralytics checkpoint.")
        held = module.state_dict()
        found = source.state_dict()
        return {k: v for k, v in found.items() if k in held and v.shape == held[k].shape}

    def edit_checkpoint(self, payload: dict[str, Any]) -> None:
        """Replace the stored EMA, from which both the weights and the EMA are read."""
        if not self.raw_only and payload.get("ema") is not None:
            payload["ema"].load_state_dict(self._fitting(payload["ema"]), strict=False)

    def at_start(self, trainer: Any) -> None:
        """Replace the trained weights alone."""
        if self.raw_only:
            model = trained_model(trainer)
            model.load_state_dict(self._fitting(model), strict=False)


class NotAResume(Intervention):
    """A new training from the checkpoint's weights: first epoch, warmup, no optimizer state, a young EMA."""

    id: ClassVar[str] = "not-a-resume"

    def at_start(self, trainer: Any) -> None:
        """Put everything but the weights back to the beginning."""
        trainer.start_epoch = 0
        trainer.scheduler.last_epoch = -1
        trainer.optimizer.state.clear()
        if trainer.ema is not None:  # on several GPUs older versions keep one on the first rank alone
            trainer.ema.updates = 0


class HeadRebuilt(Intervention):
    """The detection head starts from random weights: classes, anchors or head differed.

    Its numbers are drawn from a generator of its own, so this fault has no row that could be found again exactly.
    """

    id: ClassVar[str] = "head-rebuilt"

    def at_start(self, trainer: Any) -> None:
        """Draw the last module of the model anew, in the trained weights and in the EMA alike."""
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            head = trained_model(trainer).model[-1]
            for part in head.modules():
                if hasattr(part, "reset_parameters"):
                    part.reset_parameters()
            if hasattr(head, "bias_init"):
                head.bias_init()
        if trainer.ema is not None:
            trainer.ema.ema.model[-1].load_state_dict(head.state_dict())
