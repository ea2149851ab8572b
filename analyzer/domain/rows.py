"""Two rows compared digit by digit as printed, and what the columns that differ tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from analyzer.domain.metrics import is_train_loss

__all__ = ["differing_columns", "is_rate", "is_train"]


def differing_columns(
    observed: Sequence[Mapping[str, float]], printed: Sequence[Mapping[str, float]], unit: Callable[[str], float]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns that both sides have, and those of them that are not the same in every epoch.

    Parameters
    ----------
    observed
        Rows of the run, at least one.
    printed
        Rows of a replicate; one that ended early differs in every column.
    unit
        Rounding unit of a column, in metric units.

    Examples
    --------
    >>> differing_columns([{"a": 1.0, "b": 2.0}], [{"a": 1.0, "b": 2.1}], lambda name: 1e-5)
    (('a', 'b'), ('b',))
    """
    rows = [*printed[: len(observed)], *([{}] * (len(observed) - len(printed)))]
    shared = tuple(c for c in observed[0] if any(c in row for row in rows))
    pairs = list(zip(observed, rows, strict=True))
    other = tuple(c for c in shared if not all(_same(seen[c], row.get(c, np.inf), unit(c)) for seen, row in pairs))
    return shared, other


def _same(a: float, b: float, unit: float) -> bool:
    """Equal as printed: half a rounding unit is what two spellings of one number can differ by."""
    return bool((np.isnan(a) and np.isnan(b)) or a == b or abs(a - b) < 0.5 * unit)


def is_rate(column: str) -> bool:
    """Whether a column is a learning rate."""
    return column.startswith("lr/")


def is_train(column: str) -> bool:
    """Whether a column is made by training alone, without validation."""
    return is_rate(column) or is_train_loss(column)
