"""What only a CUDA device can show (`make gpu`): measured, written to gpu.json, and asserted where it must hold.

Nobody has run this part yet. On a GPU rounding may depend on the order of sums, so that it is measured, not asserted,
how far a replicate is that of a plain resume; it must be nearer to it than two seeds are to each other.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import ROOT
from tests.support import engine
from tests.support.agreement import agreement

HERE = Path(__file__).parent
REFERENCE = ROOT / "tests" / "support" / "reference_resume.py"
RESULTS = HERE / "gpu.json"


@pytest.fixture(scope="session")
def cuda():
    """Skips without a CUDA device."""
    import torch

    if not torch.cuda.is_available():
        pytest.skip("No CUDA device is here: nothing was measured.")
    return torch


@pytest.fixture(scope="session")
def measured(cuda):
    """What the tests put in is written at the end."""
    import ultralytics

    found = {"device": cuda.cuda.get_device_name(0), "cuda": cuda.version.cuda}
    found |= {"torch": cuda.__version__, "ultralytics": ultralytics.__version__}
    yield found
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def checkpoint(cuda, tmp_path_factory, train_run):
    """``checkpoint(amp)``: of a run on the first GPU."""
    made = {}

    def get(amp):
        if amp not in made:
            run = train_run(tmp_path_factory.mktemp("gpu"), device=0, amp=amp)
            made[amp] = run / "weights" / "last.pt"
        return made[amp]

    return get


def reference(checkpoint, out, workers=None, gpus=1):
    more = [] if workers is None else [json.dumps(workers)]
    ranks = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", gpus] if gpus > 1 else []
    command = [sys.executable, *ranks, REFERENCE, checkpoint, out, 7, 1, *more]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    assert out.exists(), done.stderr[-3000:]
    return json.loads(out.read_text())[0]


@pytest.mark.gpu
@pytest.mark.parametrize(("name", "amp", "workers"), [("fp32", False, 0), ("4 workers", False, 4), ("amp", True, 0)])
def test_replicates_against_a_plain_resume(name, amp, workers, checkpoint, measured, tmp_path):
    """Fidelity; with AMP also whether check_amp lets it through offline, here as in the plain resume."""
    place = checkpoint(amp)
    first, other, third = engine.replicates(place, tmp_path / "drift", [7, 8, 7], workers=workers, device="0")
    row, again, seed = (r.epochs[0].exact for r in (first, third, other))
    expected = reference(place, tmp_path / "reference.json", workers)
    log = (tmp_path / "drift" / "study" / "worker.log").read_text(errors="replace")
    measured[name] = {
        "plain resume": agreement(row, {k: expected["row"][k] for k in row}, seed),
        "same seed again": agreement(row, again, seed),
        "state identical": first.hashes[0] == expected["hashes"],
        "check_amp": [line.strip() for line in log.splitlines() if "AMP" in line],
    }
    for found in (measured[name]["plain resume"], measured[name]["same seed again"]):
        assert found["difference"] < found["seed_difference"]


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("name", "amp", "workers"),
    [("2 GPUs, fp32", False, 0), ("2 GPUs, 4 workers each", False, 4), ("2 GPUs, amp", True, 0)],
)
def test_replicates_on_two_gpus_against_a_plain_resume_on_two(name, amp, workers, cuda, checkpoint, measured, tmp_path):
    """One job on both (DDP), the plain one under torchrun."""
    if cuda.cuda.device_count() < 2:
        pytest.skip("One CUDA device is here: nothing was measured of two.")
    place = checkpoint(amp)
    first, other, third = engine.replicates(place, tmp_path / "drift", [7, 8, 7], workers=workers, device="0,1")
    row, again, seed = (r.epochs[0].exact for r in (first, third, other))
    expected = reference(place, tmp_path / "reference.json", workers, gpus=2)
    measured[name] = {
        "plain resume": agreement(row, {k: expected["row"][k] for k in row}, seed),
        "same seed again": agreement(row, again, seed),
        "state identical": first.hashes[0] == expected["hashes"],
    }
    for found in (measured[name]["plain resume"], measured[name]["same seed again"]):
        assert found["difference"] < found["seed_difference"]


@pytest.mark.gpu
def test_two_workers_on_one_device_give_the_rows_of_one(checkpoint, measured, tmp_path):
    place = checkpoint(False)
    alone = engine.replicates(place, tmp_path / "alone", [7, 8], device="0")
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(engine.replicates, place, tmp_path / f"{s}", [s], device="0") for s in (7, 8)]
        together = [job.result()[0] for job in jobs]
    rows = [r.epochs[0].exact for r in (*alone, *together)]
    measured["two workers"] = [agreement(rows[i], rows[2 + i], rows[1 - i]) for i in (0, 1)]
    assert all(found["difference"] < found["seed_difference"] for found in measured["two workers"])


@pytest.mark.gpu
def test_the_replay_is_repeatable(checkpoint, measured, resume_run, tmp_path):
    """The user's own resume again: whether the same row comes to every printed digit."""
    import analyzer

    run = resume_run(checkpoint(False).parents[1], tmp_path / "run")
    result = analyzer.analyze(run, replicates=2)
    assert result.replay is not None
    measured["replay"] = {"outcome": result.replay.outcome, "differ": list(result.replay.details.get("differ", ()))}
