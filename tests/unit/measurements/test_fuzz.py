"""A short run of `make fuzz`, drawn by hypothesis; and that a wrong reader would be caught."""

import json
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.runs.results import read_history
from tests import ROOT
from tests.measurements.fuzz import results_csv, store
from tests.measurements.fuzz.case import campaign, comparable, reading
from tests.measurements.fuzz.run import TARGETS, table

CASES = ROOT / "tests" / "measurements" / "fuzz" / "cases.json"


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_every_file_is_read_right_or_refused_in_one_sentence(target, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")

    @settings(max_examples=250, deadline=None, database=None)
    @given(st.integers(0, 2**64))
    def one(seed):
        case = target.draw(Random(seed))
        assert reading(target, case, folder / "a.case") in case.right, case.mutation

    one()


def _guesses(path):
    """Puts 0 for what is no number: the silent mistake that the fuzzing is there to find."""
    history = read_history(path)
    values = [[0.0 if v != v else v for v in column] for column in history.values.T.tolist()]
    found = {"epochs": history.epochs.tolist(), **dict(zip(history.columns, values, strict=True))}
    return comparable(found if history.time is None else {**found, "time": history.time.tolist()})


def _crashes(path):
    return read_history(path).values[0, 10**6]


def _trusts_the_file(path):
    body = json.loads(path.read_bytes())["replicate"]
    return repr(store.Store(path.parent, "study").get(body["arm"], body["seed"]))


@pytest.mark.parametrize(
    ("target", "read"),
    [(results_csv.TARGET, _guesses), (results_csv.TARGET, _crashes), (store.TARGET, _trusts_the_file)],
)
def test_a_wrong_reader_is_caught(target, read, tmp_path):
    _, wrong = campaign(replace(target, read=read), 100, 0, tmp_path)
    assert wrong


def test_the_committed_campaign_found_nothing_wrong_and_is_the_table_of_the_docs():
    document = json.loads(CASES.read_text(encoding="utf-8"))
    assert document["cases"] >= 10_000
    rows = [row for mutations in document["targets"].values() for row in mutations.values()]
    assert sum(row["cases"] for row in rows) == document["cases"]
    assert all(row["wrong"] == 0 and row["read"] + row["refused"] == row["cases"] for row in rows)
    for module_target in TARGETS:
        assert module_target.name in document["targets"]
    assert table(document) in (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_a_mutator_that_expects_an_error_gets_one(tmp_path):
    """Both outcomes occur for every kind of file: a reader that refuses everything would not pass either."""
    for target in TARGETS:
        rows, _ = campaign(target, 120, 1, tmp_path)
        assert sum(r["read"] for r in rows.values()) > 10 and sum(r["refused"] for r in rows.values()) > 10
