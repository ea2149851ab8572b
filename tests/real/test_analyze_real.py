"""`drift analyze` and `drift replicate` on a real resumed run, through every way in."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

import analyzer

LOOSE = [f"{name}=1000" for name in ("loss", "map")]  # margins: four epochs are too few for the automatic ones
MARGINS = [word for term in LOOSE for word in ("--margin", term)]
N = 3


def call(*arguments, module=True):
    drift = [sys.executable, "-m", "analyzer"] if module else [str(Path(sys.executable).parent / "drift")]
    command = [*drift, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))


def analyze(run, *arguments, module=True):
    done = call("analyze", run, "--json", *arguments, module=module)
    assert done.returncode in (0, 10, 11), done.stderr
    return json.loads(done.stdout), done


def result(document):
    """The document without clocks, folders and what this call cost."""
    volatile = {"created", "command", "cost", "plan", "study", "environment", "replicates", "run"}
    kept = {k: v for k, v in document.items() if k not in volatile}
    kept["replay"] = document["replay"] and document["replay"]["outcome"]
    kept["revalidation"] = document["revalidation"] and without_clock(document["revalidation"])
    rows = [[r["seed"], r["arm"], [e["printed"] for e in r["epochs"]]] for r in document["replicates"]]
    return {**kept, "checkpoint": document["checkpoint"] and document["checkpoint"]["sha256"], "rows": rows}


def without_clock(step):
    details = {k: v for k, v in step["details"].items() if k != "seconds"}
    return {**step, "details": details, "summary": re.sub(r"[\d.]+ s\)", "s)", step["summary"])}


def texts(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def study(resumed_run, copy_run, tmp_path_factory):
    """A run with a finished study, and its document. Copy it before anything writes into it."""
    run = copy_run(resumed_run, tmp_path_factory.mktemp("analyzed") / "run")
    document, done = analyze(run, "--replicates", N, *MARGINS)
    return run, document, done


@pytest.fixture
def own_run(resumed_run, copy_run, tmp_path):
    return copy_run(resumed_run, tmp_path / "run")


def test_module_command_and_python_call_agree(study):
    run, document, done = study
    assert document["n_replicates"] == N
    assert document["cost"]["epochs_trained"] == N + 1  # the replay
    assert document["replay"]["outcome"] == "same"
    assert done.returncode == {"NOISE": 0, "NEGLIGIBLE": 0, "FAULT": 10, "INCONCLUSIVE": 11}[document["verdict"]]
    again, _ = analyze(run, "--replicates", N, *MARGINS, module=False)
    called = analyzer.analyze(run, replicates=N, margins=LOOSE).to_dict()
    for other in (again, called):
        assert result(other) == result(document)
        assert (other["cost"]["epochs_trained"], other["cost"]["reused"]) == (0, N + 1)


def test_another_study_of_the_same_seeds_gives_the_same_numbers(study, tmp_path, monkeypatch):
    run, document, _ = study
    monkeypatch.chdir(tmp_path)
    other, _ = analyze(run, "--replicates", N, *MARGINS, "--out", "relative")
    assert other["cost"]["epochs_trained"] == N + 1
    assert result(other) == result(document)
    assert list((tmp_path / "relative").glob("*/report.json"))


def test_replicate_first_makes_analyze_instant_and_keeps_the_checkpoint(killed_run, demo_runs, tmp_path):
    run = demo_runs.copy_run(killed_run, tmp_path / "run")
    demo_runs.relocate(run)
    done = call("replicate", run / "weights" / "last.pt", "-n", N)
    assert done.returncode == 0, done.stderr
    demo_runs.resume_and_kill(run, 4)
    for file in (run / "weights").glob("epoch*.pt"):
        file.unlink()
    document, _ = analyze(run, "--replicates", N, "--no-replay")
    assert Path(document["checkpoint"]["path"]).is_relative_to(run / "drift" / "seams")
    assert (document["cost"]["epochs_trained"], document["cost"]["reused"]) == (0, N)


def test_a_changed_allowed_argument_gives_a_second_arm(killed_run, demo_runs, tmp_path):
    run = demo_runs.copy_run(killed_run, tmp_path / "run")
    demo_runs.relocate(run)
    demo_runs.resume_and_kill(run, 4, batch=8)
    document, _ = analyze(run, "--replicates", 2, "--no-replay", *MARGINS)
    assert [(c["name"], c["before"], c["after"]) for c in document["argument_changes"]] == [("batch", 4, 8)]
    assert sorted({a["name"] for a in document["arms"]}) == ["as-configured", "healthy"]
    healthy = {r["seed"] for r in document["replicates"] if r["arm"] == "healthy"}
    assert healthy == {r["seed"] for r in document["replicates"] if r["arm"] != "healthy"} and len(healthy) == 2
    assert all(m["changed_arguments"] is not None for m in document["metrics"] if m["deciding"])
    shown = call("report", run).stdout
    assert "2 resumes as configured and 2 healthy ones on the same seeds" in " ".join(shown.split())


def test_two_epochs(killed_run, resume_run, tmp_path):
    run = resume_run(killed_run, tmp_path / "run", epochs=2)
    document, _ = analyze(run, "--epochs", 2, "--replicates", 2, "--no-replay", *MARGINS)
    assert all([e["epoch"] for e in r["epochs"]] == [4, 5] for r in document["replicates"])
    assert {p["epoch"] for p in document["paths"]} == {4, 5}
    assert document["cost"]["epochs_trained"] == 4


def test_a_spent_budget_is_inconclusive_and_says_what_is_missing(own_run):
    document, done = analyze(own_run, "--replicates", 4, "--budget", "2epochs", "--no-replay", *MARGINS)
    assert (document["verdict"], done.returncode) == ("INCONCLUSIVE", 11)
    assert document["cost"]["epochs_trained"] == document["n_replicates"] == 2
    assert any("2 of at least 4" in reason for reason in document["reasons"])
    assert any("--budget" in way for way in document["settle"])
    for budget in ("0epochs", "0s"):
        document, _ = analyze(own_run, "--replicates", 4, "--budget", budget, "--out", own_run / "drift" / "none")
        assert (document["verdict"], document["n_replicates"]) == ("INCONCLUSIVE", 0)


def test_a_dry_run_trains_and_writes_nothing(own_run):
    before = texts(own_run)
    document, done = analyze(own_run, "--dry-run")
    assert done.returncode == 0
    assert document["cost"]["epochs_trained"] == 0 and document["plan"]["replicates"] > 0
    assert texts(own_run) == before


def test_without_its_checkpoint_history_is_what_is_left(own_run):
    for file in (own_run / "weights").glob("epoch*.pt"):
        file.unlink()
    document, done = analyze(own_run)
    assert document["history_only"] and document["cost"]["epochs_trained"] == 0
    assert "drift replicate" in done.stderr
    assert any("history only" in reason for reason in document["reasons"])


def test_divergence_is_an_outcome(own_run, demo_runs, tmp_path):
    edited = demo_runs.edit_checkpoint(own_run / "weights" / "epoch2.pt", tmp_path / "edited.pt", box=1e38)
    document, done = analyze(own_run, "--checkpoint", edited, "--replicates", 2, "--no-replay", *MARGINS)
    outcomes = {r["arm"].split("-")[0]: r["outcome"] for r in document["replicates"]}
    assert outcomes == {"healthy": "diverged", "as": "ok"}
    assert "Traceback" not in done.stderr
    again, _ = analyze(own_run, "--checkpoint", edited, "--replicates", 2, "--no-replay", *MARGINS)
    assert again["cost"]["epochs_trained"] == 0  # a divergence is not tried again
    assert result(again) == result(document)


def test_a_run_that_diverged_is_never_noise(own_run):
    lines = (own_run / "results.csv").read_text().splitlines()
    cells = lines[-1].split(",")
    cells[2:5] = ["nan"] * 3
    (own_run / "results.csv").write_text("\n".join([*lines[:-1], ",".join(cells)]) + "\n")
    document, done = analyze(own_run, "--replicates", 2, "--no-replay", *MARGINS)
    assert (document["verdict"], done.returncode) == ("FAULT", 10)  # by chance or not, the training is lost
    assert any("the observed row diverged" in warning for warning in document["warnings"])
    assert call("analyze", own_run, "--history-only").returncode == 10


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_running_training_keeps_its_device(killed_run, demo_runs, tmp_path):
    run = demo_runs.copy_run(killed_run, tmp_path / "run")
    checkpoint = demo_runs.relocate(run, epochs=5000)
    script = Path(demo_runs.__file__).parent / "plain_training.py"
    command = [sys.executable, str(script), "resume", json.dumps({"model": str(checkpoint), "args": {}})]
    environment, where = demo_runs.child_environment(tmp_path), run / "results.csv"
    rows = len(where.read_text().splitlines())
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as training:
        try:
            until = time.monotonic() + 60
            while len(where.read_text().splitlines()) < rows + 2 and time.monotonic() < until:
                time.sleep(0.05)
            refused = call("analyze", run, "--replicates", 1, "--no-replay")
            looked = call("analyze", run, "--dry-run")
        finally:
            training.kill()
    assert refused.returncode == 12
    assert "A training is still running" in refused.stderr and "--share-device" in refused.stderr
    assert str(training.pid) in refused.stderr
    assert looked.returncode == 0, looked.stderr
    shared = call("analyze", run, "--replicates", 1, "--no-replay", "--share-device")
    assert shared.returncode in (0, 10, 11), shared.stderr


def test_a_class_name_is_text_in_every_report(own_run, tmp_path):
    name = "<script>alert(1)</script>"
    stored = yaml.safe_load((own_run / "args.yaml").read_text(encoding="utf-8"))["data"]
    content = yaml.safe_load(Path(stored).read_text(encoding="utf-8"))
    content["names"][0] = name
    content["path"] = str(Path(stored).parent)
    hostile = tmp_path / "hostile.yaml"
    hostile.write_text(yaml.safe_dump(content), encoding="utf-8")
    pages = {kind: tmp_path / f"report.{kind}" for kind in ("html", "markdown", "junit")}
    reports = [word for kind, path in pages.items() for word in ("--report", f"{kind}={path}")]
    done = call("analyze", own_run, "--history-only", "--data", hostile, *reports)
    assert done.returncode in (0, 10, 11), done.stderr
    html = pages["html"].read_text(encoding="utf-8")
    assert name not in html and "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert name not in pages["junit"].read_text(encoding="utf-8")
    outside_code = re.sub(r"`[^`]*`", "", pages["markdown"].read_text(encoding="utf-8"))
    assert name not in outside_code
