"""What a report says depends on what the row is judged against: one entry of a table each."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.domain.evidence import Verdict
from analyzer.report.model.basis import Basis
from analyzer.report.phrases import lines
from analyzer.report.phrases.bases import PHRASES
from analyzer.report.phrases.methods import methods_paragraph
from tests.support.analyses import golden


@pytest.fixture
def analysis():
    return golden("noise")


def on(analysis, basis):
    lent = golden("borrowed").borrowed
    fields = {
        Basis.OWN: {},
        Basis.BORROWED: {"borrowed": lent, "checkpoint": None},
        Basis.HISTORY: {"history_only": True, "replicates": ()},
        Basis.PART: {"fraction": 0.25},
        Basis.CONTINUATION: {"continues": Path("runs/before")},
    }
    return replace(analysis, **fields[basis])


@pytest.mark.parametrize("basis", Basis)
def test_the_basis_follows_from_the_fields_of_the_document(analysis, basis):
    assert on(analysis, basis).basis is basis


@pytest.mark.parametrize("basis", Basis)
def test_every_basis_has_words_for_every_verdict(basis):
    assert set(PHRASES[basis].headlines) == set(Verdict)


def test_every_basis_says_something_of_its_own(analysis):
    def said(basis):
        made = on(analysis, basis)
        return (lines.headline(made), lines.null_line(made), lines.history_line(made), methods_paragraph(made))

    assert len({said(basis) for basis in Basis}) == len(Basis)


def test_new_words_for_a_basis_are_one_entry_of_the_table(analysis, monkeypatch):
    made = replace(PHRASES[Basis.PART], null=lambda a: f"{a.n_replicates} beginnings", place="the start")
    monkeypatch.setitem(PHRASES, Basis.PART, made)
    assert lines.null_line(on(analysis, Basis.PART)) == f"{analysis.n_replicates} beginnings"
    assert lines.null_line(analysis) != f"{analysis.n_replicates} beginnings"
