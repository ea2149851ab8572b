"""What a report says on each basis, in one table: a new basis is one entry of `PHRASES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from analyzer.domain.evidence import Verdict
from analyzer.domain.replicate import HEALTHY, Outcome
from analyzer.report.formatting import clean, count
from analyzer.report.model.analysis import Analysis
from analyzer.report.model.basis import Basis, Borrowed

__all__ = ["PHRASES", "Phrases", "phrases"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """What depends on the basis. A function is given the analysis; one of the replicates only where there are any.

    Parameters
    ----------
    headlines
        The verdict in half a sentence.
    legend
        What the columns of the table mean.
    seam, checkpoint
        Where the resume is, and from which checkpoint it started.
    null
        How many replicates there are and what they are.
    method
        How they were made, in one sentence for the methods paragraph.
    history
        How the seam lies against the epochs before it, where that was not judged at all; else empty.
    within
        That it lies within what they predict.
    place
        Before what those epochs lie.
    length
        How much of an epoch, or how many, each planned replicate trains.
    advice
        What to do about a fault, whatever its cause; empty where that depends on the cause.
    seam_share
        Whether a share of alpha is spent on the seam against history.
    dots
        What is special about the replicates that a figure shows as dots.
    """

    headlines: Mapping[Verdict, str]
    legend: tuple[str, ...]
    seam: Callable[[Analysis], str]
    checkpoint: Callable[[Analysis], str]
    null: Callable[[Analysis], str]
    method: Callable[[Analysis], str]
    length: Callable[[Analysis], str]
    history: str = ""
    within: str = "within what the epochs before the seam predict"
    place: str = "the seam"
    advice: str = ""
    seam_share: bool = True
    dots: str = ""


def phrases(analysis: Analysis) -> Phrases:
    """What to say on the basis of this analysis."""
    return PHRASES[analysis.basis]


def _seam(analysis: Analysis) -> str:
    seam = analysis.seam
    line = f"epoch {seam.epoch} is the first resumed one ({seam.sign.value})"
    if analysis.other_seams:
        others = ", ".join(str(s.epoch) for s in analysis.other_seams)
        line += f"; other seams at epoch {others}, choose with --seam"
    return line


def _continued(analysis: Analysis) -> str:
    before = clean(str(analysis.continues))
    return f"a new training that continues {before}, judged from its epoch {analysis.seam.epoch}"


def _checkpoint(analysis: Analysis) -> str:
    checkpoint = analysis.checkpoint
    if checkpoint is None:
        return "none of the epoch before the seam is left"
    return f"{checkpoint.path} (epoch {checkpoint.epoch}, sha256 {checkpoint.sha256[:12]})"


def _lender(analysis: Analysis) -> str:
    borrowed = _borrowed(analysis)
    lender = borrowed.checkpoint
    where = f"epoch {lender.epoch}, {_distance(borrowed)}" + ("" if borrowed.same_regime else ", of another regime")
    return f"gone; the null is borrowed from {lender.path} ({where}, sha256 {lender.sha256[:12]})"


def _borrowed(analysis: Analysis) -> Borrowed:
    assert analysis.borrowed is not None  # that is what makes the basis
    return analysis.borrowed


def _distance(borrowed: Borrowed) -> str:
    """How far away the lender is.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analyzer.report.model.parts import CheckpointRef
    >>> _distance(Borrowed(CheckpointRef(Path("a.pt"), 23, "0" * 64), -11, True, "row"))
    '11 epochs before it'
    """
    return f"{count(abs(borrowed.away), 'epoch')} {'before' if borrowed.away < 0 else 'after'} it"


def _each(analysis: Analysis) -> str:
    return f"{count(max(len(r.epochs) for r in analysis.null_replicates), 'epoch')} each"


def _resumes(analysis: Analysis, checkpoint: str = "the checkpoint") -> str:
    n, each = analysis.n_replicates, _each(analysis)
    if analysis.null_arm == HEALTHY.folder:
        return f"{count(n, 'healthy resume')} of {checkpoint}, {each}, every one with its own seed"
    healthy = sum(r.arm == HEALTHY.folder and r.outcome is Outcome.OK for r in analysis.replicates)
    return f"{count(n, 'resume')} as configured and {healthy} healthy ones on the same seeds, {each}"


def _lent_resumes(analysis: Analysis) -> str:
    line = _resumes(analysis, f"the checkpoint of epoch {_borrowed(analysis).checkpoint.epoch}")
    return f"{line}; they lend their spread, the mean is the history's prediction"


def _part_resumes(analysis: Analysis) -> str:
    n = count(analysis.n_replicates, "resume")
    return f"{n} of the checkpoint, each the first {100 * (analysis.fraction or 0.0):.3g}% of the epoch, no validation"


def _new_trainings(analysis: Analysis) -> str:
    n = count(analysis.n_replicates, "new training")
    return f"{n} as configured, {_each(analysis)}, every one with its own seed"


def _method(analysis: Analysis, length: str = "") -> str:
    checkpoint, versions = analysis.checkpoint, analysis.environment.packages
    tools = ", ".join(f"{name} {versions[name]}" for name in ("ultralytics", "torch") if name in versions)
    source = "" if checkpoint is None else f" (epoch {checkpoint.epoch}, SHA-256 {checkpoint.sha256[:16]})"
    seeds = "" if analysis.base_seed is None else f", seeds spawned from {analysis.base_seed}"
    return (
        f"Its checkpoint{source} was resumed {analysis.n_replicates} times with different seeds{seeds}"
        + (f" under {tools}" if tools else "")
        + (f" on {analysis.environment.device}" if analysis.environment.device else "")
        + length
        + "; the unexplained shift of a metric is its observed value minus the mean of these replicates."
    )


def _part_method(analysis: Analysis) -> str:
    return _method(analysis, f" for the first {analysis.fraction:.2g} of an epoch, without validation")


_COMPARED = {"row": "the epoch that the run itself had there", "prediction": "what the epochs before them predict"}


def _lent_method(analysis: Analysis) -> str:
    borrowed = _borrowed(analysis)
    lender = borrowed.checkpoint
    allowed = "nothing was allowed for what any resume loses"
    if borrowed.own != "unknown":
        allowed = f"what these resumes lose against {_COMPARED[borrowed.own]} was allowed"
    return (
        "The checkpoint of the seam was gone, so the null was borrowed from that of epoch "
        f"{lender.epoch} ({_distance(borrowed)}, SHA-256 {lender.sha256[:16]}), which was resumed "
        f"{analysis.n_replicates} times: the expected value is the one-step prediction of the run's own epochs (local "
        "linear trend), its error the spread of these resumes and the uncertainty of the prediction together; "
        f"{allowed}. Only shifts for the worse were judged."
    )


def _epochs(analysis: Analysis) -> str:
    return "" if analysis.plan is None else count(analysis.plan.epochs, "epoch")


def _part_of_an_epoch(analysis: Analysis) -> str:
    return f"{100 * (analysis.fraction or 0.0):.3g}% of an epoch"


_OWN = Phrases(
    headlines={
        Verdict.NOISE: "a healthy resume of this checkpoint looks like this",
        Verdict.NEGLIGIBLE: "a real change, too small to matter",
        Verdict.FAULT: "something is wrong with this resume",
        Verdict.INCONCLUSIVE: "the evidence does not decide",
    },
    legend=(
        "Expected seam: the jump that any healthy resume of this checkpoint makes.",
        "Unexplained shift: jump - expected seam; it is judged, against the margin.",
    ),
    seam=_seam,
    checkpoint=_checkpoint,
    null=_resumes,
    method=_method,
    length=_epochs,
)

PHRASES: Mapping[Basis, Phrases] = {
    Basis.OWN: _OWN,
    Basis.BORROWED: replace(
        _OWN,
        headlines={
            **{verdict: f"{words} (borrowed null)" for verdict, words in _OWN.headlines.items()},
            Verdict.NOISE: "no worse than history and a borrowed null predict",
        },
        legend=(
            "Expected seam: what the history predicts, and what resumes of the lender lose (borrowed null).",
            "Unexplained shift: jump - expected seam; for the worse it is judged, against the margin.",
        ),
        checkpoint=_lender,
        null=_lent_resumes,
        method=_lent_method,
        within="the lender's resumes are within what the epochs before the lender predict",
        place="the lender",
        dots=" (of the lender, moved to the expected value)",
    ),
    Basis.HISTORY: replace(
        _OWN,  # says nothing of other resumes
        headlines={**_OWN.headlines, Verdict.NOISE: "no worse than the run's own earlier epochs"},
        history="it is the only evidence here, see the table",
    ),
    Basis.PART: replace(
        _OWN, null=_part_resumes, method=_part_method, length=_part_of_an_epoch, seam_share=False
    ),
    Basis.CONTINUATION: replace(
        _OWN,
        headlines={
            Verdict.NOISE: "a new training from this checkpoint with these arguments looks like this",
            Verdict.NEGLIGIBLE: "a real difference from other new trainings like it, smaller than what matters",
            Verdict.FAULT: "more than your changed arguments explain",
            Verdict.INCONCLUSIVE: "the evidence does not decide yet",
        },
        legend=(
            "Expected seam: the jump of any new training from this checkpoint with these arguments.",
            "Unexplained shift: jump - expected seam; it is judged, against the margin.",
        ),
        seam=_continued,
        null=_new_trainings,
        history="not judged (a new training starts a regime of its own)",
        advice="Compare data, versions and checkpoint with those you meant; your arguments are not it.",
    ),
}  # fmt: skip
