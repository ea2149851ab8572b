"""Weights and the EMA's counter: finite, and updated as often as the arguments give."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.audit.facts import AuditFacts
from analyzer.diagnosis.audit.steps import loops, optimizer_steps
from analyzer.diagnosis.catalogue import finding
from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.evidence import Finding
from analyzer.runs.same_value import same_value

__all__ = ["check_counters", "older_start", "splits_of_steps"]


def check_counters(facts: AuditFacts) -> Iterator[Finding]:
    """All findings of this file."""
    for side in (facts.before, facts.after):
        if side is not None and side.tensors is not None and side.tensors.not_finite:
            names = side.tensors.not_finite
            what = f"{len(names)} of {side.tensors.weights} weights in {side.checkpoint.path.name} hold NaN or infinity"
            yield finding("non-finite", f"{what}, first {names[0]}.")
    yield from _updates(facts)


def older_start(facts: AuditFacts) -> int | None:
    """Epoch, as results.csv counts, of the older checkpoint from which the resume began; None where none fits.

    The EMA's counter fell, and what is left after taking off the steps since the seam is what it was at that epoch.
    """
    before = facts.before.checkpoint if facts.before else None
    after = facts.after.checkpoint if facts.after else None
    if before is None or after is None or before.updates is None or after.updates is None or facts.batches is None:
        return None
    if after.updates >= before.updates or before.epoch < 1 or after.epoch <= before.epoch:
        return None
    for batches in (facts.batches, facts.batches - 1):
        for loop in loops(before.train_args, batches):
            start = after.updates - optimizer_steps(loop, before.epoch + 1, after.epoch, starts=facts.process_starts)
            for epoch in range(before.epoch - 1, -1, -1):
                if start == before.updates - optimizer_steps(loop, epoch + 1, before.epoch):
                    return epoch + 1
    return None


def _updates(facts: AuditFacts) -> Iterator[Finding]:
    before = facts.before.checkpoint if facts.before else None
    after = facts.after.checkpoint if facts.after else None
    if facts.seam is None or before is None or after is None or before.updates is None or after.updates is None:
        return
    made, epochs = after.updates - before.updates, after.epoch - before.epoch
    older = older_start(facts)
    if older is not None:
        yield finding(
            "wrong-checkpoint",
            f"The EMA had {before.updates} updates in {before.path.name} and has {after.updates} in {after.path.name}, "
            f"{epochs} epochs later: exactly what a resume from epoch {older} gives.",
        )
        return
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
        splits = splits_of_steps(facts)
        as_many = f" As many as from the {splits[0]} images." if splits else ""
        yield finding(
            "steps-off",
            f"The EMA was updated {made} times in {epochs} epochs after the seam; {batches} batches an epoch, batch "
            f"{before.train_args.get('batch')} and nbs {before.train_args.get('nbs', 64)} give {expected[0]}.{as_many}",
            fault="wrong-data" if splits or _other_data(before, after) else "batch-changed",
        )


def _other_data(before: Checkpoint, after: Checkpoint) -> bool:
    """Whether the resume named another data set, whose number of images is its own."""
    old, new = (side.train_args.get("data") for side in (before, after))
    return old is not None and new is not None and not same_value("data", old, new)


def splits_of_steps(facts: AuditFacts) -> tuple[str, ...]:
    """Splits other than training whose number of images gives exactly the EMA updates made since the seam."""
    before = facts.before.checkpoint if facts.before else None
    after = facts.after.checkpoint if facts.after else None
    if before is None or after is None or before.updates is None or after.updates is None:
        return ()
    made, found = after.updates - before.updates, []
    for split, images in facts.data.images.items():
        batches = facts.batches_of(images)
        if split == "train" or batches is None or images == facts.data.images.get("train"):
            continue
        kinds = loops(before.train_args, batches)
        steps = [optimizer_steps(k, before.epoch + 1, after.epoch, starts=facts.process_starts) for k in kinds]
        found += [split] if made in steps else []
    return tuple(found)
