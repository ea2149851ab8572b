"""That the measurement of ``--before`` asks what the command decides: on a few draws, with bounds that chance keeps."""

import numpy as np
import pytest

from tests.measurements.simulations.attribution import ROWS, Source, tally

DRAWS = 40


@pytest.fixture(scope="module")
def found():
    return tally(Source(ROWS / "young.json"), 10, 0.8, DRAWS, np.random.default_rng(0))


def test_no_fault_is_seldom_accused_and_a_large_hidden_one_is_found(found):
    assert found["FAULT hidden 0"] <= 8  # 0.02 a draw in the table: more than 8 of 40 has a chance below 1e-6
    assert found["FAULT hidden 8"] >= 28  # 0.97 a draw


def test_intervals_cover_and_effects_are_seen(found):
    assert found["0 left out, effect 8"] == DRAWS
    assert found["changed arguments accused, effect 0"] <= 4
    assert found["changed arguments accused, effect 8"] >= 30
    parts = ("argument", "new training", "plain resume", "unexplained")
    assert min(found[f"covered {part}"] for part in parts) > 0.75 * found["cells"]
    assert found["covered argument"] < found["cells"]  # they are no longer than they need to be
