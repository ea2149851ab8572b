"""A case: everything that is known before any training, as one value that is given to everything."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analyzer.diagnosis.audit import Audited
from analyzer.domain.evidence import Severity
from analyzer.domain.progress import Progress
from analyzer.pipeline.analysis.regime import Regime, read_regime
from analyzer.pipeline.analysis.resume_point import ResumePoint, find_resume_point
from analyzer.pipeline.audit import audit
from analyzer.pipeline.request import AnalyzeRequest

__all__ = ["Case", "Observed", "audit_resume", "read_case"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """The resumed epochs that are judged, K of them over m metrics.

    Parameters
    ----------
    values
        Shape (K, m).
    before
        Shape (m,), NaN where missing.
    """

    values: Array
    before: Array

    @classmethod
    def of(cls, rows: Sequence[dict[str, float]], before: dict[str, float], regime: Regime) -> Observed:
        """Take the metrics of `regime` out of rows."""
        values = np.array([[row.get(n, np.nan) for n in regime.names] for row in rows])
        return cls(values, np.array([before.get(n, np.nan) for n in regime.names]))

    @property
    def k(self) -> int:
        """How many resumed epochs."""
        return len(self.values)

    def diverged(self, regime: Regime) -> bool:
        """Whether a deciding metric that had been finite is not any more."""
        lost = np.isfinite(self.before) & ~np.isfinite(self.values).all(axis=0) & regime.deciding
        return bool(lost.any())


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What is judged, and what was asked for.

    Parameters
    ----------
    request
        The options.
    point
        The run and its resume point.
    regime
        The epochs before it.
    observed
        The resumed rows.
    audited
        The audit; None where it was not made.
    started
        Reading of the monotonic clock at which the work began, seconds.
    """

    request: AnalyzeRequest
    point: ResumePoint
    regime: Regime
    observed: Observed
    audited: Audited | None
    started: float

    @property
    def certain(self) -> bool:
        """Whether the audit found a cause that is certain."""
        return bool(self.audited and self.audited.hard)

    @property
    def accusations(self) -> tuple[str, ...]:
        """What the audit found and somebody should look at; mere information stays in its table."""
        found = self.audited.findings if self.audited else ()
        return tuple(f.evidence for f in found if f.severity is not Severity.INFORMATION)


def read_case(request: AnalyzeRequest, progress: Progress) -> Case:
    """Read the run, its regime and the resumed rows, and audit the resume.

    Raises
    ------
    DriftError
        As `find_resume_point` and `read_regime`.
    """
    started = time.monotonic()
    point = find_resume_point(request)
    regime = read_regime(point, request.margins)
    observed = Observed.of(point.observed_rows(request.epochs), point.before, regime)
    if observed.k < request.epochs:
        progress.message(f"The run has {observed.k} epochs after the seam, not {request.epochs}: that many are judged.")
        request = replace(request, epochs=observed.k)  # further epochs would be trained for nothing
    return Case(request, point, regime, observed, audit_resume(point, request), started)


def audit_resume(point: ResumePoint, request: AnalyzeRequest) -> Audited:
    """Audit the resume before anything is trained."""
    seams = tuple(sorted((point.seam, *point.others), key=lambda s: s.row))
    trust = request.trust_checkpoint
    return audit(point.run, point.seam, seams, point.checkpoint, data=request.data, trust=trust)
