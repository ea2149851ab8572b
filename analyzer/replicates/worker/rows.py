"""The row of an epoch, as printed and at full precision, from a live trainer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["exact_row", "is_finite", "loss_row", "printed_row"]


def printed_row(metrics: Mapping[str, Any], *, padded: bool) -> dict[str, float]:
    """Values as results.csv would show them.

    Parameters
    ----------
    metrics
        What Ultralytics hands to ``save_metrics``.
    padded
        True for the ``%23.5g`` of versions up to 8.3.9, False for the ``%.6g`` of later ones.
    """
    form = "%.5g" if padded else "%.6g"
    return {str(k).strip(): float(form % float(v)) for k, v in metrics.items()}


def exact_row(trainer: Any) -> dict[str, float]:
    """The metric columns before Ultralytics rounds them to five decimals.

    Train losses are the running means of the epoch, val losses the sum over batches divided by their number,
    scores those of the validator's metrics object.
    """
    row = loss_row("train", trainer.tloss, trainer.loss_names)
    validator = trainer.validator
    if getattr(validator, "loss", None) is not None:
        batches = max(len(validator.dataloader), 1)
        losses = loss_row("val", validator.loss, trainer.loss_names)
        row.update({k: v / batches for k, v in losses.items()})
    scores = getattr(validator.metrics, "results_dict", {})
    row.update({str(k): float(v) for k, v in scores.items() if k != "fitness"})
    return row


def loss_row(prefix: str, loss: Any, names: Any) -> dict[str, float]:
    """Losses by column: a mapping in new versions, in older ones a tensor in the order of the names."""
    if isinstance(loss, Mapping):
        return {f"{prefix}/{k}": float(v) for k, v in loss.items()}
    values = np.atleast_1d(loss.detach().cpu().numpy() if hasattr(loss, "detach") else np.asarray(loss))
    return {f"{prefix}/{k}": float(v) for k, v in zip(names, values, strict=False)}


def is_finite(row: Mapping[str, float]) -> bool:
    """Whether every value is a finite number."""
    return all(math.isfinite(v) for v in row.values())
