"""Make ``critical.json``: factors on t critical values, by simulation.

``python -m tests.measurements.simulations.make_critical`` (about five minutes; ``--kind plain --family 8`` renews one
part; the table that ships has 8,000 draws at family 24).

For every N, family level, family size and kind of standard deviation the factor is the (1 - alpha) quantile of
max_j |t_j| / t(1 - alpha / 2M, df_j) over healthy resumes, in the worst cell of a grid of shapes, history lengths and
priors that are off; never below 1, and never smaller than for a smaller family. The sequential factor is the further
one that makes the looks together hold.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.calibration.simulate import SHAPES, Cell, demo_correlation, draw, healthy_ratios

TABLE = Path(__file__).parents[3] / "analyzer" / "stats" / "tables" / "critical.json"
ALPHAS = (0.008, 0.016, 0.04, 0.08)
NESTED = (2, 3, 4, 5, 6, 8, 10, 12, 15, 19, 24)  # first rows of one draw of 24
LONG = (39, 62, 124)  # only levels below 0.04 still use t here
LOOKS = (5, 8, 12, 19)
FAMILIES = (2, 8, 24)
# true history sd over true replicate sd: fair, that of a random walk (1 / sqrt 2), too wide, and one group each way
LOW, HIGH = 0.7071, 2.0
TRAIN_LOW, TRAIN_HIGH = (LOW,) * 3 + (HIGH,) * 5, (HIGH,) * 3 + (LOW,) * 5


def cells(kind: str, n: int, m: int) -> Iterator[Cell]:
    """All healthy cells of one table entry."""
    for shape in SHAPES:
        if kind == "plain":
            yield Cell(shape, n, history=0)
            continue
        yield from (Cell(shape, n, prior_ratio=ratio) for ratio in (1.0, LOW, HIGH))
        if m >= len(TRAIN_LOW):
            copies = m // len(TRAIN_LOW)
            yield from (Cell(shape, n, prior_ratio=ratio * copies) for ratio in (TRAIN_LOW, TRAIN_HIGH))
        yield Cell(shape, n, history=9)


def part(kind: str, m: int, draws: int, seed: int) -> dict[str, dict[str, Any]]:
    """Factors of one kind of standard deviation and one family size, by level."""
    rng = np.random.default_rng([seed, m, len(kind)])
    root = demo_correlation(m)
    numbers = NESTED + LONG
    fixed = {a: np.ones(len(numbers)) for a in ALPHAS}
    paths: list[dict[float, NDArray[np.float64]]] = []
    for cell in cells(kind, NESTED[-1], m):
        d = draw(cell, draws, rng, correlation=root)
        ratios = {a: np.stack([healthy_ratios(d, a, use=k) for k in NESTED]) for a in ALPHAS}
        for a in ALPHAS:
            fixed[a][: len(NESTED)] = np.maximum(fixed[a][: len(NESTED)], np.quantile(ratios[a], 1 - a, axis=1))
        paths.append({a: ratios[a][[NESTED.index(k) for k in LOOKS]] for a in ALPHAS})
    for cell in cells(kind, LONG[-1], m):
        d = draw(cell, draws // 4, rng, correlation=root)
        for a in ALPHAS:
            found = [float(np.quantile(healthy_ratios(d, a, use=k), 1 - a)) for k in LONG]
            fixed[a][len(NESTED) :] = np.maximum(fixed[a][len(NESTED) :], found)
    made = {}
    for a in ALPHAS:
        at = fixed[a][[NESTED.index(k) for k in LOOKS]][:, None]
        further = max(1.0, *(float(np.quantile((p[a] / at).max(axis=0), 1 - a)) for p in paths))
        made[str(a)] = {"fixed": [round(float(v), 3) for v in fixed[a]], "sequential": round(further, 3)}
    return made


def grow(document: dict[str, Any]) -> None:
    """A larger family never gets a smaller factor than a smaller one (a lookup rounds the family up)."""
    for kind in ("plain", "moderated"):
        for small, large in itertools.pairwise(FAMILIES):
            if str(small) in document.get(kind, {}) and str(large) in document[kind]:
                for a in map(str, ALPHAS):
                    below, entry = document[kind][str(small)][a], document[kind][str(large)][a]
                    entry["fixed"] = [max(pair) for pair in zip(below["fixed"], entry["fixed"], strict=True)]
                    entry["sequential"] = max(below["sequential"], entry["sequential"])


def main() -> None:
    """Write the table, or one part of it, where the statistics read it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--kind", choices=("plain", "moderated"))
    parser.add_argument("--family", type=int, choices=FAMILIES)
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    document = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}
    document |= {
        "made_by": "tests/measurements/simulations/make_critical.py",
        "draws": document.get("draws", {}),
        "seed": options.seed,
        "alphas": ALPHAS,
        "n": NESTED + LONG,
        "looks": LOOKS,
        "families": FAMILIES,
        "prior_ratios": [1.0, LOW, HIGH, TRAIN_LOW, TRAIN_HIGH],
    }
    for kind in (options.kind,) if options.kind else ("plain", "moderated"):
        for m in (options.family,) if options.family else FAMILIES:
            document["draws"][str(m)] = options.draws
            document.setdefault(kind, {})[str(m)] = part(kind, m, options.draws, options.seed)
    grow(document)
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
