"""Run directories and the checkpoint from which a seam started."""

import io
import pickle
import zipfile
from collections import OrderedDict

import pytest

from analyzer.domain.run import SeamSign
from analyzer.errors import CheckpointError, RunError
from analyzer.runs.directory import find_checkpoint, read_run
from analyzer.runs.seams import find_seams, seam_at

ROWS = [(1, 10, 0.9, 0.1), (2, 20, 0.8, 0.2), (3, 30, 0.7, 0.3), (4, 9, 0.6, 0.4), (5, 19, 0.5, 0.5)]


def results(rows):
    return "epoch,time,train/box_loss,metrics/mAP50(B)\n" + "".join(",".join(map(str, r)) + "\n" for r in rows)


def checkpoint(epoch, score=0.5, optimizer=True):
    """A torch archive of a training checkpoint whose epoch counts from 0."""
    data = {
        "epoch": epoch,
        "ema": OrderedDict(),
        "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]} if optimizer else None,
        "train_args": {"task": "detect"},
        "train_metrics": {"metrics/mAP50(B)": score},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as z:
        z.writestr("last/data.pkl", pickle.dumps(data, protocol=2))
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    run = tmp_path / "runs" / "train"
    (run / "weights").mkdir(parents=True)
    (run / "drift" / "seams" / "3").mkdir(parents=True)
    (run / "results.csv").write_text(results(ROWS))
    (run / "args.yaml").write_text("task: detect\nepochs: 9\nresume: last.pt\n")
    (run / "weights" / "last.pt").write_bytes(checkpoint(4))
    return run


def test_reads_history_args_and_lists_checkpoints(folder):
    (folder / "drift" / "seams" / "3" / "seam.pt").write_bytes(b"unread")
    (folder / "weights" / "folder.pt").mkdir()
    run = read_run(folder)
    assert run.path == folder
    assert run.args["epochs"] == 9
    assert [p.name for p in run.checkpoints] == ["seam.pt", "last.pt"]
    assert len(run.history) == 5


@pytest.mark.parametrize("inside", ["weights/last.pt", "weights", "results.csv", "args.yaml", "drift/seams/3/seam.pt"])
def test_a_place_inside_means_the_run(folder, inside):
    (folder / "drift" / "seams" / "3" / "seam.pt").write_bytes(b"unread")
    assert read_run(folder / inside).path == folder


def test_relative_path(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    from pathlib import Path

    assert read_run(Path("train")).path == folder


def test_without_args(folder):
    (folder / "args.yaml").unlink()
    assert read_run(folder).args == {}


def test_not_a_run(tmp_path, folder):
    with pytest.raises(RunError, match="does not exist"):
        read_run(tmp_path / "no")
    with pytest.raises(RunError, match="no run directory"):
        read_run(tmp_path)
    with pytest.raises(RunError, match="no run directory"):
        read_run(folder.parent)
    (folder / "args.yaml").write_text("- a\n")
    with pytest.raises(RunError, match="not a mapping"):
        read_run(folder)


def test_results_csv_is_a_directory(tmp_path):
    (tmp_path / "results.csv").mkdir()
    with pytest.raises(RunError, match="is a directory"):
        read_run(tmp_path)


def test_checkpoint_by_its_epoch(folder):
    for epoch in range(5):
        (folder / "weights" / f"epoch{epoch}.pt").write_bytes(checkpoint(epoch))
    run = read_run(folder)
    (seam,) = find_seams(run.history)
    assert (seam.sign, seam.epoch) == (SeamSign.TIME_FALLS, 4)
    found = find_checkpoint(run, seam)
    assert found.path.name == "epoch2.pt"
    assert (found.csv_epoch, found.resumes_at) == (3, 4)


def test_kept_copy_is_preferred_and_metrics_decide_between_two_of_one_epoch(folder):
    kept = folder / "drift" / "seams" / "3" / "seam.pt"
    kept.write_bytes(checkpoint(2, score=0.3))
    (folder / "weights" / "epoch2.pt").write_bytes(checkpoint(2, score=0.3))
    run = read_run(folder)
    (seam,) = find_seams(run.history)
    assert find_checkpoint(run, seam).path == kept
    kept.write_bytes(checkpoint(2, score=0.9))  # of another course of the run
    assert find_checkpoint(run, seam).path.name == "epoch2.pt"


def test_none_fits_and_every_reason_is_named(folder):
    (folder / "weights" / "best.pt").write_bytes(checkpoint(-1, optimizer=False))
    (folder / "weights" / "epoch2.pt").write_bytes(checkpoint(2)[:-5])
    (folder / "weights" / "epoch3.pt").write_bytes(checkpoint(2, optimizer=False))
    (folder / "weights" / "image.pt").write_bytes(b"\xff\xd8\xff")
    run = read_run(folder)
    with pytest.raises(CheckpointError) as e:
        find_checkpoint(run, seam_at(run.history, 4))
    text = e.value.what
    for words in (
        "No checkpoint of epoch 3",
        "best.pt: stripped",
        "epoch2.pt is truncated",
        "epoch3.pt: without optimizer",
        "image.pt is a JPEG",
        "last.pt: of epoch 5",
    ):
        assert words in text
    assert "--history-only" in e.value.hint


def test_no_checkpoint_at_all(folder):
    (folder / "weights" / "last.pt").unlink()
    run = read_run(folder)
    with pytest.raises(CheckpointError, match=r"no \.pt files"):
        find_checkpoint(run, seam_at(run.history, 4))


def test_older_checkpoint_resumed(folder):
    (folder / "results.csv").write_text(results([*ROWS[:3], (2, 9, 0.7, 0.3), (3, 19, 0.6, 0.4)]))
    (folder / "weights" / "epoch0.pt").write_bytes(checkpoint(0))
    run = read_run(folder)
    (seam,) = find_seams(run.history)
    assert find_checkpoint(run, seam).path.name == "epoch0.pt"


def test_restart_has_no_checkpoint(folder):
    (folder / "results.csv").write_text(results([*ROWS[:3], (1, 9, 0.7, 0.3)]))
    run = read_run(folder)
    (seam,) = find_seams(run.history)
    with pytest.raises(CheckpointError, match="a new run starts"):
        find_checkpoint(run, seam)


def test_nothing_is_written(folder):
    before = {p: (p.stat().st_mtime_ns, p.is_file() and p.read_bytes()) for p in folder.rglob("*")}
    run = read_run(folder)
    with pytest.raises(CheckpointError):
        find_checkpoint(run, seam_at(run.history, 4))
    assert before == {p: (p.stat().st_mtime_ns, p.is_file() and p.read_bytes()) for p in folder.rglob("*")}
