"""Make ``critical.json``: factors on t critical values, by simulation; ``python -m analyzer.stats.tables.make_critical``.

For every N, family level and kind of standard deviation the factor is the (1 - alpha) quantile of
max_j |t_j| / t(1 - alpha / 2M, df_j) over healthy resumes, in the worst cell of a grid of shapes, family sizes, history
lengths and priors that are off; never below 1. The sequential factor is the further one that makes the looks together hold.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from analyzer.stats.simulate import SHAPES, Cell, demo_correlation, draw, healthy_ratios

ALPHAS = (0.008, 0.016, 0.04, 0.08)
NUMBERS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 19, 24, 31, 39, 61, 99, 124)
LOOKS = (5, 8, 12, 19)
FAMILIES = (2, 8, 24)
_VAL, _HALF = 2.0, 0.7071
# true history sd over true replicate sd: fair, a random walk's (1 / sqrt 2), too wide, and one group each way
RATIOS: tuple[float | tuple[float, ...], ...] = (1.0, _HALF, 2.0, (_HALF,) * 3 + (_VAL,) * 5, (_VAL,) * 3 + (_HALF,) * 5)


def cells(mode: str, n: int, m: int) -> Iterator[Cell]:
    """All healthy cells of one table entry."""
    for shape in SHAPES:
        if mode == "plain":
            yield Cell(shape, n, history=0)
            continue
        for ratio in RATIOS:
            if isinstance(ratio, float) or m == len(ratio):
                yield Cell(shape, n, history=20, prior_ratio=ratio)
        yield Cell(shape, n, history=9)


def fixed_and_sequential(mode: str, draws: int, seed: int) -> dict[str, dict[str, list[float] | float]]:
    """Factors of one kind of standard deviation: per level the row over `NUMBERS` and the sequential factor."""
    rng = np.random.default_rng(seed)
    fixed = {a: np.ones(len(NUMBERS)) for a in ALPHAS}
    paths: list[tuple[int, dict[float, np.ndarray]]] = []
    for m in FAMILIES:
        root = demo_correlation(m)
        for i, n in enumerate(NUMBERS):
            for cell in cells(mode, n, m):
                d = draw(cell, draws if n <= 24 else draws // 2, rng, correlation=root)
                for a in ALPHAS:
                    fixed[a][i] = max(fixed[a][i], float(np.quantile(healthy_ratios(d, a), 1 - a)))
        for cell in cells(mode, LOOKS[-1], m):
            d = draw(cell, draws, rng, correlation=root)
            paths.append((m, {a: np.stack([healthy_ratios(d, a, use=k) for k in LOOKS]) for a in ALPHAS}))
    at = [NUMBERS.index(k) for k in LOOKS]
    further = {
        a: max(1.0, *(float(np.quantile((p[a] / fixed[a][at][:, None]).max(axis=0), 1 - a)) for _, p in paths)) for a in ALPHAS
    }
    return {
        "fixed": {str(a): [round(float(v), 4) for v in fixed[a]] for a in ALPHAS},
        "sequential": {str(a): round(further[a], 4) for a in ALPHAS},
    }


def main() -> None:
    """Write the table next to this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("critical.json"))
    options = parser.parse_args()
    made = {mode: fixed_and_sequential(mode, options.draws, options.seed) for mode in ("plain", "moderated")}
    document = {
        "made_by": "analyzer/stats/tables/make_critical.py",
        "draws": options.draws,
        "seed": options.seed,
        "alphas": ALPHAS,
        "n": NUMBERS,
        "looks": LOOKS,
        "families": FAMILIES,
        "prior_ratios": RATIOS,
        "fixed": {mode: made[mode]["fixed"] for mode in made},
        "sequential": {mode: made[mode]["sequential"] for mode in made},
    }
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
