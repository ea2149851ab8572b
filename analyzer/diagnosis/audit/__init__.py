"""The state audit: what checkpoints, arguments, results.csv and data say for certain, without training."""

from __future__ import annotations

from analyzer.diagnosis.audit.collect import collect_facts
from analyzer.diagnosis.audit.facts import AuditFacts, Side
from analyzer.diagnosis.audit.place import audit_place
from analyzer.diagnosis.audit.run import Audited, audit, audit_run

__all__ = ["AuditFacts", "Audited", "Side", "audit", "audit_place", "audit_run", "collect_facts"]
