"""Which rank a worker is, and what another rank's end means."""

import json
import subprocess
import sys

import pytest

from analyzer.replicates.devices import count
from analyzer.replicates.executors.environment import as_ultralytics_names, first_rank
from analyzer.replicates.worker.ddp import error_of_others

LAUNCHED = {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "pod-0", "TORCHELASTIC_RUN_ID": "x"}


def test_a_worker_of_one_device_is_no_rank_of_whatever_started_the_command():
    assert first_rank("0", {"PATH": "/bin", **LAUNCHED}) == {"PATH": "/bin"}
    assert first_rank("cpu", {"PATH": "/bin"}) == {"PATH": "/bin"}


def test_the_first_of_several_ranks_is_that_of_its_own_job():
    made = first_rank("2,3", {"PATH": "/bin", **LAUNCHED})
    found = {k: made[k] for k in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR")}
    assert found == {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    assert made["OMP_NUM_THREADS"] == "1"  # as torchrun says it
    assert "TORCHELASTIC_RUN_ID" not in made  # the ranks would look for the store of that launcher
    assert first_rank("0,1", {"OMP_NUM_THREADS": "4"})["OMP_NUM_THREADS"] == "4"


def test_a_comma_stands_between_two_devices():
    assert [count(d) for d in ("cpu", "0", "0,1", "4,5,6")] == [1, 1, 2, 3]


@pytest.mark.parametrize(
    ("device", "visible", "version", "named"),
    [
        ("0", "3", "8.3.0", "3"),  # what Ray or Slurm gave this process
        ("1,0", "4, 6", "8.4.86", "6,4"),
        ("1,0", "4,6", "8.4.87", "1,0"),
        ("0", None, "8.3.0", "0"),
        ("0", "GPU-5ebe9f43", "8.3.0", "0"),  # it takes no such name
        ("2", "4,6", "8.3.0", "2"),
        ("cpu", "4", "8.3.0", "cpu"),
        ("0", "4", None, "0"),
    ],
)
def test_older_versions_are_told_the_gpu_by_the_name_that_the_scheduler_gave(device, visible, version, named):
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert as_ultralytics_names(device, environ, version) == named


def rank_that(code):
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


SAYS = (
    f"print({json.dumps(json.dumps({'event': 'error', 'what': 'out of memory', 'hint': '', 'kind': 'EngineError'}))})"
)


def test_the_error_of_a_rank_that_has_ended_is_what_went_wrong():
    others = [rank_that("import time; time.sleep(60)"), rank_that(f"{SAYS}; raise SystemExit(1)")]
    try:
        assert others[1].wait() == 1
        assert error_of_others(others) == {"what": "out of memory", "hint": "", "kind": "EngineError"}
        assert error_of_others(others) is None  # said once
    finally:
        for other in others:
            other.kill()
            other.communicate()


# what a first rank does when another one has ended, while it waits for it itself
FIRST = """
import subprocess, sys, time
from analyzer.replicates.worker import ddp as ranks
ranks._GRACE = ranks._SHORTLY = 0.1
other = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, text=True)
ranks.watch([other], lambda **words: print(words["what"], flush=True))
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("other", "code", "said"),
    [
        (f"{SAYS}; raise SystemExit(1)", 1, "out of memory"),
        ("import os; os.kill(os.getpid(), 9)", -9, ""),  # as for lack of memory, so that the driver sees that
        ("import os; os.kill(os.getpid(), 15)", 1, ""),
    ],
)
def test_a_first_rank_ends_as_the_other_one_did(other, code, said):
    command = [sys.executable, "-c", FIRST, other]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout.strip()) == (code, said)
