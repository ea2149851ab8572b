"""The fingerprint: the replay again, each time with one fault injected, until one gives the observed row.

It runs only where the replay is exact and gave another row. A hit is the cause with certainty; that none hits is an
answer of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analyzer.diagnosis.audit import Audited
from analyzer.diagnosis.causes import Trial, hit_of
from analyzer.diagnosis.clues import Clues, Hypothesis, OtherFile
from analyzer.diagnosis.hypotheses import completions, hypotheses
from analyzer.diagnosis.rows import differing_columns
from analyzer.domain.evidence import Replay
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import Replicate
from analyzer.errors import DriftError
from analyzer.pipeline.collect import Collector
from analyzer.pipeline.replay import replay_arm
from analyzer.pipeline.scene import Scene
from analyzer.pipeline.study import FINGERPRINT, Study
from analyzer.report.analysis import StepResult
from analyzer.runs.args import diff_args
from analyzer.runs.checkpoint import read_checkpoint

__all__ = ["MOST_EPOCHS", "Search", "search", "skipped"]

MOST_EPOCHS = 6  # one a hypothesis


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What was tried.

    Parameters
    ----------
    trials
        One an hypothesis, in the order they were trained.
    step
        For the report; None where nothing was tried.
    reason
        Why nothing was tried; empty where something was.
    """

    trials: tuple[Trial, ...] = ()
    step: StepResult | None = None
    reason: str = ""

    @property
    def hit(self) -> bool:
        """Whether a hypothesis gave the observed row."""
        return hit_of(self.trials) is not None


def skipped(replay: Replay, step: StepResult | None, why: str) -> str:
    """Why no fingerprint is searched for; empty where it is.

    Parameters
    ----------
    replay, step
        Outcome of the replay.
    why
        Why there was no replay.
    """
    if replay is Replay.NOT_RUN:
        return why
    if replay is Replay.SAME:
        return "the replay gave the same row: nothing outside the checkpoint, arguments and data differed"
    if replay is Replay.NOT_POSSIBLE:
        return f"it needs an exact replay. {step.summary if step else ''}".strip()
    return ""


def search(
    scene: Scene, study: Study, audited: Audited, replayed: Replicate, collector: Collector, progress: Progress
) -> Search:
    """Train one epoch a hypothesis with the run's own seed, until one gives the observed row.

    A hypothesis that gives the training columns alone is tried together with the faults of validation next.

    Parameters
    ----------
    replayed
        The replay, which gave another row.
    """
    clues = _clues(scene, study, audited, replayed)
    queue = list(hypotheses(clues))
    trials: list[Trial] = []
    before = collector.epochs_trained
    while queue and len(trials) < MOST_EPOCHS:
        trial = _try(queue[0], scene, study, replayed.seed, collector)
        if trial is None:
            break
        queue.pop(0)
        trials.append(trial)
        progress.message(f"Fingerprint: {_words(trial)}.")
        if trial.hit:
            break
        queue = [*completions(trial.hypothesis, trial.half, clues), *queue]
    if not trials:
        reason = "the budget ended before it" if queue else "no fault of the catalogue fits the columns that differ"
        return Search(reason=reason)
    return Search(tuple(trials), _step(trials, queue, collector.epochs_trained - before))


def _try(
    hypothesis: Hypothesis, scene: Scene, study: Study, seed: int, collector: Collector
) -> Trial | None:  # None: the budget ends before it
    arm = replay_arm(scene, study, seed, name=FINGERPRINT, interventions=hypothesis.interventions)
    try:
        found = collector.one(arm, seed, epochs=1)
    except DriftError as e:
        return Trial(hypothesis, (), failed=e.what)
    if found is None:
        return None
    printed = [e.printed for e in found.epochs[:1]]
    columns, differ = differing_columns(scene.observed_rows(1), printed, scene.run.history.unit)
    return Trial(hypothesis, columns, differ)


def _clues(scene: Scene, study: Study, audited: Audited, replayed: Replicate) -> Clues:
    printed = replayed.epochs[0].printed if replayed.epochs else {}
    _, differ = differing_columns([scene.observed], [printed], scene.run.history.unit)
    configured = {**study.checkpoint.train_args, **{c.name: c.after for c in scene.diff.changes}}
    after = audited.facts.after
    later = diff_args(configured, after.checkpoint.train_args).changes if after is not None else ()
    data = study.other_data[-1] if study.other_data else study.data
    return Clues(
        observed=scene.observed,
        replayed=printed,
        differ=differ,
        args=configured,
        epoch=scene.seam.epoch,
        findings=audited.findings,
        files=tuple(_files(scene, study, configured.get("pretrained"))),
        splits={k: tuple(str(p) for p in v) for k, v in data.splits.items()},
        later_args={c.name: c.after for c in later},
    )


def _files(scene: Scene, study: Study, pretrained: object) -> Iterator[OtherFile]:
    """Other checkpoints of the run from before the seam, each content once, and the file that ``pretrained`` names."""
    seen = {study.checkpoint.sha256}
    for path in scene.run.checkpoints:
        try:
            other = read_checkpoint(path, trust=study.trust)
        except DriftError:
            continue
        if other.sha256 not in seen and 0 < other.csv_epoch < study.checkpoint.csv_epoch:
            seen.add(other.sha256)
            yield OtherFile(path, other.sha256, other.csv_epoch)
    if isinstance(pretrained, str) and pretrained.endswith(".pt") and Path(pretrained).is_file():
        path = Path(pretrained).absolute()
        try:
            yield OtherFile(path, read_checkpoint(path, trust=study.trust).sha256, 0)
        except DriftError:
            return


def _words(trial: Trial) -> str:
    if trial.failed:
        return f"{trial.hypothesis.words} could not be trained"
    how = "gives the row" if trial.hit else f"{len(trial.differ)} of {len(trial.columns)} columns differ"
    return f"{trial.hypothesis.words}: {how}"


def _step(trials: list[Trial], untried: list[Hypothesis], epochs: int) -> StepResult:
    details = {
        "tried": [
            {"hypothesis": t.hypothesis.words, "why": t.hypothesis.why, "differ": list(t.differ), "failed": t.failed}
            for t in trials
        ],
        "untried": [h.words for h in untried],
    }
    hit = hit_of(trials)
    if hit is not None:
        n = len(hit.columns)
        text = f"Your resume with {hit.hypothesis.words} gives all {n} columns of the row to every printed digit."
        return StepResult("+".join(hit.hypothesis.ids), text, epochs, details)
    text = f"None of these faults gives the row: {'; '.join(_words(t) for t in trials)}."
    if untried:
        text += f" {len(untried)} further ones were not tried."
    return StepResult("none of these", text, epochs, details)
