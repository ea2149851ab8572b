"""The error rates that were measured, as Markdown tables and as one JSON document."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from analyzer.calibration.calibrate import Calibration
from analyzer.calibration.grid import CellResult
from analyzer.domain.levels import INTERVAL_LEVEL, NULL_SHARE

__all__ = ["document", "tables"]


def document(found: Calibration) -> dict[str, Any]:
    """The grid as one JSON document; numbers that do not exist are null."""
    request = found.request
    return {
        "schema_version": "1.0",
        "made_by": "drift calibrate",
        "draws": request.draws,
        "seed": request.seed,
        "prior_ratio": request.prior_ratio,
        "complete": found.complete,
        "cells": [_plain(c) for c in found.cells],
        "requirements": [
            {**_where(r.cell), "what": r.what, "value": r.value, "bound": r.bound, "at_most": r.at_most, "met": r.met}
            for r in found.requirements
        ],
        "notes": list(found.notes),
    }


def _where(cell: CellResult) -> dict[str, Any]:
    n: int | str = "auto" if cell.n is None else cell.n
    return {"source": cell.source, "n": n, "alpha": cell.alpha, "shift": cell.shift, "metrics": cell.metrics}


def _plain(cell: CellResult) -> dict[str, Any]:
    return _where(cell) | {k: None if math.isnan(v) else v for k, v in asdict(cell.shares).items()}


def tables(found: Calibration) -> Iterator[str]:
    """The lines of the Markdown tables of docs/METHOD.md."""
    request = found.request
    yield f"{request.draws:,} draws a cell, seed {request.seed}, history sd over replicate sd {request.prior_ratio:g}."
    for alpha in request.alphas:
        cells = [c for c in found.cells if c.alpha == alpha]
        yield ""
        yield f"Healthy resumes, alpha {alpha:g} (FAULT must stay at or below alpha):"
        yield ""
        names = ("FAULT", "NEGLIGIBLE", "NOISE", "INCONCLUSIVE", "odd", "single", "joint", "replicates")
        yield from _markdown(("noise", "N", *names), (_healthy(c) for c in cells if not c.shift))
        yield ""
        yield f"FAULT at true shifts, in sd x metrics, alpha {alpha:g} (in brackets: replicates used by auto):"
        yield ""
        yield from _detection([c for c in cells if c.shift])
    yield ""
    yield "odd: FAULT among healthy rows with some metric more than 2 sd off. single, joint: coverage of the 95 %"
    yield "interval of one metric and of the simultaneous one; * where more than a point below nominal."
    yield ""
    yield "Required:"
    yield ""
    yield from _required(found)


def _markdown(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = list(header)
    yield f"| {' | '.join(names)} |"
    yield f"|{' --- |' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _design(n: int | None) -> str:
    return "auto" if n is None else str(n)


def _healthy(cell: CellResult) -> list[str]:
    s = cell.shares
    shares = [f"{s.fault:.4f}", f"{s.negligible:.3f}", f"{s.noise:.3f}", f"{s.inconclusive:.3f}", _number(s.looked_odd)]
    nominal = ((s.single_coverage, INTERVAL_LEVEL), (s.simultaneous_coverage, 1 - NULL_SHARE * cell.alpha))
    covered = [_number(v) + ("*" if v < level - 0.01 else "") for v, level in nominal]
    return [cell.source, _design(cell.n), *shares, *covered, f"{s.mean_replicates:.1f}"]


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"


def _detection(cells: list[CellResult]) -> Iterator[str]:
    shifts = list(dict.fromkeys((c.shift, c.metrics) for c in cells))
    rows: dict[tuple[str, int | None], list[str]] = {}
    for c in cells:
        used = f" ({c.shares.mean_replicates:.1f})" if c.n is None else ""
        rows.setdefault((c.source, c.n), []).append(f"{c.shares.fault:.3f}{used}")
    yield from _markdown(
        ("noise", "N", *(f"{s:g} x {m}" for s, m in shifts)),
        ([source, _design(n), *values] for (source, n), values in rows.items()),
    )


def _required(found: Calibration) -> Iterator[str]:
    rows = []
    for what, alpha in dict.fromkeys((r.what, r.cell.alpha) for r in found.requirements):
        asked = [r for r in found.requirements if (r.what, r.cell.alpha) == (what, alpha)]
        missed = [f"{r.cell.source} N {_design(r.cell.n)}: {r.value:.3f}" for r in asked if not r.met]
        bound = f"{'<=' if asked[0].at_most else '>='} {asked[0].bound:.4g}"
        met = f"{len(asked) - len(missed)} of {len(asked)}"
        rows.append([what, f"{alpha:g}", bound, met, "; ".join(missed) or "-"])
    yield from _markdown(("what", "alpha", "bound", "cells that meet it", "cells that miss it"), rows)
