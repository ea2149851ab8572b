"""``drift calibrate``: the tool's own error rates, as the Markdown tables of docs/METHOD.md."""

from __future__ import annotations

import json as json_module
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import DebugOption, JsonOption, replicates_of

if TYPE_CHECKING:
    from analyzer.calibration.calibrate import Calibration
    from analyzer.calibration.grid import CellResult

__all__ = ["calibrate"]


def _check_alphas(alphas: list[float]) -> list[float]:
    for alpha in alphas:
        if not 0 < alpha < 0.5:
            raise typer.BadParameter(f"{alpha:g} must lie between 0 and 0.5, e.g. 0.05.")
    return alphas


def _check_designs(texts: list[str]) -> list[str]:
    for text in texts:
        if (replicates_of(text) or 2) < 2:
            raise typer.BadParameter("1 replicate has no spread: give a number from 2, or auto.")
    return texts


def _check_shard(shard: str) -> str:
    found = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", shard)
    if not found or int(found[1]) > int(found[2]):
        raise typer.BadParameter(f"{shard!r} is not i/n with 1 <= i <= n, e.g. 1/2.")
    return shard


Places = Annotated[
    list[Path],
    typer.Argument(metavar="[STUDY_OR_ROWS]...", help="RUN, RUN/drift/STUDY or a JSON of rows, to be resampled too."),
]
Draws = Annotated[int, typer.Option(min=100, metavar="N", help="Simulated analyses a cell.")]
Alphas = Annotated[list[float], typer.Option("--alpha", metavar="A", callback=_check_alphas, help="Level; repeatable.")]
Designs = Annotated[
    list[str],
    typer.Option("--replicates", metavar="N|auto", callback=_check_designs, help="Only these; repeatable."),
]
Ratio = Annotated[float, typer.Option(min=0.01, metavar="R", help="True sd of the history over that of a replicate.")]
Seed = Annotated[int, typer.Option(min=0, metavar="SEED", help="Of the simulation.")]
Shard = Annotated[str, typer.Option(metavar="i/n", callback=_check_shard, help="Compute every n-th block only.")]
Work = Annotated[Path, typer.Option(metavar="DIR", help="Where finished blocks are kept.")]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the grid there, as JSON.")]


@guarded
def calibrate(
    places: Places = [],  # noqa: B006
    draws: Draws = 20_000,
    alpha: Alphas = [0.05, 0.01],  # noqa: B006
    replicates: Designs = [],  # noqa: B006
    prior_ratio: Ratio = 1.0,
    seed: Seed = 1,
    shard: Shard = "1/1",
    work: Work = Path("work/calibrate"),
    out: Out = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Measure this tool's own error rates by simulation; trains nothing, goes on where it was stopped."""
    from analyzer.calibration.calibrate import CalibrateRequest, calibration_document
    from analyzer.calibration.calibrate import calibrate as measure
    from analyzer.calibration.grid import DESIGNS
    from analyzer.files import write_atomically

    i, _, n = shard.partition("/")
    request = CalibrateRequest(
        folder=work,
        places=tuple(places),
        draws=draws,
        alphas=tuple(dict.fromkeys(alpha)),
        designs=tuple(dict.fromkeys(replicates_of(r) for r in replicates)) or DESIGNS,
        prior_ratio=prior_ratio,
        seed=seed,
        shard=(int(i), int(n)),
    )
    found = measure(request, _Progress())
    for note in found.notes:
        print(note, file=sys.stderr)
    if not found.complete:
        print(f"{found.done} of {found.total} blocks are finished; the other shards make the rest.", file=sys.stderr)
        return 0
    document = json_module.dumps(calibration_document(found), allow_nan=False)
    if out is not None:
        write_atomically(out, document + "\n")
        print(f"Written: {out}", file=sys.stderr)
    print(document if json else "\n".join(_tables(found)), flush=True)
    return 0


class _Progress:
    """One line on stderr before each block, with the time left."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, words: str, done: int, total: int) -> None:
        from analyzer.report.formatting import duration

        passed = time.monotonic() - self._began
        left = f", about {duration(passed / done * (total - done))} left" if done else ""
        print(f"{done + 1}/{total} {words}{left}", file=sys.stderr, flush=True)


def _tables(found: Calibration) -> Iterator[str]:
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
    from analyzer.domain.levels import INTERVAL_LEVEL, NULL_SHARE

    s = cell.shares
    shares = [f"{s.fault:.4f}", f"{s.negligible:.3f}", f"{s.noise:.3f}", f"{s.inconclusive:.3f}", _number(s.looked_odd)]
    nominal = ((s.single_coverage, INTERVAL_LEVEL), (s.simultaneous_coverage, 1 - NULL_SHARE * cell.alpha))
    covered = [_number(v) + ("*" if v < level - 0.01 else "") for v, level in nominal]
    return [cell.source, _design(cell.n), *shares, *covered, f"{s.mean_replicates:.1f}"]


def _number(value: float) -> str:
    return "" if value != value else f"{value:.3f}"  # noqa: PLR0124 - NaN: there is none


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
