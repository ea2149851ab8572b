"""Read a results.csv of any Ultralytics (or YOLOv5) version: the expected reading with a note, or a RunError."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.metrics import metric_of
from analyzer.domain.rows import is_rate
from analyzer.domain.run import History
from analyzer.errors import RunError
from analyzer.files import LFS_HINT, is_lfs_pointer, read_regular
from analyzer.runs.rounding import rounding_units

__all__ = ["read_history"]

_Row = tuple[int, dict[str, str]]  # line number in the file, column -> stripped cell
_MAX_EPOCH = 10_000_000
_BEFORE = 3  # rows that fit the header before others may be of another version: else the header is damaged
_PAD = 20  # YOLOv5 pads to 20 characters, Ultralytics up to 8.3.5 to 23


def read_history(path: Path) -> History:
    """Read a results.csv.

    Both formats are read: cells padded to 20 or 23 characters with 5 significant digits (YOLOv5 and Ultralytics up to
    8.3.5) and plain ones with ``%.6g`` (from 8.3.10). What had to be mended is in the notes of the result; a cell that
    is no number is NaN and noted; nothing is ever guessed.

    Returns
    -------
    History
        Rows in file order; epochs may repeat. Columns of text are left out and noted. ``units`` as described
        in :func:`analyzer.runs.rounding.rounding_units`.

    Raises
    ------
    RunError
        The file is missing, a directory, empty, binary, without an ``epoch`` column, without any complete row, or an
        epoch cell is no integer (the line is named).
    """
    notes: list[str] = []
    text = _decode(path, _read_bytes(path), notes)
    header, rows, padded = _rows(path, text, notes)
    epochs = np.array([_epoch(path, line, cells.get("epoch", "")) for line, cells in rows], dtype=np.int64)
    if not epochs.min():  # YOLOv5, and Ultralytics before 8.1
        epochs += 1
        notes.append("The file counts epochs from 0; here they count from 1.")
    kept: list[str] = []
    columns: list[NDArray[np.float64]] = []
    strings: list[list[str]] = []
    for name in header:
        if name == "epoch":
            continue
        cells = [row.get(name, "") for _, row in rows]
        numbers, bad = _numbers(cells)
        known = name == "time" or is_rate(name) or metric_of(name) is not None
        if len(bad) == sum(map(bool, cells)) > 0 and not known:
            notes.append(f"Column '{name}' holds no numbers and was left out.")
            continue
        if bad:
            first = rows[bad[0]][0]
            notes.append(f"Column '{name}': {_count(len(bad), 'cell')} no number (first in line {first}), read as NaN.")
        kept.append(name)
        columns.append(numbers)
        strings.append(cells)
    time = columns[kept.index("time")] if "time" in kept else None
    use = [i for i, name in enumerate(kept) if name != "time"]
    values = np.column_stack([columns[i] for i in use]) if use else np.empty((len(rows), 0))
    names = tuple(kept[i] for i in use)
    units = rounding_units(names, values, [strings[i] for i in use], padded=padded)
    empty = np.array([[not cell for cell in strings[i]] for i in use], dtype=np.bool_).T.reshape(len(rows), len(use))
    return History(path, epochs, time, names, values.astype(np.float64), units, tuple(notes), empty)


def _count(n: int, what: str) -> str:
    return f"{n} {what} is" if n == 1 else f"{n} {what}s are"


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise RunError(f"{path} is a directory, not a results.csv.", "Give the run directory that holds results.csv.")
    if not path.exists():
        raise RunError(f"{path} does not exist.", "Give the run directory in which Ultralytics wrote results.csv.")
    try:
        raw = read_regular(path)
    except OSError as e:
        raise RunError(f"{path} cannot be read: {e.strerror}.", "Check its permissions.") from e
    if is_lfs_pointer(raw):
        raise RunError(f"{path} is a Git LFS pointer, not the file itself.", LFS_HINT)
    return raw


def _decode(path: Path, raw: bytes, notes: list[str]) -> str:
    if not raw.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise RunError(f"{path} is empty.", "Wait until the first epoch is finished.")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"  # PowerShell's `>` writes it
    else:
        encoding = "utf-8"
        if raw.startswith(b"\xef\xbb\xbf"):
            raw = raw[3:]
            notes.append("A byte-order mark at the start was skipped.")
        if b"\x00" in raw.rstrip(b"\x00"):
            raise RunError(f"{path} is a binary file, not a results.csv.")
        if raw.endswith(b"\x00"):  # a power cut leaves blocks of zeros at the end
            raw = raw.rstrip(b"\x00")
            notes.append("Zero bytes at the end of the file were cut off.")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as e:
        raise RunError(f"{path} is no text file (byte {e.start} is not {encoding.upper()}).") from e
    if encoding == "utf-16":
        notes.append("The file is UTF-16.")
    # Ultralytics on Windows writes CRLF: no reason for a note.
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _split(line: str) -> list[str]:
    """Cells of one line, stripped; quotes as spreadsheets write them."""
    cells = next(csv.reader([line])) if '"' in line else line.split(",")
    return [c.strip() for c in cells]


def _rows(path: Path, text: str, notes: list[str]) -> tuple[list[str], list[_Row], bool]:
    """Union of the header columns, the complete rows, and whether the cells are padded."""
    lines = [(i, line) for i, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        raise RunError(f"{path} is empty.", "Wait until the first epoch is finished.")
    header = _header(path, _split(lines[0][1]), notes)
    padded = any(c[:1] == " " and len(c) >= _PAD for c in lines[0][1].split(","))
    union = [c for c in header if c]
    rows: list[_Row] = []
    body = lines[1:]
    for k, (number, line) in enumerate(body):
        cells = _split(line)
        if "epoch" in cells:
            header = _header(path, cells, notes)
            union += [c for c in header if c and c not in union]
            notes.append(f"Line {number} repeats the header: more than one run is in this file.")
            continue
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()  # spreadsheets pad rows with empty cells
        cut = k == len(body) - 1 and not text.endswith("\n")
        if len(rows) >= _BEFORE and _gains_time(header, cells, body[k + 1 : k + 2]):
            header = [header[0], "time", *header[1:]]
            union.append("time")
            notes.append(
                f"From line {number} on rows have one cell more than the header: `time`, which came with Ultralytics "
                "8.3.10. Another version went on there."
            )
        if len(cells) != len(header) or (cut and _is_cut(line, cells, padded)):
            what = "was cut off" if cut or k == len(body) - 1 else "is broken"
            notes.append(f"Line {number} {what} ({len(cells)} cells of {len(header)}) and was left out.")
            continue
        if cut:
            notes.append(f"Line {number}, the last, has no line end: its last cell may be cut.")
        rows.append((number, {h: c for h, c in zip(header, cells, strict=True) if h}))
    if not rows:
        what = "has a header but no complete row" if body else "has a header only"
        raise RunError(f"{path} {what}.", "Wait until the first epoch is finished.")
    return union, rows, padded


def _gains_time(header: list[str], cells: Sequence[str], following: Sequence[tuple[int, str]]) -> bool:
    """Whether rows begin to have a `time` that the header lacks, as after an upgrade to 8.3.10 in mid-run."""
    if "time" in header or header[0] != "epoch" or len(cells) != len(header) + 1:
        return False
    if not following or any(
        len(_split(row)) != len(cells) or None in map(_number, _split(row)) for _, row in following
    ):
        return False  # one row alone is a damaged one
    return (_number(cells[1]) or 0.0) > 0


def _is_cut(line: str, cells: Sequence[str], padded: bool) -> bool:
    """Whether a last line without line end stops inside its last cell."""
    return not cells[-1] or (padded and len(line.rsplit(",", 1)[-1]) < _PAD)


def _header(path: Path, cells: list[str], notes: list[str]) -> list[str]:
    """Column names; a name that is there twice is kept once ("" marks the columns to skip)."""
    if "epoch" not in cells:
        hint = "Give the results.csv that Ultralytics wrote, unchanged."
        raise RunError(f"{path} has no column 'epoch' (its first line: {','.join(cells)[:60]!r}).", hint)
    seen: set[str] = set()
    names: list[str] = []
    for cell in cells:
        if cell and cell in seen:
            notes.append(f"Column '{cell}' is there twice; the first is read.")
        names.append("" if cell in seen else cell)
        seen.add(cell)
    return names


def _epoch(path: Path, line: int, cell: str) -> int:
    value = _number(cell)
    if value is None or not math.isfinite(value) or value != int(value) or not 0 <= value <= _MAX_EPOCH:
        hint = f"Mend or delete line {line} in a copy of the file."
        raise RunError(f"{path}, line {line}: the epoch {cell!r} is no whole number.", hint)
    return int(value)


def _number(cell: str) -> float | None:
    if "_" in cell:  # float() would read 1_0 as 10
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _numbers(cells: Sequence[str]) -> tuple[NDArray[np.float64], list[int]]:
    """Values of a column, NaN for what is no number, and which cells are neither empty nor numbers."""
    try:
        if not any("_" in c for c in cells):
            return np.array(list(map(float, cells)), dtype=np.float64), []
    except ValueError:
        pass
    read = [_number(c) for c in cells]
    bad = [i for i, (value, cell) in enumerate(zip(read, cells, strict=True)) if value is None and cell]
    return np.array([math.nan if v is None else v for v in read], dtype=np.float64), bad
