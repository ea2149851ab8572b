"""Hostile and careless results.csv and args.yaml: the expected reading or one clear sentence, never a traceback."""

import json

import pytest
import yaml

from tests.support.written_run import HEADER, METRICS, SEAM, cell, checkpoint, one_sentence, padded, rows, text, without

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


def a_sentence_or_a_report(done):
    if done.exit_code == 12:
        one_sentence(done, 12)
    else:
        assert done.exit_code in (0, 10, 11), done.stderr
        json.loads(done.stdout)


@pytest.mark.parametrize("key", ["epochs", "close_mosaic", "warmup_epochs", "device", "batch", "task", "data", "seed"])
@pytest.mark.parametrize("value", ["x", -1, [1], {"a": 1}, 1e99])
def test_odd_values_in_args_yaml(run, drift, key, value):
    args = yaml.safe_load((run / "args.yaml").read_text())
    (run / "args.yaml").write_text(yaml.safe_dump({**args, key: value}))
    for mode in ("--dry-run", "--history-only"):
        a_sentence_or_a_report(drift("analyze", run, mode, "--json"))


@pytest.mark.parametrize("key", ["epochs", "close_mosaic", "warmup_epochs", "device", "task", "data"])
@pytest.mark.parametrize("value", ["x", -1, [1], {"a": 1}, 1e99])
def test_odd_values_in_the_checkpoint(run, drift, key, value):
    args = {**yaml.safe_load((run / "args.yaml").read_text()), key: value}
    (run / "weights" / "epoch14.pt").write_bytes(checkpoint(args))
    for mode in ("--dry-run", "--history-only"):
        a_sentence_or_a_report(drift("analyze", run, mode, "--json"))


def test_without_args_yaml_it_goes_on_and_says_so(run, drift):
    (run / "args.yaml").unlink()
    done = drift("analyze", run, "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    assert any("no args.yaml" in w for w in json.loads(done.stdout)["warnings"])
