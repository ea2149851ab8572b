"""Hostile and careless input through the command: the expected reading or one clear sentence, never a traceback."""

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from analyzer.cli.app import app

SEAM, LAST = 16, 18
METRICS = (
    "train/box_loss", "train/cls_loss", "train/dfl_loss", "metrics/precision(B)", "metrics/recall(B)",
    "metrics/mAP50(B)", "metrics/mAP50-95(B)", "val/box_loss", "val/cls_loss", "val/dfl_loss", "lr/pg0",
)  # fmt: skip


class Evil:
    def __reduce__(self):
        return os.system, ("touch HACKED",)


def archive(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as z:
        z.writestr("last/data.pkl", pickle.dumps(content, protocol=2))
    return buffer.getvalue()


def checkpoint(args, epoch=SEAM - 2, **changes):
    """A checkpoint whose facts can be read; only training would need its tensors."""
    return archive(
        {
            "epoch": epoch,
            "ema": OrderedDict(),
            "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]},
            "train_args": args,
            "version": "8.4.190",
            **changes,
        }
    )


def rows():
    rng = np.random.default_rng(5)
    for epoch in range(1, LAST + 1):
        values = [1 + 0.3 * 0.9**epoch + rng.normal(0, 0.005) for _ in METRICS]
        seconds = 3.0 * (epoch if epoch < SEAM else epoch - SEAM + 1)
        yield [str(epoch), f"{seconds:.6g}", *(f"{v:.6g}" for v in values)]


HEADER = ["epoch", "time", *METRICS]


def text(header=HEADER, body=None, end="\n"):
    return end.join(",".join(line) for line in [header, *(rows() if body is None else body)]) + end


def padded():
    wide = [[f"{c:>23}" for c in line] for line in [HEADER, *rows()]]
    return "\n".join(",".join(line) for line in wide) + "\n"


def cell(row, column, value):
    """The file with one cell replaced; `row` counts epochs from 1."""
    body = list(rows())
    body[row - 1][HEADER.index(column)] = value
    return text(body=body)


def without(*columns):
    keep = [i for i, c in enumerate(HEADER) if c not in columns]
    return text([HEADER[i] for i in keep], [[line[i] for i in keep] for line in rows()])


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path)


def make_run(folder, name="train"):
    data = folder / "data"
    for split in ("train", "val"):
        (data / "images" / split).mkdir(parents=True)
        (data / "images" / split / "a.jpg").write_bytes(b"\xff\xd8\xff")
    (data / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [a]\n")
    run = folder / name
    (run / "weights").mkdir(parents=True)
    args = {"task": "detect", "data": str(data / "data.yaml"), "epochs": 30, "close_mosaic": 0, "device": "cpu"}
    (run / "args.yaml").write_text(yaml.safe_dump({**args, "resume": "last.pt"}))
    (run / "results.csv").write_text(text())
    (run / "weights" / f"epoch{SEAM - 2}.pt").write_bytes(checkpoint(args))
    return run


@pytest.fixture
def drift(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "80", "TERM": "dumb"})

    return call


def one_sentence(done, code, *fragments):
    """The exit code, nothing on stdout, and one line on stderr that holds the fragments."""
    talk = [line for line in done.stderr.splitlines() if line.startswith("drift: ")]
    assert done.exit_code == code, done.stderr
    assert done.stdout == ""
    assert len(talk) == 1 and done.stderr.splitlines()[-1] == talk[0]
    assert talk[0].rstrip().endswith(".")
    assert "Traceback" not in done.stderr and "A fault of drift itself" not in done.stderr
    for fragment in fragments:
        assert fragment in talk[0]
    return talk[0]


# --- results.csv --------------------------------------------------------------------------------------------------

READABLE = {
    "plain": (text(), ""),
    "padded": (padded(), ""),
    "padded, CRLF": (padded().replace("\n", "\r\n"), ""),
    "old Macintosh line ends": (text().replace("\n", "\r"), ""),
    "BOM": ("\ufeff" + text(), "byte-order mark"),
    "last line truncated": (text()[:-40], "was cut off"),
    "NaN in one cell": (cell(9, "val/cls_loss", "nan"), ""),
    "inf in one cell": (cell(9, "val/cls_loss", "inf"), ""),
    "NaN in the observed row": (cell(SEAM, "train/box_loss", "nan"), ""),
    "NaN everywhere in a column": (text(body=[[*line[:8], "nan", *line[9:]] for line in rows()]), ""),
    "word in a cell": (cell(9, "val/cls_loss", "oops"), "no number"),
    "enormous number": (cell(9, "val/cls_loss", "1e308"), ""),
    "a column is missing": (without("val/cls_loss"), ""),
    "only one metric": (without(*METRICS[1:]), ""),
    "spreadsheet's empty cells": (text().replace("\n", ",,\n"), ""),
    "zeros after a power cut": (text() + "\x00" * 512, "Zero bytes"),
    "header twice": (text(body=[*list(rows())[:4], HEADER, *list(rows())[4:]]), "repeats the header"),
}


@pytest.mark.parametrize("name", READABLE)
def test_a_results_csv_is_read(run, drift, name):
    content, note = READABLE[name]
    (run / "results.csv").write_bytes(content.encode())
    done = drift("analyze", run, "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["seam"]["epoch"] == SEAM
    assert note in " ".join(document["warnings"])
    done = drift("analyze", run, "--history-only", "--json")
    assert done.exit_code in (0, 10, 11), done.stderr
    assert document["seam"] == json.loads(done.stdout)["seam"]
    assert drift("analyze", run, "--history-only").exit_code == done.exit_code


def test_a_duplicate_epoch_is_a_seam(run, drift):
    body = list(rows())
    (run / "results.csv").write_text(text(body=[*body[:10], *body[9:]]))
    document = json.loads(drift("analyze", run, "--dry-run", "--json").stdout)
    assert (document["seam"]["epoch"], [s["epoch"] for s in document["other_seams"]]) == (SEAM, [10])


NO_METRICS = without(*METRICS)
UNREADABLE = {
    "empty": (b"", "is empty"),
    "white space": (b" \r\n \n", "is empty"),
    "zeros": (bytes(4096), "is empty"),
    "binary": (bytes(range(256)) * 9, "results.csv"),
    "JPEG": (b"\xff\xd8\xff\xe0" + bytes(200), "no text file"),
    "latin-1": ("épôque,time\n1,2\n".encode("latin-1"), "no text file"),
    "HTML": (b"<html><body>404</body></html>\n", "no column 'epoch'"),
    "header only": (text(body=[]).encode(), "header only"),
    "without epoch": (without("epoch").encode(), "no column 'epoch'"),
    "epoch is a word": (cell(3, "epoch", "three").encode(), "line 4"),
    "negative epoch": (cell(3, "epoch", "-3").encode(), "line 4"),
    "one row": (text(body=list(rows())[:1]).encode(), "one row only"),
    "no resume": (text(body=list(rows())[: SEAM - 1]).encode(), "No seam"),
    "no time column": (without("time").encode(), "--seam EPOCH"),
    "no metric column": (NO_METRICS.encode(), "no metric"),
}


@pytest.mark.parametrize("mode", ["--dry-run", "--history-only"])
@pytest.mark.parametrize("name", UNREADABLE)
def test_a_results_csv_that_says_nothing_is_refused(run, drift, name, mode):
    content, fragment = UNREADABLE[name]
    (run / "results.csv").write_bytes(content)
    one_sentence(drift("analyze", run, mode), 12, fragment)
    assert not (run / "drift").exists()


# --- args.yaml ----------------------------------------------------------------------------------------------------

ARGS = {
    "a list": (b"- 1\n- 2\n", "not a mapping"),
    "a word": (b"hello\n", "not a mapping"),
    "empty": (b"", "is empty"),
    "python object": (b"a: !!python/object/apply:os.system ['touch HACKED']\n", "not loaded"),
    "python tuple": (b"a: !!python/tuple [1, 2]\n", "not loaded"),
    "broken": (b"a: [1, 2\nb: }\n", "no valid yaml"),
    "binary": (b"\x00\x01\x02" * 50, "binary"),
    "JPEG": (b"\xff\xd8\xff\xe0abc", "no text file"),
    "deep": (b"[" * 30_000, "yaml"),
}


@pytest.mark.parametrize("name", ARGS)
def test_an_args_yaml_that_is_no_mapping_is_refused(run, drift, name, tmp_path):
    content, fragment = ARGS[name]
    (run / "args.yaml").write_bytes(content)
    one_sentence(drift("analyze", run, "--dry-run"), 12, "args.yaml", fragment)
    assert not (tmp_path / "HACKED").exists()


@pytest.mark.parametrize("key", ["epochs", "close_mosaic", "warmup_epochs", "device", "batch", "task", "data", "seed"])
@pytest.mark.parametrize("value", ["x", -1, [1], {"a": 1}, 1e99])
def test_odd_values_in_args_yaml(run, drift, key, value):
    args = yaml.safe_load((run / "args.yaml").read_text())
    (run / "args.yaml").write_text(yaml.safe_dump({**args, key: value}))
    for mode in ("--dry-run", "--history-only"):
        done = drift("analyze", run, mode, "--json")
        if done.exit_code == 12:
            one_sentence(done, 12)
        else:
            assert done.exit_code in (0, 10, 11), done.stderr
            json.loads(done.stdout)


@pytest.mark.parametrize("key", ["epochs", "close_mosaic", "warmup_epochs", "device", "task", "data"])
@pytest.mark.parametrize("value", ["x", -1, [1], {"a": 1}, 1e99])
def test_odd_values_in_the_checkpoint(run, drift, key, value):
    args = {**yaml.safe_load((run / "args.yaml").read_text()), key: value}
    (run / "weights" / "epoch14.pt").write_bytes(checkpoint(args))
    for mode in ("--dry-run", "--history-only"):
        done = drift("analyze", run, mode, "--json")
        if done.exit_code == 12:
            one_sentence(done, 12)
        else:
            assert done.exit_code in (0, 10, 11), done.stderr
            json.loads(done.stdout)


def test_without_args_yaml_it_goes_on_and_says_so(run, drift):
    (run / "args.yaml").unlink()
    done = drift("analyze", run, "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    assert any("no args.yaml" in w for w in json.loads(done.stdout)["warnings"])


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
