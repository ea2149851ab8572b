"""`drift plan`: replicates needed for a jump, from pilot replicates or from history; nothing is trained."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from analyzer.cli.app import app
from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.replicates.store import Store
from analyzer.stats.power import plan

WILD = Path(__file__).parents[2] / ".." / "shared" / "wild"
COLUMNS = ("train/box_loss", "metrics/mAP50(B)")
runner = CliRunner()


def drift(*arguments):
    return runner.invoke(app, ["plan", *map(str, arguments)], env={"COLUMNS": "80", "TERM": "dumb"})


def document(*arguments):
    done = drift(*arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def write_run(folder, rows=30, restart=None, noise=0.01):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    lines = ["epoch,time," + ",".join(COLUMNS)]
    for i in range(rows):
        seconds = 36.0 * (i + 1 if restart is None or i < restart else i + 1 - restart)
        loss, score = 2 - 0.01 * i + noise * rng.standard_normal(), 0.5 + noise * rng.standard_normal()
        lines.append(f"{i + 1},{seconds},{loss:.5f},{score:.5f}")
    (folder / "results.csv").write_text("\n".join(lines) + "\n")
    return folder


def write_pilot(run, n, sd, epoch):
    store = Store(run / "drift", f"seam{epoch}-0123456789ab")
    store.describe({"checkpoint": "0" * 64, "epoch": epoch - 2})
    for seed, z in enumerate(np.linspace(-1, 1, n)):
        row = {"train/box_loss": 1.7 + sd * z, "metrics/mAP50(B)": 0.5 + sd * z}
        store.put(Replicate("healthy", seed, Outcome.OK, (EpochRecord(epoch, row, row, 30.0),)))


def test_a_run_without_a_seam_plans_the_next_resume(tmp_path):
    found = document(write_run(tmp_path / "run"), "--jump", "loss=0.2", "--jump", "map=0.2")
    assert (found["seam"], found["is_next"], found["pilot"]) == (31, True, 0)
    assert found["epoch_seconds"] == 36.0
    for metric in found["metrics"]:
        assert metric["sd_source"] == "history"
        assert 0.003 < metric["sd"] < 0.03
        assert metric["needs"][0]["replicates"] == 3
        assert metric["needs"][0]["hours"] == pytest.approx(0.03)
        assert metric["detectable"] == sorted(metric["detectable"], reverse=True)
        assert metric["limit"] < metric["detectable"][-1]


def test_replicates_needed_is_the_smallest_number_with_the_power(tmp_path):
    run = write_run(tmp_path / "run")
    sd = document(run)["metrics"][0]["sd"]
    metric = document(run, "--jump", f"loss={4.4 * sd}", "--power", "0.85")["metrics"][0]
    n = metric["needs"][0]["replicates"]
    assert n > 3

    def power(k):
        return plan(4.4, family=2, alpha_null=0.04, prior_df=metric["prior_df"], numbers=(k,)).points[0].power

    assert power(n) >= 0.85 > power(n - 1)
    assert metric["needs"][0]["trained_epochs"] == n
    assert metric["needs"][1]["trained_epochs"] == 2 * metric["needs"][1]["replicates"]


def test_a_jump_below_the_noise_is_out_of_reach(tmp_path):
    run = write_run(tmp_path / "run")
    metric = document(run, "--jump", "loss=0.001")["metrics"][0]
    assert all(n["out_of_reach"] and n["replicates"] is None for n in metric["needs"])
    text = drift(run, "--jump", "loss=0.001").stdout
    assert "out of reach" in text
    assert "Out of reach, however many replicates" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_default_jump_is_out_of_reach_of_a_history_and_what_can_be_seen_is_shown_with_its_cost(tmp_path):
    text = drift(write_run(tmp_path / "run"), "--alpha", "0.001").stdout
    said = " ".join(text.split())
    assert "the noise of the one observed epoch hides it. What N replicates do see stands in the next table" in said
    (hours,) = [line.split() for line in text.splitlines() if line.startswith("hours")]
    assert [float(h) for h in hours[1:]] == pytest.approx([0.01 * n for n in (3, 5, 8, 12, 19, 39)])  # 36 s an epoch


def test_the_spread_is_that_of_the_pilot_where_there_is_one(tmp_path):
    run = write_run(tmp_path / "run", restart=25)
    before = document(run, "--jump", "loss=0.35")
    assert (before["seam"], before["is_next"]) == (26, False)
    write_pilot(run, 2, 0.1, 26)
    too_few = document(run, "--jump", "loss=0.35")
    assert too_few["pilot"] == 0
    assert "too few" in " ".join(too_few["notes"])
    write_pilot(run, 8, 0.1, 26)
    after = document(run, "--jump", "loss=0.35")
    assert after["pilot"] == 8
    assert all(m["sd_source"].startswith("replicates") for m in after["metrics"])
    assert after["metrics"][0]["sd"] > 3 * before["metrics"][0]["sd"]
    assert after["metrics"][0]["needs"][0]["replicates"] > before["metrics"][0]["needs"][0]["replicates"]
    assert document(run, "--seam", "20", "--jump", "loss=0.35")["pilot"] == 0  # the pilot of another epoch


def test_a_short_history_plans_with_a_pilot_only(tmp_path):
    run = write_run(tmp_path / "run", rows=4)
    done = drift(run)
    assert done.exit_code == 12
    assert done.stderr.count("\n") == 1
    assert "drift replicate" in done.stderr
    write_pilot(run, 5, 0.01, 5)
    found = document(run)
    assert [m["sd_source"] for m in found["metrics"]] == ["replicates", "replicates"]
    assert found["metrics"][0]["jump"] is None
    assert "give --jump" in drift(run).stdout


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--jump", "nothing=1"], 2, "--jump 'nothing=1'"),
        (["--jump", "loss=-1"], 2, "no positive number"),
        (["--jump", "loss"], 2, "METRIC=VALUE"),
        (["--seam", "99"], 2, "no such epoch"),
        (["--power", "1.5"], 2, "0.5 and 0.999"),
        (["--checkpoint", "missing.pt"], 12, "missing.pt"),
    ],
)
def test_bad_input_is_said(tmp_path, options, code, said):
    done = drift(write_run(tmp_path / "run"), *options)
    assert done.exit_code == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not WILD.exists(), reason="the collection of public runs is not here")
def test_public_runs_are_planned_or_refused_in_one_sentence():
    planned = 0
    for run in sorted((WILD / "runs").iterdir())[::20]:
        done = drift(run)
        assert done.exit_code in (0, 12), run
        assert "fault of drift" not in done.stderr, run
        planned += done.exit_code == 0
        assert max(map(len, done.stdout.splitlines()), default=0) <= 80 or done.exit_code
    assert planned >= 3
