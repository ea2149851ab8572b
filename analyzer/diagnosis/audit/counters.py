"""Weights and the EMA's counter: finite, and updated as often as the arguments give."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.audit.facts import AuditFacts
from analyzer.diagnosis.audit.steps import loops, optimizer_steps
from analyzer.diagnosis.catalogue import finding
from analyzer.domain.evidence import Finding

__all__ = ["check_counters"]


def check_counters(facts: AuditFacts) -> Iterator[Finding]:
    """All findings of this file."""
    for side in (facts.before, facts.after):
        if side is not None and side.tensors is not None and side.tensors.not_finite:
            names = side.tensors.not_finite
            what = f"{len(names)} of {side.tensors.weights} weights in {side.checkpoint.path.name} hold NaN or infinity"
            yield finding("non-finite", f"{what}, first {names[0]}.")
    yield from _updates(facts)


def _updates(facts: AuditFacts) -> Iterator[Finding]:
    before = facts.before.checkpoint if facts.before else None
    after = facts.after.checkpoint if facts.after else None
    if facts.seam is None or before is None or after is None or before.updates is None or after.updates is None:
        return
    made, epochs = after.updates - before.updates, after.epoch - before.epoch
    if made < 0:
        yield finding(
            "ema-reset",
            f"The EMA had {before.updates} updates in {before.path.name} and has {after.updates} in {after.path.name}, "
            f"{epochs} epochs later: its counter was set back.",
        )
        return
    batches = facts.batches
    if batches is None or epochs < 1 or after.epoch < 0 or before.epoch < 0:
        return
    starts = facts.process_starts
    # Images that cannot be read are left out by Ultralytics, so the last batch may be missing.
    expected = [
        optimizer_steps(loop, before.epoch + 1, after.epoch, starts=starts)
        for nb in (batches, batches - 1)
        for loop in loops(before.train_args, nb)
    ]
    if expected and made not in expected:
        yield finding(
            "steps-off",
            f"The EMA was updated {made} times in {epochs} epochs after the seam; {batches} batches an epoch, batch "
            f"{before.train_args.get('batch')} and nbs {before.train_args.get('nbs', 64)} give {expected[0]}.",
        )
