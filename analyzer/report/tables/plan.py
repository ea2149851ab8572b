"""``drift plan``: replicates that a jump needs, and jumps that replicates see."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from analyzer.report.formatting import duration, short_name, unsigned
from analyzer.report.model.replicate_plan import MOST, NUMBERS, MetricPlan, Need, ReplicatePlan
from analyzer.report.tables.table import document_of, plain_table, say

__all__ = ["document", "show"]

_SOURCES = {"replicates": "pilot", "replicates and history": "pilot+past", "rounding unit": "rounding", "none": "-"}


def document(found: ReplicatePlan) -> dict[str, Any]:
    """The plan as one JSON document."""
    return document_of(found, numbers=list(NUMBERS))


def show(found: ReplicatePlan, console: Console) -> None:
    """Print the replicates that each jump needs, the smallest jump that N of them see, and a curve of the hardest."""
    what = "the next resume" if found.is_next else "the resume"
    say(console, f"Plan for {what} at epoch {found.seam} of {found.run}")
    say(console, *found.notes, style="dim")
    console.print()
    console.print(_needs(found))
    say(console, *_sentences(found))
    console.print()
    console.print(_detectable(found))
    say(console, *_curve(found))
    say(console, *_small_print(found), style="dim")


def _needs(found: ReplicatePlan) -> Table:
    table = plain_table("metric", "sd", "sd from", "jump", "replicates", "epochs", "hours", "K=2", "K=3")
    table.columns[2].justify = "left"
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
    if need is None:
        return "-"
    return out if need.out_of_reach else f">{MOST}" if need.replicates is None else str(need.replicates)


def _sentences(found: ReplicatePlan) -> list[str]:
    """What the first table says, in sentences."""
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
    table = plain_table("replicates", *map(str, NUMBERS), "any N", min_width=6)
    table.title, table.title_justify, table.title_style = f"Smallest jump seen with power {found.power:g}", "left", ""
    for m in found.metrics:
        cells = [*m.detectable, m.limit] if m.detectable else [None] * (len(NUMBERS) + 1)
        table.add_row(short_name(m.name), *map(unsigned, cells))
    if found.epoch_seconds is not None:
        table.add_row("hours", *(unsigned(n * found.epoch_seconds / 3600) for n in NUMBERS), "")
    return table


_WIDTH = 50  # characters of the longest bar


def _curve(found: ReplicatePlan) -> list[str]:
    """Smallest jump seen over N, of the metric whose jump is hardest to see; + is the jump asked for."""
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
