"""Error rates of the borrowed null by simulation, with drift between the lending checkpoint and the seam.

Unit: the sd of one epoch of the run. What a resume does by itself (the effect) is 1 sd at the lender, for the worse in
half of the metrics, and 0 at the seam where the lender does not tell it; until the seam it changes by the part
`change`. The lender's spread is `spread` times that of the seam. Histories of the metrics are independent, the worst
case for a correction over the family; the noise of rows has the recorded correlations. The local linear trend is fitted
on a grid, which gives what `predict_next` gives and is fast.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from analyzer.calibration.simulate import SHAPES, demo_correlation, draw_rows, standard_groups
from analyzer.stats.borrowed import BORROWED_FACTOR, expected_row
from analyzer.stats.history import prior_df_of, robust_step_sd
from analyzer.stats.moderation import moderate_family
from analyzer.stats.trend import MAX_DF

CURVES = ("line", "walk", "decay", "rough")
OWN = ("row", "prediction", "unknown")
EPOCHS, METRICS, LENT = 20, 8, 5
LEVEL, SLOPE = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0), (0.0, 1e-3, 1e-2, 0.1, 1.0)  # over the irregular variance


def levels(curve: str, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Expected values of `EPOCHS` epochs and of the next one, shape (EPOCHS + 1, *size)."""
    t = np.arange(EPOCHS + 1).reshape(-1, *(1,) * len(size))
    if curve == "line":
        return np.broadcast_to(-0.3 * t, (EPOCHS + 1, *size))
    if curve == "decay":  # flattens within the history
        return np.broadcast_to(12 * np.exp(-t / 12), (EPOCHS + 1, *size))
    step = 0.4 if curve == "walk" else 1.0
    return -0.3 * t + np.cumsum(step * rng.standard_normal((EPOCHS + 1, *size)), axis=0)


def predict(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and level sd of the next epoch, for histories of shape (EPOCHS, ...)."""
    best = np.full(y.shape[1:], -np.inf)
    mean, level_sd = np.zeros(y.shape[1:]), np.zeros(y.shape[1:])
    step = np.array([[1.0, 1.0], [0.0, 1.0]])
    for level, slope in itertools.product(LEVEL, SLOPE):
        noise = np.diag([level, slope])
        state = [2 * y[1] - y[0], y[1] - y[0]]  # after two epochs: exact with a diffuse start
        cov = step @ np.array([[1.0, 1.0], [1.0, 2.0 + level + slope]]) @ step.T + noise
        squares, logs = np.zeros(y.shape[1:]), 0.0
        for row in y[2:]:
            f = cov[0, 0] + 1
            gain, v = cov[:, 0] / f, row - state[0]
            squares, logs = squares + v**2 / f, logs + np.log(f)
            a, b = state[0] + gain[0] * v, state[1] + gain[1] * v
            state = [a + b, b]
            cov = step @ (cov - np.outer(gain, cov[0])) @ step.T + noise
        scale = squares / (len(y) - 2)
        likelihood = -0.5 * ((len(y) - 2) * np.log(scale) + logs)
        better = likelihood > best
        best = np.where(better, likelihood, best)
        mean = np.where(better, state[0], mean)
        level_sd = np.where(better, np.sqrt(scale * cov[0, 0]), level_sd)
    return mean, level_sd


def histories(curve: str, shape: str, draws: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """By how much the prediction of the next level misses, its level sd, and the step sd; each (draws, METRICS)."""
    level = levels(curve, (draws, METRICS), rng)
    rows = level[:-1] + draw_rows(shape, (EPOCHS, draws), np.eye(METRICS), rng)
    mean, level_sd = predict(rows)
    step = robust_step_sd(np.moveaxis(rows, 0, 1))
    floor = 2 * step / np.sqrt(2) / np.sqrt(EPOCHS)
    return {"miss": mean - level[-1], "level_sd": np.maximum(level_sd, floor), "step": step}


def cell(
    shape: str,
    here: dict[str, np.ndarray],
    there: dict[str, np.ndarray],
    own: str,
    spread: float,
    change: float,
    shift: float,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Shares of FAULT and of NOISE in one cell, as `borrowed_tests` decides, on the histories of seam and lender."""
    draws = len(here["miss"])
    noise = draw_rows(shape, (LENT + 2, draws), np.linalg.cholesky(demo_correlation(METRICS)), rng)
    sign = np.where(np.arange(METRICS) % 2, 1.0, -1.0)  # so in half of the metrics a resume comes out better
    observed = 1.0 * (1 + change) * (own != "unknown") + noise[0]  # around the level of the seam
    observed[:, 1] += shift
    lent = 1.0 + spread * noise[2:]  # around the level of the lender
    s = moderate_family(
        lent.std(axis=0, ddof=1),
        LENT - 1,
        here["step"] / np.sqrt(2),
        np.full(METRICS, prior_df_of(EPOCHS - 1)),
        np.zeros(METRICS),
        groups=standard_groups(METRICS),
    )
    nan = np.full((draws, METRICS), np.nan)
    mean, se, df = expected_row(
        LENT,
        lent.mean(axis=0),
        s.sd,
        s.df,
        predicted=here["miss"],
        level_sd=here["level_sd"],
        history_df=float(MAX_DF),
        own={"row": spread * noise[1], "prediction": there["miss"], "unknown": nan}[own],
        own_sd=there["level_sd"] if own == "prediction" else nan,
        adverse_sign=sign,
    )
    excess = sign * (observed - mean)
    p = stats.t.sf(excess / se / BORROWED_FACTOR, df)
    inside = np.maximum(excess, 0) + stats.t.isf(0.2, df) * se <= 3 * here["step"]
    order = np.argsort(p, axis=1)
    holm = np.take_along_axis(p, order, axis=1) * (METRICS - np.arange(METRICS))
    significant = np.zeros(p.shape, dtype=bool)
    np.put_along_axis(significant, order, np.maximum.accumulate(holm, axis=1) <= 0.05 * 0.8, axis=1)
    fault = (significant & ~inside).any(axis=1)
    calm = inside.all(axis=1) & ~significant.any(axis=1)
    return {
        "own": own, "spread": spread, "change": change, "shift": shift,
        "FAULT": round(float(fault.mean()), 4), "NOISE": round(float(calm.mean()), 4),
        "rejected": round(float(significant.any(axis=1).mean()), 4),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "borrowed.json")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    grid = [(own, spread, 0.0, 0.0) for own in OWN for spread in (0.7, 1.0, 1.4)]
    grid += [(own, 1.0, change, 0.0) for own in OWN[:2] for change in (-1.0, -0.5, 0.5, 1.0)]
    grid += [(own, 1.0, 0.0, shift) for own in OWN for shift in (4.0, 6.0, 8.0, 10.0)]
    found = []
    for curve, shape in itertools.product(CURVES, SHAPES):
        here, there = (histories(curve, shape, options.draws, rng) for _ in range(2))
        for known in grid:
            found.append({"curve": curve, "noise": shape, **cell(shape, here, there, *known, rng)})
            print(json.dumps(found[-1]), flush=True)
    options.out.write_text("[\n" + ",\n".join(map(json.dumps, found)) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
