"""``drift variance``: whether the noise is the batch order, the augmentation, or the GPU."""

from __future__ import annotations

import json as json_module
import sys
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import (
    CheckpointArgument,
    DataOption,
    DebugOption,
    DeviceOption,
    JsonOption,
    OutOption,
    PerDeviceOption,
    RayOption,
    SeedOption,
    TrustOption,
    WorkersOnOption,
    WorkersOption,
)

if TYPE_CHECKING:
    from analyzer.pipeline.variance import VarianceReport
    from analyzer.stats.components import Component

__all__ = ["variance"]

Count = Annotated[int, typer.Option("--seeds", "-n", min=2, metavar="N", help="Seeds: N x N pairs, N x R repeats.")]
Repeats = Annotated[int, typer.Option(min=2, metavar="R", help="Resumes with the same seed, of each seed.")]


@guarded
def variance(
    checkpoint: CheckpointArgument,
    n: Count = 4,
    repeats: Repeats = 2,
    device: DeviceOption = None,
    workers_on: WorkersOnOption = None,
    per_device: PerDeviceOption = None,
    ray: RayOption = None,
    data: DataOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    out: OutOption = None,
    trust_checkpoint: TrustOption = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Find where the noise of a resumed epoch comes from; trains N x (N + R) epochs, kept and reused."""
    given = locals()
    from analyzer.cli.progress import progress_on_stderr
    from analyzer.pipeline.request import ReplicateRequest, request_of
    from analyzer.pipeline.variance import find_variance, variance_document

    request = request_of(ReplicateRequest, given, replicates=n)
    with progress_on_stderr() as progress:
        found = find_variance(request, repeats, progress)
    if json:
        print(json_module.dumps(variance_document(found), indent=2, allow_nan=False))
    else:
        _show(found)
    return 0


def _show(found: VarianceReport) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from analyzer.report.formatting import short_name, unsigned

    console = Console(highlight=False, emoji=False)
    n, r = len(found.seeds), found.repeats
    console.print(Text(f"Noise of epoch {found.epoch}, the first after a resume, on {found.device}"))
    console.print(Text(f"{n} orders x {n} augmentations, and {n} seeds x {r} repeats of the same seed."))
    console.print()
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("metric", no_wrap=True)
    for name in ("sd", "order", "augm.", "both", "again"):
        table.add_column(name, justify="right", no_wrap=True, min_width=5)
    table.add_column("sd, 95 %: of order; of augm.", no_wrap=True)
    for m in found.metrics:
        shares = ["-" if c.share != c.share else f"{c.share:.0%}" for c in m.components]
        spans = "; ".join(_span(c) for c in m.components[:2])
        table.add_row(short_name(m.name) + ("" if m.deciding else " *"), unsigned(m.sd), *shares, spans)
    console.print(table)
    for line in _words(found):
        console.print(Text(line))
    sys.stdout.flush()


def _span(component: Component) -> str:
    """Interval of the standard deviation: the roots of the variance's ends."""
    from analyzer.report.formatting import unsigned

    return f"{unsigned(component.interval.low**0.5)} to {unsigned(component.interval.high**0.5)}"


def _words(found: VarianceReport) -> list[str]:
    shares = [[c.share for c in m.components] for m in found.metrics if m.deciding and m.sd > 0]
    words = [""]
    if shares:
        order, augmentation, both, again = (f"{median(column):.0%}" for column in zip(*shares, strict=True))
        words.append(
            f"Median over the metrics that decide: batch order {order}, augmentation {augmentation}, the two together "
            f"{both}, same seed again {again}."
        )
    else:
        words.append("No seed changes any metric that decides.")
    if found.identical:
        words.append(
            f"The same seed gave the same row each time, to the last bit: {found.device} and its libraries add nothing."
        )
    else:
        words.append(f"The same seed gave other rows: {found.device} and its libraries add the share under 'again'.")
    few = len(found.seeds) < 8
    words += ["Few seeds bound a share loosely: see the intervals; -n 8 narrows them."] if few else []
    words += [
        "order: which images come together. augm.: every other draw (augmentation, mosaic partners, dropout).",
        "both: what changes only when the two change together: another order hands the draws to other images.",
        "* does not decide.",
        f"Study {found.study}: {found.trained} epochs trained, {found.reused} reused.",
    ]
    return words
