"""Sentences that several renderers say, each made from the view model alone."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from analyzer.domain.evidence import Finding, SeamCheck, Significance, Verdict
from analyzer.domain.replicate import Outcome
from analyzer.report.formatting import clean, count, duration, p_value, short_name, signed, unsigned
from analyzer.report.model.analysis import Analysis
from analyzer.report.model.basis import Basis
from analyzer.report.model.work import StepResult
from analyzer.report.phrases.bases import phrases

__all__ = [
    "Step",
    "cause_lines",
    "changed_line",
    "checkpoint_line",
    "cost_line",
    "dots",
    "family_line",
    "headline",
    "history_line",
    "ladder_steps",
    "legend",
    "next_steps",
    "not_run_lines",
    "null_line",
    "other_findings",
    "plan_lines",
    "seam_line",
    "selection_line",
]


def legend(analysis: Analysis) -> tuple[str, ...]:
    """Explain the columns of the table."""
    return phrases(analysis).legend


def headline(analysis: Analysis) -> str:
    """Say the verdict in half a sentence."""
    return phrases(analysis).headlines[analysis.verdict]


def seam_line(analysis: Analysis) -> str:
    """Say where the seam is and by what it was recognised."""
    return phrases(analysis).seam(analysis)


def checkpoint_line(analysis: Analysis) -> str:
    """Say from which checkpoint the null was made."""
    return phrases(analysis).checkpoint(analysis)


def null_line(analysis: Analysis) -> str:
    """Say how the null was made."""
    if analysis.plan is not None and not analysis.replicates and analysis.basis is not Basis.HISTORY:
        return "nothing is trained yet"
    if not analysis.n_replicates:
        return "no replicates: judged by the run's own earlier epochs, the weaker evidence"
    line = phrases(analysis).null(analysis)
    bad = [r for r in analysis.replicates if r.outcome is not Outcome.OK]
    return line + (f"; {count(len(bad), 'more')} failed or diverged" if bad else "")


def dots(analysis: Analysis) -> str:
    """Say what is special about the replicates that a figure shows as dots; mostly nothing."""
    return phrases(analysis).dots


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
    words = phrases(analysis)
    if words.history:
        return words.history
    if analysis.seam_check is SeamCheck.UNKNOWN:
        return "not judged (too few comparable epochs before the seam)"
    if analysis.seam_check is SeamCheck.WITHIN:
        return words.within
    worst = [
        f"{clean(h.name)} {signed(None if h.value is None or h.predicted is None else h.value - h.predicted)}"
        for h in analysis.history_predictions
        if h.adverse
    ]
    return f"worse than the epochs before {words.place} predict" + (f": {', '.join(worst)}" if worst else "")


def plan_lines(analysis: Analysis) -> tuple[str, str]:
    """Say what is to be trained, and what it can see; each empty where not known."""
    plan = analysis.plan
    if plan is None:
        return "", ""
    work = f"{count(plan.replicates, 'replicate')} of {phrases(analysis).length(analysis)}"
    line = f"{work}, {duration(plan.seconds_per_replicate)} each, at most {duration(plan.worst_seconds)}"
    seen = ", ".join(f"{short_name(name)} {unsigned(size)}" for name, size in plan.detectable.items())
    return line + (f" ({plan.budget})" if plan.budget else ""), f"a shift of {seen} (power 0.8)" if seen else ""


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
    if not analysis.n_replicates:
        return ""
    return (
        f"of healthy resumes, at most {analysis.alpha:.0%} are called a fault when analysed whatever they look like, "
        "more when analysed because they looked odd"
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
        if phrases(analysis).advice:
            steps.append(Step(phrases(analysis).advice))
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
