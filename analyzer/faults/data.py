"""Faults of the data set and of the head that was made for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from analyzer.domain.evidence import Severity
from analyzer.faults.clues import Clues, Hypothesis
from analyzer.faults.fault import TRAINING, Attempt, Family, Fault, Situation, in_training, trained_model

__all__ = ["HeadRebuilt", "WrongData"]

_CLASSES = 0.3  # a relative change of the class loss that, where the other losses hardly move, the labels make


class WrongData(Fault):
    """Other images, or labels whose classes are in another order.

    Parameters
    ----------
    train, val
        What the data yaml names instead, absolute; None: as it was.
    order
        New class of each old class; None: as they were.
    """

    id = "wrong-data"
    family = Family.DATA
    row = "Everything jumps; with other validation images only validation."
    audit = "Class names, numbers of images, the manifest of the seam."
    searched = (
        "Training or validation on another split of the data yaml; training labels in alphabetical order of "
        "the class names or shifted by one, where the class loss alone jumps."
    )
    remedy = "Restore the data set of the checkpoint (files, labels, order of the class names) and resume again."
    severity = Severity.HARD
    seen = "Class names or their order differ from the stored model, or files are not as the manifest of the seam says."

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """Another split of the data yaml, or labels with another order of the classes."""
        validation = {Situation.VALIDATION: 2, Situation.HALF_GIVEN: 2, Situation.LOWER: 60, Situation.HIGHER: 50}
        return (
            Attempt(cls._counted_split, dict.fromkeys(TRAINING, 4)),
            Attempt(cls._permuted, dict.fromkeys(TRAINING, 5)),
            Attempt(cls._validation_split, validation),
            Attempt(cls._training_split, in_training(80, 90, 90, 70)),
            Attempt(cls._any_order, {Situation.SIMULATED: 30}),
        )

    @classmethod
    def _counted_split(cls, clues: Clues) -> Iterator[Hypothesis]:
        for split in clues.read_splits:
            why = f"the number of {split} images gives the number of updates after the seam"
            yield Hypothesis(((cls.id, {"train": list(clues.splits[split])}),), why)

    @classmethod
    def _permuted(cls, clues: Clues) -> Iterator[Hypothesis]:
        """Training labels in another order of the classes, where the class loss alone jumps."""
        shifts = clues.train_shifts
        of_classes = [v for c, v in shifts.items() if "cls" in c]
        others = [abs(v) for c, v in shifts.items() if "cls" not in c]
        n = len(clues.names)
        if not of_classes or not others or n < 2 or sorted(clues.names) != list(range(n)):
            return
        if min(of_classes) < _CLASSES or min(of_classes) < 3 * float(np.median(others)):
            return
        orders = {
            "in alphabetical order": [int(i) for i in np.argsort(np.argsort([clues.names[i] for i in range(n)]))],
            "counted from one": [min(i + 1, n - 1) for i in range(n)],
            "counted as from one": [max(i - 1, 0) for i in range(n)],
        }
        for words, order in orders.items():
            if order != list(range(n)):
                why = f"the class loss alone jumps; the classes of the labels may be {words}"
                yield Hypothesis(((cls.id, {"order": order}),), why)

    @classmethod
    def _validation_split(cls, clues: Clues) -> Iterator[Hypothesis]:
        for split, images in clues.splits.items():
            if split != "val" and images != clues.splits.get("val"):
                yield Hypothesis(((cls.id, {"val": list(images)}),), f"validation may have read the {split} images")

    @classmethod
    def _training_split(cls, clues: Clues) -> Iterator[Hypothesis]:
        for split, images in clues.splits.items():
            if split != "train" and images != clues.splits.get("train"):
                yield Hypothesis(((cls.id, {"train": list(images)}),), f"training may have read the {split} images")

    @classmethod
    def _any_order(cls, clues: Clues) -> Iterator[Hypothesis]:
        """One other order, where the losses did not give one already."""
        names = [clues.names[i] for i in sorted(clues.names)]
        if len(names) < 2 or ("batch" not in clues.later_args and any(cls._permuted(clues))):
            return
        order = [sorted(names).index(name) for name in names]
        order = order if order != sorted(order) else order[::-1]
        yield Hypothesis(((cls.id, {"order": order}),), "the classes may have been put in another order")

    def __init__(
        self,
        train: str | Sequence[str] | None = None,
        val: str | Sequence[str] | None = None,
        order: Sequence[int] | None = None,
    ) -> None:
        self.splits = {k: v for k, v in (("train", train), ("val", val)) if v is not None}
        self.order = order

    def edit_data(self, data: dict[str, Any]) -> None:
        """Name the other images."""
        data.update(self.splits)

    def at_start(self, trainer: Any) -> None:
        """Give every training label its other class; validation keeps the right ones."""
        if self.order is None:
            return
        order = np.asarray(self.order)
        dataset = trainer.train_loader.dataset
        dataset.labels = [  # new mappings: those of the data set are shared by all replicates
            {**label, "cls": order[label["cls"].astype(int)].astype(label["cls"].dtype)} for label in dataset.labels
        ]


class HeadRebuilt(Fault):
    """The detection head starts from random weights: classes, anchors or head differed.

    Its numbers are drawn from a generator of its own, so this fault has no row that could be found again exactly.
    """

    id = "head-rebuilt"
    family = Family.DATA
    row = "mAP about 0, class loss high."
    audit = "Number of classes of data set and model; the head's weights after the seam against those before it."
    remedy = "Resume with the data yaml of the checkpoint; for other classes start a new training from the weights."
    severity = Severity.HARD
    seen = (
        "The data set has another number of classes than the stored model, or the head's weights after the "
        "seam are unrelated to those before it while the rest of the model is not."
    )

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """A random head; its numbers cannot be drawn again, so only a simulated fault can show it."""
        return (Attempt(cls._random, {Situation.SIMULATED: 20}),)

    @classmethod
    def _random(cls, clues: Clues) -> Iterator[Hypothesis]:
        yield Hypothesis(((cls.id, {}),), "the head may have started from random weights")

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
