"""Twins: plausible faults trained on seeds of the healthy arm, where no exact replay can name the cause.

Every suspect first gets one seed, family by family; those that may be it get more. Then the row is attributed by
likelihood. Nothing of it enters the null or the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from analyzer.diagnosis.suspects import suspects
from analyzer.diagnosis.twins import Twin, answer_of, fits, share_words, shares_of
from analyzer.domain.evidence import Significance
from analyzer.domain.replicate import Arm, ArmKind, Outcome, Replicate
from analyzer.domain.rows import is_rate
from analyzer.errors import DriftError
from analyzer.faults.clues import Hypothesis
from analyzer.pipeline.analysis.case import Case, Observed
from analyzer.pipeline.analysis.evidence import rows_of
from analyzer.pipeline.analysis.steps.clues import collect_clues
from analyzer.replicates.collector import Collector
from analyzer.stats.likelihood import HEALTHY, NONE, ArmFit, Attributed, attribute_row, fit_arms
from analyzer.stats.shift import NullComparison

__all__ = ["MOST_TWIN_EPOCHS", "Made", "TwinSearch", "search_twins", "why_no_twins"]

Array = NDArray[np.float64]

_SCREENED = 16  # epochs: suspects with one seed each, a second one where the first diverges
_DEEPER = ((3, 4), (5, 2))  # seeds, and how many of the foremost get them
MOST_TWIN_EPOCHS = _SCREENED + 1 + 2 * 4 + 2 * 2  # one more where the last one screened needs a second seed
_CONTENDER = 0.02  # share, against that of the foremost, from which a twin is worth more seeds
_SETTLED = 0.95  # share of a fault from which more seeds would change nothing
_FAR = 100.0  # squared distance from the healthy mean at which no other family hits the row by chance


@dataclass(slots=True)
class Made:
    """A hypothesis and its replicates, on the first seeds of the healthy arm; some of them may have diverged."""

    hypothesis: Hypothesis
    replicates: list[Replicate] = field(default_factory=list)
    ruled_out: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class TwinSearch:
    """What the twins said.

    Parameters
    ----------
    twins
        Judged, in the order they were first trained.
    made
        Their replicates, in the same order.
    attributed
        Of the row; None where no twin was made.
    names
        Metrics in the likelihood.
    healthy
        Rows of the healthy arm, shape (N, m).
    untried
        Suspects that were not trained.
    epochs
        Trained now.
    reason
        Why none was made; empty where some were.
    """

    twins: tuple[Twin, ...] = ()
    made: tuple[Made, ...] = ()
    attributed: Attributed | None = None
    names: tuple[str, ...] = ()
    healthy: Array = field(default_factory=lambda: np.empty((0, 0)))
    untried: tuple[Hypothesis, ...] = ()
    epochs: int = 0
    reason: str = ""

    @property
    def answer(self) -> str:
        """Id of the fault, "none of these" or "healthy"; empty where no twin was made."""
        if self.attributed is None:
            return ""
        return answer_of(self.twins, self.attributed.shares.get(NONE, 0.0), self.attributed.shares.get(HEALTHY, 0.0))


def why_no_twins(comparison: NullComparison, *, wanted: bool, certain: bool, same: bool, diverged: bool) -> str:
    """Why no twins are made; empty where they are.

    Parameters
    ----------
    comparison
        The row against the null.
    wanted
        Whether the user wants them.
    certain, same
        Whether a cause is certain, and whether the replay gave the same row.
    diverged
        Whether the row is not finite.
    """
    reasons = {
        "a certain cause was found without them": certain,
        "the replay gave the same row: nothing outside the checkpoint, arguments and data differed": same,
        "no shift is more than noise": not any(m.significant is Significance.YES for m in comparison.deciding),
        "the row is not finite, so it has no likelihood": diverged,
        "--no-twins": not wanted,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


class _Search:
    """The state of a search: what was made so far, and what the row says of it."""

    def __init__(self, case: Case, arm: Arm, null: Sequence[Replicate], comparison: NullComparison) -> None:
        regime, self.point, self.arm = case.regime, case.point, arm
        self.null = [r for r in null if r.outcome is Outcome.OK]
        first = comparison.metrics[: len(regime.names)]
        x, rows = Observed.of([self.point.observed], {}, regime).values[0], rows_of(self.null, regime.names, 1)
        sd = np.array([m.sd if m.sd is not None else np.nan for m in first])
        sd = np.maximum(sd, regime.units)
        self.keep = regime.deciding & np.isfinite(x) & np.isfinite(rows).all(axis=0) & np.isfinite(sd) & (sd > 0)
        self.names = tuple(n for n, k in zip(regime.names, self.keep, strict=True) if k)
        self.observed, self.healthy, self.sd = x[self.keep], rows[:, self.keep], sd[self.keep]
        self.df = np.array([m.df if m.df is not None else np.nan for m in first])[self.keep]
        self.made: list[Made] = []
        self.healthy_rates = self._rates_agree(self.null[0].epochs[0].printed)

    def _rates_agree(self, printed: Mapping[str, float]) -> bool:
        unit, seen = self.point.run.history.unit, self.point.observed
        return all(abs(printed[c] - seen[c]) < 0.5 * unit(c) for c in printed if is_rate(c) and c in seen)

    def train(self, made: Made, seeds: int, collector: Collector) -> bool:
        """Give a twin its first `seeds` seeds; False where the budget ends before that."""
        arm = replace(
            self.arm,
            kind=ArmKind.SIMULATED_FAULT,
            interventions=made.hypothesis.interventions,
            label="+".join(made.hypothesis.ids),
        )
        for healthy in self.null[len(made.replicates) : seeds]:
            reused = collector.reused
            try:
                found = collector.one(arm, healthy.seed, epochs=1)
            except DriftError as e:
                made.ruled_out = f"could not be trained: {e.what}"
                return True
            if found is None:
                return False
            seconds = sum(e.seconds for e in found.epochs)
            index = len(made.replicates) + 1
            collector.progress.finished_replicate(made.hypothesis.words, index, seconds, collector.reused > reused)
            made.replicates.append(found)
            if not self.lost([found]).any() and not self._rates_agree(found.epochs[0].printed):
                made.ruled_out = "its learning rates are not those of the row"
                return True
        return True

    def screen(self, made: Made, collector: Collector) -> bool:
        """One seed, and a second one where it diverges: a twin that diverges now and then is not ruled out by once."""
        if not self.train(made, 1, collector):
            return False
        if not made.ruled_out and self.lost(made.replicates).all():
            if not self.train(made, 2, collector):
                return False
            if not made.ruled_out and self.lost(made.replicates).all():
                made.ruled_out = "diverged with every seed, the row did not"
        return True

    def lost(self, replicates: Sequence[Replicate]) -> NDArray[np.bool_]:
        """Which of them diverged."""
        gone = np.array([r.outcome is not Outcome.OK for r in replicates], dtype=np.bool_)
        return gone | ~np.isfinite(self._rows(replicates)).all(axis=1)

    def _rows(self, replicates: Sequence[Replicate]) -> Array:
        return rows_of(replicates, self.names, 1)

    def attribute(self) -> tuple[Attributed, dict[str, ArmFit]]:
        """The row among what was made so far; faults count the same, whatever number of twins each has."""
        able = [m for m in self.made if not m.ruled_out]
        rows = {m.hypothesis.words: self._rows(m.replicates) for m in able}
        fitted = fit_arms(self.healthy, rows, sd=self.sd, df=self.df)
        twins_of: dict[tuple[str, ...], int] = {}
        for m in able:
            twins_of[m.hypothesis.ids] = twins_of.get(m.hypothesis.ids, 0) + 1
        # the row is finite: what diverges with some seeds gives such a row that much less often
        ended = {m.hypothesis.words: 1 - float(self.lost(m.replicates).mean()) for m in able}
        prior = {NONE: 1.0}
        prior |= {m.hypothesis.words: ended[m.hypothesis.words] / twins_of[m.hypothesis.ids] for m in able}
        if self.healthy_rates:  # learning rates have no noise: another one is no healthy resume
            prior[HEALTHY] = 1.0
        return attribute_row(self.observed, fitted, prior=prior), fitted

    def judged(self) -> tuple[Twin, ...]:
        """The twins with what the row says of each."""
        found, _ = self.attribute()
        return tuple(self._twin(m, found) for m in self.made)

    def _twin(self, made: Made, found: Attributed) -> Twin:
        lost = int(self.lost(made.replicates).sum())
        twin = Twin(made.hypothesis, len(made.replicates) - lost, diverged=lost, ruled_out=made.ruled_out)
        if made.ruled_out:
            return twin
        name = made.hypothesis.words
        return replace(twin, share=found.shares[name], tail=found.tails[name], explained=found.explained[name])


def search_twins(
    case: Case, collector: Collector, arm: Arm, null: Sequence[Replicate], comparison: NullComparison
) -> TwinSearch:
    """Train twins and attribute the row.

    Parameters
    ----------
    arm, null
        The arm against which the shift is measured, and its replicates.
    comparison
        The row against them.
    """
    before = collector.epochs_trained
    progress = collector.progress
    state = _Search(case, arm, null, comparison)
    if len(state.null) < 2 or not state.names:
        return TwinSearch(reason="there are too few finite replicates")
    columns = {c for r in state.null for c in r.epochs[0].printed}
    mean = {c: float(np.mean([r.epochs[0].printed.get(c, np.nan) for r in state.null])) for c in columns}
    clues = collect_clues(case, collector.study, {c: mean[c] for c in case.point.observed if c in mean})
    moved = frozenset(
        name
        for name, m in zip(case.regime.names, comparison.metrics, strict=False)
        if m.significant is Significance.YES
    )
    families = suspects(clues, moved)
    progress.start(min(sum(map(len, families)), _SCREENED), "twins of the healthy arm")
    queue = [list(family) for family in families]
    whole = _screen(state, queue, collector)
    untried = tuple(h for family in queue for h in family)
    if not state.made:
        return TwinSearch(reason="no fault of the catalogue fits" if whole else "the budget ended before them")
    if whole:
        _deepen(state, collector)
    found, _ = state.attribute()
    return TwinSearch(
        state.judged(), tuple(state.made), found, state.names, state.healthy, untried, collector.epochs_trained - before
    )


def _screen(state: _Search, queue: list[list[Hypothesis]], collector: Collector) -> bool:
    """One seed for every suspect, until a family explains a far shift; False where the budget ends before that.

    What was tried leaves the queue.
    """
    while queue:
        while queue[0]:
            if sum(len(m.replicates) for m in state.made) >= _SCREENED:
                return True
            made = Made(queue[0][0])
            if not state.screen(made, collector):
                return False
            queue[0].pop(0)
            state.made.append(made)
        queue.pop(0)
        twins = state.judged()
        best = max(twins, key=lambda t: t.share)
        collector.progress.message(
            f"Twins: {best.hypothesis.words} has the largest share so far, {share_words(best.share)}."
        )
        found, _ = state.attribute()
        if found.distance > _FAR and fits(best) and best.explained > 0.9 and best.share > 0.8:
            return True
    return True


def _deepen(state: _Search, collector: Collector) -> None:
    """More seeds for those that may be it."""
    for seeds, most in _DEEPER:
        twins = state.judged()
        shares = shares_of(twins)
        foremost = sorted(zip(twins, state.made, strict=True), key=lambda pair: -pair[0].share)[:most]
        foremost = [(t, m) for t, m in foremost if t.share >= _CONTENDER * foremost[0][0].share and not m.ruled_out]
        deep = all(len(m.replicates) >= 3 for _, m in foremost)
        if deep and next(iter(shares.values()), 0.0) >= _SETTLED:
            return
        collector.progress.start(
            sum(max(seeds - len(m.replicates), 0) for _, m in foremost), "the foremost twins again"
        )
        for _, made in foremost:
            if not state.train(made, seeds, collector):
                return
