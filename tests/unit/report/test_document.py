"""The document is valid, complete, and gives its analysis back."""

import json
import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analyzer.errors import StoreError
from analyzer.report.codec import decode, encode
from analyzer.report.document import dumps, from_document, load_report, schema, to_document, write_report
from tests.measurements.write_schema import make
from tests.support import analyses

NAMES = ("noise", "fault", "history", "hostile")

REQUIRED = {
    "": ("schema_version", "verdict", "reasons", "alpha", "n_replicates", "metrics", "environment", "cost"),
    "seam": ("epoch",),
    "checkpoint": ("path", "epoch"),
    "omnibus": ("p",),
}
METRIC = (
    "name", "deciding", "before", "observed", "jump", "expected_seam", "unexplained_shift", "margin", "null_mean",
    "null_sd", "prediction_interval", "p", "p_adjusted", "minimum_detectable_jump", "verdict",
)  # fmt: skip


@pytest.fixture(params=NAMES)
def document(request):
    return to_document(analyses.hostile()) if request.param == "hostile" else analyses.document(request.param)


def test_the_committed_schema_is_the_one_of_the_dataclasses():
    assert schema() == make(), "run: python -m tests.measurements.write_schema"


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


def test_document_to_analysis_and_back_is_the_same(document):
    assert to_document(from_document(document)) == document


def test_promised_names_are_there():
    document = analyses.document("fault")
    for place, names in REQUIRED.items():
        assert set(names) <= set(document[place] if place else document)
    for metric in document["metrics"]:
        assert set(METRIC) <= set(metric)
    for replicate in document["replicates"]:
        assert {"seed", "arm", "epochs"} <= set(replicate)
    assert document["audit"]["findings"][0]["id"] == "lr-jump"
    cause = document["diagnosis"]["causes"][0]
    assert (cause["id"], cause["certainty"], len(cause["evidence"])) == ("lr-jump", "certain", 2)
    assert cause["remedy"]


def test_steps_not_run_are_null_with_a_reason():
    document = analyses.document("history")
    assert document["replay"] is document["omnibus"] is document["checkpoint"] is None
    assert document["not_run"][0] == {"step": "null", "reason": "history only: no replicate was trained"}


def test_every_key_is_required_by_the_schema(document):
    assert set(schema()["required"]) == set(document)


def test_not_finite_becomes_null(document):
    text = dumps(document)
    assert ": NaN" not in text
    assert "Infinity" not in text


def test_write_and_load(tmp_path, document):
    path = write_report(from_document(document), tmp_path / "study" / "report.json")
    assert sorted(p.name for p in path.parent.iterdir()) == ["report.json", "report.sha256"], "no temporary file stays"
    assert to_document(load_report(path.parent)) == document


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no JSON"),
        ("[]", "schema version None"),
        ('{"schema_version": "2.0"}', "schema version '2.0'"),
        ('{"schema_version": "1.0", "verdict": 3}', "does not fit its schema"),
    ],
)
def test_a_report_that_is_none_is_one_clear_error(tmp_path, content, message):
    file = tmp_path / "report.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(StoreError, match=message):
        load_report(file)


def test_no_report_names_the_command_that_lists_them(tmp_path):
    with pytest.raises(StoreError, match="drift list"):
        load_report(tmp_path)


def test_frame_has_one_row_a_metric():
    pytest.importorskip("pandas")
    frame = analyses.golden("noise").to_frame()
    assert frame.loc["train/box_loss", "verdict"] == "NOISE"
    assert len(frame) == 10


class Colour(Enum):
    RED = "red"


@dataclass
class Inner:
    x: float
    colour: Colour


@dataclass
class Outer:
    inner: tuple[Inner, ...]
    pair: tuple[str, int]
    values: NDArray[np.float64]
    path: Path | None
    named: dict[str, float]


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(st.builds(Inner, finite, st.sampled_from(Colour))),
    st.lists(st.lists(finite, min_size=2, max_size=2)),
    st.none() | st.sampled_from([Path("a/b"), Path()]),
    st.dictionaries(st.text(), finite),
)
def test_codec_gives_back_what_it_took(inner, values, path, named):
    outer = Outer(tuple(inner), ("a", 3), np.array(values, dtype=float), path, named)
    again = decode(Outer, json.loads(json.dumps(encode(outer), allow_nan=False)))
    np.testing.assert_array_equal(again.values, outer.values)
    assert (again.inner, again.pair, again.path, again.named) == (outer.inner, outer.pair, outer.path, outer.named)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan"), np.array([1.0, np.nan])[1]])
def test_codec_writes_null_for_what_json_has_no_word_for(value):
    assert encode({"a": [value]}) == {"a": [None]}


def test_codec_keeps_numpy_numbers_as_numbers():
    assert json.dumps(encode({"a": np.float64(0.5), "b": np.int64(3), "c": np.bool_(True)})) == (
        '{"a": 0.5, "b": 3, "c": true}'
    )
