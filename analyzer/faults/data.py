"""Faults of data, augmentation and batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from analyzer.faults.base import Intervention

__all__ = ["AugmentationChanged", "BatchChanged", "MosaicState", "WrongData"]


class MosaicState(Intervention):
    """Mosaic is open where it should be closed, or the reverse.

    Parameters
    ----------
    state
        "closed" as by close_mosaic (mixup, cutmix and copy-paste go with it), "off" as by mosaic=0, or "open".
    """

    id: ClassVar[str] = "mosaic-state"

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


class AugmentationChanged(Intervention):
    """Augmentation has other strengths.

    Parameters
    ----------
    **values
        Arguments of Ultralytics, e.g. ``mixup=0.5``.
    """

    id: ClassVar[str] = "augmentation-changed"

    def __init__(self, **values: Any) -> None:
        self.values = values

    def edit_args(self, args: dict[str, Any]) -> None:
        """Write them over the checkpoint's."""
        args.update(self.values)


class BatchChanged(Intervention):
    """Another batch or image size.

    Parameters
    ----------
    batch, imgsz
        None: as it was.
    """

    id: ClassVar[str] = "batch-changed"

    def __init__(self, batch: int | None = None, imgsz: int | None = None) -> None:
        self.values = {k: v for k, v in (("batch", batch), ("imgsz", imgsz)) if v is not None}

    def edit_args(self, args: dict[str, Any]) -> None:
        """Write them over the checkpoint's."""
        args.update(self.values)


class WrongData(Intervention):
    """Other images, or labels whose classes are in another order.

    Parameters
    ----------
    train, val
        What the data yaml names instead, absolute; None: as it was.
    order
        New class of each old class; None: as they were.
    """

    id: ClassVar[str] = "wrong-data"

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
