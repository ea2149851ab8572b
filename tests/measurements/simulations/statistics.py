"""Whether another statistic would do better at alpha 0.01: ``make statistics``.

Each candidate is scaled by one factor that makes at most alpha of the healthy resumes a FAULT in every noise: all eight
of the grid with a history that is as noisy as the replicates (*grid*), and those with one that is quieter, louder, or
quieter in one group of metrics as well (*wide*, what the tool's own factors hold in). Then its power, worst and best
noise, with a history as noisy as the replicates: for one metric that moved, and for all that got worse together. The
oracles know what nobody knows, and bound what can be had. Nothing here is used by the tool. Writes statistics.json
beside this file.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.calibration.recorded_rows import Recorded, read_recorded
from analyzer.calibration.simulate import SHAPES, critical_t, demo_correlation, draw_rows, standard_groups
from analyzer.stats.history import prior_df_of, robust_step_sd
from analyzer.stats.moderation import Moderated, moderate_family
from tests.measurements.simulations.ceiling import ALPHA, ASKED, MARGIN, ROWS, TAIL

HERE = Path(__file__).resolve().parent
DRAWS, CHUNK, HISTORY = 10_000, 2_000, 20
TOGETHER = 4.0  # sd, of all metrics for the worse, with the larger number of replicates
RATIOS = {"equal": (1.0, 1.0), "quieter": (0.71, 0.71), "louder": (2.0, 2.0), "one group quieter": (0.71, 1.41)}
LAMBDA = 0.4  # how far the correlations are shrunk towards none
# losses up, mAP down, in the order of the simulated metrics and in that of the recorded columns
SIMULATED, RECORDED = np.array([1.0, 1, 1, 1, 1, 1, -1, -1]), np.array([1.0, 1, 1, -1, -1, 1, 1, 1])
Stat = Callable[[np.ndarray], np.ndarray]


def sample(noise: str, recorded: Recorded | None, n: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Observed row, null, history and groups, in true sds."""
    if recorded is None:
        x = draw_rows(noise, (CHUNK, n + 1 + HISTORY), np.linalg.cholesky(demo_correlation()), rng)
        return x[:, 0], x[:, 1 : n + 1], x[:, n + 1 :], standard_groups(8)
    rows = (recorded.rows - recorded.rows.mean(axis=0)) / recorded.rows.std(axis=0, ddof=1)
    picked = rows[np.argsort(rng.random((CHUNK, len(rows))), axis=1)[:, : n + 1]]
    return picked[:, 0], picked[:, 1:], rows[rng.integers(len(rows), size=(CHUNK, HISTORY))], recorded.groups


def gini(x: np.ndarray) -> np.ndarray:
    """Mean absolute difference: nearly as efficient as the sd, and less moved by one far value."""
    n = x.shape[1]
    weights = 2 * np.arange(1, n + 1) - n - 1
    return np.asarray((weights[None, :, None] * np.sort(x, axis=1)).sum(axis=1))


def plain(x: np.ndarray) -> np.ndarray:
    return np.asarray(x.std(axis=1, ddof=1))


def rms(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt((x**2).mean(axis=1)))


def winsorised(x: np.ndarray) -> np.ndarray:
    s = np.sort(x, axis=1)
    return np.asarray(np.clip(x, s[:, 1:2], s[:, -2:-1]).std(axis=1, ddof=1))


def steps(x: np.ndarray) -> np.ndarray:
    d = np.diff(x, axis=1)
    return np.asarray(d - np.median(d, axis=1, keepdims=True))


@lru_cache(maxsize=32)
def scale_and_df(spread: Callable[[np.ndarray], np.ndarray], n: int, of_steps: bool) -> tuple[float, int]:
    """What makes the square of a spread unbiased for normal rows, and the degrees of freedom that it is worth."""
    z = np.random.default_rng(5).standard_normal((40_000, n, 1))
    v = spread(steps(z) if of_steps else z)[:, 0] ** 2
    return float(np.sqrt(v.mean())), round(float(2 * v.mean() ** 2 / v.var()))


def spread_of(null: np.ndarray, history: np.ndarray, groups: np.ndarray, own: Any, past: Any) -> Moderated:
    """Section 3 of the method with other estimates of spread in the replicates and in the steps of the history."""
    c, _ = scale_and_df(own, null.shape[1], False)
    c0, d0 = scale_and_df(past, HISTORY, True)
    n, m = null.shape[1:]
    return moderate_family(own(null) / c, n - 1, past(steps(history)) / c0, d0, np.zeros(m), groups=groups)


def residual(null: np.ndarray, history: np.ndarray) -> Stat:
    """Each metric less what the others say of it, by the pooled, shrunk correlations of replicates and steps."""
    a = np.concatenate([null - null.mean(axis=1, keepdims=True), steps(history)], axis=1)
    near = np.concatenate([np.tile(null.std(axis=1)[:, None], (1, null.shape[1], 1)),
                           np.tile(rms(steps(history))[:, None], (1, HISTORY - 1, 1))], axis=1)  # fmt: skip
    a = a / near
    r = np.einsum("bni,bnj->bij", a, a) / a.shape[1]
    d = np.sqrt(np.einsum("bii->bi", r))
    r = (1 - LAMBDA) * r / d[:, :, None] / d[:, None, :] + LAMBDA * np.eye(r.shape[1])
    inverse = np.linalg.inv(r)
    unit = np.sqrt(np.einsum("bii->bi", inverse))
    return lambda z: np.asarray(np.einsum("bij,bj->bi", inverse, z) / unit)


def pooled_tail(null: np.ndarray) -> np.ndarray:
    """90 % quantile of the replicates' own leave-one-out |z| over all metrics: how heavy tails are; shape (B, 1)."""
    n = null.shape[1]
    e = (null - null.mean(axis=1, keepdims=True)) / null.std(axis=1, ddof=1)[:, None]
    z = np.abs(e) / np.sqrt(np.maximum((n - 1) / n * (1 - e**2 * n / (n - 1) ** 2), 1e-9)) * np.sqrt((n - 2) / (n - 1))
    return np.asarray(np.quantile(z.reshape(len(z), -1), 0.9, axis=1)[:, None])


def candidates(
    null: np.ndarray, history: np.ndarray, groups: np.ndarray, sign: np.ndarray
) -> Iterator[tuple[str, Stat]]:
    """Name and statistic: from an observed row to one number a metric; the largest decides."""
    n, m = null.shape[1:]
    mean, k = null.mean(axis=1), np.sqrt(1 + 1 / n)
    ours = moderate_family(null.std(axis=1, ddof=1), n - 1, robust_step_sd(history) / np.sqrt(2),
                           prior_df_of(HISTORY - 1), np.zeros(m), groups=groups)  # fmt: skip
    both = spread_of(null, history, groups, gini, gini)
    every = spread_of(null, history, groups, plain, rms)
    wins = spread_of(null, history, groups, winsorised, winsorised)
    middle = np.sort(null, axis=1)[:, 1:-1].mean(axis=1)
    left = residual(null, history)

    def t(s: Moderated, location: np.ndarray = mean) -> Stat:
        level = critical_t(ALPHA / 2 / m, s.df)
        return lambda x: (x - location) / (s.sd * k) / level

    def two(f: Stat) -> Stat:
        return lambda x: np.abs(f(x))

    def worse(f: Stat) -> Stat:
        return lambda x: np.maximum(f(x) * sign, 0.0)

    def through(g: Stat, f: Stat) -> Stat:
        return lambda x: g(f(x))

    def larger(f: Stat, g: Stat) -> Stat:
        return lambda x: np.maximum(f(x), g(x))

    ratio = np.log(null.std(axis=1, ddof=1) / rms(steps(history)))
    shared = np.stack([ratio[:, groups == groups[j]].mean(axis=1) for j in range(m)], axis=1)
    one_ratio = replace(ours, sd=rms(steps(history)) * np.exp(shared))
    true = replace(ours, sd=np.ones(ours.sd.shape))
    first = np.eye(m)[0]
    yield "ours", two(t(ours))
    yield "spread of all steps", two(t(every))
    yield "Gini spread", two(t(both))
    yield "winsorised spread, trimmed mean", two(t(wins, middle))
    yield "spread of the history, one ratio a group", two(t(one_ratio))
    yield "tails of all replicates and metrics pooled", two(lambda x: t(ours)(x) / pooled_tail(null))
    yield "residual given the other metrics", two(through(left, t(ours)))
    yield "the same, Gini spread", two(through(left, t(both)))
    yield "Hotelling", lambda x: np.sqrt(np.abs((left(t(both)(x)) * t(both)(x)).sum(axis=1, keepdims=True)))
    yield "for the worse only", worse(t(ours))
    yield "for the worse only, Gini spread", worse(t(both))
    yield "for the worse only, residual, Gini spread", worse(through(left, t(both)))
    yield "for the worse only, larger of both, Gini spread", larger(worse(t(both)), worse(through(left, t(both))))
    yield "oracle: all alpha on the metric that moved", lambda x: np.abs(t(ours)(x)) * first
    yield "oracle: true sd", two(t(true))
    yield "oracle: true sd, for the worse only", worse(t(true))


def outcomes(n: int, shift: float, rng: np.random.Generator) -> dict[str, dict[tuple[str, str], list[np.ndarray]]]:
    """Candidate to (noise, ratio) to the largest statistic of every healthy and shifted row, shape (DRAWS, 3)."""
    recorded = {r.label: r for r in read_recorded(sorted(ROWS.glob("*.json")))}
    found: dict[str, dict[tuple[str, str], list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    for noise in (*SHAPES, *recorded):
        sign = RECORDED if noise in recorded else SIMULATED
        for _ in range(DRAWS // CHUNK):
            observed, null, fair, groups = sample(noise, recorded.get(noise), n, rng)
            rows = (observed, observed + shift * np.eye(observed.shape[1])[0], observed + TOGETHER * sign)
            for label, by_group in RATIOS.items():
                history = fair * np.asarray(by_group)[groups]
                step = robust_step_sd(history)
                spread = moderate_family(null.std(axis=1, ddof=1), n - 1, step / np.sqrt(2), prior_df_of(HISTORY - 1),
                                         np.zeros(len(groups)), groups=groups)  # fmt: skip
                slack = MARGIN * step - critical_t(TAIL, spread.df) * spread.sd * np.sqrt(1 + 1 / n)
                for name, stat in candidates(null, history, groups, sign):
                    pair = [np.where(np.abs(x - null.mean(axis=1)) <= slack, 0.0, stat(x)).max(axis=1)
                            for x in rows]  # fmt: skip
                    found[name][noise, label].append(np.stack(pair, axis=1))
    return found


def main() -> None:
    """Every candidate on both questions."""
    rng = np.random.default_rng(1)
    rows: dict[str, dict[str, Any]] = defaultdict(dict)
    for n, shift in ASKED:
        for name, by_cell in outcomes(n, shift, rng).items():
            cells = {key: np.concatenate(parts) for key, parts in by_cell.items()}
            needed = {key: float(np.quantile(x[:, 0], 1 - ALPHA)) for key, x in cells.items()}
            grid = {key: f for key, f in needed.items() if key[1] == "equal"}
            for what, factor in (("grid", max(grid.values())), ("wide", max(needed.values()))):
                for j, moved in ((1, f"{shift:g} sd"), (2, f"{TOGETHER:g} sd of all")):
                    power = [float((cells[key][:, j] > factor).mean()) for key in grid]
                    rows[name][f"{moved}, N = {n}, {what}"] = [round(min(power), 3), round(max(power), 3)]
    document = {"made_by": "make statistics", "alpha": ALPHA, "draws": DRAWS, "power, worst and best noise": rows}
    (HERE / "statistics.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for name, found in rows.items():
        sys.stdout.write(f"| {name} | " + " | ".join(f"{a:.2f} - {b:.2f}" for a, b in found.values()) + " |\n")


if __name__ == "__main__":
    main()
