"""What was found, as causes and as reasons of the verdict."""

from __future__ import annotations

from analyzer.diagnosis.audit import Audited
from analyzer.diagnosis.causes import causes_of
from analyzer.domain.evidence import Cause, Decision, Revalidation, Severity, Verdict
from analyzer.pipeline.gather import Gathered

__all__ = ["accusations", "causes_in"]


def causes_in(decision: Decision, audited: Audited, got: Gathered | None = None) -> tuple[Cause, ...]:
    """Causes of the diagnosis; a resume that is cleared has suspects no more."""
    open_ = decision.verdict in (Verdict.FAULT, Verdict.INCONCLUSIVE)
    measured = decision.rule == "changed-arguments"
    if got is None:
        return causes_of(audited.findings, suspects=open_, measured=measured)
    step = got.revalidation_step
    said = step.summary if step is not None and got.revalidation is Revalidation.DISAGREES else ""
    return causes_of(audited.findings, got.fingerprint.trials, revalidation=said, suspects=open_, measured=measured)


def accusations(audited: Audited) -> tuple[str, ...]:
    """What the audit found and somebody should look at; mere information stays in its table."""
    return tuple(f.evidence for f in audited.findings if f.severity is not Severity.INFORMATION)
