"""The audit itself: every check over the facts, the certain findings first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from analyzer.diagnosis.audit.arguments import check_arguments
from analyzer.diagnosis.audit.caches import check_caches
from analyzer.diagnosis.audit.counters import check_counters
from analyzer.diagnosis.audit.data import check_data
from analyzer.diagnosis.audit.facts import AuditFacts
from analyzer.diagnosis.audit.history import check_history
from analyzer.diagnosis.audit.known_bugs import check_known_bugs
from analyzer.diagnosis.audit.optimizer import check_optimizer
from analyzer.diagnosis.audit.rates import check_rates
from analyzer.diagnosis.audit.weights import check_weights
from analyzer.domain.evidence import Finding, Severity

__all__ = ["Audited", "audit_run"]

_CHECKS: tuple[Callable[[AuditFacts], Iterator[Finding]], ...] = (
    check_rates,
    check_history,
    check_optimizer,
    check_weights,
    check_counters,
    check_arguments,
    check_data,
    check_caches,
    check_known_bugs,
)
_ORDER = (Severity.HARD, Severity.WARNING, Severity.INFORMATION)


@dataclass(frozen=True, slots=True, eq=False)
class Audited:
    """The outcome of an audit.

    Parameters
    ----------
    facts
        What was read.
    findings
        What was found, the certain ones first.
    """

    facts: AuditFacts
    findings: tuple[Finding, ...]

    @property
    def hard(self) -> tuple[Finding, ...]:
        """The findings that are certain faults."""
        return tuple(f for f in self.findings if f.severity is Severity.HARD)


def audit_run(facts: AuditFacts) -> tuple[Finding, ...]:
    """Judge facts that were read; nothing is opened here.

    Parameters
    ----------
    facts
        From :func:`analyzer.pipeline.audit.collect.collect_facts`, or made by hand.

    Returns
    -------
    tuple of Finding
        Hard ones first, in the order of the checks; a repeated sentence once.
    """
    found = list(dict.fromkeys(f for check in _CHECKS for f in check(facts)))
    return tuple(sorted(found, key=lambda f: _ORDER.index(f.severity)))
