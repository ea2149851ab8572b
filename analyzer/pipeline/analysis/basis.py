"""A basis: what a row is judged against, with which replicates, and what may be concluded from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.evidence import Decision, Evidence, MetricEvidence
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import HEALTHY, Arm, ArmKind, Replicate
from analyzer.pipeline.analysis.case import Case
from analyzer.pipeline.analysis.cost import plan_cost, plan_words
from analyzer.pipeline.analysis.resume_point import as_configured
from analyzer.pipeline.analysis.steps.ladder import Steps
from analyzer.replicates.budget import Budget
from analyzer.replicates.collector import Collector
from analyzer.replicates.study import Study
from analyzer.report.model.analysis import Look, Omnibus, Plan
from analyzer.stats.seam import SeamResult
from analyzer.stats.shift import NullComparison

__all__ = ["Basis", "Judged", "ReplicateBasis", "Trained", "Work"]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What is to be trained: the arms, in the order of the report, and what they cost."""

    study: Study
    arms: tuple[Arm, ...]
    plan: Plan

    @property
    def null(self) -> Arm:
        """The arm against which the row is compared: the one as configured, where arguments were changed."""
        configured = (ArmKind.AS_CONFIGURED, ArmKind.NEW_AS_CONFIGURED)
        return next((arm for arm in self.arms if arm.kind in configured), self.arms[0])


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What was trained.

    Parameters
    ----------
    work, collector
        What was wanted, and who trained it.
    replicates
        Folder of an arm to its replicates, in the order of the seeds.
    steps
        The steps of the diagnosis; None for a basis that has none.
    comparison, looks, stop
        Of the sequential design: the final comparison, the path to it, and why no further replicate was made.
    """

    work: Work
    collector: Collector
    replicates: Mapping[str, tuple[Replicate, ...]]
    steps: Steps | None = None
    comparison: NullComparison | None = None
    looks: tuple[Look, ...] = ()
    stop: str = ""

    @property
    def null(self) -> tuple[Replicate, ...]:
        """The replicates with which the row is compared."""
        return self.replicates[self.work.null.folder]

    @property
    def healthy(self) -> tuple[Replicate, ...]:
        """Resumes without any change."""
        return self.replicates.get(HEALTHY.folder, ())

    @property
    def all(self) -> tuple[Replicate, ...]:
        """Of all arms, in their order."""
        return tuple(r for arm in self.work.arms for r in self.replicates[arm.folder])


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The evidence of a case.

    Parameters
    ----------
    evidence, names
        What the verdict may look at, and the names of the metrics in it.
    metrics
        Everything about each metric, deciding ones first.
    comparison, trained, omnibus
        The row against the replicates, the replicates, and the test of the family; None where nothing was trained.
    seam
        Replicates or row against the run's own history; None where they were not compared.
    needed
        How many replicates would settle it; None where nobody knows.
    """

    evidence: Evidence
    names: tuple[str, ...]
    metrics: tuple[MetricEvidence, ...]
    comparison: NullComparison | None = None
    trained: Trained | None = None
    omnibus: Omnibus | None = None
    seam: SeamResult | None = None
    needed: float | None = None


class Basis(ABC):
    """What every basis says of itself."""

    left_out: str = ""  # why the steps of the diagnosis are left out; empty where they are made

    def adapted(self, case: Case, progress: Progress) -> Case:
        """The case as this basis can judge it."""
        return case

    @abstractmethod
    def judge(self, case: Case, trained: Trained | None) -> Judged:
        """Compare the observed rows with what was trained, or with the run's own history."""

    @abstractmethod
    def explained(self, case: Case, judged: Judged, decision: Decision) -> Decision:
        """The decision within the limits of the basis, with all reasons."""

    def marks(self, case: Case) -> dict[str, Any]:
        """Fields of the analysis that tell the basis, with ``--dry-run`` too."""
        return {}

    def fields(self, case: Case, judged: Judged) -> dict[str, Any]:
        """Fields of the analysis that are other ones than those of a resume judged by its own replicates."""
        return {}


class ReplicateBasis(Basis):
    """A basis that trains."""

    def checkpoint(self, case: Case) -> Checkpoint:
        """From which replicates start."""
        assert case.point.checkpoint is not None
        return case.point.checkpoint

    def changes(self, case: Case) -> Mapping[str, Any]:
        """Arguments of the run that the checkpoint does not have."""
        return as_configured(case.point.diff)

    def arms(self, case: Case, study: Study) -> tuple[Arm, ...]:
        """Healthy resumes and, where arguments were changed, those as configured."""
        changes = self.changes(case)
        return (HEALTHY, study.arm(ArmKind.AS_CONFIGURED, changes)) if changes else (HEALTHY,)

    def plan(self, case: Case, arms: tuple[Arm, ...], at_once: float) -> Plan:
        """What the replicates of the arms cost at most, `at_once` of them trained at the same time."""
        return plan_cost(case.point, case.regime, case.request, arms=len(arms), at_once=at_once)

    def plan_words(self, case: Case, work: Work) -> str:
        """The plan in words, before the first epoch."""
        return plan_words(work.plan)

    def budget(self, agreed: Budget) -> Budget:
        """The budget as the collector counts."""
        return agreed

    def pace(self, plan: Plan) -> float | None:
        """Seconds of an epoch at first; None where the run does not tell."""
        return None if plan.seconds_per_replicate is None else plan.seconds_per_replicate / plan.epochs

    @abstractmethod
    def train(self, case: Case, work: Work, collector: Collector) -> Trained:
        """Train what is missing, as much as the budget allows."""
