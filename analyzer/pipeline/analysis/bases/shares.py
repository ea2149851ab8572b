"""What the jump of a continuation is made of: the new training as such, each changed argument, and what is left."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from analyzer.domain.replicate import HEALTHY, Outcome, Replicate
from analyzer.pipeline.analysis.bases.continued_run import Arms
from analyzer.pipeline.analysis.case import Case
from analyzer.pipeline.analysis.evidence import rows_of
from analyzer.report.formatting import short_name, signed
from analyzer.report.model.analysis import StepResult
from analyzer.stats.attribution import INTERACTION, RESTART, RESUME, UNEXPLAINED, Share, attribute

__all__ = ["shares_of_jump"]


def shares_of_jump(
    case: Case, arms: Arms, made: Mapping[str, tuple[Replicate, ...]], names: Sequence[str]
) -> tuple[StepResult, ...] | None:
    """The parts of the jump at the first epoch, over the seeds that every arm has."""
    regime, observed = case.regime, case.observed
    if not names:
        return None
    seeds = set.intersection(*({r.seed for r in found if r.outcome is Outcome.OK} for found in made.values()))
    if len(seeds) < 2:
        return None  # a diverged training has no effect that could be shared out
    kept = {name: [r for r in found if r.seed in seeds] for name, found in made.items()}
    rows = {name: rows_of(found, regime.names, 1) for name, found in kept.items()}
    full = rows[arms.configured.folder]
    single = {names[0]: full} if len(names) == 1 else {name: rows[arm.folder] for name, arm in arms.alone.items()}
    split = attribute(
        observed.before,
        observed.values[0],
        rows[arms.unchanged.folder],
        full,
        alone=single,
        without={name: rows[arm.folder] for name, arm in arms.without.items()},
        resumed=rows.get(HEALTHY.folder),
    )
    parts = [s.part for s in split[0]]
    return tuple(_step(part, [shares[i] for shares in split], case) for i, part in enumerate(parts))


def _step(part: str, shares: list[Share], case: Case) -> StepResult:
    """One part over all metrics: the deciding ones in words, all in numbers."""
    regime = case.regime
    words = [
        f"{short_name(m.name)} {_with_interval(share)}"
        for m, share in zip(regime.metrics, shares, strict=True)
        if m.deciding
    ]
    details = {
        m.name: {
            "effect": _finite(share.effect),
            "low": _finite(share.interval.low) if share.interval else None,
            "high": _finite(share.interval.high) if share.interval else None,
        }
        for m, share in zip(regime.metrics, shares, strict=True)
    }
    return StepResult(_title(part, case), "; ".join(words), 0, details)


def _title(part: str, case: Case) -> str:
    """What a part is called, with what it stands for."""
    change = next((c for c in case.point.diff.changes if c.name == part), None)
    if change is not None:
        return f"{part} {change.before!r} -> {change.after!r}"
    warmup = case.point.run.args.get("warmup_epochs", 3.0)
    meaning = {
        RESUME: "plain resume of the checkpoint, had it been chosen",
        RESTART: f"a new training as such (new optimizer, learning rate from its start, warmup of {warmup:g} epochs)",
        INTERACTION: "the changed arguments together, beyond the sum of each",
        UNEXPLAINED: "unexplained",
    }
    return meaning.get(part, part)


def _finite(value: float) -> float | None:
    """A number, or None for a column that one of the runs does not have."""
    return value if math.isfinite(value) else None


def _with_interval(share: Share) -> str:
    if share.interval is None or not math.isfinite(share.effect):
        return signed(_finite(share.effect))
    return f"{signed(share.effect)} [{signed(share.interval.low)}, {signed(share.interval.high)}]"
