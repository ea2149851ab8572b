"""The fingerprint: the replay again, each time with one fault injected, until one gives the observed row.

It runs only where the replay is exact and gave another row. A hit is the cause with certainty; that none hits is an
answer of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.diagnosis.causes import Trial, hit_of
from analyzer.diagnosis.hypotheses import completions, hypotheses
from analyzer.domain.evidence import Replay
from analyzer.domain.replicate import ArmKind, Replicate
from analyzer.domain.rows import differing_columns
from analyzer.errors import DriftError
from analyzer.faults.clues import Hypothesis
from analyzer.pipeline.analysis.case import Case
from analyzer.pipeline.analysis.resume_point import ResumePoint
from analyzer.pipeline.analysis.steps.clues import collect_clues
from analyzer.pipeline.analysis.steps.replay import replay_arm
from analyzer.replicates.collector import Collector
from analyzer.report.model.analysis import StepResult

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


def search(case: Case, collector: Collector, replayed: Replicate) -> Search:
    """Train one epoch a hypothesis with the run's own seed, until one gives the observed row.

    A hypothesis that gives the training columns alone is tried together with the faults of validation next.

    Parameters
    ----------
    replayed
        The replay, which gave another row.
    """
    clues = collect_clues(case, collector.study, replayed.epochs[0].printed if replayed.epochs else {})
    queue = list(hypotheses(clues))
    trials: list[Trial] = []
    before = collector.epochs_trained
    while queue and len(trials) < MOST_EPOCHS:
        trial = _try(queue[0], case.point, replayed.seed, collector)
        if trial is None:
            break
        queue.pop(0)
        trials.append(trial)
        collector.progress.message(f"Fingerprint: {_words(trial)}.")
        if trial.hit:
            break
        queue = [*completions(trial.hypothesis, trial.half, clues), *queue]
    if not trials:
        reason = "the budget ended before it" if queue else "no fault of the catalogue fits the columns that differ"
        return Search(reason=reason)
    return Search(tuple(trials), _step(trials, queue, collector.epochs_trained - before))


def _try(
    hypothesis: Hypothesis, point: ResumePoint, seed: int, collector: Collector
) -> Trial | None:  # None: the budget ends before it
    arm = replay_arm(point, collector.study, seed, kind=ArmKind.FAULT_SEARCH, interventions=hypothesis.interventions)
    try:
        found = collector.one(arm, seed, epochs=1)
    except DriftError as e:
        return Trial(hypothesis, (), failed=e.what)
    if found is None:
        return None
    printed = [e.printed for e in found.epochs[:1]]
    columns, differ = differing_columns(point.observed_rows(1), printed, point.run.history.unit)
    return Trial(hypothesis, columns, differ)


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
