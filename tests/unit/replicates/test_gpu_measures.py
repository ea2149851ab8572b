"""What `make gpu` needs besides a GPU: the measure of agreement, and a clear sentence where there is none."""

import os
import subprocess
import sys

import pytest

from tests import ROOT
from tests.support.agreement import agreement

GPU_TESTS = ROOT / "tests" / "real" / "test_gpu.py"


def test_agreement_is_measured_against_the_difference_of_two_seeds():
    ours, theirs, other = {"a": 1.0, "b": 0.0}, {"a": 1.0 + 1e-6, "b": 0.0}, {"a": 1.1, "b": 0.2}
    found = agreement(ours, theirs, other)
    assert found["identical"] is False
    assert found["difference"] == pytest.approx(1e-6, rel=1e-3)
    assert found["seed_difference"] == 1.0
    assert agreement(ours, dict(ours), other)["identical"] is True
    with pytest.raises(ValueError, match="other columns"):
        agreement(ours, {"a": 1.0}, other)


def test_without_a_gpu_a_sentence_says_so_and_nothing_is_written():
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "gpu", "-rs", str(GPU_TESTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout
    assert "No CUDA device is here: nothing was measured." in done.stdout
    assert "8 skipped" in done.stdout
