"""The audit as the first step of `drift analyze`."""

from __future__ import annotations

from analyzer.diagnosis.audit import Audited, audit, audit_place
from analyzer.pipeline.analysis.case import Scene
from analyzer.pipeline.request import AnalyzeRequest

__all__ = ["audit_place", "audit_scene"]


def audit_scene(scene: Scene, request: AnalyzeRequest) -> Audited:
    """Audit the resume that `drift analyze` judges, before anything is trained."""
    seams = tuple(sorted((scene.seam, *scene.others), key=lambda s: s.row))
    trust = request.trust_checkpoint
    return audit(scene.run, scene.seam, seams, scene.checkpoint, data=request.data, trust=trust)
