"""The one view model that every renderer reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.domain.evidence import Cause, Decision, Finding, MetricEvidence, SeamCheck, Verdict
from analyzer.domain.replicate import HEALTHY, Outcome, Replicate
from analyzer.domain.run import History, Seam
from analyzer.report.model.basis import Basis, Borrowed
from analyzer.report.model.parts import (
    ArgumentChange,
    CheckpointRef,
    HistoryPrediction,
    Look,
    Omnibus,
    PathPoint,
    ReportedArm,
)
from analyzer.report.model.simulated_faults import SimulatedFaults
from analyzer.report.model.work import STEPS, Cost, Environment, NotRun, Plan, StepResult

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = [
    "STEPS",
    "Analysis",
    "ArgumentChange",
    "Basis",
    "Borrowed",
    "CheckpointRef",
    "Cost",
    "Environment",
    "HistoryPrediction",
    "Look",
    "NotRun",
    "Omnibus",
    "PathPoint",
    "Plan",
    "StepResult",
]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Analysis:
    """The result of ``drift analyze``: verdict, evidence and how it was made. Nothing else is rendered anywhere.

    Parameters
    ----------
    decision
        The verdict with its rule, reasons and what would settle it.
    run
        The run directory.
    history
        Its results.csv.
    seam, other_seams
        The seam that was judged, and others that were found, oldest first.
    alpha
        Level of the whole command, in (0, 1).
    metrics
        One entry a metric, deciding ones first.
    omnibus
        The test of the family at once; None where there is no null.
    environment, cost
        Where it ran, and what it took.
    checkpoint
        From which the seam started; None where it is gone.
    borrowed
        Which other checkpoint lent its replicates where that is gone; None where no null was borrowed.
    study
        The study folder; None where nothing was stored.
    history_only
        True where no replicate was used: the weaker evidence.
    null_arm
        Name of the arm against which the shift is measured.
    base_seed
        From which the seeds of the replicates were spawned.
    arms, replicates
        Every arm and every replicate of the study, failed ones too.
    argument_changes
        Between checkpoint and resumed run.
    seam_check, history_predictions
        The null against the run's own history.
    audit
        Findings; None where not run.
    revalidation, replay, fingerprint
        Steps of the ladder; None where not run.
    twins
        The row attributed to faults by likelihood; None where not run.
    diagnosis
        Causes, the surest first; empty where none was found, None where none was looked for.
    attribution
        Shares of the jump; None where not run.
    looks, paths
        The sequential path, and the first K resumed epochs; empty where there is only one.
    plan
        The cost plan; always there with ``--dry-run``.
    warnings
        One sentence each.
    not_run
        Steps left out, with the reason.
    created
        ISO 8601, UTC.
    command
        The exact command to do it again.
    tool_version
        Of yolo-drift.
    continues
        The run whose checkpoint this new training started from (``--before``); None for a resume.
    fraction
        Part of the first resumed epoch that was compared (``--fraction``), in (0, 1); None for whole epochs. The row of
        the seam may then be missing in the history.
    """

    decision: Decision
    run: Path
    history: History
    seam: Seam
    alpha: float
    metrics: tuple[MetricEvidence, ...]
    omnibus: Omnibus | None
    environment: Environment
    cost: Cost
    checkpoint: CheckpointRef | None = None
    borrowed: Borrowed | None = None
    study: Path | None = None
    other_seams: tuple[Seam, ...] = ()
    history_only: bool = False
    null_arm: str = HEALTHY.folder
    base_seed: int | None = None
    arms: tuple[ReportedArm, ...] = ()
    replicates: tuple[Replicate, ...] = ()
    argument_changes: tuple[ArgumentChange, ...] = ()
    seam_check: SeamCheck = SeamCheck.UNKNOWN
    history_predictions: tuple[HistoryPrediction, ...] = ()
    audit: tuple[Finding, ...] | None = None
    revalidation: StepResult | None = None
    replay: StepResult | None = None
    fingerprint: StepResult | None = None
    twins: SimulatedFaults | None = None
    diagnosis: tuple[Cause, ...] | None = None
    attribution: tuple[StepResult, ...] | None = None
    looks: tuple[Look, ...] = ()
    paths: tuple[PathPoint, ...] = ()
    plan: Plan | None = None
    warnings: tuple[str, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    created: str = ""
    command: str = ""
    tool_version: str = ""
    continues: Path | None = None
    fraction: float | None = None

    @property
    def basis(self) -> Basis:
        """What the row of the seam is judged against."""
        if self.continues is not None:
            return Basis.CONTINUATION
        if self.fraction is not None:
            return Basis.PART
        if self.history_only:
            return Basis.HISTORY
        return Basis.OWN if self.borrowed is None else Basis.BORROWED

    @property
    def verdict(self) -> Verdict:
        """What the analysis says."""
        return self.decision.verdict

    @property
    def null_replicates(self) -> tuple[Replicate, ...]:
        """The replicates that make the null: those of the null arm that ended well."""
        return tuple(r for r in self.replicates if r.arm == self.null_arm and r.outcome is Outcome.OK)

    @property
    def n_replicates(self) -> int:
        """How many replicates the null is made of."""
        return len(self.null_replicates)

    @property
    def before_epoch(self) -> int | None:
        """Epoch of the last row before the seam, as results.csv counts."""
        return None if self.seam.before is None else int(self.history.epochs[self.seam.before])

    # The model knows no renderer: these four import what they need when they are called.

    def to_dict(self) -> dict[str, Any]:
        """Make the document that ``report.json`` holds (see the schema in the package)."""
        from analyzer.report.document import to_document

        return to_document(self)

    def to_frame(self) -> pd.DataFrame:
        """Make a pandas frame with one row a metric; pandas must be installed."""
        import pandas as pd

        return pd.DataFrame(self.to_dict()["metrics"]).set_index("name")

    def plot(self) -> Figure:
        """Draw the grid of Ultralytics' results.png with the seam and the null; returns a matplotlib figure."""
        from analyzer.report.charts.overview import grid
        from analyzer.report.charts.style import drawing

        with drawing():
            return grid(self)

    def _repr_html_(self) -> str:
        from analyzer.report.renderers.html import render_summary

        return render_summary(self)
