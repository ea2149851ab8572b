"""Cases of results.csv: the mutator edits a table, so it knows what is right; bytes are checked by a second reader."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from analyzer.runs.results import read_history
from tests.measurements.fuzz.case import ERROR, Case, Target, comparable, cut, flipped

METRICS = (
    "time", "train/box_loss", "train/cls_loss", "metrics/precision(B)", "metrics/mAP50(B)", "metrics/mAP50-95(B)",
    "val/box_loss", "val/cls_loss", "lr/pg0",
)  # fmt: skip
GARBAGE = ("abc", "1_0", "--1", "1e", "0x10", "1,5;2", "٣.٤.٥", "1 2", "#REF!", "None")

Table = list[list[str]]


def _table(random: Random, padded: bool) -> Table:
    columns = ["epoch", *random.sample(METRICS, random.randint(1, len(METRICS)))]
    rows = random.randint(1, 12)
    style = (lambda v: f"{v:.5g}") if padded else (lambda v: f"{round(v, 5):.6g}")

    def numbers():
        return random.choice((random.uniform(0, 3), random.uniform(0, 1e-4), random.uniform(0, 5000), 0.0))

    body = [[str(i + 1), *(style(numbers()) for _ in columns[1:])] for i in range(rows)]
    if random.random() < 0.1:
        body[random.randrange(rows)][-1] = random.choice(("nan", "inf", "-inf"))
    return [columns, *body]


def _text(table: Table, padded: bool, end: str = "\n") -> str:
    cells = (lambda c: f"{c:>23}") if padded else str
    return end.join(",".join(map(cells, line)) for line in table) + end


def _number(cell: str) -> float:
    if "_" in cell:
        return math.nan
    try:
        return float(cell)
    except ValueError:
        return math.nan


def expected(table: Table) -> Any:
    """The reading of a table whose lines all have the width of the header."""
    columns, body = table[0], table[1:]
    epochs = [int(float(row[0])) for row in body]
    rest = {c: [_number(row[i]) for row in body] for i, c in enumerate(columns) if c != "epoch"}
    return comparable({"epochs": epochs, **rest})


def read(path: Path) -> Any:
    """The reading of the code under test, in the same form."""
    history = read_history(path)
    found: dict[str, Any] = {c: history.values[:, i].tolist() for i, c in enumerate(history.columns)}
    if history.time is not None:
        found["time"] = history.time.tolist()
    return comparable({"epochs": history.epochs.tolist(), **found})


# --- mutations: (random, table, padded) -> (bytes, readings that are right) -------------------------------------------


def _sound(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    end = random.choice(("\n", "\r\n"))
    text = _text(table, padded, end)
    raw = random.choice(
        (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"), text.encode() + b"\0" * 40)
    )
    return raw, (expected(table),)


def _garbage_cell(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    if len(table) < 3:
        return _sound(random, table, padded)
    row, column = random.randrange(1, len(table)), random.randrange(1, len(table[0]))
    table[row][column] = random.choice(GARBAGE).replace(",", "")
    return _text(table, padded).encode(), (expected(table),)


def _empty_cell(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    if len(table) < 3:
        return _sound(random, table, padded)
    table[random.randrange(1, len(table) - 1)][random.randrange(1, len(table[0]))] = ""
    return _text(table, padded).encode(), (expected(table),)


def _garbage_epoch(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    table[random.randrange(1, len(table))][0] = random.choice((*GARBAGE, "-1", "1.5", "nan", "inf", "1e300", ""))
    return _text(table, padded).encode().replace(b"1,5;2", b"1;5"), (ERROR,)


def _other_width(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    """A line with a cell too few or too many is left out, never shifted."""
    row = random.randrange(1, len(table))
    broken = table[row][:-1] if random.random() < 0.5 else [*table[row], "7"]
    kept = [*table[:row], *table[row + 1 :]]
    text = _text([*table[:row], broken, *table[row + 1 :]], padded)
    return text.encode(), (expected(kept) if len(kept) > 1 else ERROR,)


def _rows_moved(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    """Rows doubled, dropped or out of order stay as they are in the file."""
    body = [random.choice(table[1:]) for _ in range(random.randint(1, len(table) + 3))]
    return _text([table[0], *body], padded).encode(), (expected([table[0], *body]),)


def _second_header(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    row = random.randrange(1, len(table) + 1)
    return _text([*table[:row], table[0], *table[row:]], padded).encode(), (expected(table),)


def _blank_lines(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    lines = _text(table, padded).split("\n")
    for _ in range(random.randint(1, 4)):
        lines.insert(random.randrange(len(lines)), random.choice(("", "   ", "\t")))
    return "\n".join(lines).encode(), (expected(table),)


def _quoted(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    """As a spreadsheet saves it: quotes, and empty cells at the end of a line."""
    lines = [",".join(f'"{c}"' if random.random() < 0.5 else c for c in row) for row in table]
    lines[1:] = [line + "," * random.randint(0, 3) for line in lines[1:]]
    return ("\n".join(lines) + "\n").encode(), (expected(table),)


def _columns_moved(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    order = random.sample(range(len(table[0])), len(table[0]))
    return _text([[row[i] for i in order] for row in table], padded).encode(), (expected(table),)


def _no_epoch(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    table[0][0] = random.choice(("Epoch", "epochs", "step", ""))
    return _text(table, padded).encode(), (ERROR,)


def _no_text(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    raw = _text(table, padded).encode()
    at = random.randrange(3, len(raw) - 1)
    return raw[:at] + random.choice((b"\xff", b"\xc3\x28", b"\0")) + raw[at:], (ERROR,)


def _nothing(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    return random.choice((b"", b"\n\n", b"\xef\xbb\xbf", _text(table[:1], padded).encode(), b"\0" * 99)), (ERROR,)


def _cut_off(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    raw = cut(random, _text(table, padded).encode())
    return raw, second_reader(raw)


def _bytes_flipped(random: Random, table: Table, padded: bool) -> tuple[bytes, tuple[Any, ...]]:
    raw = flipped(random, _text(table, padded).encode())
    return raw, second_reader(raw)


def second_reader(raw: bytes) -> tuple[Any, ...]:
    """Readings that are right for any bytes: every number stands in the file, at its place, or the file is refused.

    Written from the format alone: the lines with as many cells as the header, each cell a number or NaN. A last line
    without an end may be left out or kept. Where the damage makes a header of a line, or text of a column, only a
    refusal or the same numbers count.
    """
    try:
        lines = [line for line in raw.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    except UnicodeDecodeError:
        return (ERROR,)
    if not lines or b"\0" in raw.rstrip(b"\0"):
        return (ERROR,)
    table = [[c.strip() for c in line.split(",")] for line in lines]
    header = table[0]
    if "epoch" not in header:
        return (ERROR,)
    keep = [i for i, name in enumerate(header) if name and name not in header[:i]]
    body = []
    for row in table[1:]:
        while len(row) > len(header) and not row[-1]:
            row.pop()
        if len(row) == len(header) and "epoch" not in row:
            body.append([row[i] for i in keep])
    names = [header[i] for i in keep]
    at = names.index("epoch")
    names = ["epoch", *names[:at], *names[at + 1 :]]
    body = [[row[at], *row[:at], *row[at + 1 :]] for row in body]
    readings = [_reading(names, body)]
    if not raw.endswith(b"\n"):
        readings.append(_reading(names, body[:-1]))
    return tuple(readings)


def _reading(names: list[str], body: list[list[str]]) -> Any:
    """Columns that the damage turned into text are left out where they are no metrics (their name is damaged too)."""
    whole = [_number(row[0]) for row in body]
    if not body or not all(math.isfinite(e) and e == int(e) and 0 <= e <= 10_000_000 for e in whole):
        return ERROR
    return expected([names, *body])


MUTATIONS: tuple[Callable[..., tuple[bytes, tuple[Any, ...]]], ...] = (
    _sound, _garbage_cell, _empty_cell, _garbage_epoch, _other_width, _rows_moved, _second_header, _blank_lines,
    _quoted, _columns_moved, _no_epoch, _no_text, _nothing, _cut_off, _bytes_flipped,
)  # fmt: skip


def draw(random: Random) -> Case:
    """One case."""
    mutate = random.choice(MUTATIONS)
    padded = mutate is not _quoted and random.random() < 0.3
    data, right = mutate(random, _table(random, padded), padded)
    return Case(mutate.__name__[1:].replace("_", " "), data, right)


TARGET = Target("results.csv", draw, read)
