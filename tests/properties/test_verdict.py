"""Worse evidence never gives a milder verdict; less knowledge never gives a firmer one."""

import dataclasses
import itertools

from hypothesis import given
from hypothesis import strategies as st

from analyzer.domain.evidence import Evidence, Replay, Revalidation, SeamCheck, Significance, Size, Verdict
from analyzer.verdict import SEVERITY, decide

# From good to bad. An untested significance is neither better nor worse than a tested one, so it has no place in the
# order; for the other fields "unknown" lies between, since it can neither clear nor accuse.
SIGNIFICANCE = (Significance.NO, Significance.YES)
SIZE = (Size.INSIDE, Size.UNKNOWN, Size.NOT_INSIDE)
ORDERS = {
    "omnibus": SIGNIFICANCE,
    "seam": (SeamCheck.WITHIN, SeamCheck.UNKNOWN, SeamCheck.ADVERSE),
    "certain_cause": (False, True),
    "changed_arguments": (None, *SIZE),
    "revalidation": (Revalidation.AGREES, Revalidation.NOT_RUN, Revalidation.DISAGREES),
    "replay": (Replay.SAME, Replay.NOT_POSSIBLE, Replay.NOT_RUN, Replay.OTHER),
}
cells = st.tuples(st.sampled_from(Significance), st.sampled_from(Size))
known_cells = st.tuples(st.sampled_from(SIGNIFICANCE), st.sampled_from(SIZE))
scalars = {name: st.sampled_from(order) for name, order in ORDERS.items()}


def evidences(cell):
    metrics = st.lists(cell, max_size=6).map(tuple)
    return st.builds(Evidence, metrics=metrics, borrowed=st.booleans(), **scalars)


def severity(evidence):
    return SEVERITY.index(decide(evidence).verdict)


@st.composite
def worse(draw):
    good = draw(evidences(known_cells))
    changes = {}
    for name, order in ORDERS.items():
        at = order.index(getattr(good, name))
        changes[name] = draw(st.sampled_from(order[at:]))
    metrics = tuple(
        (
            draw(st.sampled_from(SIGNIFICANCE[SIGNIFICANCE.index(s) :])),
            draw(st.sampled_from(SIZE[SIZE.index(size) :])),
        )
        for s, size in good.metrics
    )
    return good, dataclasses.replace(good, metrics=metrics, **changes)


@given(worse())
def test_worse_evidence_never_gives_a_milder_verdict(pair):
    good, bad = pair
    assert severity(bad) >= severity(good)


@given(evidences(cells))
def test_an_untested_metric_gives_no_verdict_that_testing_could_soften(evidence):
    """Unless INCONCLUSIVE, the verdict is the same however the untested metrics would have come out."""
    verdict = decide(evidence).verdict
    untested = [i for i, (s, _) in enumerate(evidence.metrics) if s is Significance.UNKNOWN]
    for answers in itertools.product(SIGNIFICANCE, repeat=len(untested)):
        metrics = list(evidence.metrics)
        for i, answer in zip(untested, answers, strict=True):
            metrics[i] = (answer, metrics[i][1])
        completed = decide(dataclasses.replace(evidence, metrics=tuple(metrics))).verdict
        assert verdict in (Verdict.INCONCLUSIVE, completed)


@given(evidences(cells), st.randoms(use_true_random=False))
def test_the_order_of_metrics_does_not_matter(evidence, random):
    shuffled = list(evidence.metrics)
    random.shuffle(shuffled)
    assert decide(evidence).verdict is decide(dataclasses.replace(evidence, metrics=tuple(shuffled))).verdict


@given(evidences(cells), cells)
def test_one_more_metric_never_softens_what_was_found(evidence, cell):
    """Intersection-union: a further deciding metric can take NOISE away, and never takes a finding away."""
    if decide(evidence).verdict in (Verdict.NEGLIGIBLE, Verdict.FAULT):
        more = dataclasses.replace(evidence, metrics=(*evidence.metrics, cell))
        assert severity(more) >= severity(evidence)
