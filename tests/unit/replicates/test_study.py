"""What a study is made of."""

from types import SimpleNamespace

import pytest

from analyzer.replicates.study import trained_on


@pytest.mark.parametrize(
    ("of_checkpoint", "judged", "expected"),
    [
        ("0", {"device": "0,1"}, "0,1"),  # resumed on more than the checkpoint had: that is what is judged
        ("0,1", {"device": [0]}, [0]),
        ("0,1", {"device": None}, "0,1"),
        ("0", {"device": ""}, "0"),
        (0, {}, 0),
        ("cpu", None, "cpu"),  # before the resume
    ],
)
def test_replicates_have_the_devices_of_the_run_that_is_judged(of_checkpoint, judged, expected):
    assert trained_on(SimpleNamespace(train_args={"device": of_checkpoint}), judged) == expected
