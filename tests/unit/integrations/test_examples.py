"""The CI example: its script gives the right exit codes, and its options are those of the command."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from analyzer import pipeline
from analyzer.cli.app import app
from analyzer.errors import CheckpointError

WORKFLOW = Path(__file__).parents[3] / "docs" / "examples" / "ci-resume-audit.yml"
FAKE = '#!/bin/bash\nprintf "%s\\n" "$@" > "$SEEN"\nexit "$CODE"\n'


def run_step(tmp_path, code, replicates):
    (step,) = [s for s in yaml.safe_load(WORKFLOW.read_text())["jobs"]["audit"]["steps"] if s.get("id") == "drift"]
    fake = tmp_path / "drift"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "SEEN": str(tmp_path / "seen"),
        "CODE": str(code),
        "RUN": "runs/detect/train",
        "REPLICATES": replicates,
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    done = subprocess.run(  # as GitHub calls a step with shell: bash
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], env=env, cwd=tmp_path, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    return done, (tmp_path / "seen").read_text().splitlines()


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (10, 10), (11, 0), (12, 12), (2, 2)])
def test_exit_codes(tmp_path, code, expected):
    done, _ = run_step(tmp_path, code, "0")
    assert done.returncode == expected, done.stderr
    assert ("::warning" in done.stdout) is (code == 11)
    assert (tmp_path / "output").read_text() == f"code={code}\n"


@pytest.mark.parametrize("replicates", ["0", "5"])
def test_options_are_known(tmp_path, replicates, monkeypatch):
    _, words = run_step(tmp_path, 0, replicates)
    seen = []

    def analyze(request, _):
        seen.append(request)
        raise CheckpointError("far enough")

    monkeypatch.setattr(pipeline, "analyze", analyze)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 12, done.output
    assert (seen[0].history_only, seen[0].replicates) == (replicates == "0", int(replicates) or None)
