"""The arguments of the resumed run."""

from analyzer.pipeline.scene import as_configured
from analyzer.runs.args import diff_args


def test_another_optimizer_is_no_part_of_the_arm_as_configured():
    before = {"optimizer": "AdamW", "lr0": 0.01, "batch": 4}
    diff = diff_args(before, {**before, "optimizer": "SGD", "batch": 8})
    assert {c.name for c in diff.changes} == {"optimizer", "batch"}
    assert as_configured(diff) == {"batch": 8}
