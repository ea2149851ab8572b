"""Every task and family that shares the resume path: bit-identical replicates, and columns that the registry knows.

As test_fidelity.py, which holds the cells of detection, but many small trainings: what is plain Ultralytics is forked
from one process that has imported it (plain_server.py), what is ours comes from one warm worker. The larger part is
marked `wide` (`make test-wide`).
"""

import csv
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from analyzer.cli.app import app
from analyzer.domain.metrics import metrics_of
from analyzer.domain.replicate import HEALTHY
from analyzer.replicates.executors.pool import scratch_folder
from analyzer.replicates.job import ArmJob
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.dataset import resolve_dataset
from data import make_shapes
from tests import ROOT
from tests.support.one_worker import OneWorker

DATA = ROOT / "data"

QUICK = (("segment", "yolo11n-seg"), ("pose", "yolo26n-pose"), ("obb", "yolov8n-obb"), ("classify", "yolov8n-cls"))
TASKS = (("detect", ""), ("segment", "-seg"), ("pose", "-pose"), ("obb", "-obb"), ("classify", "-cls"))
FAMILIES = tuple((task, f"{name}n{end}") for name in ("yolov8", "yolo11", "yolo26") for task, end in TASKS)
OTHERS = (("detect", "yolov8n-rtdetr"), ("semantic", "yolo26n-sem"), ("depth", "yolo26n-depth"))
WIDE = tuple(cell for cell in (*FAMILIES, *OTHERS) if cell not in QUICK)
CELLS = [*QUICK, *(pytest.param(*cell, marks=pytest.mark.wide) for cell in WIDE)]
DECIDE = {
    "segment": {"train/seg_loss", "val/seg_loss", "metrics/mAP50(M)", "metrics/mAP50-95(M)", "metrics/mAP50-95(B)"},
    "classify": {"train/loss", "val/loss", "metrics/accuracy_top1"},
}
SCORE = {"segment": "map", "classify": "accuracy"}
ARGS = {"imgsz": 32, "epochs": 6, "warmup_epochs": 0.0, "close_mosaic": 0, "save_period": 1}


def narrow(model, folder):
    """A model of the installed Ultralytics at half the width, so a quarter of the weights; None where it has none."""
    shipped = Path(importlib.util.find_spec("ultralytics").origin).parent / "cfg" / "models"
    found = next(shipped.rglob(f"{re.sub(r'(?<=[0-9])n', '', model, count=1)}.yaml"), None)
    if found is None:
        return None
    content = yaml.safe_load(found.read_text(encoding="utf-8"))
    depth, width, most = content["scales"]["n"]
    content["scales"] = {"n": [depth, width / 2, most]}
    (folder / f"{model}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder / f"{model}.yaml"


class Plain:
    """The process that trains with plain Ultralytics."""

    def __init__(self, folder, environment):
        self.log = folder / "plain.log"
        command = [sys.executable, "-m", "tests.support.plain_server", str(self.log)]
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __call__(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answers = (line.strip() for line in self.process.stdout)  # Ultralytics may greet on stdout, too
        answer = next((a for a in answers if a in ("done", "failed")), "ended")
        assert answer == "done", self.log.read_text(errors="replace")[-3000:]

    def close(self):
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()
        self.process.wait()


@pytest.fixture(scope="module")
def plain(tmp_path_factory, demo_runs):
    folder = tmp_path_factory.mktemp("plain")
    server = Plain(folder, demo_runs.child_environment(folder))
    yield server
    server.close()


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """``ours(checkpoint, seeds)``: replicates from one worker that serves all tasks."""
    root = tmp_path_factory.mktemp("ours")
    scratch = scratch_folder(root / "worker")
    executor = OneWorker(scratch, (), lambda fraction: None)

    def replicates(checkpoint, seeds):
        facts = read_checkpoint(checkpoint)
        data = resolve_dataset(facts.train_args, run=checkpoint.parent.parent)
        raw = data.raw if data.yaml.is_file() else {"path": str(data.yaml)}
        study = checkpoint.parents[2].name
        job = ArmJob(HEALTHY, checkpoint, raw, "cpu", 1, scratch, root, study, hashes=True)
        return [next(iter(executor.run(job, [seed]))) for seed in seeds]

    yield replicates
    executor.close()


@pytest.fixture(scope="module")
def run_of(plain, demo_runs, tmp_path_factory):
    """``run_of(task, model)``: a run that ended abruptly after its third epoch."""
    made = {}

    def run(task, model):
        if model not in made:
            folder = tmp_path_factory.mktemp(model)
            layers = narrow(model, folder)
            if layers is None:
                pytest.skip(f"this Ultralytics has no {model}")
            data = make_shapes.make(folder / "data", task, train=8, val=12)
            args = {**demo_runs.TRAIN_ARGS, **ARGS, "data": str(data), "project": str(folder), "name": "run"}
            plain(do="train", model=str(layers), until=3, args=args)
            made[model] = folder / "run"
        return made[model]

    return run


@pytest.mark.parametrize(("task", "model"), CELLS)
def test_replicates_of_every_task_are_bit_identical_to_plain_resumes(task, model, run_of, plain, ours, tmp_path):
    run = run_of(task, model)
    checkpoint = run / "weights" / "epoch2.pt"
    assert read_checkpoint(checkpoint).task == task
    first, other, third = ours(checkpoint, [7, 8, 7])
    out = tmp_path / "reference.json"
    plain(do="reference", model=str(checkpoint), out=str(out), seed=7, epochs=1)
    (expected,) = json.loads(out.read_text())

    for replicate in (first, third):  # the third comes after seed 8: nothing of it may be left
        assert replicate.epochs[0].epoch == expected["epoch"] == 4
        assert replicate.hashes[0] == expected["hashes"]
        assert replicate.epochs[0].exact == expected["row"]
    assert other.hashes[0]["model"] != first.hashes[0]["model"]

    with (run / "results.csv").open(encoding="utf-8") as file:
        columns = [name.strip() for name in next(csv.reader(file))]
    metrics = metrics_of(columns)
    assert {m.name for m in metrics} == set(expected["row"])
    assert all(m.known for m in metrics)


@pytest.mark.parametrize(("task", "model"), [cell for cell in QUICK if cell[0] in ("segment", "classify")])
def test_a_resume_of_another_task_is_analysed_through_the_command(task, model, run_of, plain):
    run = run_of(task, model)
    plain(do="resume", model=str(run / "weights" / "last.pt"), until=4, args={})
    command = ["analyze", str(run), "--json", "--replicates", "3"]
    # three epochs give no margin
    loose = [word for name in ("loss", SCORE[task]) for word in ("--margin", f"{name}=1000")]
    done = CliRunner().invoke(app, [*command, *loose])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["verdict"], found["n_replicates"]) == ("NOISE", 3)
    assert found["revalidation"]["outcome"] == "agrees"
    assert found["replay"]["outcome"] == "same"  # every printed digit
    assert [f for f in found["audit"]["findings"] if f["severity"] == "hard"] == []
    assert DECIDE[task] <= {m["name"] for m in found["metrics"]}
