"""Whatever is written as Ultralytics writes it is read back; whatever is not gives a clear error."""

import contextlib
import math
import string

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import RunError
from analyzer.runs.results import read_history
from analyzer.runs.same_value import same_value
from analyzer.runs.seams import find_seams

NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64)
COLUMN = st.text(string.ascii_letters + "/()-0_", min_size=1, max_size=20).map(lambda s: f"train/{s}")
TABLES = st.integers(1, 6).flatmap(
    lambda width: st.tuples(
        st.lists(COLUMN, min_size=width, max_size=width, unique=True),
        st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=1, max_size=20),
    )
)


def folder(factory):
    return factory.mktemp("csv") / "results.csv"


@settings(max_examples=150, deadline=None)
@given(table=TABLES, padded=st.booleans(), crlf=st.booleans(), bom=st.booleans(), newline=st.booleans())
def test_what_ultralytics_writes_is_read_back(tmp_path_factory, table, padded, crlf, bom, newline):
    columns, rows = table
    head, cell = ("%23s", "%23.5g") if padded else ("%s", "%.6g")
    lines = [",".join(head % c for c in ("epoch", *columns))]
    lines += [",".join(cell % v for v in (i + 1, *row)) for i, row in enumerate(rows)]
    text = ("\r\n" if crlf else "\n").join(lines) + (("\r\n" if crlf else "\n") if newline else "")
    file = folder(tmp_path_factory)
    file.write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.encode())
    h = read_history(file)
    expected = np.array([[float(cell % v) for v in row] for row in rows])
    assert h.epochs.tolist() == list(range(1, len(rows) + 1))
    assert h.columns == tuple(columns)
    np.testing.assert_array_equal(h.values, expected)
    assert np.isfinite(h.units).all()
    assert (h.units >= 1e-12).all()


@settings(max_examples=150, deadline=None)
@given(values=st.lists(st.floats(1e-4, 1e4), min_size=1, max_size=30))
def test_a_unit_is_no_coarser_than_the_print_of_the_largest_value(tmp_path_factory, values):
    file = folder(tmp_path_factory)
    printed = [f"{round(v, 5):.6g}" for v in values]
    file.write_text("epoch,train/x\n" + "".join(f"{i},{v}\n" for i, v in enumerate(printed)))
    unit = read_history(file).unit("train/x")
    largest = max(float(p) for p in printed)
    assert 1e-5 * (1 - 1e-9) <= unit <= max(1e-5, 10.0 ** (math.floor(math.log10(largest or 1)) - 5)) * (1 + 1e-9)


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=300) | st.text(max_size=300).map(lambda s: s.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(tmp_path_factory, raw):
    file = folder(tmp_path_factory)
    for prefix in (b"", b"epoch,time,train/x\n1,2,3\n"):
        file.write_bytes(prefix + raw)
        with contextlib.suppress(RunError):
            assert len(read_history(file)) >= 1


@settings(max_examples=200, deadline=None)
@given(
    processes=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    epoch=st.floats(2.0, 1000.0),
    first=st.lists(st.floats(1.0, 1.4), min_size=5, max_size=5),
    jitter=st.lists(st.floats(0.8, 1.2), min_size=60, max_size=60),
)
def test_every_process_boundary_is_found_and_no_other(tmp_path_factory, processes, epoch, first, jitter):
    """Steady epochs (within 20 %), first epochs up to 40 % longer: seams are exactly the starts of processes."""
    noise = iter(jitter)
    times, starts, row = [], [], 0
    for k, n in enumerate(processes):
        t = 0.0
        starts.append(row)
        for i in range(n):
            t += epoch * next(noise) * (first[k] if i == 0 else 1.0)
            times.append(t)
            row += 1
    # A process of one or two rows can be followed by one whose first row looks like its next epoch: no method can tell.
    for k in range(1, len(processes)):
        step = times[starts[k]] - times[starts[k] - 1]
        if step > 0.15 * epoch:
            return
    file = folder(tmp_path_factory)
    file.write_text("epoch,time,train/x\n" + "".join(f"{i + 1},{t:.6g},1\n" for i, t in enumerate(times)))
    assert [s.row for s in find_seams(read_history(file))] == starts[1:]


@given(value=st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.floats()))
def test_a_value_is_the_same_as_itself(value):
    for name in ("lr0", "device", "cache", "freeze", "data", "imgsz", "classes", "amp", "optimizer", "scale"):
        assert same_value(name, value, value)
