"""The use cases, in order, readable as the method itself."""

from __future__ import annotations

from analyzer.pipeline.analysis.flow import analyze
from analyzer.pipeline.replicate import replicate
from analyzer.pipeline.request import AnalyzeRequest, ReplicateRequest

__all__ = ["AnalyzeRequest", "ReplicateRequest", "analyze", "replicate"]
