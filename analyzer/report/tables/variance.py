"""``drift variance``: the parts of the noise of each metric."""

from __future__ import annotations

from statistics import median
from typing import Any

from rich.console import Console

from analyzer.report.formatting import short_name, unsigned
from analyzer.report.model.variance import VarianceReport
from analyzer.report.tables.table import document_of, plain_table, say
from analyzer.stats.components import Component

__all__ = ["document", "show"]


def document(found: VarianceReport) -> dict[str, Any]:
    """What was found as one JSON document; an interval without an upper end has null there."""
    return document_of(found)


def show(found: VarianceReport, console: Console) -> None:
    """Print the share of each part, and what the shares mean."""
    n, r = len(found.seeds), found.repeats
    say(
        console,
        f"Noise of epoch {found.epoch}, the first after a resume, on {found.device}",
        f"{n} orders x {n} augmentations, and {n} seeds x {r} repeats of the same seed.",
        "",
    )
    table = plain_table("metric", "sd", "order", "augm.", "both", "again", min_width=5)
    table.add_column("sd, 95 %: of order; of augm.", no_wrap=True)
    for m in found.metrics:
        shares = ["-" if c.share != c.share else f"{c.share:.0%}" for c in m.components]
        spans = "; ".join(_span(c) for c in m.components[:2])
        table.add_row(short_name(m.name) + ("" if m.deciding else " *"), unsigned(m.sd), *shares, spans)
    console.print(table)
    say(console, *_sentences(found))


def _span(component: Component) -> str:
    """Interval of the standard deviation: the roots of the variance's ends."""
    return f"{unsigned(component.interval.low**0.5)} to {unsigned(component.interval.high**0.5)}"


def _sentences(found: VarianceReport) -> list[str]:
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
