import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

WILD = Path(__file__).parents[2] / ".." / "shared" / "wild"


def write_run(folder, values, time=None):
    folder.mkdir(parents=True)
    lines = ["epoch,time,train/box_loss,metrics/mAP50(B)"]
    for i, value in enumerate(values):
        seconds = 10.0 * (i + 1) if time is None else time[i]
        lines.append(f"{i + 1},{seconds},{value:.5f},{0.5 + 0.001 * i:.5f}")
    (folder / "results.csv").write_text("\n".join(lines) + "\n")
    return folder


def scan(*places):
    command = [sys.executable, "-m", "analyzer", "scan", *map(str, places)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_abnormal_epoch_and_a_seam_are_found(tmp_path):
    rng = np.random.default_rng(1)
    calm = 2 - 0.01 * np.arange(60) + 0.01 * rng.standard_normal(60)
    odd = calm.copy()
    odd[45] += 3.0
    write_run(tmp_path / "a" / "calm", calm)
    write_run(tmp_path / "a" / "odd", odd)
    write_run(tmp_path / "b", calm, time=[10.0 * (i + 1 if i < 30 else i - 29) for i in range(60)])
    done = scan(tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    runs = {Path(r["path"]).name: r for r in json.loads(done.stdout)["runs"]}
    assert runs["calm"]["alarms"] == []
    assert runs["calm"]["seams"] == []
    assert 46 in [a["epoch"] for a in runs["odd"]["alarms"]]
    assert runs["odd"]["alarms"][0]["adverse"] is True
    assert [s["epoch"] for s in runs["b"]["seams"]] == [31]


def test_a_broken_run_stops_nothing(tmp_path):
    write_run(tmp_path / "good", 2 - 0.01 * np.arange(30))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "results.csv").write_bytes(b"\xff\xd8\xff\xe0JPEG")
    done = scan(tmp_path)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "good" in done.stdout


def test_nothing_to_scan_is_one_sentence(tmp_path):
    done = scan(tmp_path)
    assert done.returncode == 12
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not WILD.exists(), reason="the collection of public runs is not here")
def test_every_public_run_is_read():
    done = scan(WILD / "runs", "--json")
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)["runs"]
    assert len(runs) == 164
    assert [r["path"] for r in runs if r["error"]] == []
