"""A table of odd results.csv files: the expected reading or a clear error."""

import csv
import math
import time
from pathlib import Path

import numpy as np
import pytest

from analyzer.domain.run import SeamSign
from analyzer.errors import RunError
from analyzer.runs.results import read_history
from analyzer.runs.seams import find_seams

WILD = Path(__file__).parents[3] / "../shared/wild"
HEAD = "epoch,time,train/box_loss,metrics/mAP50(B),lr/pg0"
ROWS = ["1,10.5,1.25,0.5,0.01", "2,20.5,1.125,0.51234,0.009"]
PLAIN = "\n".join([HEAD, *ROWS]) + "\n"
PADDED = (
    ",".join(f"{c:>23}" for c in ("epoch", "train/box_loss", "metrics/mAP50(B)"))
    + "\n"
    + "".join(f"{e:23.5g},{a:23.5g},{b:23.5g}\n" for e, a, b in ((1, 1.80741, 0.92059), (2, 12.3456, 0.5)))
)


def read(tmp_path, content):
    file = tmp_path / "results.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_history(file)


def test_plain(tmp_path):
    h = read(tmp_path, PLAIN)
    assert h.epochs.tolist() == [1, 2]
    assert h.time.tolist() == [10.5, 20.5]
    assert h.columns == ("train/box_loss", "metrics/mAP50(B)", "lr/pg0")
    assert h.values.tolist() == [[1.25, 0.5, 0.01], [1.125, 0.51234, 0.009]]
    assert h.notes == ()


def test_padded(tmp_path):
    h = read(tmp_path, PADDED)
    assert h.time is None
    assert h.columns == ("train/box_loss", "metrics/mAP50(B)")
    assert h.values.tolist() == [[1.8074, 0.92059], [12.346, 0.5]]
    assert h.notes == ()


SAME = {  # files that say the same as PLAIN, with a word of the note that they must carry ("" for none)
    "CRLF": (PLAIN.replace("\n", "\r\n"), ""),
    "CR": (PLAIN.replace("\n", "\r"), ""),
    "BOM": (b"\xef\xbb\xbf" + PLAIN.encode(), "byte-order mark"),
    "BOM and CRLF": (b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode(), "byte-order mark"),
    "UTF-16": (PLAIN.encode("utf-16"), "UTF-16"),
    "blank lines": (PLAIN.replace("\n", "\n\n"), ""),
    "no end of line": (PLAIN.rstrip("\n"), "may be cut"),
    "row cut short": (PLAIN + "3,30.5,1.0", "Line 4 was cut off (3 cells of 5)"),
    "row cut in the epoch": (PLAIN + "3", "Line 4 was cut off"),
    "row cut at a comma": (PLAIN + "3,30.5,1.0,0.5,", "Line 4 was cut off"),
    "row cut short, with end of line": (PLAIN + "3,30.5\n", "Line 4 was cut off"),
    "zeros at the end": (PLAIN.encode() + b"\x00" * 512, "Zero bytes"),
    "broken row inside": (f"{HEAD}\n{ROWS[0]}\n2,3,4\n{ROWS[1]}\n", "Line 3 is broken"),
    "quotes": ('"epoch","time","train/box_loss","metrics/mAP50(B)","lr/pg0"\n' + "\n".join(ROWS) + "\n", ""),
    "spreadsheet padding": (PLAIN.replace("\n", ",,,\n"), ""),
    "spaces": (PLAIN.replace(",", " , "), ""),
    "text column of a tracker": (
        f"_timestamp,{HEAD},host\n2024-01-01 10:00,{ROWS[0]},a\n2024-01-01 10:01,{ROWS[1]},b\n",
        "Column '_timestamp' holds no numbers",
    ),
    "column twice": (
        f"{HEAD},train/box_loss\n{ROWS[0]},7\n{ROWS[1]},8\n",
        "Column 'train/box_loss' is there twice",
    ),
}


@pytest.mark.parametrize(("content", "note"), SAME.values(), ids=SAME.keys())
def test_expected_reading(tmp_path, content, note):
    want, got = read(tmp_path, PLAIN), read(tmp_path, content)
    assert got.epochs.tolist() == want.epochs.tolist()
    assert got.time.tolist() == want.time.tolist()
    assert got.columns == want.columns
    assert got.values.tolist() == want.values.tolist()
    assert any(note in n for n in got.notes) if note else got.notes == ()


ERRORS = {
    "empty": (b"", "is empty"),
    "blank": (b" \n\r\n ", "is empty"),
    "zeros only": (b"\x00" * 100, "is empty"),
    "header only": (HEAD + "\n", "has a header only"),
    "header and a cut row": (HEAD + "\n1,2", "no complete row"),
    "JPEG": (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)), "binary"),
    "latin-1": ("epoch,train/box_loss\n1,2é\n".encode("latin-1"), "no text file"),
    "half UTF-16": (b"\xff\xfe" + PLAIN.encode("utf-16-le") + b"\x01", "no text file"),
    "no header": ("\n".join(ROWS), "no column 'epoch'"),
    "semicolons": (PLAIN.replace(",", ";"), "no column 'epoch'"),
    "another table": ("a,b\n1,2\n", "no column 'epoch'"),
    "epoch is text": (f"{HEAD}\n{ROWS[0]}\nx,20,1,1,1\n", "line 3: the epoch 'x'"),
    "epoch is empty": (f"{HEAD}\n,20,1,1,1\n", "line 2: the epoch ''"),
    "epoch is nan": (f"{HEAD}\nnan,20,1,1,1\n", "line 2: the epoch 'nan'"),
    "epoch is a fraction": (f"{HEAD}\n1.5,20,1,1,1\n", "line 2: the epoch '1.5'"),
    "epoch is negative": (f"{HEAD}\n-1,20,1,1,1\n", "line 2: the epoch '-1'"),
    "epoch is huge": (f"{HEAD}\n1e300,20,1,1,1\n", "line 2: the epoch '1e300'"),
    "epoch with underscore": (f"{HEAD}\n1_0,20,1,1,1\n", "line 2: the epoch '1_0'"),
}


@pytest.mark.parametrize(("content", "words"), ERRORS.values(), ids=ERRORS.keys())
def test_clear_error(tmp_path, content, words):
    with pytest.raises(RunError) as e:
        read(tmp_path, content)
    assert words in e.value.what
    assert "results.csv" in e.value.what


def test_directory_and_missing_file(tmp_path):
    with pytest.raises(RunError, match="is a directory"):
        read_history(tmp_path)
    with pytest.raises(RunError, match="does not exist"):
        read_history(tmp_path / "results.csv")


def test_nan_inf_and_text_cells(tmp_path):
    h = read(tmp_path, f"{HEAD}\n1,10,nan,inf,0.01\n2,20,oops,,1_0\n3,30,-inf,0.5,0.01\n")
    assert np.isnan(h.column("train/box_loss")[:2]).all()
    assert h.column("train/box_loss")[2] == -math.inf
    assert h.column("metrics/mAP50(B)")[0] == math.inf
    assert np.isnan(h.column("metrics/mAP50(B)")[1])
    assert np.isnan(h.column("lr/pg0")[1])
    assert len(h.notes) == 2  # the empty cell is no error
    assert "1 cell is no number (first in line 3)" in h.notes[0]


def test_metric_column_of_text_is_kept_as_nan(tmp_path):
    h = read(tmp_path, "epoch,train/box_loss,x\n1,a,1\n2,b,2\n")
    assert np.isnan(h.column("train/box_loss")).all()
    assert "2 cells are no number" in h.notes[0]


def test_duplicate_epochs_are_kept(tmp_path):
    h = read(tmp_path, PLAIN + "2,5.5,1.5,0.4,0.009\n3,15.5,1.4,0.4,0.009\n")
    assert h.epochs.tolist() == [1, 2, 2, 3]


def test_repeated_header_with_other_columns(tmp_path):
    h = read(tmp_path, PLAIN + "epoch,time,val/box_loss\n1,9.5,2.5\n")
    assert h.epochs.tolist() == [1, 2, 1]
    assert h.columns == ("train/box_loss", "metrics/mAP50(B)", "lr/pg0", "val/box_loss")
    assert np.isnan(h.column("train/box_loss")[2])
    assert h.column("val/box_loss")[2] == 2.5
    assert np.isnan(h.column("val/box_loss")[:2]).all()
    assert "repeats the header" in h.notes[0]


def test_cut_padded_row_is_left_out_although_it_has_all_cells(tmp_path):
    assert len(read(tmp_path, PADDED[:-10])) == 1  # the last cell has lost digits: 0.5 could have been 0.51
    assert len(read(tmp_path, PADDED[:-1])) == 2


def test_units_of_the_new_format(tmp_path):
    rows = [(round(0.1234567 * i, 5), round(12.3456789 * i, 5), 0.0, 2.123456e-05 * i) for i in range(1, 6)]
    body = "".join(f"{i},{','.join(f'{v:.6g}' for v in row)}\n" for i, row in enumerate(rows, 1))
    h = read(tmp_path, "epoch,train/box_loss,train/cls_loss,val/x,lr/pg0\n" + body)
    assert np.allclose(h.units, [1e-5, 1e-4, 1e-5, 1e-10], rtol=1e-9, atol=0)
    assert h.unit("train/cls_loss") == pytest.approx(1e-4)


def test_units_of_the_old_format(tmp_path):
    rows = [(i, 1.234567 + i / 7, 12.345678 + i / 7) for i in range(1, 12)]
    lines = [",".join(f"{c:>23}" for c in ("epoch", "train/box_loss", "val/box_loss"))]
    lines += [f"{a:23.5g},{b:23.5g},{c:23.5g}" for a, b, c in rows]
    h = read(tmp_path, "\n".join(lines) + "\n")
    assert np.allclose(h.units, [1e-4, 1e-3], rtol=1e-9, atol=0)
    resaved = "\n".join(",".join(c.strip() for c in line.split(",")) for line in lines) + "\n"
    assert read(tmp_path, resaved).units.tolist() == h.units.tolist()


def test_ten_thousand_rows_are_fast(tmp_path):
    file = tmp_path / "results.csv"
    columns = [f"train/l{i}" for i in range(14)]
    row = ",".join(f"{0.12345 + i / 7:.6g}" for i in range(14))
    file.write_text(f"epoch,time,{','.join(columns)}\n" + "".join(f"{i},{i * 7.25},{row}\n" for i in range(1, 10001)))
    best = math.inf
    for _ in range(5):  # the best of five: other processes share the machine
        start = time.process_time()
        assert len(read_history(file)) == 10_000
        best = min(best, time.process_time() - start)
    assert best < 0.3


@pytest.mark.skipif(not WILD.is_dir(), reason="the collection of real runs is not here")
def test_every_wild_file_parses():
    rows = list(csv.DictReader((WILD / "index.csv").open()))
    assert len(rows) > 100
    for r in rows:
        h = read_history(WILD / "runs" / r["id"] / "results.csv")
        assert len(h) == int(r["n_rows"]), r["id"]
        assert (h.time is not None) == (r["has_time_column"] == "True"), r["id"]
        assert len(h.metrics) >= 4, r["id"]
        assert sum(not np.isfinite(v).all() for v in h.values) == int(r["nan_rows"]), r["id"]


def test_an_empty_cell_is_not_measured_and_nan_is(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("epoch,time,train/a,metrics/mAP50(B)\n1,10,1,0.5\n2,20,1,\n3,30,1,nan\n")
    history = read_history(path)
    assert [history.unmeasured(row) for row in range(4)] == [set(), {"metrics/mAP50(B)"}, set(), set()]


def test_a_git_lfs_pointer_is_named(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n")
    with pytest.raises(RunError, match=r"Git LFS pointer.*git lfs pull"):
        read_history(path)


def test_rows_that_gain_a_time_are_of_another_version(tmp_path):
    """Nothing is dropped: the rows after the upgrade have a cell more than the header of the file."""
    path = tmp_path / "results.csv"
    old = [f"{e},{1 / e:.4f},{0.1 * e:.4f}" for e in range(1, 6)]
    new = [f"{e},{10 * (e - 5)},{1 / e:.4f},{0.1 * e:.4f}" for e in range(6, 9)]
    path.write_text("\n".join(["epoch,train/a,metrics/mAP50(B)", *old, *new]) + "\n")
    history = read_history(path)
    assert list(history.epochs) == list(range(1, 9))
    assert history.row(6) == {"train/a": 0.1429, "metrics/mAP50(B)": 0.7}
    assert any("From line 7 on rows have one cell more" in note for note in history.notes)
    (seam,) = find_seams(history)
    assert (seam.epoch, seam.row, seam.before, seam.sign) == (6, 5, 4, SeamSign.TIME_BEGINS)
