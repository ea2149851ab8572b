"""The rounding unit of a printed column: no spread below it can be seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.metrics import metric_of

__all__ = ["rounding_units"]

_SAMPLE = 400  # strings looked at per column: the digits of a column do not change along a file
_SMALLEST = 1e-12


def rounding_units(
    names: Sequence[str], values: NDArray[np.float64], cells: Sequence[Sequence[str]], *, padded: bool
) -> NDArray[np.float64]:
    """Rounding unit of each column, derived from the printed strings.

    A value v printed with s significant digits and at most d decimals has the unit
    ``max(10**-d, 10**(floor(log10(abs(v))) - s + 1))``. The digits s are the most that any sampled cell of the column
    shows, at least those of its file's format (5 up to 8.3.5: ``%.5g``; else 6: ``%.6g``); the decimals d are the most
    that any sampled cell of the column shows, at least 5 (Ultralytics rounds losses and metrics to 5 decimals before it
    prints them). A column's unit is the median of the units of its values, since a loss that starts at 12 and ends at
    0.9 is printed more finely at the end.

    Parameters
    ----------
    names
        Column names.
    values
        Shape (n, len(names)).
    cells
        For each column its n printed strings.
    padded
        Whether the file has the padded format (5 significant digits).

    Returns
    -------
    ndarray
        Shape (len(names),), in units of the column, at least 1e-12.
    """
    shown = [_digits(column) for column in cells]
    metric = [(digits, telling) for name, (digits, _, telling) in zip(names, shown, strict=True) if metric_of(name)]
    # A padded file that was saved again has plain headers but still at most 5 digits. Only values of 1 and more tell
    # (below, the rounding to 5 decimals leaves 5 digits); that ten of them end in 0 by chance has probability 1e-10.
    resaved = sum(telling for _, telling in metric) >= 10 and max(digits for digits, _ in metric) <= 5
    least = 5 if padded or resaved else 6
    units = [_unit(values[:, i], max(shown[i][0], least), max(shown[i][1], 5)) for i in range(len(names))]
    return np.maximum(np.array(units, dtype=np.float64), _SMALLEST)


def _digits(cells: Sequence[str]) -> tuple[int, int, int]:
    """Among a sample: most significant digits, most decimals, and how many cells show a whole part and decimals."""
    step = max(1, len(cells) // _SAMPLE)
    digits = decimals = telling = 0
    for cell in cells[::step]:
        mantissa, _, exponent = cell.lower().lstrip("+-").partition("e")
        whole, _, part = mantissa.partition(".")
        if not (whole + part).isdigit():
            continue
        digits = max(digits, len((whole + part).strip("0")) if not part else len((whole + part).lstrip("0")))
        telling += bool(part) and not exponent and whole.strip("0") != ""
        try:
            decimals = max(decimals, len(part) - int(exponent or 0))
        except ValueError:
            continue
    return min(digits, 17), min(decimals, 12), telling


def _unit(values: NDArray[np.float64], digits: int, decimals: int) -> float:
    finite = np.abs(values[np.isfinite(values)])
    if not len(finite):
        return float(10.0**-decimals)
    units = np.full(len(finite), 10.0**-decimals)
    large = finite > 0
    magnitude = np.floor(np.log10(finite[large]))
    units[large] = np.maximum(units[large], 10.0 ** (magnitude - digits + 1))
    return float(np.quantile(units, 0.5, method="higher"))
