"""What the jump over a deliberate continuation is made of, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from analyzer.report.formatting import short_name, signed
from analyzer.report.model.analysis import Analysis

__all__ = ["attribution_lines"]

_COVERAGE = (
    "In brackets: 95 % t intervals over the seeds, each by itself. On recorded trainings such intervals covered 94 % "
    "on average, and 87 % (3 seeds) to 91 % (10) for the worst metric, a score with far values."
)  # tests/measurements/simulations/attribution.json

_NAMES = {"plain resume": "plain resume", "a new training": "new training", "the changed": "together"}


def attribution_lines(analysis: Analysis) -> tuple[str, ...]:
    """Say what each metric's jump is made of, one line a deciding metric that moved; first what the parts are."""
    shares = analysis.attribution or ()
    if not shares:
        return ()
    lines = [f"The jump is made of {'; '.join(s.outcome for s in shares)}."]
    if any(d["low"] is not None for s in shares for d in s.details.values()):
        lines.append(_COVERAGE)
    for metric in analysis.metrics:
        parts = [(_name(s.outcome), s.details[metric.name]) for s in shares]
        if metric.deciding and any(p["effect"] for _, p in parts):
            words = ", ".join(f"{name} {_effect(p)}" for name, p in parts)
            lines.append(f"{short_name(metric.name)} {signed(metric.jump)}: {words}")
    return tuple(lines)


def _name(outcome: str) -> str:
    """A part in a word or two: `outcome` says at length what it is."""
    for start, name in _NAMES.items():
        if outcome.startswith(start):
            return name
    return outcome.split(" ", maxsplit=1)[0]  # an argument, before its old and new value


def _effect(part: Mapping[str, float | None]) -> str:
    low, high = part["low"], part["high"]
    return signed(part["effect"]) + (f" [{signed(low)}, {signed(high)}]" if low is not None else "")
