"""Rules of the demo that need no training."""

import ast

import pytest

from data import demo
from tests import ROOT
from tests.measurements.resumes import demo_check

DATA = ROOT / "data"


def outcomes(noise, fault, other):
    return [{"verdict": v} for v in ["NOISE"] * noise + ["FAULT"] * fault + ["INCONCLUSIVE"] * other]


@pytest.mark.parametrize(
    ("noise", "fault", "other", "passed"),
    [(20, 0, 0, True), (16, 2, 2, True), (15, 0, 5, False), (17, 3, 0, False), (16, 0, 3, False)],
)
def test_what_demo_check_accepts(noise, fault, other, passed):
    assert demo_check.summary(outcomes(noise, fault, other))["passed"] is passed


def test_kept_outcomes_are_not_made_again(tmp_path):
    (tmp_path / "03.json").write_text('{"verdict": "NOISE"}', encoding="utf-8")
    assert demo_check.check_one(3, tmp_path / "nowhere", tmp_path) == {"verdict": "NOISE"}


@pytest.mark.parametrize("name", ["plain_training.py", "demo_runs.py"])
def test_what_trains_imports_nothing_of_the_analyzer(name):
    tree = ast.parse((DATA / name).read_text(encoding="utf-8"))
    imported = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    imported += [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert not [name for name in imported if name.split(".")[0] == "analyzer"]


def test_the_demo_decides_nothing_for_the_tool():
    source = (DATA / "demo.py").read_text(encoding="utf-8")
    assert not [option for option in ("--margin", "--alpha", "--replicates", "--seed") if option in source]


def test_the_demo_wants_the_cause_too():
    faulty = {"verdict": "FAULT", "diagnosis": {"causes": [{"id": "lr-jump"}, {"id": "changed-arguments"}]}}
    assert demo.outcome_of(faulty, 10) == demo.EXPECTED["faulty"]
    faulty["diagnosis"]["causes"].reverse()
    assert demo.outcome_of(faulty, 10) != demo.EXPECTED["faulty"]
    assert demo.outcome_of({"verdict": "NOISE", "diagnosis": {"causes": []}}, 0) == demo.EXPECTED["healthy"]
