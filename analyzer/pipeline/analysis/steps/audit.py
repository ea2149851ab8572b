"""The audit as the first step of `drift analyze`."""

from __future__ import annotations

from analyzer.diagnosis.audit import Audited
from analyzer.pipeline.analysis.resume_point import ResumePoint
from analyzer.pipeline.audit import audit
from analyzer.pipeline.request import AnalyzeRequest

__all__ = ["audit_resume"]


def audit_resume(point: ResumePoint, request: AnalyzeRequest) -> Audited:
    """Audit the resume that `drift analyze` judges, before anything is trained."""
    seams = tuple(sorted((point.seam, *point.others), key=lambda s: s.row))
    trust = request.trust_checkpoint
    return audit(point.run, point.seam, seams, point.checkpoint, data=request.data, trust=trust)
