"""The steps before the replicates: re-validation, the run's own resume again, and the search for the fault."""

from __future__ import annotations

from dataclasses import dataclass, field

from analyzer.domain.evidence import Replay, Revalidation
from analyzer.domain.replicate import Replicate
from analyzer.pipeline.analysis.case import Case
from analyzer.pipeline.analysis.steps.fault_search import Search, search, skipped
from analyzer.pipeline.analysis.steps.replay import replay_outcome, run_replay
from analyzer.pipeline.analysis.steps.revalidate import revalidate
from analyzer.pipeline.analysis.steps.simulated_faults import TwinSearch
from analyzer.replicates.collector import Collector
from analyzer.report.model.analysis import StepResult

__all__ = ["Steps", "run_steps"]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Outcome of each step, with its record for the report or the reason why it was left out.

    Parameters
    ----------
    revalidation, revalidation_step
        The checkpoint's own weights on the data.
    replay, replay_step, replay_epochs, no_replay
        The run's own resume again, the epochs that it took, and why it was left out.
    search, twins
        The search for the fault that gives the row, and the faults that were simulated.
    """

    revalidation: Revalidation = Revalidation.NOT_RUN
    revalidation_step: StepResult | None = None
    replay: Replay = Replay.NOT_RUN
    replay_step: StepResult | None = None
    replay_epochs: int = 0
    no_replay: str = ""
    search: Search = field(default_factory=Search)
    twins: TwinSearch = field(default_factory=TwinSearch)

    @property
    def certain(self) -> bool:
        """Whether a step found a cause that is certain."""
        return self.revalidation is Revalidation.DISAGREES or self.search.hit

    @property
    def epochs(self) -> dict[str, int]:
        """Epochs that each step trained, the replicates of the null apart."""
        tried = self.search.step.epochs if self.search.step else 0
        return {"replay": self.replay_epochs, "fingerprint": tried, "twins": self.twins.epochs}

    @property
    def reasons(self) -> dict[str, str]:
        """Step to the reason why it was left out; empty for one that was made."""
        return {
            "revalidation": "" if self.revalidation_step else "--no-revalidate",
            "replay": self.no_replay,
            "fingerprint": self.search.reason,
            "twins": self.twins.reason,
        }


def run_steps(case: Case, collector: Collector, paths: int) -> Steps:
    """Validate the stored weights, repeat the user's own resume and, where it gives another row, search for the fault.

    A certain cause needs no replay: the replicates then only say how much it matters. It is certain where the audit has
    a hard finding, and where the stored weights do not give their logged row any more.

    Parameters
    ----------
    paths
        How many replicates follow at first, which the progress is told.
    """
    progress, request = collector.progress, case.request
    again, validated = Revalidation.NOT_RUN, None
    if request.revalidate:
        again, validated = revalidate(collector.study, collector)
        progress.message(f"Re-validation: {validated.summary}")
    skip = _no_replay(case, again)
    progress.start((paths + (not skip)) * request.epochs, f"{paths} resumed paths at first")
    outcome, step, found = Replay.NOT_RUN, None, None
    if not skip:
        found = run_replay(case.point, collector.study, collector)
        outcome, step = replay_outcome(case.point, collector.study, found)
        progress.message(f"Replay: {step.summary}")
    replayed = collector.epochs_trained
    tried = Search(reason=skipped(outcome, step, skip))
    if isinstance(found, Replicate) and not tried.reason:
        tried = search(case, collector, found)
    return Steps(again, validated, outcome, step, replayed, skip, tried)


def _no_replay(case: Case, revalidation: Revalidation) -> str:
    """Why the replay is left out; empty where it is made."""
    if revalidation is Revalidation.DISAGREES:
        return "the data, a label cache or the environment changed: no training fault is looked for first"
    if case.certain:
        return "a certain cause was found without it"
    return "" if case.request.replay else "--no-replay"
