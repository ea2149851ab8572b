"""After any command the run and the data are byte-identical, but for RUN/drift."""

import hashlib
import os
import subprocess
import sys

import pytest


def snapshot(folder, *, without=()):
    return {
        p.relative_to(folder).as_posix(): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns)
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.relative_to(folder).parts[0] not in without
    }


def drift(*arguments, cwd):
    command = [sys.executable, "-m", "analyzer", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, env=dict(os.environ))


@pytest.fixture
def own_run(resumed_run, copy_run, tmp_path):
    return copy_run(resumed_run, tmp_path / "run")


def test_no_command_changes_run_or_data(own_run, killed_run, tmp_path, request):
    data = killed_run.parent / "data"
    for cache in data.rglob("*.cache"):
        cache.unlink()  # so that a cache built beside the labels would show
    truncated = min((data / "images" / "train").glob("*.jpg"))
    whole = truncated.read_bytes()
    truncated.write_bytes(whole[:-2] + b"\x00\x00")  # Ultralytics would re-save this image
    request.addfinalizer(lambda: truncated.write_bytes(whole))  # the data set is shared by the session
    before = snapshot(own_run), snapshot(data)
    checkpoint = own_run / "weights" / "epoch2.pt"
    seam = ("--seam", 4)  # without a column `time` (before 8.3.10) a seam has to be given
    commands = [
        ("analyze", own_run, *seam, "--dry-run"),
        ("analyze", own_run, *seam, "--history-only"),
        ("replicate", checkpoint, "-n", 2),
        ("analyze", own_run, *seam, "--replicates", 3, "--checkpoint", checkpoint),
        ("analyze", own_run, *seam, "--replicates", 3, "--out", tmp_path / "elsewhere"),
    ]
    for command in commands:
        done = drift(*command, cwd=tmp_path)
        assert done.returncode in (0, 10, 11), done.stderr
        assert (snapshot(own_run, without=("drift",)), snapshot(data)) == before, command
    assert sorted(p.name for p in own_run.glob("results*")) == ["results.csv"]
    assert (own_run / "drift").is_dir()
    assert list((tmp_path / "elsewhere").glob("*/report.json"))


def test_no_tracker_sees_a_replicate_and_settings_stay(own_run, tmp_path):
    """A stand-in for MLflow on the path would be imported by Ultralytics' callbacks if they were attached."""
    fake = tmp_path / "site" / "mlflow"
    fake.mkdir(parents=True)
    (fake / "__init__.py").write_text(f"open({str(tmp_path / 'seen')!r}, 'w').close()\n__version__ = '2.0'\n")
    config = tmp_path / "config"
    config.mkdir()
    settings = config / "settings.json"
    settings.write_text('{"mlflow": true}')
    path = os.pathsep.join(filter(None, (str(tmp_path / "site"), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": path, "YOLO_CONFIG_DIR": str(config)}
    command = [sys.executable, "-m", "analyzer", "analyze", str(own_run), "--seam", "4", "--replicates", "2"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode in (0, 10, 11), done.stderr
    assert not (tmp_path / "seen").exists()
    assert settings.read_text() == '{"mlflow": true}'
    assert [p.name for p in config.iterdir()] == ["settings.json"]
