"""Collect what hypotheses are made of: rows, arguments, counters, weights, other files, splits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from analyzer.diagnosis.audit import Audited
from analyzer.diagnosis.audit.counters import splits_of_steps
from analyzer.domain.rows import differing_columns
from analyzer.errors import DriftError
from analyzer.faults.clues import Clues, OtherFile
from analyzer.pipeline.analysis.case import Case
from analyzer.pipeline.analysis.resume_point import ResumePoint
from analyzer.replicates.study import Study
from analyzer.runs.args import diff_args
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.tensors import read_weights
from analyzer.runs.weights import Weights, distance, trained_between

__all__ = ["collect_clues"]


def collect_clues(case: Case, study: Study, expected: Mapping[str, float]) -> Clues:
    """What is known of a row that came out otherwise.

    Parameters
    ----------
    expected
        The first resumed epoch as it should have been: the row of the replay, or the mean of the null.
    """
    point, audited = case.point, case.audited
    assert audited is not None
    _, differ = differing_columns([point.observed], [expected], point.run.history.unit)
    configured = {**study.checkpoint.train_args, **{c.name: c.after for c in point.diff.changes}}
    after = audited.facts.after
    later = diff_args(configured, after.checkpoint.train_args).changes if after is not None else ()
    data = study.other_data or study.data
    return Clues(
        observed=point.observed,
        replayed=expected,
        differ=differ,
        args=configured,
        epoch=point.seam.epoch,
        findings=audited.findings,
        files=tuple(_files(point, study, configured.get("pretrained"), audited)),
        splits={k: tuple(str(p) for p in v) for k, v in data.splits.items()},
        later_args={c.name: c.after for c in later},
        updates=_updates_that_fit(audited),
        state_kept=_state_kept(audited),
        read_splits=splits_of_steps(audited.facts),
        names=data.names,
    )


def _updates_that_fit(audited: Audited) -> int | None:
    """The EMA's counter before the seam, where the one after it is what the arguments give."""
    facts = audited.facts
    if facts.after is None or facts.before is None or facts.batches is None or facts.after.checkpoint.updates is None:
        return None
    off = {"steps-off", "ema-reset", "wrong-checkpoint"} & {f.id for f in audited.findings}
    return None if off else facts.before.checkpoint.updates


def _state_kept(audited: Audited) -> bool:
    """Whether Adam counted on across the seam; SGD has no counter."""
    sides = (audited.facts.before, audited.facts.after)
    steps = [side.tensors.optimizer.steps if side and side.tensors and side.tensors.optimizer else () for side in sides]
    return bool(steps[0] and steps[1]) and steps[1][-1] >= steps[0][-1]


def _files(point: ResumePoint, study: Study, pretrained: object, audited: Audited) -> Iterator[OtherFile]:
    """Other checkpoints of the run from before the seam, each content once, and the file that ``pretrained`` names."""
    trained = _trained(audited, study)
    seen = {study.checkpoint.sha256}
    for path in point.run.checkpoints:
        try:
            other = read_checkpoint(path, trust=study.trust)
        except DriftError:
            continue
        if other.sha256 not in seen and 0 < other.csv_epoch < study.checkpoint.csv_epoch:
            seen.add(other.sha256)
            yield OtherFile(path, other.sha256, other.csv_epoch, other.updates, _near(path, trained, study))
    if isinstance(pretrained, str) and pretrained.endswith(".pt") and Path(pretrained).is_file():
        path = Path(pretrained).absolute()
        try:
            sha256 = read_checkpoint(path, trust=study.trust).sha256
        except DriftError:
            return
        yield OtherFile(path, sha256, 0, near=_near(path, trained, study))


def _trained(audited: Audited, study: Study) -> tuple[Weights, Weights] | None:
    """Weights before the seam and those trained after it, where they moved: only the first epochs after it tell."""
    after = audited.facts.after
    if after is None or not audited.facts.moved:
        return None
    return trained_between(study.checkpoint, after.checkpoint, trust=study.trust)


def _near(path: Path, trained: tuple[Weights, Weights] | None, study: Study) -> float | None:
    """How near what was trained is to a file, relative to the seam's checkpoint."""
    if trained is None:
        return None
    before, after = trained
    own = distance(before, after)
    try:
        other = distance(read_weights(path, trust=study.trust), after)
    except DriftError:
        return None
    return other / own if own and np.isfinite(other) else None
