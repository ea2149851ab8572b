"""From enumerated evidence to a verdict, in one total function."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analyzer.domain.evidence import Decision, Evidence, Replay, Revalidation, SeamCheck, Significance, Size, Verdict

__all__ = ["SEVERITY", "decide", "metric_verdict"]

SEVERITY = (Verdict.NOISE, Verdict.NEGLIGIBLE, Verdict.INCONCLUSIVE, Verdict.FAULT)
"""From mild to severe: the order in which worse evidence never gives a milder verdict."""

_METRIC = {
    (Significance.NO, Size.INSIDE): Verdict.NOISE,
    (Significance.YES, Size.INSIDE): Verdict.NEGLIGIBLE,
    (Significance.YES, Size.NOT_INSIDE): Verdict.FAULT,
}


def metric_verdict(significant: Significance, size: Size) -> Verdict:
    """What one metric alone says.

    Parameters
    ----------
    significant
        Whether its shift is more than noise.
    size
        Whether the shift is shown to lie inside the margin.

    Returns
    -------
    Verdict
        INCONCLUSIVE for every pair that DECISION leaves open.
    """
    return _METRIC.get((significant, size), Verdict.INCONCLUSIVE)


def decide(evidence: Evidence, *, names: Sequence[str] = (), replicates_needed: float | None = None) -> Decision:
    """Decide on all evidence; total: every combination has a verdict.

    The rules are tried in the order of their certainty: what is known for certain, what accuses a cause that the null
    shares, the exact replay, and then the metrics (intersection-union for NOISE, Berger and Hsu 1996,
    doi:10.1214/ss/1032280304).

    Parameters
    ----------
    evidence
        What is known, enumerated.
    names
        Names of ``evidence.metrics`` in order, for the sentences; may be empty.
    replicates_needed
        How many replicates would settle an open verdict, where somebody computed it; infinity where no number can.

    Returns
    -------
    Decision
        The verdict, the id of the rule that gave it, the reasons (the decisive one first) and what would settle it.
    """
    decision = _certain(evidence) or _shared(evidence) or _by_metrics(evidence, names, replicates_needed)
    return _unsafe(_after_replay(decision, evidence), evidence)


def _unsafe(decision: Decision, evidence: Evidence) -> Decision:
    """No good news where other resumes diverge, or those that lent the null are worse than their own history."""
    if decision.verdict not in (Verdict.NOISE, Verdict.NEGLIGIBLE):
        return decision
    if evidence.null_diverges:
        rule, way = "null-diverges", "Watch the next epochs (drift resume), and lower the learning rate if it recurs."
        reason = "This row is like those of other resumes, but some resumes of this checkpoint diverge (NaN, infinite)."
    elif evidence.borrowed and evidence.seam is SeamCheck.ADVERSE:
        rule, way = "lender-adverse", "Compare data, arguments and versions with those of the first training."
        reason = "The resumes that lent the null are worse than the epochs before their own checkpoint predict."
    else:
        return decision
    return Decision(Verdict.INCONCLUSIVE, rule, (reason, *decision.reasons), (way,))


def _certain(evidence: Evidence) -> Decision | None:
    if evidence.diverged:
        reason = (
            "The resumed run diverged: a metric became NaN or infinite where it was finite before. "
            "Whether by chance or by a fault, what is trained from there is lost."
        )
        return Decision(Verdict.FAULT, "diverged", (reason,))
    if evidence.certain_cause:
        reason = "A cause was found that is certain, whatever the metrics say; it is the first of the causes."
        return Decision(Verdict.FAULT, "certain-cause", (reason,))
    if evidence.revalidation is Revalidation.DISAGREES:
        reason = (
            "The checkpoint's own weights no longer give the metrics that were logged with them: the data, a label "
            "cache or the environment changed before any training, or the weights in the file were replaced."
        )
        return Decision(Verdict.FAULT, "revalidation-disagrees", (reason,))
    return None


def _shared(evidence: Evidence) -> Decision | None:
    """Faults that the observed row and its null share, so that comparing the two cannot show them."""
    if evidence.changed_arguments is Size.NOT_INSIDE:
        reason = "Arguments were changed at the resume, and their own effect is larger than the margin."
        return Decision(Verdict.FAULT, "changed-arguments", (reason,))
    if evidence.seam is SeamCheck.ADVERSE and not evidence.borrowed:
        reason = (
            "Every resume of this checkpoint comes out worse than the epochs before it predict: "
            "the fault is in what all resumes share (checkpoint, arguments, data or version)."
        )
        return Decision(Verdict.FAULT, "seam-adverse", (reason,))
    return None


def _after_replay(decision: Decision, evidence: Evidence) -> Decision:
    """Let the replay clear what only two executions could differ in, or note that it gave another row."""
    if decision.rule in {"diverged", "certain-cause", "revalidation-disagrees", "changed-arguments", "seam-adverse"}:
        return decision
    if evidence.replay is Replay.OTHER:
        return _noted(
            decision, "Your resume, run again with the same seed, gave another row: something outside differed."
        )
    if evidence.replay is not Replay.SAME:
        return decision
    same = "Your resume, run again with the same seed, gave the same row to every printed digit"
    if evidence.seam is SeamCheck.WITHIN and evidence.changed_arguments is not Size.UNKNOWN:
        return Decision(
            Verdict.NOISE,
            "replay-same",
            (f"{same}, and the seam is where the epochs before it predict: the jump is what this seed gives.",),
        )
    if decision.verdict is Verdict.FAULT:
        open_question = (
            "the effect of the changed arguments is not known"
            if evidence.seam is SeamCheck.WITHIN
            else "there is too little history to exclude a fault that every resume shares"
        )
        return Decision(
            Verdict.INCONCLUSIVE,
            "replay-same-seam-unknown",
            (f"{same}: the shift comes from the seed. But {open_question}.", *decision.reasons),
            ("A run with at least 8 comparable epochs before the seam, or a clean audit of the checkpoint.",),
        )
    return _noted(decision, f"{same}.")


def _noted(decision: Decision, note: str) -> Decision:
    return Decision(decision.verdict, decision.rule, (*decision.reasons, note), decision.settle)


def _by_metrics(evidence: Evidence, names: Sequence[str], needed: float | None) -> Decision:
    cells = evidence.metrics
    label = list(names) if len(names) == len(cells) else [f"metric {i + 1}" for i in range(len(cells))]
    verdicts = [metric_verdict(*cell) for cell in cells]
    faults = [n for n, v in zip(label, verdicts, strict=True) if v is Verdict.FAULT]
    if faults:
        verb = "moves" if len(faults) == 1 else "move"
        reason = f"{_listed(faults)} {verb} further than chance explains, and not shown to stay inside the margin."
        return Decision(Verdict.FAULT, "significant-not-inside", (reason,))
    significant = [n for n, (s, _) in zip(label, cells, strict=True) if s is Significance.YES]
    open_ = [n for n, (_, size) in zip(label, cells, strict=True) if size is not Size.INSIDE]
    if cells and not open_ and evidence.changed_arguments is not Size.UNKNOWN:
        closed = _all_inside(evidence, significant)
        if closed is not None:
            return closed
    return _inconclusive(evidence, label, significant, needed)


def _all_inside(evidence: Evidence, significant: list[str]) -> Decision | None:
    """Every metric is inside its margin: noise, or real but too small to matter."""
    if significant:
        reason = f"{_listed(significant)} moved for real, but every deciding metric stays inside its margin."
        return Decision(Verdict.NEGLIGIBLE, "significant-inside", (reason,))
    if evidence.omnibus is Significance.YES:
        reason = "The row as a whole is unusual, no single metric is, and every one stays inside its margin."
        return Decision(Verdict.NEGLIGIBLE, "omnibus-inside", (reason,))
    if all(s is Significance.NO for s, _ in evidence.metrics):
        reason = "No deciding metric moves further than a healthy resume does, and every one stays inside its margin."
        return Decision(Verdict.NOISE, "none-significant-all-inside", (reason,))
    return None


def _inconclusive(evidence: Evidence, label: list[str], significant: list[str], needed: float | None) -> Decision:
    cells = evidence.metrics
    tested = [s is not Significance.UNKNOWN for s, _ in cells]
    no_margin = [n for n, (_, size) in zip(label, cells, strict=True) if size is Size.UNKNOWN]
    wide = [n for n, (_, size) in zip(label, cells, strict=True) if size is Size.NOT_INSIDE]
    if not any(tested):
        rule, reason = "not-tested", "There is no null distribution to compare with, so nothing was tested."
    elif significant and no_margin:
        rule = "significant-no-margin"
        reason = f"{_listed(significant)} moved for real, but without a margin nobody can say whether it matters."
    elif evidence.omnibus is Significance.YES and not significant:
        rule = "omnibus-open"
        reason = "The row as a whole is unusual, but no single metric stands out enough to accuse it."
    elif evidence.changed_arguments is Size.UNKNOWN and not wide and not no_margin:
        rule = "changed-arguments-unknown"
        reason = "Arguments were changed at the resume, and the size of their effect is not known."
    elif not all(tested) and not wide and not no_margin:
        missing = [n for n, t in zip(label, tested, strict=True) if not t]
        rule, reason = "partly-tested", f"{_listed(missing)} could not be tested."
    elif no_margin:
        rule = "no-margin"
        reason = f"There is no margin for {_listed(no_margin)}, so a shift that matters cannot be excluded."
    else:
        verb = "is" if len(wide) == 1 else "are"
        rule = "not-inside"
        reason = f"No shift is shown, but {_listed(wide)} {verb} not yet shown to stay inside the margin."
    return Decision(Verdict.INCONCLUSIVE, rule, (reason,), _settle(evidence, no_margin, wide, any(tested), needed))


def _settle(
    evidence: Evidence, no_margin: list[str], wide: list[str], tested: bool, needed: float | None
) -> tuple[str, ...]:
    """What would settle an open verdict, the cheapest first."""
    ways: list[str] = []
    if no_margin and tested:
        ways.append("Say which jump matters to you, e.g. --margin map=0.03 --margin loss=0.1.")
    if evidence.changed_arguments is Size.UNKNOWN:
        ways.append("Replicates of the arm as configured, or a resume without the changed arguments.")
    if needed is not None and math.isinf(needed):
        ways.append("More replicates cannot: this margin is too small for the noise of one epoch; give a wider one.")
    elif needed is not None:
        ways.append(f"About {needed:.0f} replicates: --replicates {needed:.0f}; finished ones are reused.")
    elif not tested or evidence.borrowed:
        ways.append("A checkpoint of the epoch before the seam, so that replicates can be trained: --checkpoint PT.")
    elif wide or not ways:
        ways.append("More replicates (--replicates N; finished ones are reused).")
    if wide and not evidence.borrowed:
        ways.append("More resumed epochs to compare (--epochs 2 or 3).")
    if evidence.replay is Replay.NOT_RUN:
        ways.append("An exact replay of your resume, where the same machine and versions are still at hand.")
    return tuple(ways)


def _listed(names: Sequence[str], most: int = 3) -> str:
    """Name a few and count the rest.

    Examples
    --------
    >>> _listed(["a"]), _listed(["a", "b"]), _listed(list("abcde"))
    ('a', 'a and b', 'a, b, c and 2 more')
    """
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
