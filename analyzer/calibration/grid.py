"""The grid that `drift calibrate` measures, and what is promised of its cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analyzer.calibration.operating import Shares

__all__ = ["DESIGNS", "SHIFTS", "CellResult", "Requirement", "requirements_of"]

DESIGNS: tuple[int | None, ...] = (3, 5, 8, 12, 19, 39, None)  # None: auto
SHIFTS: tuple[tuple[float, tuple[int, ...]], ...] = (
    (0.0, ()),
    (4.0, (0,)),
    (6.0, (0,)),
    (8.0, (0,)),
    (10.0, (0,)),
    (6.0, (0, 4, 7)),
)
_INCONCLUSIVE_AT_12 = 0.20
_POWER = 0.80
_POWER_AT = {(8, 8.0): "8 sd, N = 8", (12, 6.0): "6 sd, N = 12"}


@dataclass(frozen=True, slots=True)
class CellResult:
    """One cell of the grid and what it gave.

    Parameters
    ----------
    source
        A shape, or the label of recorded rows.
    n
        Replicates; None for auto.
    alpha
        Level of the whole command.
    shift, metrics
        True shift in replicate sd, and on how many metrics.
    shares
        Of the verdicts.
    """

    source: str
    n: int | None
    alpha: float
    shift: float
    metrics: int
    shares: Shares


@dataclass(frozen=True, slots=True)
class Requirement:
    """A promise, and whether one cell keeps it.

    Parameters
    ----------
    what
        In words.
    cell
        The cell.
    value, bound
        What it gave, and what it had to stay at or below (`at_most`) or reach.
    at_most, met
        Direction, and outcome.
    """

    what: str
    cell: CellResult
    value: float
    bound: float
    at_most: bool
    met: bool


def requirements_of(cell: CellResult) -> list[Requirement]:
    """What is promised of this cell, and whether it holds."""
    s, found = cell.shares, []

    def ask(what: str, value: float, bound: float, *, at_most: bool) -> None:
        met = value <= bound if at_most else value >= bound
        found.append(Requirement(what, cell, value, bound, at_most, met))

    if not cell.shift:
        error = math.sqrt(cell.alpha * (1 - cell.alpha) / s.draws)  # Monte Carlo standard error at alpha
        ask("FAULT on healthy", s.fault, cell.alpha + 2 * error, at_most=True)
        if cell.n == 12:
            ask("INCONCLUSIVE on healthy, N = 12", s.inconclusive, _INCONCLUSIVE_AT_12, at_most=True)
    elif cell.metrics == 1 and cell.n is not None and (cell.n, cell.shift) in _POWER_AT:
        ask(f"FAULT at {_POWER_AT[cell.n, cell.shift]}", s.fault, _POWER, at_most=False)
    return found
