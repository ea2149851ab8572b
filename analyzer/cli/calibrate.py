"""``drift calibrate``: the tool's own error rates, as the Markdown tables of docs/METHOD.md."""

from __future__ import annotations

import json as json_module
import re
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import DebugOption, JsonOption, replicates_of

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
    list[Path] | None,
    typer.Argument(
        metavar="[STUDY_OR_ROWS]...",
        show_default=False,
        help="RUN, RUN/drift/STUDY or a JSON of rows, to be resampled too.",
    ),
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
    places: Places = None,
    draws: Draws = 20_000,
    alpha: Alphas = [0.05, 0.01],  # noqa: B006  (Typer reads it, nobody changes it)
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
    from analyzer.calibration.calibrate import CalibrateRequest
    from analyzer.calibration.calibrate import calibrate as measure
    from analyzer.calibration.grid import DESIGNS
    from analyzer.calibration.tables import document, tables
    from analyzer.files import write_atomically

    i, _, n = shard.partition("/")
    request = CalibrateRequest(
        folder=work,
        places=tuple(places or ()),
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
    measured = json_module.dumps(document(found), allow_nan=False)
    if out is not None:
        write_atomically(out, measured + "\n")
        print(f"Written: {out}", file=sys.stderr)
    print(measured if json else "\n".join(tables(found)), flush=True)
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
