"""From findings and trials to causes, the surest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from analyzer.domain.evidence import Cause, Certainty, Finding, Severity
from analyzer.domain.rows import is_train
from analyzer.faults.clues import Hypothesis
from analyzer.faults.registry import fault_of

__all__ = ["Trial", "causes_of", "hit_of"]

_CHANGED = "changed-arguments"
# Warnings that name no cause by themselves.
_NO_CAUSE = frozenset({"csv-artefact"})

_DATA_REMEDY = (
    "Put images, labels and class order back as they were when the checkpoint was written (or say where they are with "
    "--data), delete the .cache files beside the labels, and run it again; look for a training fault only after that."
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One hypothesis, trained for an epoch with the user's seed, against the observed row.

    Parameters
    ----------
    hypothesis
        What was tried.
    columns
        Columns that both rows have; empty where it could not be trained.
    differ
        Those that are not the same to every printed digit.
    failed
        Why it could not be trained; empty where it was.
    """

    hypothesis: Hypothesis
    columns: tuple[str, ...]
    differ: tuple[str, ...] = ()
    failed: str = ""

    @property
    def hit(self) -> bool:
        """Whether it gave the whole row."""
        return bool(self.columns) and not self.differ

    @property
    def half(self) -> str:
        """Which half of the row it gave and not the other: "training", "validation", or empty."""
        halves = {
            "training": [c for c in self.columns if is_train(c)],
            "validation": [c for c in self.columns if not is_train(c)],
        }
        given = [name for name, columns in halves.items() if columns and not set(columns) & set(self.differ)]
        return given[0] if len(given) == 1 else ""


def hit_of(trials: Iterable[Trial]) -> Trial | None:
    """The trial that gave the whole row, or None."""
    return next((t for t in trials if t.hit), None)


def causes_of(
    findings: Sequence[Finding],
    trials: Sequence[Trial] = (),
    *,
    revalidation: str = "",
    twins: Sequence[Cause] = (),
    suspects: bool = True,
    measured: bool = False,
) -> tuple[Cause, ...]:
    """Causes of what was found, one an id: certain ones, then likely ones, then possible ones.

    Parameters
    ----------
    findings
        Of the audit. Hard ones are certain causes; warnings are possible ones.
    trials
        Of the fingerprint search. A hit is certain and comes first; half a row makes its fault likely.
    revalidation
        What the re-validation said, where it disagrees. Data, cache and environment can all be the reason, so wrong
        data are likely, not certain.
    twins
        Causes that twins speak for, the likeliest first; they come before warnings of the same weight.
    suspects
        False where the verdict clears the resume: then neither twins nor warnings name a cause, only what is certain
        and the changed arguments, whose effect is part of the jump though it is no fault.
    measured
        True where the effect of the changed arguments was measured and is larger than the margin: they are likely then.
    """
    found = [*_certain(findings, trials), *(twins if suspects else ())]
    if suspects:
        found += _suspects(findings, trials, measured)
    else:
        found += _suspects([f for f in findings if f.id == _CHANGED and f.fault], (), measured)
    if revalidation:
        found.append(Cause("wrong-data", Certainty.LIKELY, (revalidation,), _DATA_REMEDY))
    merged: dict[str, Cause] = {}
    for cause in sorted(found, key=lambda c: list(Certainty).index(c.certainty)):
        known = merged.get(cause.id)
        if known is None:
            merged[cause.id] = cause
        else:
            evidence = tuple(dict.fromkeys((*known.evidence, *cause.evidence)))
            merged[cause.id] = Cause(cause.id, known.certainty, evidence, known.remedy)
    return tuple(merged.values())


def _certain(findings: Sequence[Finding], trials: Sequence[Trial]) -> Iterator[Cause]:
    hit = hit_of(trials)
    if hit is not None:
        others = f", which {len(trials) - 1} other tried hypotheses did not" if len(trials) > 1 else ""
        text = (
            f"The same resume with {hit.hypothesis.words} and the same seed gives all {len(hit.columns)} columns of "
            f"the row to every printed digit{others}."
        )
        for fault in hit.hypothesis.ids:
            yield Cause(fault, Certainty.CERTAIN, (text,), fault_of(fault).remedy)
    for finding in findings:
        if finding.severity is Severity.HARD:
            yield Cause(finding.cause, Certainty.CERTAIN, (finding.evidence,), finding.remedy)


def _suspects(findings: Sequence[Finding], trials: Sequence[Trial], measured: bool) -> Iterator[Cause]:
    if hit_of(trials) is None:
        for trial in trials:
            if trial.half:
                text = (
                    f"With {trial.hypothesis.words} the {trial.half} columns come out as observed, the others do not."
                )
                for fault in trial.hypothesis.ids:
                    yield Cause(fault, Certainty.LIKELY, (text,), fault_of(fault).remedy)
    for finding in findings:
        if finding.severity is Severity.WARNING and finding.id not in _NO_CAUSE:
            weight = Certainty.LIKELY if measured and finding.id == _CHANGED else Certainty.POSSIBLE
            yield Cause(finding.cause, weight, (finding.evidence,), finding.remedy)
