"""What was found, as causes."""

from __future__ import annotations

import numpy as np

from analyzer.diagnosis.audit import Audited
from analyzer.diagnosis.causes import causes_of
from analyzer.diagnosis.twins import LEAST_SHARE, Twin, share_words, shares_of, suspected
from analyzer.domain.evidence import Cause, Decision, Revalidation, Verdict
from analyzer.pipeline.analysis.evidence import rows_of
from analyzer.pipeline.analysis.steps.ladder import Steps
from analyzer.pipeline.analysis.steps.simulated_faults import Made, TwinSearch
from analyzer.report.model.simulated_faults import FaultEffect, SimulatedFault, SimulatedFaults
from analyzer.stats.arms import compare_arms
from analyzer.stats.likelihood import HEALTHY, NONE, Attributed

__all__ = ["causes_in", "twins_in"]


def causes_in(decision: Decision, audited: Audited | None, steps: Steps | None = None) -> tuple[Cause, ...] | None:
    """Causes of the diagnosis; a resume that is cleared has suspects no more. None where there was no audit."""
    if audited is None:
        return None
    open_ = decision.verdict in (Verdict.FAULT, Verdict.INCONCLUSIVE)
    measured = decision.rule == "changed-arguments"
    if steps is None:
        return causes_of(audited.findings, suspects=open_, measured=measured)
    step, twins = steps.revalidation_step, steps.twins
    said = step.summary if step is not None and steps.revalidation is Revalidation.DISAGREES else ""
    return causes_of(
        audited.findings,
        steps.search.trials,
        revalidation=said,
        twins=tuple(suspected(twins.twins, twins.answer, len(twins.healthy))),
        suspects=open_,
        measured=measured,
    )


def twins_in(search: TwinSearch) -> SimulatedFaults | None:
    """The twins as the report has them; None where none were made."""
    if search.attributed is None:
        return None
    found, answer = search.attributed, search.answer
    pairs = sorted(zip(search.twins, search.made, strict=True), key=lambda pair: -pair[0].share)
    return SimulatedFaults(
        answer=answer,
        summary=_summary(search, answer),
        arms=tuple(_twin_arm(search, twin, made) for twin, made in pairs),
        healthy=found.shares.get(HEALTHY, 0.0),
        none=found.shares[NONE],
        confused=_confused(search, found),
        untried=tuple(h.words for h in search.untried),
        columns=search.names,
        replicates=len(search.healthy),
        epochs=search.epochs,
    )


def _confused(search: TwinSearch, found: Attributed) -> tuple[tuple[str, str], ...]:
    """Pairs of different faults of which one is in question."""
    fault = {t.hypothesis.words: t.hypothesis.ids for t in search.twins}
    asked = {t.hypothesis.words for t in search.twins if t.share >= LEAST_SHARE}
    return tuple((a, b) for a, b in found.confused if {a, b} & asked and fault.get(a) != fault.get(b))


def _summary(search: TwinSearch, answer: str) -> str:
    shares = shares_of(search.twins)
    tried = f"{len(search.twins)} twins, likelihood over {len(search.names)} metrics"
    if answer == "none of these":
        return f"None of these faults gives such a row ({tried})."
    if answer == "healthy":
        return f"A healthy resume is likelier than any fault that was tried ({tried})."
    rest = [f"{fault} {share_words(share)}" for fault, share in list(shares.items())[1:3] if share >= 0.01]
    others = f"; next: {', '.join(rest)}" if rest else ""
    return f"{answer} has {share_words(shares[answer])} of the likelihood{others} ({tried})."


def _twin_arm(search: TwinSearch, twin: Twin, made: Made) -> SimulatedFault:
    return SimulatedFault(
        id="+".join(twin.hypothesis.ids),
        words=twin.hypothesis.words,
        why=twin.hypothesis.why,
        seeds=twin.n,
        diverged=twin.diverged,
        share=twin.share,
        tail=twin.tail,
        explained=twin.explained,
        ruled_out=twin.ruled_out,
        effects=_effects(search, made),
    )


def _effects(search: TwinSearch, made: Made) -> dict[str, FaultEffect]:
    """Paired by seed; one seed has an effect and no interval."""
    rows = rows_of(made.replicates, search.names, 1)
    ended = np.isfinite(rows).all(axis=1)
    rows, healthy = rows[ended], search.healthy[: len(rows)][ended]
    if not len(rows):
        return {}
    if len(rows) == 1:
        return {m: FaultEffect(float(d), None, None) for m, d in zip(search.names, (rows - healthy)[0], strict=True)}
    return {
        d.name: FaultEffect(d.difference, d.interval.low, d.interval.high)
        for d in compare_arms(healthy, rows, names=search.names, paired=True)
        if d.difference is not None and d.interval is not None
    }
