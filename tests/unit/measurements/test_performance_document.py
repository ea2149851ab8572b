"""docs/PERFORMANCE.md shows what tests/measurements/bench/performance.json holds: no number there is typed by hand."""

import json

from tests import ROOT
from tests.measurements.bench import document


def test_the_tables_are_those_of_the_measurement():
    text = document.DOCUMENT.read_text(encoding="utf-8")
    found = json.loads((ROOT / "tests" / "measurements" / "bench" / "performance.json").read_text(encoding="utf-8"))
    assert document.render(text, found) == text
    assert all(f"<!-- {name} -->" in text for name in found)


def test_a_changed_number_changes_its_table():
    text = document.DOCUMENT.read_text(encoding="utf-8")
    found = {"quick": {"result": {"an act": {"seconds": 123.0, "limit": 1.0}}}}
    assert "| an act | 123.00 | 1.0 |" in document.render(text, found)
