"""The weights on both sides of the seam: a head drawn anew, or other weights altogether."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.audit.facts import AuditFacts
from analyzer.diagnosis.catalogue import finding
from analyzer.domain.evidence import Finding

__all__ = ["MOST_EPOCHS", "check_weights"]

MOST_EPOCHS = 3  # after more, a training may have moved them itself
_UNRELATED = 0.5  # correlation before and after; measured on healthy resumed epochs: 0.999 and more
_RELATED = 0.9


def check_weights(facts: AuditFacts) -> Iterator[Finding]:
    """All findings of this file. A learning rate that left its schedule explains moved weights by itself."""
    before, after = facts.before, facts.after
    if not facts.moved or before is None or after is None:
        return
    epochs = after.checkpoint.epoch - before.checkpoint.epoch
    if not 1 <= epochs <= MOST_EPOCHS:
        return
    body = next((m for m in facts.moved if m.part == "body"), None)
    head = [m for m in facts.moved if m.part != "body"]
    if body is None or not head:
        return
    lost = [m for m in head if m.correlation < _UNRELATED]
    since = f"{epochs} epoch{'s' if epochs > 1 else ''} after the seam"
    if lost and body.correlation > _RELATED:
        shown = ", ".join(f"{m.part} {m.correlation:.2f}" for m in lost)
        yield finding(
            "head-rebuilt",
            f"{since.capitalize()} the weights of the head are unrelated to those before it (correlation: {shown}; the "
            f"rest of the model: {body.correlation:.3f}).",
        )
    elif body.correlation < _UNRELATED:
        yield finding(
            "weights-replaced",
            f"{since.capitalize()} the weights are unrelated to those of {before.checkpoint.path.name} (correlation "
            f"{body.correlation:.2f}, distance {body.distance:.1f} times their length).",
        )
