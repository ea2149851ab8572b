"""How much any critical value could detect at alpha 0.01: ``python -m tests.measurements.simulations.ceiling``.

For each noise, the factor on the t critical value that makes exactly alpha of the healthy resumes a FAULT *in that
noise*: an oracle's, for nobody knows the noise's shape. Then the power with it, and the power with the one factor that
holds in all of them. Writes ceiling.json beside this file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.calibration.recorded_rows import Recorded, read_recorded
from analyzer.calibration.simulate import SHAPES, Cell, Draws, Spread, critical_t, draw, null_spread, shifted_by
from tests import ROOT

HERE = Path(__file__).resolve().parent
ROWS = ROOT / "data" / "replicates"
ALPHA, DRAWS, CHUNK, MARGIN, TAIL = 0.01, 40_000, 4_000, 3.0, 0.2
ASKED = ((8, 8.0), (12, 6.0))  # replicates, shift in sd


def strongest(d: Draws, null: Spread, critical: np.ndarray) -> np.ndarray:
    """Largest |t| over its nominal critical value among the metrics that are not shown to be inside the margin."""
    shift = np.abs(d.observed - null.mean)
    inside = shift + critical_t(TAIL, null.df) * null.se <= MARGIN * d.step_sd
    return np.where(inside, 0.0, shift / null.se / critical).max(axis=1)


def ratios(cell: Cell, rng: np.random.Generator, recorded: Recorded | None) -> tuple[np.ndarray, np.ndarray]:
    """Of healthy and of shifted rows against the same nulls, shape (DRAWS,) each."""
    healthy, shifted = [], []
    taken = {} if recorded is None else {"rows": recorded.rows, "groups": recorded.groups}
    for _ in range(DRAWS // CHUNK):
        d = draw(Cell(cell.shape, cell.n), CHUNK, rng, **taken)
        null = null_spread(d)
        critical = critical_t(ALPHA / 2 / d.observed.shape[1], null.df)
        healthy.append(strongest(d, null, critical))
        shifted.append(strongest(shifted_by(d, cell), null, critical))
    return np.concatenate(healthy), np.concatenate(shifted)


def main() -> None:
    """All noises, both questions."""
    rng = np.random.default_rng(1)
    recorded = {r.label: r for r in read_recorded(sorted(ROWS.glob("*.json")))}
    found: list[dict[str, Any]] = []
    for n, shift in ASKED:
        cells = {}
        for name in (*SHAPES, *recorded):
            shape = "rows" if name in recorded else name
            cells[name] = ratios(Cell(shape, n, shift=shift), rng, recorded.get(name))
        factors = {name: max(1.0, float(np.quantile(h, 1 - ALPHA))) for name, (h, _) in cells.items()}
        common = max(factors.values())
        for name, (_, s) in cells.items():
            own = float((s > factors[name]).mean())
            found.append({"noise": name, "n": n, "shift": shift, "factor": factors[name], "power_own_factor": own,
                          "common_factor": common, "power_common_factor": float((s > common).mean())})  # fmt: skip
    document = {"made_by": "tests/measurements/simulations/ceiling.py", "alpha": ALPHA, "draws": DRAWS, "cells": found}
    (HERE / "ceiling.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for c in found:
        sys.stdout.write(
            f"| {c['noise']} | {c['n']} | {c['shift']:.0f} sd | {c['factor']:.2f} | {c['power_own_factor']:.3f} "
            f"| {c['common_factor']:.2f} | {c['power_common_factor']:.3f} |\n"
        )


if __name__ == "__main__":
    main()
