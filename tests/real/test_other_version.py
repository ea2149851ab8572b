"""A checkpoint of an Ultralytics that kept the optimizer's parameter groups in another order: one sentence."""

import pytest
from typer.testing import CliRunner

from analyzer.cli.app import app
from analyzer.runs.versions import installed_versions


@pytest.fixture
def as_written_by(killed_run, copy_run, tmp_path):
    """``as_written_by(version)``: last.pt with biases, weights, norms, as 8.3 orders them."""
    import torch

    def make(version):
        path = copy_run(killed_run, tmp_path / "run") / "weights" / "last.pt"
        payload = torch.load(path, map_location="cpu", weights_only=False)
        weights, norms, biases = payload["optimizer"]["param_groups"]
        payload["optimizer"]["param_groups"] = [biases, weights, norms]
        payload["version"] = version
        torch.save(payload, path)
        return path

    return make


def said_by(command, *arguments):
    done = CliRunner().invoke(app, [command, *map(str, arguments)], env={"COLUMNS": "1000"})
    assert "Traceback" not in done.output
    return done.exit_code, " ".join(done.output.split())


def test_what_cannot_be_resumed_here_is_said_before_anything_is_trained(as_written_by):
    path, here = as_written_by("8.3.0"), installed_versions()["ultralytics"]
    code, words = said_by("replicate", path, "-n", 3)
    assert code == 12
    assert (
        f"{path} was written by Ultralytics 8.3.0, which keeps the optimizer's parameter groups in another order"
        in words
    )
    assert f"than the installed {here}" in words
    assert "pip install ultralytics==8.3.0" in words
    assert not list(path.parents[1].glob("drift/*/worker.log"))  # no worker was started
    assert "so nothing resumes from it here: pip install ultralytics==8.3.0" in said_by("audit", path.parents[1])[1]


def test_what_the_engine_refuses_is_told_with_both_versions(as_written_by):
    path = as_written_by("8.3.230")  # of which nobody looked how it orders them
    code, words = said_by("replicate", path, "-n", 3)
    assert code == 12
    assert "parameter group that doesn't match the size of optimizer's group" in words
    assert f"{path} was written by Ultralytics 8.3.230, installed is {installed_versions()['ultralytics']}" in words
    assert "pip install ultralytics==8.3.230" in words
