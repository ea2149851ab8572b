"""One study is one run of the tracker: with the real libraries on local stores."""

import dataclasses
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from analyzer.cli.app import app
from analyzer.errors import StoreError, UsageError
from analyzer.report.renderers import registry
from analyzer.report.renderers import wandb as our_wandb
from analyzer.report.renderers.registry import ReportSpec, parse_spec, write, write_error
from analyzer.report.renderers.trackers import numbers, steps, study_id
from tests.support.analyses import golden


@pytest.fixture
def analysis(tmp_path):
    made = golden("fault")
    return dataclasses.replace(made, study=tmp_path / "seam9-0123456789ab")


def test_numbers_are_those_of_the_report(analysis):
    found = numbers(analysis)
    metric = next(m for m in analysis.metrics if m.name == "val/box_loss")
    assert found["val/box_loss/observed"] == metric.observed
    assert found["val/box_loss/p_adjusted"] == metric.p_adjusted
    rows = list(steps(analysis))
    assert len(rows) == analysis.n_replicates > 2
    first = analysis.null_replicates[0].epochs[0].printed
    assert rows[0]["metrics/mAP50-95_B/replicate"] == first["metrics/mAP50-95(B)"]
    assert len({frozenset(row) for row in rows}) == 1


def test_tensorboard(analysis, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):  # logged again it is still one run
        where = write(analysis, ReportSpec("tensorboard", target=str(tmp_path / "logs")))
    (folder,) = (tmp_path / "logs").iterdir()
    assert where == f"tensorboard --logdir {folder}"
    (_,) = folder.iterdir()
    read = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0, "images": 0})
    read.Reload()
    for key, value in numbers(analysis).items():
        (event,) = read.Scalars(key)
        assert event.value == pytest.approx(value, rel=1e-6)
    for key in next(steps(analysis)):
        logged = [(event.step, event.value) for event in read.Scalars(key)]
        assert logged == [(i, pytest.approx(row[key], rel=1e-6)) for i, row in enumerate(steps(analysis))]
    assert read.Tags()["images"] == ["report"]
    texts = {key: read.Tensors(key)[0].tensor_proto.string_val[0].decode() for key in read.Tags()["tensors"]}
    assert texts["verdict/text_summary"].startswith("FAULT.")
    assert "## FAULT" in texts["report/text_summary"]


def test_mlflow(analysis, tmp_path, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # newer ones want a database, which the light package lacks
    store = (tmp_path / "mlruns").as_uri()
    for _ in range(2):
        write(analysis, parse_spec(f"mlflow={store}"))
    client = mlflow.MlflowClient(tracking_uri=store)
    experiment = client.get_experiment_by_name("yolo-drift")
    (run,) = client.search_runs([experiment.experiment_id])  # one study, one run
    assert run.info.status == "FINISHED"
    assert run.data.tags["verdict"] == "FAULT"
    assert run.data.params["replicates"] == str(analysis.n_replicates)
    assert {k: run.data.metrics[k] for k in numbers(analysis)} == numbers(analysis)
    key = next(iter(next(steps(analysis))))
    history = sorted(client.get_metric_history(run.info.run_id, key), key=lambda m: m.step)
    assert [m.value for m in history] == [row[key] for row in steps(analysis)]
    files = {f.path for f in client.list_artifacts(run.info.run_id)}
    assert files == {"report.json", "report.html", "report.md"}


def test_wandb_offline(analysis, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_SILENT", "true")
    assert write(analysis, parse_spec("wandb=my-project")).endswith("of project my-project")
    (folder,) = (tmp_path / "wandb").glob("offline-run-*")
    until = time.monotonic() + 30  # a service of W&B's own writes the file
    words = [study_id(analysis).encode(), b"report.html", next(iter(next(steps(analysis)))).encode()]
    while any(word not in next(iter(folder.glob("*.wandb"))).read_bytes() for word in words):
        assert time.monotonic() < until
        time.sleep(0.2)


class FakeRun:
    def __init__(self):
        self.rows, self.summary, self.artifacts, self.finished = [], {}, [], False

    def log(self, row):
        self.rows.append(row)

    def log_artifact(self, artifact):
        self.artifacts.append(artifact)

    def finish(self):
        self.finished = True


class FakeArtifact:
    def __init__(self, name, type):
        self.name, self.type, self.files = name, type, {}

    def add_file(self, path):
        self.files[Path(path).name] = Path(path).read_bytes()


def test_wandb_is_told_of_one_run(analysis, monkeypatch):
    module, run, asked = ModuleType("wandb"), FakeRun(), {}
    module.__spec__ = sys.__spec__
    module.init = lambda **options: asked.update(options) or run
    module.Artifact = FakeArtifact
    monkeypatch.setitem(sys.modules, "wandb", module)
    write(analysis, parse_spec("wandb"))
    assert asked["project"] == "yolo-drift"
    assert asked["id"] == study_id(analysis)[-64:] and asked["resume"] == "allow"
    assert asked["config"]["verdict"] == "FAULT"
    assert run.rows == list(steps(analysis))
    assert run.summary.items() >= numbers(analysis).items()
    (artifact,) = run.artifacts
    assert set(artifact.files) == {"report.json", "report.html", "report.md"}
    assert run.finished


def test_a_missing_library_is_said_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"needs wandb, which is not installed\. pip install wandb"):
        parse_spec("wandb")
    done = CliRunner().invoke(app, ["analyze", "nowhere", "--report", "mlflow"], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "needs mlflow, which is not installed" in done.output


def test_what_a_tracker_refuses_is_one_sentence(analysis, monkeypatch):
    def refuse(analysis, target):
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(our_wandb, "log", refuse)
    with pytest.raises(StoreError, match=r"wandb took no report: no route to host\. The study is kept"):
        write(analysis, ReportSpec("wandb"))
    write_error("could not run", ReportSpec("wandb"))  # nothing to keep
