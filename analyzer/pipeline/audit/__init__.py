"""Reads the files that the audit judges; the checks themselves are pure (`analyzer.diagnosis.audit`)."""

from __future__ import annotations

from analyzer.pipeline.audit.audit import AuditOptions, audit, audit_place

__all__ = ["AuditOptions", "audit", "audit_place"]
