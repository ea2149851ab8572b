"""Faults of augmentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analyzer.domain.evidence import Severity
from analyzer.faults.clues import Clues, Hypothesis
from analyzer.faults.fault import Attempt, Family, Fault, in_training
from analyzer.runs.schedule import has_mosaic
from analyzer.runs.versions import TRAIN_DEFAULTS

__all__ = ["AugmentationChanged", "MosaicState"]

_NO_AUGMENTATION: Mapping[str, Any] = dict.fromkeys(
    ("mosaic", "mixup", "cutmix", "copy_paste", "hsv_h", "hsv_s", "hsv_v", "degrees", "translate", "scale", "shear",
     "perspective", "flipud", "fliplr", "erasing"), 0.0
)  # fmt: skip


class MosaicState(Fault):
    """Mosaic is open where it should be closed, or the reverse.

    Parameters
    ----------
    state
        "closed" as by close_mosaic (mixup, cutmix and copy-paste go with it), "off" as by mosaic=0, or "open".
    """

    id = "mosaic-state"
    family = Family.IMAGES
    row = "The level of the train losses changes, validation hardly."
    audit = "close_mosaic before and after, where the arguments say it."
    searched = "Closed where it should be open, and the reverse."
    remedy = "Resume with the close_mosaic of the checkpoint."
    severity = Severity.HARD
    seen = "Mosaic is on at the first resumed epoch where the checkpoint's arguments close it, or the reverse."

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """Closed where it should be open, and the reverse."""
        return (Attempt(cls._closed, in_training(10, 40, 70, 80)), Attempt(cls._open, in_training(50, 70, 60, 20)))

    @classmethod
    def _closed(cls, clues: Clues) -> Iterator[Hypothesis]:
        if clues.mosaic_open:
            yield Hypothesis(((cls.id, {"state": "closed"}),), "without mosaic the train losses are lower")

    @classmethod
    def _open(cls, clues: Clues) -> Iterator[Hypothesis]:
        if has_mosaic(clues.args) and not clues.mosaic_open:
            yield Hypothesis(((cls.id, {"state": "open"}),), "with mosaic the train losses are higher")

    def __init__(self, state: str) -> None:
        self.state = state

    def edit_args(self, args: dict[str, Any]) -> None:
        """Let Ultralytics open or close it by its own arguments."""
        if self.state == "off":
            args["mosaic"] = 0.0
        elif self.state == "open":
            args["close_mosaic"] = 0
            args["mosaic"] = args.get("mosaic") or 1.0
        else:
            args["close_mosaic"] = args.get("epochs", 100)


class AugmentationChanged(Fault):
    """Augmentation has other strengths.

    Parameters
    ----------
    **values
        Arguments of Ultralytics, e.g. ``mixup=0.5``.
    """

    id = "augmentation-changed"
    family = Family.IMAGES
    row = "The level of the train losses changes, validation hardly."
    audit = "The arguments, where they say it."
    searched = "No augmentation; Ultralytics' defaults instead of yours; mixup=0.5."
    remedy = "Resume again from the unedited checkpoint, with the augmentation of its train_args."
    severity = Severity.HARD
    seen = "An augmentation argument differs that Ultralytics refuses to change on resume."

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """None at all; Ultralytics' defaults; mixup."""
        return (Attempt(cls._none, in_training(11, 41, 71, 81)), Attempt(cls._more, in_training(51, 71, 61, 21)))

    @classmethod
    def _none(cls, clues: Clues) -> Iterator[Hypothesis]:
        off = {k: v for k, v in _NO_AUGMENTATION.items() if clues.args.get(k)}
        if off:
            yield Hypothesis(((cls.id, off),), "without augmentation the train losses are lower")

    @classmethod
    def _more(cls, clues: Clues) -> Iterator[Hypothesis]:
        default = TRAIN_DEFAULTS
        lost = {k: default[k] for k in _NO_AUGMENTATION if clues.args.get(k, default[k]) != default[k]}
        if lost:
            yield Hypothesis(((cls.id, lost),), f"the defaults of {', '.join(sorted(lost))} may be back")
        if clues.args.get("mixup") == 0:
            yield Hypothesis(((cls.id, {"mixup": 0.5}),), "with mixup the train losses are higher")

    def __init__(self, **values: Any) -> None:
        self.values = values

    def edit_args(self, args: dict[str, Any]) -> None:
        """Write them over the checkpoint's."""
        args.update(self.values)
