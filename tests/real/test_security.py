"""A run directory of a stranger runs nothing, in the worker as in the audit. What holds is said in SECURITY.md."""

import importlib
import os
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
import yaml

from analyzer.domain.replicate import HEALTHY
from analyzer.errors import CheckpointError
from analyzer.replicates.executors.pool import scratch_folder
from analyzer.replicates.job import ArmJob
from analyzer.runs.checkpoint import load_payload, read_checkpoint
from analyzer.runs.dataset import resolve_dataset
from tests.support.one_worker import OneWorker


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, witness):
        self.witness = str(witness)

    def __reduce__(self):
        return exec, (f"open({self.witness!r}, 'w').close()",)


def drift(*arguments, cwd=None, **environment):
    """The command as installed: ``-m`` would import from the working directory itself."""
    start = "import sys; sys.path.pop(0); from analyzer.__main__ import main; main()"
    command = [sys.executable, "-c", start, *map(str, arguments)]
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=env)


def poison(checkpoint, witness):
    """The same checkpoint with one more entry, which is a program."""
    payload = torch.load(checkpoint, map_location="cpu", weights_only=False)
    torch.save({**payload, "note": Evil(witness)}, checkpoint)


def test_an_activation_that_is_a_program_is_refused(killed_run, copy_run, tmp_path):
    run = copy_run(killed_run, tmp_path / "run")
    checkpoint, witness = run / "weights" / "last.pt", tmp_path / "ran"
    payload = torch.load(checkpoint, map_location="cpu", weights_only=False)
    payload["ema"].yaml["activation"] = f"(open({str(witness)!r}, 'w').write('x'), torch.nn.SiLU())[1]"
    torch.save(payload, checkpoint)
    done = drift("replicate", checkpoint, "-n", "1")
    assert done.returncode == 12
    assert "activation" in done.stderr
    assert not witness.exists()


# --- every trap but the pickle at once, in one replicate and one audit ----------------------------------------------


@pytest.fixture
def trapped(killed_run, copy_run, tiny_data, tmp_path):
    """A run, its data and a working directory, all of a stranger; and where each trap would leave its mark."""
    run, marks = copy_run(killed_run, tmp_path / "run"), tmp_path / "marks"
    marks.mkdir()
    data = tiny_data(tmp_path / "data")
    content = yaml.safe_load(data.read_text())
    program = f"import pathlib; pathlib.Path({str(marks / 'download')!r}).touch()"
    data.write_text(yaml.safe_dump({**content, "download": program}))
    for split in ("train", "val"):
        cache = data.parent / "labels" / f"{split}.cache"
        with cache.open("wb") as f:
            np.save(f, np.array({"hash": "x", "version": "1", "labels": [], "evil": Evil(marks / split)}, dtype=object))
    for name in ("torch", "yaml", "numpy", "ultralytics", "analyzer", "sitecustomize"):
        (run / f"{name}.py").write_text(f"open({str(marks / name)!r}, 'w').close()\n")
    (run / "matplotlibrc").write_text("backend: module://evil\ntext.usetex: True\n")
    (run / "evil.py").write_text(f"open({str(marks / 'matplotlib')!r}, 'w').close()\n")
    return run, data, marks


def test_the_traps_would_work(trapped):
    """Else the next tests could not fail."""
    run, data, marks = trapped
    np.load(data.parent / "labels" / "train.cache", allow_pickle=True)
    exec(yaml.safe_load(data.read_text())["download"])
    subprocess.run([sys.executable, "-m", "yaml"], cwd=run, check=False, capture_output=True)
    assert {p.name for p in marks.iterdir()} >= {"train", "download", "yaml"}


def test_no_trap_in_a_run_works_in_the_worker(trapped, tmp_path):
    run, data, marks = trapped
    caches = {p: p.read_bytes() for p in data.parent.rglob("*.cache")}
    done = drift("replicate", run / "weights" / "last.pt", "-n", "1", "--data", data, "--out", tmp_path / "o", cwd=run)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "o").rglob("replicates/healthy/*.json"))
    assert not list(marks.iterdir())
    assert {p: p.read_bytes() for p in data.parent.rglob("*.cache")} == caches


def test_no_trap_in_a_run_works_in_audit_and_report(trapped):
    run, data, marks = trapped
    for command in (("audit", run, "--data", data), ("analyze", run, "--history-only", "--report", "html")):
        done = drift(*command, cwd=run)
        assert done.returncode in (0, 10, 11, 12), done.stderr
        assert "Traceback" not in done.stderr
    assert not list(marks.iterdir())


# --- pickles --------------------------------------------------------------------------------------------------------


def test_the_worker_itself_refuses_a_pickle_and_a_changed_file(killed_run, copy_run, tmp_path):
    """The driver scans first; the worker must not count on it, since the file may change in between."""
    run, witness = copy_run(killed_run, tmp_path / "run"), tmp_path / "ran"
    checkpoint = run / "weights" / "last.pt"
    facts = read_checkpoint(checkpoint)
    data = resolve_dataset(facts.train_args, run=run)
    (tmp_path / "study").mkdir()
    scratch = scratch_folder(tmp_path / "study")
    poison(checkpoint, witness)
    executor = OneWorker(scratch, (run,), lambda fraction: None)

    def job(sha256):
        return ArmJob(HEALTHY, checkpoint, data.raw, "cpu", 1, scratch, tmp_path, "study", sha256=sha256)

    try:
        with pytest.raises(CheckpointError, match="changed while it was used"):
            next(iter(executor.run(job(facts.sha256), [1])))
        with pytest.raises(CheckpointError, match="not on the list"):
            next(iter(executor.run(job(""), [1])))
    finally:
        executor.close()
    assert not witness.exists()


def test_trust_is_what_opens_it(killed_run, copy_run, tmp_path, monkeypatch):
    """A class of one's own is imported then, so its module runs; a call is refused even so."""
    witness, folder = tmp_path / "ran", tmp_path / "modules"
    folder.mkdir()
    (folder / "own_layers.py").write_text(f"open({str(witness)!r}, 'w').close()\nclass Own: pass\n")
    monkeypatch.syspath_prepend(str(folder))
    checkpoint = copy_run(killed_run, tmp_path / "run") / "weights" / "last.pt"
    payload = torch.load(checkpoint, map_location="cpu", weights_only=False)
    torch.save({**payload, "note": importlib.import_module("own_layers").Own()}, checkpoint)
    witness.unlink()
    monkeypatch.delitem(sys.modules, "own_layers")
    with pytest.raises(CheckpointError, match=r"own_layers\.Own.*not on the list"):
        load_payload(checkpoint)
    read_checkpoint(checkpoint, trust=True)
    assert not witness.exists()  # facts are read without importing anything, trusted or not
    load_payload(checkpoint, trust=True)
    assert witness.exists()
    poison(checkpoint, tmp_path / "called")
    with pytest.raises(CheckpointError, match="exec is called"):
        load_payload(checkpoint, trust=True)
    assert not (tmp_path / "called").exists()


GUARDED = """
    import sys
    from pathlib import Path
    from analyzer.replicates.worker.sandbox import guard_loads

    scratch, strange, cache = map(Path, sys.argv[1:])
    guard_loads(scratch)
    import numpy as np, torch
    for load in (
        lambda: torch.load(strange, weights_only=False),
        lambda: torch.load(strange.open("rb"), weights_only=False),
        lambda: np.load(cache, allow_pickle=True),
    ):
        try:
            load()
        except Exception as e:
            print(type(e).__name__)
    torch.save({"own": scratch}, scratch / "own.pt")
    print(torch.load(scratch / "own.pt", weights_only=False)["own"] == scratch)
"""


@pytest.mark.parametrize("trusted", [False, True])
def test_whatever_else_ultralytics_loads_goes_through_the_list(tmp_path, trusted):
    """A teacher or a `pretrained` path in the arguments, also where the installed Ultralytics has no list."""
    strange, cache, witness, scratch = (tmp_path / n for n in ("strange.pt", "a.cache", "ran", "scratch"))
    scratch.mkdir()
    torch.save({"train_args": {}, "ema": None, "note": Evil(witness)}, strange)
    with cache.open("wb") as f:
        np.save(f, np.array({"evil": Evil(witness)}, dtype=object))
    with pytest.raises(pickle.UnpicklingError):
        torch.load(strange, weights_only=True)
    command = [sys.executable, "-c", textwrap.dedent(GUARDED), scratch, strange, cache]
    env = {**os.environ, "ULTRALYTICS_SAFE_LOAD": "false" if trusted else "true"}
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    refused = [] if trusted else ["CheckpointError", "UnpicklingError", "ValueError"]
    assert done.stdout.split() == [*refused, "True"]
    assert witness.exists() == trusted
