"""Operating characteristics of the whole decision, by simulation: shares of verdicts, coverage, replicates used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analyzer.calibration.decide_many import (
    FAULT,
    INCONCLUSIVE,
    NEGLIGIBLE,
    NOISE,
    Nulls,
    coverage,
    decide_auto,
    decide_fixed,
)
from analyzer.calibration.simulate import Cell, draw, shifted_by

__all__ = ["Shares", "shares", "shares_together"]

Flags = NDArray[np.bool_]
_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Shares:
    """What a cell gives.

    Parameters
    ----------
    draws
        Simulated analyses.
    noise, negligible, fault, inconclusive
        Shares of verdicts, 0 to 1.
    looked_odd
        Share of FAULT among the draws with some metric more than 2 true sd from its mean; NaN where there is none.
    single_coverage, simultaneous_coverage
        Of the per-metric 95 % prediction interval (mean over metrics) and of the simultaneous one (t procedure); NaN
        for auto, and for shifted rows, which no interval promises to cover.
    mean_replicates
        Replicates used.
    """

    draws: int
    noise: float
    negligible: float
    fault: float
    inconclusive: float
    looked_odd: float
    single_coverage: float
    simultaneous_coverage: float
    mean_replicates: float


def shares(
    cell: Cell,
    draws: int,
    rng: np.random.Generator,
    *,
    alpha_null: float,
    auto: bool = False,
    rows: ArrayLike | None = None,
    correlation: ArrayLike | None = None,
    margin_steps: float = 3.0,
) -> Shares:
    """Shares of the four verdicts in one cell, from the null arm alone (no audit, no history, no replay).

    Parameters
    ----------
    cell
        What is simulated; with ``auto`` its n is the cap.
    draws
        Simulated analyses, in chunks.
    rng
        Source of randomness.
    alpha_null
        The null's share of alpha.
    auto
        The sequential design instead of a fixed N.
    rows, correlation
        As in `draw`.
    margin_steps
        Margin in robust sd of the steps (3: ``auto`` margin); without history every margin is that many sqrt(2) true
        sd.

    Returns
    -------
    Shares
    """
    found = shares_together(
        [cell],
        draws,
        rng,
        alphas=[alpha_null],
        auto=auto,
        rows=rows,
        correlation=correlation,
        margin_steps=margin_steps,
    )
    return found[0][0]


def shares_together(
    cells: Sequence[Cell],
    draws: int,
    rng: np.random.Generator,
    *,
    alphas: Sequence[float],
    auto: bool = False,
    rows: ArrayLike | None = None,
    correlation: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    margin_steps: float = 3.0,
) -> tuple[tuple[Shares, ...], ...]:
    """Shares of cells that differ in their shift alone, at several levels, all from the same draws.

    Drawing and summarising the nulls costs most; each cell is what `shares` gives for it with the same generator.

    Parameters
    ----------
    cells
        At least one.
    alphas
        The null's share of each alpha.
    groups
        As in `draw`.
    draws, rng, auto, rows, correlation, margin_steps
        As in `shares`.

    Returns
    -------
    tuple of tuple of Shares
        One tuple a cell, with one entry a level.
    """
    healthy = replace(cells[0], shift=0.0, shifted=())
    if any(replace(cell, shift=0.0, shifted=()) != healthy for cell in cells):
        raise ValueError("cells that are drawn together may differ in their shift only")
    tallies = [[_Tally() for _ in alphas] for _ in cells]
    for start in range(0, draws, _CHUNK):
        drawn = draw(healthy, min(_CHUNK, draws - start), rng, rows=rows, correlation=correlation, groups=groups)
        nulls = Nulls(drawn, auto=auto)
        margin = margin_steps * (np.full(drawn.observed.shape, np.sqrt(2)) if drawn.step_sd is None else drawn.step_sd)
        for cell, by_level in zip(cells, tallies, strict=True):
            d = shifted_by(drawn, cell)
            odd: Flags = np.asarray((np.abs(d.observed) > 2).any(axis=1))
            for alpha, tally in zip(alphas, by_level, strict=True):
                if auto:
                    verdict, used = decide_auto(d, alpha, margin, nulls)
                else:
                    verdict, used = decide_fixed(d, alpha, margin, nulls), np.full(len(odd), cell.n)
                    if not cell.shift:
                        tally.coverage.append(coverage(d, alpha, nulls.look(cell.n)))
                tally.verdicts.append(verdict)
                tally.used.append(used)
                tally.odd.append(odd)
    return tuple(tuple(tally.shares() for tally in by_level) for by_level in tallies)


@dataclass(slots=True)
class _Tally:
    """What was found so far in one cell at one level, a list entry a chunk."""

    verdicts: list[NDArray[np.int_]] = field(default_factory=list)
    used: list[NDArray[np.int_]] = field(default_factory=list)
    odd: list[Flags] = field(default_factory=list)
    coverage: list[tuple[float, float]] = field(default_factory=list)

    def shares(self) -> Shares:
        v, looked = np.concatenate(self.verdicts), np.concatenate(self.odd)
        single, joint = np.mean(self.coverage, axis=0) if self.coverage else (float("nan"), float("nan"))
        return Shares(
            draws=len(v),
            noise=float((v == NOISE).mean()),
            negligible=float((v == NEGLIGIBLE).mean()),
            fault=float((v == FAULT).mean()),
            inconclusive=float((v == INCONCLUSIVE).mean()),
            looked_odd=float((v[looked] == FAULT).mean()) if looked.any() else float("nan"),
            single_coverage=float(single),
            simultaneous_coverage=float(joint),
            mean_replicates=float(np.concatenate(self.used).mean()),
        )
