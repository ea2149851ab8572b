"""`drift seam` against plain Ultralytics: two epochs in one process, and the second one through a saved checkpoint."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analyzer.cli.app import app
from analyzer.domain.progress import Silent
from analyzer.pipeline.request import ReplicateRequest
from analyzer.pipeline.resume_effect import measure_seam
from analyzer.replicates.seeds import replicate_seeds, second_seed
from analyzer.replicates.store import Store
from tests import ROOT

PLAIN = """
import json, os, random, shutil, sys
from pathlib import Path
from tests.support.reference_resume import row, np, torch, YOLO

checkpoint, folder, seeds = Path(sys.argv[1]), Path(sys.argv[2]), [int(s) for s in sys.argv[3:]]
payload = torch.load(checkpoint, weights_only=False)
payload["train_args"].update(save_dir=str(folder / "run"), project=str(folder), name="run", exist_ok=True)
copy = folder / "last.pt"
torch.save(payload, copy)
rows = []

def reseed(trainer):
    seed = seeds[len(rows)]
    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
    trainer.train_loader.generator.manual_seed(seed)
    trainer.train_loader.reset()

def saved(trainer):
    if not rows:
        shutil.copy2(trainer.last, folder / "between.pt")

def record(trainer):
    rows.append(row(trainer))
    if len(rows) == len(seeds):
        (folder / "rows.json").write_text(json.dumps(rows))
        os._exit(0)

model = YOLO(str(copy))
model.add_callback("on_train_epoch_start", reseed)
model.add_callback("on_model_save", saved)
model.add_callback("on_fit_epoch_end", record)
model.train(resume=True)
"""


def plain(checkpoint: Path, folder: Path, *seeds: int):
    folder.mkdir()
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PLAIN, str(checkpoint), str(folder), *map(str, seeds)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (folder / "rows.json").exists(), done.stderr[-3000:]
    return json.loads((folder / "rows.json").read_text())


@pytest.fixture(scope="module")
def checkpoint(killed_run, copy_run, tmp_path_factory):
    return copy_run(killed_run, tmp_path_factory.mktemp("seam") / "run") / "weights" / "last.pt"


def test_both_arms_are_bit_identical_to_plain_ultralytics(checkpoint, tmp_path):
    found = measure_seam(ReplicateRequest(checkpoint, replicates=2, out=tmp_path / "drift"), Silent())
    seed = replicate_seeds(0, 2)[0]
    store = Store(tmp_path / "drift", found.study.name)
    memory = store.get("uninterrupted", seed).epochs
    resumed = store.get("through-checkpoint", second_seed(seed)).epochs
    two = plain(checkpoint, tmp_path / "memory", seed, second_seed(seed))
    (again,) = plain(tmp_path / "memory" / "between.pt", tmp_path / "resumed", second_seed(seed))
    assert [dict(e.exact) for e in memory] == two
    assert dict(resumed[0].exact) == again
    assert dict(memory[1].exact) != again  # a resume is no continuation: see docs/METHOD.md
    change = next(m for m in found.metrics if m.name == "train/box_loss")
    assert change.resumed - change.in_memory == pytest.approx(change.difference.difference)
    assert not list((found.study / "between").glob("*.pt"))


def test_it_goes_on_where_it_stopped_and_prints_json(checkpoint, tmp_path):
    def run(*options):
        done = CliRunner().invoke(app, ["seam", str(checkpoint), "-n", "2", "--out", str(tmp_path), *options])
        assert done.exit_code == 0, done.stderr
        return done.stdout

    first = json.loads(run("--json"))
    assert (first["trained"], first["reused"]) == (6, 0)
    study = Path(first["study"])
    lost = study / "replicates" / "through-checkpoint" / f"{second_seed(first['seeds'][1]):010d}.json"
    lost.unlink()  # as if it had been killed before the last resume, and the checkpoint between was lost too
    second = json.loads(run("--json"))
    assert (second["trained"], second["reused"]) == (3, 2)
    assert second["metrics"] == first["metrics"]
    text = run()
    assert "epoch 5" in text
    assert "0 epochs trained, 4 paths" in text.replace("\n", " ")


def test_a_checkpoint_with_one_epoch_left_is_refused(checkpoint, demo_runs, tmp_path):
    late = tmp_path / "late.pt"
    shutil.copy2(checkpoint, late)
    demo_runs.edit_checkpoint(late, late, epochs=4)
    done = CliRunner().invoke(app, ["seam", str(late)])
    assert done.exit_code == 12
    assert "two more epochs are needed" in done.stderr
