"""The grid of docs/METHOD.md: ``python tests/calibration/measure_grid.py --draws 20000 --out grid.json [ROWS.json
...]``.

ROWS.json hold recorded replicate rows, each ``{"checkpoint": ..., "columns": [...], "rows": [[...], ...]}`` or a list
of such.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from analyzer.domain.metrics import metric_of
from analyzer.stats.operating import shares
from analyzer.stats.simulate import SHAPES, Cell

DESIGNS = (3, 5, 8, 12, 19, 39, "auto")
SHIFTS = ((0.0, ()), (4.0, (0,)), (6.0, (0,)), (8.0, (0,)), (10.0, (0,)), (6.0, (0, 4, 7)))


def recorded(paths: list[Path]) -> dict[str, np.ndarray]:
    """Deciding columns that vary, by checkpoint."""
    found = {}
    for path in paths:
        document = json.loads(path.read_text(encoding="utf-8"))
        for entry in document if isinstance(document, list) else [document]:
            rows = np.array(entry["rows"], dtype=np.float64)
            keep = [
                j for j, c in enumerate(entry["columns"])
                if (m := metric_of(c)) is not None and m.deciding and np.ptp(rows[:, j]) > 0
            ]  # fmt: skip
            found[str(entry["checkpoint"])] = rows[:, keep]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=Path)
    parser.add_argument("--draws", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--prior-ratio", type=float, default=1.0, help="true history sd over true replicate sd")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sources: dict[str, np.ndarray | None] = dict.fromkeys(SHAPES) | recorded(options.rows)
    results = []
    print("| shape | N | alpha | shift | FAULT | NEGLIGIBLE | NOISE | INCONCLUSIVE", end="")
    print(" | replicates | odd | single | joint |")
    print("| --- " * 12 + "|")
    for alpha in (0.05, 0.01):
        for number, (source, rows) in enumerate(sources.items()):
            for design in DESIGNS:
                n = 19 if design == "auto" else design
                if rows is not None and len(rows) < n + 1:
                    continue
                for shift, shifted in SHIFTS:
                    cell = Cell(
                        source if rows is None else "rows",
                        n,
                        shift=shift,
                        shifted=shifted,
                        prior_ratio=options.prior_ratio,
                    )
                    rng = np.random.default_rng([options.seed, number, n, int(10 * shift), len(shifted)])
                    s = shares(cell, options.draws, rng, alpha_null=0.8 * alpha, auto=design == "auto", rows=rows)
                    known = {"source": source, "n": design, "alpha": alpha, "shift": shift, "metrics": len(shifted)}
                    results.append(known | asdict(s))
                    shown = [s.fault, s.negligible, s.noise, s.inconclusive, s.mean_replicates, s.looked_odd]
                    shown += [s.single_coverage, s.simultaneous_coverage]
                    label = f"{shift:g} x {len(shifted)}"
                    print(f"| {source} | {design} | {alpha} | {label} |", *(f"{v:.4g} |" for v in shown), flush=True)
    if options.out:
        document = {"draws": options.draws, "seed": options.seed, "cells": results}
        options.out.write_text(json.dumps(document) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
