"""``drift plan``: how many replicates see a jump, before any is trained."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import AlphaOption, DebugOption, JsonOption, MarginOption, TrustOption

if TYPE_CHECKING:
    from rich.table import Table

    from analyzer.pipeline.plan import MetricPlan, Need, ReplicatePlan

__all__ = ["plan"]


def _check_power(power: float) -> float:
    if not 0.5 <= power <= 0.999:
        raise typer.BadParameter(f"{power:g} must lie between 0.5 and 0.999, e.g. 0.8.")
    return power


Run = Annotated[Path, typer.Argument(metavar="RUN", help="Run directory, or a .pt inside it.")]
PowerOption = Annotated[
    float, typer.Option(metavar="P", callback=_check_power, help="Chance to see a jump of that size.")
]
SeamOption = Annotated[
    int | None, typer.Option(metavar="EPOCH", help="First resumed epoch; default: the last seam, else the next resume.")
]
CheckpointOption = Annotated[
    Path | None, typer.Option(metavar="PT", help="From which the resume starts; default: found by its epoch.")
]


@guarded
def plan(
    run: Run,
    jump: MarginOption = [],  # noqa: B006
    power: PowerOption = 0.8,
    alpha: AlphaOption = 0.05,
    seam: SeamOption = None,
    checkpoint: CheckpointOption = None,
    trust_checkpoint: TrustOption = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Say how many replicates see a jump, and which jump N replicates see; trains nothing."""
    given = locals()
    from analyzer.pipeline.plan import plan_document, plan_replicates
    from analyzer.pipeline.request import AnalyzeRequest, request_of

    request = request_of(AnalyzeRequest, given, margins=tuple(jump))
    found = plan_replicates(request, power)
    if json:
        print(json_module.dumps(plan_document(found), indent=2, allow_nan=False))
    else:
        _show(found)
    return 0


def _show(found: ReplicatePlan) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, emoji=False)
    what = "the next resume" if found.is_next else "the resume"
    console.print(Text(f"Plan for {what} at epoch {found.seam} of {found.run}"))
    for note in found.notes:
        console.print(Text(note), style="dim")
    console.print()
    console.print(_needs(found))
    for sentence in _words(found):
        console.print(Text(sentence))
    console.print()
    console.print(_detectable(found))
    for line in _curve(found):
        console.print(Text(line))
    for sentence in _small_print(found):
        console.print(Text(sentence), style="dim")
    sys.stdout.flush()


def _table() -> Table:
    from rich.table import Table

    return Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))


_SOURCES = {"replicates": "pilot", "replicates and history": "pilot+past", "rounding unit": "rounding", "none": "-"}


def _needs(found: ReplicatePlan) -> Table:
    from analyzer.report.formatting import short_name, unsigned

    table = _table()
    table.add_column("metric", no_wrap=True)
    for name in ("sd", "sd from", "jump", "replicates", "epochs", "hours", "K=2", "K=3"):
        table.add_column(name, justify="left" if name == "sd from" else "right", no_wrap=True)
    for m in found.metrics:
        first = m.needs[0] if m.needs else None
        table.add_row(
            short_name(m.name),
            unsigned(m.sd),
            _SOURCES.get(m.sd_source, m.sd_source),
            unsigned(m.jump) + (" *" if m.jump_source == "auto" else "  "),
            _number(first, "out of reach"),
            "-" if first is None or first.trained_epochs is None else str(first.trained_epochs),
            unsigned(first.hours if first else None),
            *([_number(n, "out") for n in m.needs[1:]] or ["-", "-"]),
        )
    return table


def _number(need: Need | None, out: str) -> str:
    from analyzer.pipeline.plan import MOST

    if need is None:
        return "-"
    return out if need.out_of_reach else f">{MOST}" if need.replicates is None else str(need.replicates)


def _words(found: ReplicatePlan) -> list[str]:
    """What the first table says, in sentences."""
    from analyzer.pipeline.plan import MOST
    from analyzer.report.formatting import duration, short_name, unsigned

    asked = [m for m in found.metrics if m.needs]
    if not asked:
        return ["No jump was asked for and the history is too short for a default: give --jump METRIC=VALUE."]
    words = []
    reached = [m.needs[0].replicates for m in asked if m.needs[0].replicates is not None]
    if reached:
        most = max(reached)
        cost = "" if found.epoch_seconds is None else f", about {duration(most * found.epoch_seconds)}"
        which = "each of these jumps" if len(reached) == len(asked) else f"{len(reached)} of {len(asked)} jumps"
        words.append(f"{most} replicates ({most} epochs{cost}) see {which} with power {found.power:g}.")
    out = [m for m in asked if m.needs[0].out_of_reach]
    if out:
        listed = ", ".join(f"{short_name(m.name)} {unsigned(m.jump)} ({unsigned(m.limit)})" for m in out)
        words.append(
            f"Out of reach, however many replicates (in brackets the smallest jump that any N sees): {listed}."
        )
    if any(m.jump_source == "auto" and m.sd_source == "history" for m in out):
        words.append(
            "The default jump, the margin, is 4.2 times the history's own sd of an epoch, whatever the run; the noise "
            "of the one observed epoch hides it. What N replicates do see stands in the next table. Name the jump that "
            "matters to you with --jump, or measure the replicates' sd: drift replicate CHECKPOINT -n 5."
        )
    beyond = [m for m in asked if m.needs[0].replicates is None and not m.needs[0].out_of_reach]
    words += [f"{short_name(m.name)} {unsigned(m.jump)} takes more than {MOST} replicates." for m in beyond]
    return words


def _detectable(found: ReplicatePlan) -> Table:
    from analyzer.pipeline.plan import NUMBERS
    from analyzer.report.formatting import short_name, unsigned

    table = _table()
    table.title, table.title_justify, table.title_style = f"Smallest jump seen with power {found.power:g}", "left", ""
    table.add_column("replicates", no_wrap=True)
    for name in (*map(str, NUMBERS), "any N"):
        table.add_column(name, justify="right", no_wrap=True, min_width=6)
    for m in found.metrics:
        cells = [*m.detectable, m.limit] if m.detectable else [None] * (len(NUMBERS) + 1)
        table.add_row(short_name(m.name), *map(unsigned, cells))
    if found.epoch_seconds is not None:
        table.add_row("hours", *(unsigned(n * found.epoch_seconds / 3600) for n in NUMBERS), "")
    return table


_WIDTH = 50  # characters of the longest bar


def _curve(found: ReplicatePlan) -> list[str]:
    """Smallest jump seen over N, of the metric whose jump is hardest to see; + is the jump asked for."""
    from analyzer.pipeline.plan import NUMBERS
    from analyzer.report.formatting import short_name, unsigned

    shown = [m for m in found.metrics if m.detectable and m.sd]
    if not shown:
        return []
    hardest: MetricPlan = min(shown, key=lambda m: float("inf") if m.jump is None else m.jump / (m.sd or 1.0))
    top = max(*hardest.detectable, hardest.jump or 0.0)
    asked = None if hardest.jump is None else max(round(_WIDTH * hardest.jump / top), 1)
    marked = "" if asked is None else f"; | is the jump asked for, {unsigned(hardest.jump)}"
    lines = ["", f"{short_name(hardest.name)}, the hardest: smallest jump seen over N{marked}"]
    for n, value in zip((*map(str, NUMBERS), "any"), (*hardest.detectable, hardest.limit or 0.0), strict=True):
        line = list(("." * (max(round(_WIDTH * value / top), 1) - 1) + "*").ljust(_WIDTH))
        if asked is not None and line[asked - 1] != "*":
            line[asked - 1] = "|"
        lines.append(f"{n:>5} {''.join(line)} {unsigned(value)}")
    return lines


def _small_print(found: ReplicatePlan) -> list[str]:
    ratios = [m.sd_upper / m.sd for m in found.metrics if m.sd_upper and m.sd]
    words = [""]
    if any(m.jump_source == "auto" for m in found.metrics):
        words.append("* by default: 3 robust sd of the run's own one-epoch steps (--jump METRIC=VALUE).")
    words.append(
        "replicates, epochs, hours: one observed epoch. K=2, K=3: replicates where that many observed epochs are "
        "decided together; at best, for a jump that lasts and noise that is independent; costs K epochs each."
    )
    if ratios:
        words.append(f"The sd is an estimate: it may be {max(ratios):.1f} times as large (80 % bound); jumps scale.")
    words.append(
        f"For a fixed --replicates N, alpha {found.alpha:g}, Holm over {len(found.metrics)} metrics. From N = "
        f"{found.rank_from} on the analysis decides by ranks; the figures stay those of the t procedure."
    )
    return words
