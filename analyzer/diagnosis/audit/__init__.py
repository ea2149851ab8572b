"""The state audit: what checkpoints, arguments, results.csv and data say for certain, from facts already read."""

from __future__ import annotations

from analyzer.diagnosis.audit.facts import AuditFacts, Side
from analyzer.diagnosis.audit.run import Audited, audit_run

__all__ = ["AuditFacts", "Audited", "Side", "audit_run"]
