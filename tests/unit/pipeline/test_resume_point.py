"""The arguments of the resumed run."""

from analyzer.pipeline.analysis.resume_point import as_configured
from analyzer.runs.args import diff_args


def test_another_device_is_no_part_of_the_arm_as_configured():
    """Both arms train where the resumed run did: a second one would be the same again."""
    assert as_configured(diff_args({"device": "0", "batch": 4}, {"device": "0,1", "batch": 4})) == {}


def test_another_optimizer_is_no_part_of_the_arm_as_configured():
    before = {"optimizer": "AdamW", "lr0": 0.01, "batch": 4}
    diff = diff_args(before, {**before, "optimizer": "SGD", "batch": 8})
    assert {c.name for c in diff.changes} == {"optimizer", "batch"}
    assert as_configured(diff) == {"batch": 8}
