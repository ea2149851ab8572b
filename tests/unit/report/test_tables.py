"""Tables of the small commands: they fit a terminal, take foreign text as it is, and say what the document says."""

import io
import json
import math
from pathlib import Path

import pytest
from rich.console import Console

from analyzer.domain.evidence import Interval, Significance, Size
from analyzer.report.model.resume_effect import MetricEffect, ResumeEffect
from analyzer.report.model.variance import MetricVariance, VarianceReport
from analyzer.report.tables import resume_effect, studies, variance
from analyzer.stats.arms import ArmDifference
from analyzer.stats.components import Component

HOSTILE = Path("runs/[red]run")
NAME = "metrics/mAP50-95(B)"


def shown(table, found, width=80):
    file = io.StringIO()
    table.show(found, Console(file=file, width=width, highlight=False, emoji=False))
    return file.getvalue()


def component(share, high=0.04):
    return Component("order", 0.01, Interval(0.0025, high, 0.95, "confidence"), share, 3.0, 0.01)


def variance_report(**changes):
    parts = (component(0.5), component(0.25, math.inf), component(math.nan), component(0.25))
    metrics = (MetricVariance("train/box_loss", True, 1.0, 0.1, parts), MetricVariance(NAME, False, 0.5, 0.1, parts))
    given = {
        "study": HOSTILE, "epoch": 9, "device": "cpu", "seeds": (1, 2, 3, 4), "repeats": 2, "trained": 24, "reused": 0,
        "identical": True, "metrics": metrics,
    }  # fmt: skip
    return VarianceReport(**{**given, **changes})


def effect():
    interval = Interval(0.001, 0.019, 0.95, "confidence")
    known = ArmDifference(NAME, 0.01, interval, 0.002, 4.0, 0.02, Size.UNKNOWN, Significance.YES)
    unknown = ArmDifference("train/box_loss", 0.0, None, 0.0, 4.0, None, Size.UNKNOWN, Significance.UNKNOWN)
    metrics = (
        MetricEffect(NAME, True, 0.5, 0.51, 0.02, known),
        MetricEffect("train/box_loss", False, 1.0, 1.0, 0.02, unknown),
    )
    return ResumeEffect(HOSTILE, Path("last.pt"), 9, "8.4.190", "cpu", (1, 2), 6, 0, metrics)


STUDIES = [
    studies.ListedStudy("runs/[red]run/drift/" + 60 * "x", "NOISE", 9, 5, "2025-01-01T12:00:00+00:00"),
    studies.ListedStudy("runs/b/drift/seam3", None, None, 2, None),
]


@pytest.mark.parametrize(
    ("table", "found", "least"), [(variance, variance_report(), 2), (resume_effect, effect(), 2), (studies, STUDIES, 3)]
)
def test_a_table_shows_every_row_and_its_document_is_json(table, found, least):
    text = shown(table, found)
    assert "[red]run" in text  # no markup
    assert len(text.splitlines()) >= least
    json.loads(json.dumps(table.document(found), allow_nan=False))


@pytest.mark.parametrize(("table", "found"), [(variance, variance_report()), (resume_effect, effect())])
def test_a_table_of_metrics_fits_80_columns(table, found):
    assert max(map(len, shown(table, found).splitlines())) <= 80


def test_the_list_is_never_cut():
    assert all(study.study in shown(studies, STUDIES) for study in STUDIES)


def test_a_share_that_is_not_known_is_a_dash_and_an_open_end_is_null():
    row = next(line for line in shown(variance, variance_report()).splitlines() if line.startswith("mAP50-95"))
    assert row.split()[2:7] == ["0.1000", "50%", "25%", "-", "25%"]
    metric = variance.document(variance_report())["metrics"][0]
    assert metric["components"][1]["interval"]["high"] is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"identical": True}, "to the last bit"),
        ({"identical": False}, "the share under 'again'"),
        ({"seeds": tuple(range(9))}, "9 orders x 9 augmentations"),
        ({"metrics": ()}, "No seed changes any metric"),
    ],
)
def test_the_noise_in_words(changes, said):
    assert said in " ".join(shown(variance, variance_report(**changes)).split())
    assert ("Few seeds" in shown(variance, variance_report(**changes))) == (len(changes.get("seeds", "1234")) < 8)


def test_the_effect_of_a_resume_has_its_interval_and_marks_what_does_not_decide():
    text = shown(resume_effect, effect())
    assert "+0.0010 to +0.0190" in text
    assert "train/box_loss *" in text
