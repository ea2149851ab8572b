"""Hostile and careless input through the command: the expected reading or one clear sentence, never a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.written_run import Evil, archive, checkpoint, make_run, one_sentence

# --- checkpoints --------------------------------------------------------------------------------------------------


def bad_checkpoints():
    good = checkpoint({"task": "detect"})
    return {
        "JPEG": (b"\xff\xd8\xff\xe0" + bytes(100), "is a JPEG image"),
        "truncated": (good[: len(good) // 2], "is truncated"),
        "stripped": (checkpoint({"task": "detect"}, epoch=-1, optimizer=None), "is stripped"),
        "without optimizer": (checkpoint({"task": "detect"}, optimizer=None), "no optimizer state"),
        "of another epoch": (checkpoint({"task": "detect"}, epoch=7), "is of epoch 8"),
        "no Ultralytics checkpoint": (archive({"model.0.weight": 1.0}), "not an Ultralytics training checkpoint"),
        "malicious": (archive({"epoch": 14, "train_args": {}, "ema": Evil()}), "not on the list"),
        "empty": (b"", "is empty"),
        "text": (b"hello\n", "a text file"),
    }


@pytest.mark.parametrize("name", bad_checkpoints())
def test_a_checkpoint_that_cannot_be_the_one_has_its_own_message(run, drift, name, tmp_path):
    raw, fragment = bad_checkpoints()[name]
    (tmp_path / "given.pt").write_bytes(raw)
    for mode in ("--dry-run", "--history-only"):
        one_sentence(drift("analyze", run, mode, "--checkpoint", "given.pt"), 12, "given.pt", fragment)
    assert not (tmp_path / "HACKED").exists() and not (run / "drift").exists()


def test_the_messages_differ(run, drift, tmp_path):
    said = set()
    for name, (raw, _) in bad_checkpoints().items():
        (tmp_path / "given.pt").write_bytes(raw)
        said.add(one_sentence(drift("analyze", run, "--checkpoint", "given.pt"), 12))
        if name not in ("of another epoch",):
            one_sentence(drift("replicate", "given.pt"), 12, "given.pt")
    assert len(said) == len(bad_checkpoints())


@pytest.mark.parametrize("name", bad_checkpoints())
def test_a_bad_file_among_the_weights_does_not_stop_the_good_one(run, drift, name):
    (run / "weights" / "last.pt").write_bytes(bad_checkpoints()[name][0])
    done = drift("analyze", run, "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["checkpoint"]["path"].endswith("epoch14.pt")


@pytest.mark.parametrize("name", bad_checkpoints())
def test_with_a_bad_file_alone_history_is_what_is_left(run, drift, name):
    (run / "weights" / "epoch14.pt").write_bytes(bad_checkpoints()[name][0])
    done = drift("analyze", run, "--json")
    assert done.exit_code in (0, 10, 11), done.stderr
    document = json.loads(done.stdout)
    assert document["checkpoint"] is None and document["history_only"]
    assert "drift replicate" in done.stderr  # what to do next time
    assert bad_checkpoints()[name][1].removeprefix("is ").removeprefix("no ").split(" ")[-1] in done.stderr


def test_a_missing_checkpoint_or_a_folder_is_refused(run, drift):
    one_sentence(drift("analyze", run, "--checkpoint", "no.pt"), 12, "no.pt does not exist")
    one_sentence(drift("analyze", run, "--checkpoint", run), 12, "is a directory")
    one_sentence(drift("replicate", "no.pt"), 12, "no.pt does not exist")
    one_sentence(drift("replicate", run), 12, "is a directory")


# --- RUN, options, data, out --------------------------------------------------------------------------------------


def test_a_run_that_is_none(run, drift, tmp_path):
    (tmp_path / "file.txt").write_text("x")
    one_sentence(drift("analyze", "nowhere"), 12, "does not exist")
    one_sentence(drift("analyze", "file.txt"), 12, "no run directory")
    one_sentence(drift("analyze", tmp_path / "data"), 12, "no run directory")
    one_sentence(drift("analyze", ""), 12, "no run directory")
    one_sentence(drift("analyze", "x" * 5000), 12)
    (run / "results.csv").unlink()
    (run / "results.csv").mkdir()
    one_sentence(drift("analyze", run), 12, "is a directory")


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (("--seam", "99"), "--seam 99"), (("--seam", "1"), "--seam 1"), (("--seam", "-5"), "--seam -5"),
        (("--margin", "nosuch=0.1"), "nosuch"), (("--margin", "map=-1"), "map"), (("--margin", "map=1e999"), "map"),
        (("--margin", "map=0"), "map"), (("--margin", "map=1.2.3"), "map"), (("--margin", "map="), "map"),
        (("--margin", "map"), "map"), (("--margin", "=0.1"), "0.1"), (("--margin", "map=nan"), "nan"),
        (("--margin", "auto"), "auto"),
        (("--budget", "soon"), "soon"), (("--budget", "-5m"), "-5m"), (("--budget", ""), "budget"),
        (("--budget", "1.5epochs"), "1.5epochs"), (("--budget", "6 weeks"), "weeks"),
        (("--alpha", "0"), "alpha"), (("--alpha", "1"), "alpha"), (("--alpha", "nan"), "alpha"),
        (("--alpha", "-0.05"), "alpha"), (("--alpha", "5%"), "alpha"),
        (("--replicates", "0"), "replicates"), (("--replicates", "-3"), "replicates"),
        (("--replicates", "1.5"), "replicates"), (("--replicates", "²"), "replicates"),
        (("--epochs", "0"), "epochs"), (("--seed", "-1"), "seed"), (("--seed", "x"), "seed"),
        (("--device", ""), "device"), (("--device", "banana"), "banana"), (("--device", "77"), "77"),
    ],
)  # fmt: skip
def test_an_option_that_makes_no_sense_is_a_usage_error(run, drift, arguments, fragment):
    done = drift("analyze", run, "--dry-run", *arguments)
    assert done.exit_code == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert fragment in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--alpha", "1e-9"), ("--alpha", "0.49"), ("--replicates", "1"), ("--replicates", "1000"), ("--epochs", "500"),
        ("--budget", "0epochs"), ("--budget", "0s"), ("--budget", "1d"), ("--margin", "map=5%"),
        ("--margin", "loss=1e-12"), ("--seed", "99999999999999999999"), ("--seam", "17"),
        ("--seam", "16"),
    ],
)  # fmt: skip
def test_an_option_at_its_edge_is_taken(run, drift, arguments):
    extra = ("--history-only",) if arguments == ("--seam", "17") else ("--dry-run",)
    done = drift("analyze", run, *extra, *arguments, "--json")
    assert done.exit_code in (0, 10, 11), done.stderr
    json.loads(done.stdout)


def test_a_data_set_that_is_gone(run, drift, tmp_path):
    (tmp_path / "data").rename(tmp_path / "moved")
    one_sentence(drift("analyze", run, "--dry-run"), 12, "data.yaml", "--data")
    one_sentence(drift("replicate", run / "weights" / "epoch14.pt"), 12, "data.yaml", "--data")
    one_sentence(drift("analyze", run, "--dry-run", "--data", "no.yaml"), 12, "no.yaml")
    one_sentence(drift("analyze", run, "--dry-run", "--data", run / "results.csv"), 12, "results.csv")
    assert drift("analyze", run, "--dry-run", "--data", "moved/data.yaml").exit_code == 0
    assert drift("analyze", run, "--history-only").exit_code in (0, 10, 11)  # needs no data


def test_an_out_folder_that_cannot_be_written(run, drift, tmp_path):
    (tmp_path / "file").write_text("x")
    for out in ("file", "file/below", "/proc/nowhere"):
        for arguments in (("analyze", run), ("analyze", run, "--history-only")):
            one_sentence(drift(*arguments, "--out", out), 12, out, "--out")
        one_sentence(drift("replicate", run / "weights" / "epoch14.pt", "--out", out), 12, out, "--out")
    assert drift("analyze", run, "--dry-run", "--out", "file").exit_code in (0, 12)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_run_without_permission_to_write(run, drift):
    run.chmod(0o555)
    try:
        one_sentence(drift("analyze", run, "--history-only"), 12, "--out")
    finally:
        run.chmod(0o755)


@pytest.mark.parametrize(
    "name", ["with space", "größe – 実験", "[bold]x[-]", "a'b\"c$(d);e", "-dash", "new\nline", "%s{0}"]
)
def test_a_path_with_anything_in_it(tmp_path, drift, name):
    run = make_run(tmp_path / "place", name)
    done = drift("analyze", run, "--dry-run")
    assert done.exit_code == 0, done.stderr
    done = drift("analyze", run, "--history-only")
    assert done.exit_code in (0, 10, 11), done.stderr
    shown = name.replace("\n", "\\n")
    assert shown in done.stdout
    assert drift("list", tmp_path).exit_code == 0
    assert drift("report", run).exit_code == done.exit_code
    document = json.loads(drift("analyze", run, "--history-only", "--json").stdout)
    assert document["run"] == str(run)
    (run / "results.csv").unlink()
    one_sentence(drift("analyze", run), 12, "no run directory")


def test_colours_and_paths_of_the_real_command(tmp_path):
    """The process itself: nothing but one sentence on stderr, also where the terminal knows ASCII only."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii:strict", "PYTHONPATH": str(Path(__file__).parents[2])}
    for run in ("größe", "[bold]", "-x/../y"):
        command = [sys.executable, "-m", "analyzer", "analyze", "--", run]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
        assert (done.returncode, done.stdout) == (12, "")
        assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("drift: ")
