"""Seams are found where a process started, and nowhere else."""

import csv
from pathlib import Path
from time import process_time

import numpy as np
import pytest

from analyzer.domain.run import History, SeamSign
from analyzer.errors import UsageError
from analyzer.runs.results import read_history
from analyzer.runs.seams import epoch_seconds, find_seams, seam_at, why_no_seam

WILD = Path(__file__).parents[3] / "../shared/wild"
T, S, R, N = SeamSign.TIME_FALLS, SeamSign.SHORT_INCREMENT, SeamSign.EPOCH_REPEATS, SeamSign.RESTART
NAN = float("nan")


def history(epochs, time=None):
    n = len(epochs)
    times = None if time is None else np.array(time, dtype=float)
    return History(Path("results.csv"), np.array(epochs), times, ("train/x",), np.zeros((n, 1)), np.ones(1))


def seq(*starts):
    """Times of processes: each a list of (number of epochs, first epoch, further epochs) in seconds."""
    out = []
    for n, first, further in starts:
        out += [first + further * i for i in range(n)]
    return out


CASES = {
    "one process": (range(1, 11), seq((10, 12, 10)), []),
    "one resume": (range(1, 11), seq((4, 12, 10), (6, 11, 10)), [(T, 5, 4, 3)]),
    "two resumes": (range(1, 11), seq((4, 12, 10), (3, 11, 10), (3, 13, 10)), [(T, 5, 4, 3), (T, 8, 7, 6)]),
    "process of one epoch, then time rises a little": (range(1, 8), seq((1, 12, 10), (6, 13, 10)), [(S, 2, 1, 0)]),
    "process of one epoch, then time falls": (range(1, 8), seq((1, 12, 10), (6, 11, 10)), [(T, 2, 1, 0)]),
    "equal times": (range(1, 8), seq((1, 12, 10), (6, 12, 10)), [(S, 2, 1, 0)]),
    "every process one epoch": (range(1, 5), [12, 11.5, 12.25, 11], [(T, 2, 1, 0), (S, 3, 2, 1), (T, 4, 3, 2)]),
    "two rows, resumed": (range(1, 3), [12, 13], [(S, 2, 1, 0)]),
    "two rows, not resumed, slow first epoch": (range(1, 3), [42, 52], []),
    "slow first epoch": (range(1, 9), seq((8, 42, 10)), []),
    "slow first epoch of the resume hides behind two epochs": (
        range(1, 9),
        seq((2, 12, 10), (6, 23, 10)),
        [(S, 3, 2, 1)],
    ),
    "epochs of half length now and then": (range(1, 9), np.cumsum([10, 10, 5.5, 10, 4.7, 10, 10, 10]), []),
    "validation every third epoch only": (range(1, 13), np.cumsum([16, 6, 6] * 4), []),
    "one slow epoch (a paused machine)": (range(1, 9), np.cumsum([10, 10, 9000, 10, 10, 10, 10, 10]), []),
    "clock set back by an hour": (range(1, 1001), [10 * i - (3600 if i > 600 else 0) for i in range(1, 1001)], []),
    "clock set back below zero": (range(1, 9), [10, 20, 30, 40, -3550, -3540, -3530, -3520], []),
    "clock set forward": (range(1, 9), [10, 20, 30, 40, 3650, 3660, 3670, 3680], []),
    "clock set back, then a resume": (
        range(1, 1007),
        [*(10 * i - (3600 if i > 600 else 0) for i in range(1, 1001)), *seq((6, 11, 10))],
        [(T, 1001, 1000, 999)],
    ),
    "time is nan in a row": (range(1, 7), [10, 20, NAN, 40, 50, 60], []),
    "time is nan before the fall": (range(1, 7), [10, 20, NAN, 11, 21, 31], [(T, 4, 3, 2)]),
    "older checkpoint resumed": ([1, 2, 3, 4, 3, 4, 5], seq((4, 12, 10), (3, 11, 10)), [(R, 3, 4, 1)]),
    "killed between row and checkpoint": ([1, 2, 3, 3, 4], seq((3, 12, 10), (2, 11, 10)), [(R, 3, 3, 1)]),
    "new run in the same file": ([1, 2, 3, 1, 2], seq((3, 12, 10), (2, 11, 10)), [(N, 1, 3, None)]),
    "new run, counted from 0, no times": ([0, 1, 2, 0, 1], None, [(N, 0, 3, None)]),
    "repeat without times": ([1, 2, 3, 2, 3], None, [(R, 2, 3, 0)]),
    "first epoch twice": ([1, 1, 2], [12, 11, 21], [(R, 1, 1, None)]),
    "skipped epoch": ([1, 2, 4, 5], seq((4, 12, 10)), []),
    "resumed on a faster device": (range(1, 31), seq((20, 110, 100), (10, 44, 40)), [(T, 21, 20, 19)]),
    "resumed on a faster device, slow first epoch": (
        range(1, 31),
        seq((20, 110, 100), (10, 60, 25)),
        [(T, 21, 20, 19)],
    ),
    "two sessions of one epoch on a faster device": (
        range(1, 23),
        seq((20, 110, 100), (1, 44, 40), (1, 45, 40)),
        [(T, 21, 20, 19), (S, 22, 21, 20)],
    ),
    "no times": (range(1, 6), None, []),
    "one row": ([1], [12], []),
}


@pytest.mark.parametrize(("epochs", "time", "expected"), CASES.values(), ids=CASES.keys())
def test_seams(epochs, time, expected):
    seams = find_seams(history(list(epochs), time))
    assert [(s.sign, s.epoch, s.row, s.before) for s in seams] == expected
    assert all(s.evidence.endswith(".") for s in seams)


def test_evidence_has_numbers_and_args():
    (seam,) = find_seams(history([1, 2, 3], [10, 20, 9]), {"resume": "last.pt"})
    assert seam.evidence == "`time` falls from 20 s (epoch 2) to 9 s. args.yaml says resume."


def test_long_files_are_fast():
    steps = np.random.default_rng(0).uniform(8, 12, 10_000)
    best = np.inf
    for _ in range(3):
        start = process_time()
        assert find_seams(history(range(1, 10_001), np.cumsum(steps))) == ()
        best = min(best, process_time() - start)
    assert best < 1


def test_epochs_that_become_faster_for_good():
    """A machine that is freed of other work makes short epochs, which are no seam."""
    time = np.cumsum([100.0] * 200 + [15.0] * 100)
    assert find_seams(history(range(1, 301), time)) == ()


def test_given_seam():
    h = history(range(1, 6), seq((5, 12, 10)))
    seam = seam_at(h, 3)
    assert (seam.sign, seam.row, seam.before) == (SeamSign.GIVEN, 2, 1)
    assert "no seam there" in seam.evidence


def test_given_seam_takes_the_visible_row_of_a_repeated_epoch():
    h = history([1, 2, 3, 2, 3, 4], seq((3, 12, 10), (3, 11, 10)))
    assert (seam_at(h, 2).row, seam_at(h, 2).before) == (3, 0)
    assert "also visible" in seam_at(h, 2).evidence
    assert (seam_at(h, 3).row, seam_at(h, 3).before) == (4, 3)


@pytest.mark.parametrize("epoch", [1, 9, -3])
def test_given_seam_refused(epoch):
    with pytest.raises(UsageError, match=r"1 to 5"):
        seam_at(history(range(1, 6), seq((5, 12, 10))), epoch)


def test_why_no_seam():
    assert "no `time` column" in why_no_seam(history([1, 2, 3]))
    assert "--seam EPOCH" in why_no_seam(history([1, 2, 3]))
    assert "one row" in why_no_seam(history([1], [1]))
    assert "although args.yaml says resume" in why_no_seam(history([1, 2], [10, 20]), {"resume": True})


def test_epoch_seconds():
    assert epoch_seconds(history([1, 2, 3])) is None
    assert epoch_seconds(history([1], [12])) == 12
    assert epoch_seconds(history(range(1, 9), seq((4, 40, 10), (4, 30, 10)))) == 10
    assert epoch_seconds(history([1, 2], [NAN, NAN])) is None


@pytest.mark.skipif(not WILD.is_dir(), reason="the collection of real runs is not here")
def test_wild_seams_are_those_of_the_index():
    found = 0
    for r in csv.DictReader((WILD / "index.csv").open()):
        seams = find_seams(read_history(WILD / "runs" / r["id"] / "results.csv"))
        # A time that falls and an epoch that restarts in the same row are one seam.
        assert len(seams) == max(int(r["n_time_drops"]), int(r["n_epoch_anomalies"])), (r["id"], seams)
        assert sum(s.sign in (N, R) for s in seams) == int(r["n_epoch_anomalies"]), r["id"]
        found += len(seams)
    assert found == 105
