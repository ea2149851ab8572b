"""`drift calibrate`: resumable, sharded, on simulated and on recorded rows; a few draws a cell."""

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from analyzer.calibration import calibrate as module
from analyzer.calibration.grid import CellResult, requirements_of
from analyzer.calibration.operating import Shares, shares
from analyzer.calibration.recorded_rows import read_recorded
from analyzer.calibration.simulate import Cell, draw_rows
from analyzer.cli.app import app
from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.replicates.store import Store

COLUMNS = ("train/box_loss", "metrics/precision(B)", "metrics/mAP50(B)", "val/box_loss", "lr/pg0")
runner = CliRunner()


def drift(work, *arguments):
    words = ["calibrate", "--draws", "200", "--replicates", "3", "--work", str(work), *map(str, arguments)]
    return runner.invoke(app, words, env={"TERM": "dumb"})


def document(work, *arguments):
    done = drift(work, *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def rows(count, seed=0):
    values = 1 + 0.01 * draw_rows("normal", (count,), np.eye(5), np.random.default_rng(seed))
    values[:, 4] = 0.001
    return values.round(5)


def write_study(folder, count):
    store = Store(folder, "seam9-0123456789ab")
    for i, row in enumerate(rows(count)):
        printed = dict(zip(COLUMNS, map(float, row), strict=True))
        store.put(Replicate("healthy", i, Outcome.OK, (EpochRecord(9, printed, printed, 1.0),)))
    return store.path


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    work = tmp_path_factory.mktemp("work")
    return work, document(work)


def test_a_cell_is_what_the_simulation_gives(grid):
    _, found = grid
    assert found["complete"]
    assert len(found["cells"]) == 4 * 6 * 2
    shifted = next(c for c in found["cells"] if c["shift"] == 10)
    assert shifted["simultaneous_coverage"] is None
    assert shifted["fault"] > 0.4


def test_the_second_call_computes_nothing(grid, monkeypatch):
    work, found = grid
    monkeypatch.setattr(module, "shares_together", None)
    assert document(work) == found


def test_a_damaged_block_is_made_again_and_another_rule_makes_new_ones(grid, tmp_path, monkeypatch):
    work, found = grid
    for file in work.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    next(tmp_path.iterdir()).write_text('{"facts":')
    assert document(tmp_path) == found
    monkeypatch.setattr(module, "_code_digest", lambda: "other")
    assert document(tmp_path)["cells"] == found["cells"]
    assert len(list(tmp_path.iterdir())) == 8


def test_shards_make_the_same_grid(grid, tmp_path):
    first = drift(tmp_path, "--shard", "1/2")
    assert first.exit_code == 0
    assert first.stdout == ""
    assert "2 of 4 blocks" in first.stderr
    assert document(tmp_path, "--shard", "2/2") == grid[1]


def test_stopped_between_blocks_it_goes_on(grid, tmp_path, monkeypatch):
    made, real = [], module.shares_together

    def interrupted(*args, **kwargs):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(module, "shares_together", interrupted)
    assert drift(tmp_path).exit_code == 130
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(module, "shares_together", real)
    assert document(tmp_path) == grid[1]


def test_tables(grid, tmp_path):
    out = tmp_path / "grid.json"
    shown = drift(grid[0], "--out", out).stdout
    assert json.loads(out.read_text()) == grid[1]
    assert re.search(r"\| skew-normal \| 3 \| 0\.\d{4} \| ", shown)
    assert re.search(r"\| FAULT on healthy \| 0\.05 \| <= 0\.08082 \| 4 of 4 \| - \|", shown)


def test_recorded_rows_of_a_study_and_of_a_file(grid, tmp_path):
    study = write_study(tmp_path / "run" / "drift", 12)
    (tmp_path / "set.json").write_text(json.dumps([{"columns": COLUMNS, "rows": rows(30).tolist()}] * 2))
    found = document(grid[0], tmp_path / "run", tmp_path / "set.json")
    assert {c["source"] for c in found["cells"]} >= {study.name, "set", "set (2)"}
    (read,) = read_recorded([study])
    assert read.rows.shape == (12, 3)  # precision does not decide, the learning rate is constant
    assert read.groups.tolist() == [0, 1, 1]


def test_too_few_rows_leave_the_design_out_and_say_so(tmp_path):
    study = write_study(tmp_path / "drift", 4)
    done = drift(tmp_path / "work", study, "--replicates", "8")
    said = done.stderr.replace("\n", " ")
    assert "left out for N = 8, which takes 9 different rows" in said
    assert done.exit_code == 0


def test_few_rows_are_used_and_the_limit_of_what_they_say_is_told(tmp_path):
    study = write_study(tmp_path / "drift", 25)
    said = drift(tmp_path / "work", study, "--replicates", "3").stderr
    assert "the same 25 rows are drawn again and again" in said
    assert "to about 0.10" in said


@pytest.mark.parametrize("text", ["{}", "[1]", "nothing", '{"columns": ["a"], "rows": [["x"]]}'])
def test_what_holds_no_rows_is_said_in_a_sentence(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    done = drift(tmp_path / "work", tmp_path / "x.json")
    assert done.exit_code == 12
    assert "x.json" in done.stderr
    assert drift(tmp_path / "work", tmp_path).exit_code == 12  # a folder without studies


@pytest.mark.parametrize("wrong", [("--shard", "3/2"), ("--alpha", "0.7"), ("--replicates", "1"), ("--draws", "5")])
def test_options_that_make_no_sense(tmp_path, wrong):
    assert drift(tmp_path, *wrong).exit_code == 2


def cell(n, shift, fault, inconclusive=0.0, draws=20_000):
    made = Shares(draws, 0.0, 0.0, fault, inconclusive, 0.0, 0.95, 0.96, 5.0)
    return CellResult("normal", n, 0.05, shift, 1, made)


@pytest.mark.parametrize(
    ("what", "met"),
    [
        (cell(5, 0.0, 0.0530), [True]),  # 0.05 + 2 sqrt(0.05 0.95 / 20000) = 0.05308
        (cell(5, 0.0, 0.0531), [False]),
        (cell(12, 0.0, 0.0, 0.201), [True, False]),
        (cell(8, 8.0, 0.80), [True]),
        (cell(12, 6.0, 0.79), [False]),
        (cell(12, 8.0, 0.1), []),
        (cell(None, 6.0, 0.1), []),
    ],
)
def test_requirements(what, met):
    assert [r.met for r in requirements_of(what)] == met


def test_drawn_together_is_drawn_apart():
    """The shared draws change no cell: each is what it is alone with the same generator."""
    from analyzer.calibration.operating import shares_together

    cells = [Cell("t5-common", 19, shift=s, shifted=(0,) if s else ()) for s in (0.0, 6.0)]
    together = shares_together(cells, 300, np.random.default_rng(3), alphas=[0.04, 0.008], auto=True)
    for one, by_level in zip(cells, together, strict=True):
        for alpha, found in zip((0.04, 0.008), by_level, strict=True):
            alone = shares(one, 300, np.random.default_rng(3), alpha_null=alpha, auto=True)
            assert (alone.fault, alone.noise, alone.mean_replicates) == (
                found.fault,
                found.noise,
                found.mean_replicates,
            )
    with pytest.raises(ValueError, match="shift only"):
        shares_together([cells[0], Cell("normal", 19)], 100, np.random.default_rng(3), alphas=[0.04])
