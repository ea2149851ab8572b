"""What is known of faults and bugs before any run is looked at."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.diagnosis.audit import audit_run
from analyzer.diagnosis.catalogue import catalogue, finding
from analyzer.diagnosis.known_bugs import KnownBug, known_bugs
from analyzer.domain.evidence import Severity
from tests.measurements.write_faults import faults_page
from tests.support import audit_facts as build


def test_known_bugs_touch_only_what_they_concern():
    assert {b.id for b in known_bugs()} >= {"adam-moments-fp16", "loader-not-seeded"}
    assert len({b.id for b in known_bugs()}) == len(known_bugs())
    old = [f.evidence for f in audit_run(build.with_after(version="8.4.100")) if f.id == "known-bug"]
    assert any("adam-moments-fp16" in e for e in old) and not any("loader-not-seeded" in e for e in old)
    assert KnownBug("x", None, None, (), "", ()).affects("8.4.0") is None


def test_catalogue():
    ids = [e.id for e in catalogue()]
    assert len(set(ids)) == len(ids)
    assert all(e.remedy for e in catalogue() if e.severity is not Severity.INFORMATION)
    with pytest.raises(ValueError, match="at most warning"):
        finding("steps-off", "x", severity=Severity.HARD)


def test_the_page_of_faults_is_up_to_date():
    page = Path(__file__).parents[3] / "docs" / "FAULTS.md"
    assert page.read_text(encoding="utf-8") == faults_page()


def test_a_changed_batch_stands_among_the_causes_as_such():
    whole = build.facts()
    whole = replace(whole, run=replace(whole.run, args={**whole.run.args, "batch": 8, "workers": 3}))
    assert {f.cause for f in audit_run(whole) if f.id == "changed-arguments"} == {"batch-changed", "changed-arguments"}
