"""`--before` with input that cannot be a continuation: one sentence, nothing trained, nothing written."""

import pytest
import yaml
from typer.testing import CliRunner

from analyzer.cli.app import app

HEADER = "epoch,time,train/box_loss,val/box_loss,metrics/mAP50(B)"


def make_run(folder, **args):
    folder.mkdir()
    lines = [HEADER, *(f"{e},{e * 3.0},{1 / e:.5f},{2 / e:.5f},{1 - 1 / e:.5f}" for e in range(1, 6))]
    (folder / "results.csv").write_text("\n".join(lines) + "\n")
    (folder / "args.yaml").write_text(yaml.safe_dump({"epochs": 5, "model": "old/weights/last.pt", **args}))
    return folder


def refused(*words):
    done = CliRunner().invoke(app, ["analyze", *map(str, words)])
    assert done.exit_code in (2, 12), done.output
    assert "Traceback" not in done.output
    return done.output.replace("\n", " ")


@pytest.fixture
def runs(tmp_path):
    return make_run(tmp_path / "after"), make_run(tmp_path / "old")


def test_history_only_never_trains(runs):
    after, old = runs
    assert "Leave one of them out" in refused(after, "--before", old, "--history-only")


def test_one_replicate_is_too_few(runs):
    after, old = runs
    assert "2 or more" in refused(after, "--before", old, "--replicates", "1")


def test_a_run_cannot_continue_itself(runs):
    assert "cannot continue itself" in refused(runs[0], "--before", runs[0])


def test_no_run_and_no_checkpoint(runs, tmp_path):
    after, old = runs
    assert "no run directory" in refused(after, "--before", tmp_path / "after" / "..")
    assert "--checkpoint" in refused(after, "--before", old)
    assert not (after / "drift").exists()
