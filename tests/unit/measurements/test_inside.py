"""That the measurement of looks inside an epoch asks what the command decides: on made-up running means."""

import numpy as np
import pytest

from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.domain.within import Within, marks
from tests.measurements.guard.inside import Halves, alarm

BATCHES = 100
NAMES = ("train/box_loss", "train/cls_loss")


def half(rng, seed, rise):
    steps = rng.normal(1.0, 0.1, (BATCHES, len(NAMES))) + rise * (np.arange(BATCHES) >= 15)[:, None]
    means = np.cumsum(steps, axis=0) / np.arange(1, BATCHES + 1)[:, None]
    after = {n: dict(zip(NAMES, map(float, means[n - 1]), strict=True)) for n in marks(BATCHES)}
    return Replicate("healthy", seed, Outcome.OK, (EpochRecord(5, {}, {}, 1.0, Within(BATCHES, after)),))


@pytest.fixture
def found(monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr("tests.measurements.guard.inside.FAULTS", {"rise": ()})
    kinds = {"healthy": tuple(half(rng, s, 0.0) for s in range(60)), "rise": tuple(half(rng, s, 1.0) for s in range(5))}
    return Halves(kinds)


def test_a_rise_after_a_tenth_is_seen_by_a_half_and_not_by_a_tenth(found):
    none = np.zeros(len(NAMES))
    null, rows = found.rows["healthy"][:5], found.rows["rise"]
    assert all(found.accused(null, row, 0.5, none) for row in rows)
    assert not any(found.accused(null, row, 0.1, none) for row in rows)
    assert sum(found.accused(null, row, 0.5, none) for row in found.rows["healthy"][5:]) <= 8  # 0.04 each, one null
    assert not any(found.accused(null, row, 0.5, none + 9) for row in rows)  # it all lies inside such a margin


def test_the_alarm_meets_each_resume_with_another_null_at_every_look(found, tmp_path):
    shown = alarm(tmp_path, found, np.zeros(len(NAMES)))
    assert shown["guarded, healthy"]["resumes"] == 0  # no guarded resume lies in that folder
    rise = shown["rise"]
    assert (rise["resumes"], rise["FAULT inside the epoch"], rise["within 10 % of the batches"]) == (5, 5, 0)
    assert set(rise["at batch"]) <= {"20", "50"}
