"""Every combination of evidence has the verdict that the rules give it."""

import itertools
import math
from dataclasses import replace

import pytest

from analyzer.domain.evidence import Evidence, Replay, Revalidation, SeamCheck, Significance, Size, Verdict
from analyzer.verdict import decide, metric_verdict

CELLS = tuple(itertools.product(Significance, Size))
FAMILIES = ((), *((c,) for c in CELLS), *itertools.product(CELLS, CELLS))
YES, NO, INSIDE, NOT_INSIDE = Significance.YES, Significance.NO, Size.INSIDE, Size.NOT_INSIDE


def expected(e: Evidence) -> Verdict:
    """The decision rules written a second time, as one table from top to bottom."""
    core = Verdict.INCONCLUSIVE
    inside = (
        bool(e.metrics) and all(size is INSIDE for _, size in e.metrics) and e.changed_arguments is not Size.UNKNOWN
    )
    if (YES, NOT_INSIDE) in e.metrics:
        core = Verdict.FAULT
    elif inside and (e.omnibus is YES or any(s is YES for s, _ in e.metrics)):
        core = Verdict.NEGLIGIBLE
    elif inside and all(s is NO for s, _ in e.metrics):
        core = Verdict.NOISE
    table = (
        (e.certain_cause, Verdict.FAULT),
        (e.revalidation is Revalidation.DISAGREES, Verdict.FAULT),
        (e.changed_arguments is NOT_INSIDE, Verdict.FAULT),
        (e.seam is SeamCheck.ADVERSE, Verdict.FAULT),
        (
            e.replay is Replay.SAME and e.seam is SeamCheck.WITHIN and e.changed_arguments is not Size.UNKNOWN,
            Verdict.NOISE,
        ),
        (e.replay is Replay.SAME and core is Verdict.FAULT, Verdict.INCONCLUSIVE),
        (True, core),
    )
    return next(v for condition, v in table if condition)


def every_evidence():
    rest = itertools.product(Significance, SeamCheck, (False, True), (None, *Size), Revalidation, Replay)
    for family, values in itertools.product(FAMILIES, rest):
        yield Evidence(family, *values)


def test_a_divergence_is_a_fault_whatever_else_is_known():
    for evidence in every_evidence():
        decision = decide(replace(evidence, diverged=True))
        assert (decision.verdict, decision.rule) == (Verdict.FAULT, "diverged")


def test_no_good_news_where_other_resumes_diverge():
    for evidence in every_evidence():
        before, after = decide(evidence), decide(replace(evidence, null_diverges=True))
        good = before.verdict in (Verdict.NOISE, Verdict.NEGLIGIBLE)
        assert after.verdict is (Verdict.INCONCLUSIVE if good else before.verdict)


def test_a_borrowed_null_accuses_by_its_metrics_only_and_clears_nothing_where_the_lender_is_adverse():
    for evidence in every_evidence():
        lent = decide(replace(evidence, borrowed=True))
        if evidence.seam is not SeamCheck.ADVERSE:
            assert lent.verdict is decide(evidence).verdict
            continue
        within = decide(replace(evidence, borrowed=True, seam=SeamCheck.UNKNOWN)).verdict
        good = within in (Verdict.NOISE, Verdict.NEGLIGIBLE)
        assert lent.verdict is (Verdict.INCONCLUSIVE if good else within)


def test_a_borrowed_null_asks_for_the_checkpoint_not_for_what_cannot_help():
    open_ = Evidence(((NO, NOT_INSIDE),), seam=SeamCheck.WITHIN, replay=Replay.NOT_POSSIBLE, borrowed=True)
    ways = " ".join(decide(open_).settle)
    assert "--checkpoint" in ways
    assert not any(word in ways for word in ("--replicates", "--epochs", "replay"))


def test_every_combination_has_the_verdict_of_the_table_and_words():
    seen = set()
    for evidence in every_evidence():
        decision = decide(evidence)
        assert decision.verdict is expected(evidence), evidence
        assert decision.reasons
        assert all(r.endswith(".") and len(r) > 20 for r in decision.reasons)
        assert bool(decision.settle) == (decision.verdict is Verdict.INCONCLUSIVE), evidence
        seen.add((decision.rule, decision.verdict))
    assert len({rule for rule, _ in seen}) == len(seen), "a rule gives one verdict only"
    assert {rule for rule, _ in seen} == {
        "certain-cause", "revalidation-disagrees", "changed-arguments", "seam-adverse", "replay-same",
        "replay-same-seam-unknown", "significant-not-inside", "significant-inside", "omnibus-inside",
        "none-significant-all-inside", "not-tested", "significant-no-margin", "omnibus-open",
        "changed-arguments-unknown", "partly-tested", "no-margin", "not-inside",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("significant", "size", "verdict"),
    [
        (YES, INSIDE, Verdict.NEGLIGIBLE),
        (YES, NOT_INSIDE, Verdict.FAULT),
        (YES, Size.UNKNOWN, Verdict.INCONCLUSIVE),
        (NO, INSIDE, Verdict.NOISE),
        (NO, NOT_INSIDE, Verdict.INCONCLUSIVE),
        (NO, Size.UNKNOWN, Verdict.INCONCLUSIVE),
        (Significance.UNKNOWN, INSIDE, Verdict.INCONCLUSIVE),
        (Significance.UNKNOWN, NOT_INSIDE, Verdict.INCONCLUSIVE),
        (Significance.UNKNOWN, Size.UNKNOWN, Verdict.INCONCLUSIVE),
    ],
)
def test_one_metric(significant, size, verdict):
    assert metric_verdict(significant, size) is verdict
    assert decide(Evidence(((significant, size),))).verdict is verdict


def test_reasons_name_the_metrics():
    evidence = Evidence(((YES, NOT_INSIDE), (NO, INSIDE), (YES, NOT_INSIDE)))
    reason = decide(evidence, names=("train/box_loss", "val/box_loss", "metrics/mAP50(B)")).reasons[0]
    assert reason.startswith("train/box_loss and metrics/mAP50(B) move ")
    assert "val/box_loss" not in reason


def test_settle_says_how_many_replicates_or_that_no_number_can():
    evidence = Evidence(((NO, NOT_INSIDE),))
    assert "--replicates 12" in " ".join(decide(evidence, replicates_needed=12).settle)
    assert "cannot" in " ".join(decide(evidence, replicates_needed=math.inf).settle)
