"""Faults of the file that was resumed: another checkpoint, other weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from analyzer.domain.evidence import Severity
from analyzer.errors import CheckpointError
from analyzer.faults.clues import Clues, Hypothesis, OtherFile
from analyzer.faults.fault import TRAINING, Attempt, Family, Fault, in_training, ranked_files, trained_model
from analyzer.runs.checkpoint import load_payload

__all__ = ["WeightsReplaced", "WrongCheckpoint"]

_STATE = ("ema", "model", "updates", "optimizer", "scaler", "stopper", "best_fitness")
_NEAR = 0.8  # of the distance from the seam's checkpoint; measured on healthy resumed epochs: 0.98 and more


class WrongCheckpoint(Fault):
    """The state of another checkpoint is resumed at this epoch: an older epochN.pt or best.pt taken for last.pt.

    Parameters
    ----------
    path
        The other checkpoint, read with the allow-list.
    sha256
        Of that file: names the arm, so that a replicate of another content is never reused.
    """

    id = "wrong-checkpoint"
    family = Family.FILES
    row = "The row continues an earlier epoch."
    audit = "Repeated epochs; stored metrics against their row; counters after the seam."
    searched = "best.pt and the newest older epochN.pt that lie in the run (three files)."
    remedy = "Resume from the newest weights/last.pt of this very run."
    severity = Severity.HARD
    seen = (
        "Several epochs are repeated after the seam, the metrics stored in the checkpoint are not those of "
        "its row, or the counters after the seam are what an older epoch gives."
    )

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """Other checkpoints of the run whose counter would not have shown."""
        return (Attempt(cls._older, in_training(40, 50, 40, 10)),)

    @classmethod
    def _older(cls, clues: Clues) -> Iterator[Hypothesis]:
        files = clues.files
        if clues.updates is not None:  # its counter would show after the seam
            files = tuple(f for f in files if f.updates in (None, clues.updates))
        yield from ranked_files(cls.id, files)

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


class WeightsReplaced(Fault):
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

    id = "weights-replaced"
    family = Family.FILES
    row = "Train losses jump at once, validation (EMA) follows later."
    audit = "All weights unrelated to those before the seam, in the first three epochs after it."
    searched = (
        "The file that `pretrained` names; the one to whose weights those after the seam are nearer than to "
        "the seam's checkpoint; where there is no later checkpoint, the weights of the same three files."
    )
    remedy = "Resume without pretrained=; later versions do not let it overwrite resumed weights (upstream PR #25854)."
    severity = Severity.WARNING
    seen = "All weights after the seam are unrelated to those before it."
    finding_remedy = "Resume without pretrained= and without loading weights yourself."

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """The file that `pretrained` names; the nearest one to the weights after the resume; others."""
        return (
            Attempt(cls._pretrained, dict.fromkeys(TRAINING, 2)),
            Attempt(cls._near, dict.fromkeys(TRAINING, 3)),
            Attempt(cls._unknown, in_training(60, 80, 80, 40)),
            Attempt(cls._alike, in_training(70, 30, 30, 60)),
        )

    @classmethod
    def strengths(cls, tried: Hypothesis) -> Iterator[Hypothesis]:
        """The weights alone, the EMA kept."""
        _, parameters = tried.interventions[0]
        if not parameters.get("raw_only"):
            yield Hypothesis(((cls.id, {**parameters, "raw_only": True}),), f"{tried.why}; the EMA kept")

    @classmethod
    def _pretrained(cls, clues: Clues) -> Iterator[Hypothesis]:
        for other in (f for f in clues.files if not f.epoch):
            named = {"path": str(other.path), "sha256": other.sha256, "raw_only": True}
            yield Hypothesis(((cls.id, named),), f"pretrained names {other.path.name}")

    @classmethod
    def _near(cls, clues: Clues) -> Iterator[Hypothesis]:
        """The file from whose weights the resume trained, going by the weights after the seam."""
        near = [f for f in clues.files if f.near is not None and f.near < _NEAR]
        for other in sorted(near, key=lambda f: f.near or 0.0)[:1]:
            yield from cls._both(other, f"the weights after the seam are nearer to those of {other.path.name}")

    @classmethod
    def _alike(cls, clues: Clues) -> Iterator[Hypothesis]:
        """Files whose weights are nearly those of the seam's checkpoint, as under an average that hardly moves."""
        for other in clues.files:
            if other.epoch and other.near is not None and _NEAR <= other.near < 1 / _NEAR:
                yield from cls._both(
                    other, f"the weights of {other.path.name} are nearly those of the seam's checkpoint"
                )

    @classmethod
    def _unknown(cls, clues: Clues) -> Iterator[Hypothesis]:
        """Where weights after the seam are known, only the files that they do not tell from the seam's checkpoint."""
        yield from ranked_files(cls.id, [f for f in clues.files if f.near is None])

    @classmethod
    def _both(cls, other: OtherFile, why: str) -> Iterator[Hypothesis]:
        """Weights and average, or the weights alone."""
        for raw_only in (False, True):
            named = {"path": str(other.path), "sha256": other.sha256, "raw_only": raw_only}
            yield Hypothesis(((cls.id, named),), why)

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
