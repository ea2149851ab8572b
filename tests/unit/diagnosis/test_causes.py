from analyzer.diagnosis.causes import Trial, causes_of
from analyzer.domain.evidence import Cause, Certainty, Finding, Severity
from analyzer.faults.clues import Hypothesis

COLUMNS = ("train/box_loss", "val/box_loss", "lr/pg0")
LOST = Hypothesis((("optimizer-lost", {}),), "")
EMA = Hypothesis((("ema-reset", {}),), "")


def hard(name, evidence="seen"):
    return Finding(name, Severity.HARD, evidence, f"mend {name}")


def test_hard_findings_are_certain_causes_one_an_id():
    found = causes_of([hard("lr-jump", "a"), hard("ema-reset", "b"), hard("lr-jump", "c")])
    assert [(c.id, c.certainty, c.evidence) for c in found] == [
        ("lr-jump", Certainty.CERTAIN, ("a", "c")),
        ("ema-reset", Certainty.CERTAIN, ("b",)),
    ]
    assert found[0].remedy == "mend lr-jump"


def test_a_hit_comes_first_and_says_what_it_was_compared_with():
    trials = [Trial(EMA, COLUMNS, ("train/box_loss",)), Trial(LOST, COLUMNS)]
    warned = Finding("environment", Severity.WARNING, "versions", "go back")
    found = causes_of([warned], trials)
    assert [(c.id, c.certainty) for c in found] == [
        ("optimizer-lost", Certainty.CERTAIN),
        ("environment", Certainty.POSSIBLE),
    ]
    assert "all 3 columns" in found[0].evidence[0]
    assert "1 other tried" in found[0].evidence[0]


def test_both_faults_of_a_pair_are_causes():
    both = Hypothesis((*LOST.interventions, *EMA.interventions), "")
    assert {c.id for c in causes_of((), [Trial(both, COLUMNS)])} == {"optimizer-lost", "ema-reset"}


def test_half_a_row_is_likely_at_most():
    trials = [Trial(LOST, COLUMNS, ("val/box_loss",)), Trial(EMA, COLUMNS, COLUMNS)]
    assert [(c.id, c.certainty) for c in causes_of((), trials)] == [("optimizer-lost", Certainty.LIKELY)]


def test_nothing_that_could_not_be_trained_is_a_hit():
    trial = Trial(LOST, (), failed="out of memory")
    assert not trial.hit
    assert trial.half == ""
    assert causes_of((), [trial]) == ()


def test_a_cleared_resume_has_no_suspects_but_keeps_what_is_certain():
    warned = Finding("changed-arguments", Severity.WARNING, "batch", "go back")
    assert causes_of([warned], suspects=False) == ()
    assert [c.id for c in causes_of([warned, hard("lr-jump")], suspects=False)] == ["lr-jump"]
    spoken_for = Cause("mosaic-state", Certainty.LIKELY, ("twins",), "")
    assert causes_of((), twins=[spoken_for], suspects=False) == ()
    assert causes_of((), twins=[spoken_for]) == (spoken_for,)
    assert [c.id for c in causes_of([Finding("csv-artefact", Severity.WARNING, "gap", "x")])] == []


def test_a_changed_argument_is_named_by_its_fault_though_the_resume_is_cleared():
    warned = Finding("changed-arguments", Severity.WARNING, "batch", "go back", "batch-changed")
    half = Trial(LOST, COLUMNS, ("val/box_loss",))
    assert [c.id for c in causes_of([warned], [half], suspects=False)] == ["batch-changed"]
    assert [(c.id, c.certainty) for c in causes_of([warned], measured=True)] == [("batch-changed", Certainty.LIKELY)]


def test_changed_arguments_whose_effect_was_measured_are_likely():
    warned = [Finding(name, Severity.WARNING, name, "go back") for name in ("environment", "changed-arguments")]
    assert [c.id for c in causes_of(warned)] == ["environment", "changed-arguments"]
    found = causes_of(warned, measured=True)
    assert [(c.id, c.certainty) for c in found] == [
        ("changed-arguments", Certainty.LIKELY),
        ("environment", Certainty.POSSIBLE),
    ]


def test_a_disagreeing_revalidation_makes_wrong_data_likely_with_a_remedy():
    (cause,) = causes_of((), revalidation="val/box_loss 3 instead of 1.")
    assert (cause.id, cause.certainty) == ("wrong-data", Certainty.LIKELY)
    assert ".cache" in cause.remedy
