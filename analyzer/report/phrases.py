"""Sentences that several renderers say, each made from the view model alone."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from analyzer.domain.evidence import Finding, SeamCheck, Significance, Verdict
from analyzer.domain.replicate import HEALTHY, Outcome
from analyzer.report import attribution, borrowed
from analyzer.report.formatting import duration, p_value, short_name, signed
from analyzer.report.model.analysis import Analysis, StepResult

__all__ = [
    "CONTINUATION",
    "HEADLINE",
    "Step",
    "cause_lines",
    "changed_line",
    "checkpoint_line",
    "clean",
    "cost_line",
    "count",
    "family_line",
    "headline",
    "history_line",
    "ladder_steps",
    "legend",
    "next_steps",
    "not_run_lines",
    "null_line",
    "other_findings",
    "seam_line",
    "selection_line",
]

CONTINUATION = {
    Verdict.NOISE: "a new training from this checkpoint with these arguments looks like this",
    Verdict.NEGLIGIBLE: "a real difference from other new trainings like it, smaller than what matters",
    Verdict.FAULT: "more than your changed arguments explain",
    Verdict.INCONCLUSIVE: "the evidence does not decide yet",
}
HEADLINE = {
    Verdict.NOISE: "a healthy resume of this checkpoint looks like this",
    Verdict.NEGLIGIBLE: "a real change, too small to matter",
    Verdict.FAULT: "something is wrong with this resume",
    Verdict.INCONCLUSIVE: "the evidence does not decide",
}

HISTORY_ONLY_NOISE = "no worse than the run's own earlier epochs"  # says nothing of other resumes
BORROWED_NOISE = "no worse than history and a borrowed null predict"

LEGEND = (
    "Expected seam: the jump that any healthy resume of this checkpoint makes.",
    "Unexplained shift: jump - expected seam; it is judged, against the margin.",
)


def legend(analysis: Analysis) -> tuple[str, ...]:
    """Explain the columns of the table."""
    if analysis.continues is not None:
        return attribution.LEGEND
    return LEGEND if analysis.borrowed is None else borrowed.LEGEND


def headline(analysis: Analysis) -> str:
    """Say the verdict in half a sentence."""
    if analysis.history_only and analysis.verdict is Verdict.NOISE:
        return HISTORY_ONLY_NOISE
    if analysis.borrowed is not None:
        return BORROWED_NOISE if analysis.verdict is Verdict.NOISE else f"{HEADLINE[analysis.verdict]} (borrowed null)"
    if analysis.continues is not None:
        return CONTINUATION[analysis.verdict]
    return HEADLINE[analysis.verdict]


def clean(text: str) -> str:
    r"""Make foreign text safe to print: control characters become visible escapes.

    Examples
    --------
    >>> clean("runs/\x1b[2Jtrain")
    'runs/\\x1b[2Jtrain'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def seam_line(analysis: Analysis) -> str:
    """Say where the seam is and by what it was recognised."""
    seam = analysis.seam
    if analysis.continues is not None:
        return f"a new training that continues {clean(str(analysis.continues))}, judged from its epoch {seam.epoch}"
    line = f"epoch {seam.epoch} is the first resumed one ({seam.sign.value})"
    if analysis.other_seams:
        others = ", ".join(str(s.epoch) for s in analysis.other_seams)
        line += f"; other seams at epoch {others}, choose with --seam"
    return line


def checkpoint_line(analysis: Analysis) -> str:
    """Say from which checkpoint the null was made."""
    checkpoint = analysis.checkpoint
    if analysis.borrowed is not None:
        return borrowed.source(analysis.borrowed)
    if checkpoint is None:
        return "none of the epoch before the seam is left"
    return f"{checkpoint.path} (epoch {checkpoint.epoch}, sha256 {checkpoint.sha256[:12]})"


def null_line(analysis: Analysis) -> str:
    """Say how the null was made."""
    if analysis.plan is not None and not analysis.replicates and not analysis.history_only:
        return "nothing is trained yet"
    if analysis.history_only or not analysis.n_replicates:
        return "no replicates: judged by the run's own earlier epochs, the weaker evidence"
    n = analysis.n_replicates
    each = f"{count(max(len(r.epochs) for r in analysis.null_replicates), 'epoch')} each"
    if analysis.fraction is not None:
        part = f"the first {100 * analysis.fraction:.3g}% of the epoch, no validation"
        line = f"{count(n, 'resume')} of the checkpoint, each {part}"
    elif analysis.continues is not None:
        line = f"{count(n, 'new training')} as configured, {each}, every one with its own seed"
    elif analysis.null_arm == HEALTHY.folder:
        line = f"{count(n, 'healthy resume')} of the checkpoint, {each}, every one with its own seed"
    else:
        healthy = sum(r.arm == HEALTHY.folder and r.outcome is Outcome.OK for r in analysis.replicates)
        line = f"{count(n, 'resume')} as configured and {healthy} healthy ones on the same seeds, {each}"
    bad = [r for r in analysis.replicates if r.outcome is not Outcome.OK]
    if analysis.borrowed is not None:
        line = line.replace("the checkpoint", f"the checkpoint of epoch {analysis.borrowed.checkpoint.epoch}")
        line += "; they lend their spread, the mean is the history's prediction"
    if bad:
        line += f"; {count(len(bad), 'more')} failed or diverged"
    return line


def family_line(analysis: Analysis) -> str:
    """Say what the test of all deciding metrics at once found; empty where there was none."""
    omnibus = analysis.omnibus
    if omnibus is None or omnibus.p is None:
        return ""
    answer = {
        Significance.YES: "unusual as a whole",
        Significance.NO: "not unusual as a whole",
        Significance.UNKNOWN: "not judged",
    }[omnibus.significant]
    line = f"{answer}, p {p_value(omnibus.p)} ({omnibus.test}"
    return line + (f"; smallest possible p {p_value(omnibus.p_min)})" if omnibus.p_min is not None else ")")


def changed_line(analysis: Analysis, most: int = 3) -> str:
    """Say what the changed arguments move most, relative to the margin; empty where no second arm was made."""
    moved = [m for m in analysis.metrics if m.deciding and m.changed_arguments is not None]
    moved.sort(key=lambda m: -abs(m.changed_arguments or 0.0) / (m.margin or float("inf")))
    shown = [f"{clean(short_name(m.name))} by {signed(m.changed_arguments)}" for m in moved[:most]]
    return f"changed arguments move most: {', '.join(shown)}" if shown else ""


def not_run_lines(analysis: Analysis) -> tuple[str, ...]:
    """Say which steps were left out and why, one line a reason."""
    reasons: dict[str, list[str]] = {}
    for left_out in analysis.not_run:
        reasons.setdefault(left_out.reason, []).append(left_out.step)
    return tuple(f"{', '.join(steps)}: {reason}" for reason, steps in reasons.items())


def history_line(analysis: Analysis) -> str:
    """Say how the seam lies against the epochs before it."""
    if analysis.history_only:
        return "it is the only evidence here, see the table"
    if analysis.continues is not None:
        return "not judged (a new training starts a regime of its own)"
    if analysis.seam_check is SeamCheck.UNKNOWN:
        return "not judged (too few comparable epochs before the seam)"
    if analysis.borrowed is not None and analysis.seam_check is SeamCheck.WITHIN:
        return "the lender's resumes are within what the epochs before the lender predict"
    if analysis.seam_check is SeamCheck.WITHIN:
        return "within what the epochs before the seam predict"
    worst = [h for h in analysis.history_predictions if h.adverse]
    words = [
        f"{clean(h.name)} {signed(None if h.value is None or h.predicted is None else h.value - h.predicted)}"
        for h in worst
    ]
    place = "the seam" if analysis.borrowed is None else "the lender"
    return f"worse than the epochs before {place} predict" + (f": {', '.join(words)}" if words else "")


def cause_lines(analysis: Analysis) -> tuple[str, ...]:
    """Say the causes, the surest first, each with what speaks for it; say so where none of those tried is one."""
    found = [f"{c.id} ({c.certainty.value}): {' '.join(c.evidence)}" for c in analysis.diagnosis or ()]
    if not found and analysis.fingerprint is not None:
        found = ["none of these: no fault that was tried gives the row, and the audit names none"]
    return tuple(found)


def ladder_steps(analysis: Analysis) -> tuple[tuple[str, StepResult], ...]:
    """Steps between audit and null that were made, by name."""
    twins = analysis.twins
    steps = {
        "validation": analysis.revalidation,
        "replay": analysis.replay,
        "fingerprint": analysis.fingerprint,
        "twins": None if twins is None else StepResult(twins.answer, twins.summary, twins.epochs),
    }
    return tuple((name, step) for name, step in steps.items() if step is not None)


def other_findings(analysis: Analysis) -> tuple[Finding, ...]:
    """Findings of the audit that no cause has told already."""
    told = {text for c in analysis.diagnosis or () for text in c.evidence}
    return tuple(f for f in analysis.audit or () if f.evidence not in told)


def cost_line(analysis: Analysis) -> str:
    """Say what it took."""
    cost, where = analysis.cost, analysis.environment.device
    line = f"{count(cost.epochs_trained, 'epoch')} trained, {duration(cost.seconds)}"
    if cost.reused:
        line += f", {count(cost.reused, 'replicate')} reused"
    return line + (f", on {where}" if where and cost.epochs_trained else "")


def selection_line(analysis: Analysis) -> str:
    """Say what the error rate holds for; empty where nothing was tested."""
    if analysis.history_only or not analysis.n_replicates:
        return ""
    odd = "more" if analysis.selection_rate is None else f"about {analysis.selection_rate:.0%}"
    return (
        f"of healthy resumes, at most {analysis.alpha:.0%} are called a fault when analysed whatever they look like, "
        f"{odd} when analysed because they looked odd"
    )


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do next.

    Parameters
    ----------
    text
        In words.
    command
        What to type, quoted for a shell; empty where nothing is to be typed.
    """

    text: str
    command: str = ""


def next_steps(analysis: Analysis, *, look: bool = True) -> tuple[Step, ...]:
    """Say what to do or type next, the most useful first; `look`: name the command that shows the page, too."""
    steps: list[Step] = []
    if analysis.verdict is Verdict.INCONCLUSIVE:
        steps += [Step(way) for way in analysis.decision.settle]
    elif analysis.verdict is Verdict.FAULT:
        told = analysis.audit if analysis.diagnosis is None else analysis.diagnosis
        steps += [Step(remedy) for remedy in dict.fromkeys(c.remedy for c in told or ()) if remedy]
        if analysis.continues is not None:
            steps.append(Step("Compare data, versions and checkpoint with those you meant; your arguments are not it."))
        elif analysis.argument_changes and not steps:
            steps.append(Step("Resume again without the changed arguments and compare."))
        if not steps:
            steps.append(Step("Keep the checkpoint; compare data, arguments and versions before and after the seam."))
    else:
        steps.append(Step("Nothing to do: the training can go on."))
    if analysis.checkpoint is None:
        last = analysis.run / "weights" / "last.pt"
        steps.append(Step("Before the next resume, keep checkpoint and null:", _shell("drift", "replicate", last)))
    if look and analysis.study is not None and analysis.replicates:
        steps.append(Step("To look at it:", _shell("drift", "report", analysis.study, "--report", "html")))
    return tuple(steps)


def _shell(*words: object) -> str:
    return shlex.join(clean(str(word)) for word in words)


def count(n: float, noun: str) -> str:
    """Write a number with its noun.

    Examples
    --------
    >>> count(1, "epoch"), count(3, "epoch"), count(3 * 0.1, "epoch")
    ('1 epoch', '3 epochs', '0.3 epochs')
    """
    plural = noun if n == 1 or noun == "more" else noun + "s"
    return f"{n:.10g} {plural}"
