"""``drift resume``: what is shown, what is run, and the exit code; the training and the analysis are fakes."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from analyzer import pipeline
from analyzer.cli.app import app
from analyzer.domain.evidence import Finding, Severity
from analyzer.errors import EngineError
from analyzer.pipeline import resume as steps
from analyzer.report.document import dumps
from tests.support.analyses import document, golden

HARD = Finding("lr-jump", Severity.HARD, "lr0 is 0.1.", "Resume from the unedited checkpoint.")


@pytest.fixture
def done(monkeypatch):
    """What was called, in order; `answer`, `findings` and `train` can be changed."""
    fake = SimpleNamespace(calls=[], answer=golden("noise"), findings=(), error=None)
    checkpoint = SimpleNamespace(path=Path("r/weights/last.pt"), csv_epoch=4, resumes_at=5, sha256="ab" * 32)

    def plan(request):
        fake.request = request
        run = SimpleNamespace(path=Path("r"), history=None)
        return SimpleNamespace(
            request=request, run=run, checkpoint=checkpoint, command=("python", "-m", "yolo", "a b"), root=Path("r/d"),
            seconds_of_replicates=90.0,
        )  # fmt: skip

    def train(command):
        fake.calls.append("train")
        if fake.error:
            raise fake.error

    def say(word, value):
        fake.calls.append(word)
        return value

    monkeypatch.setattr(steps, "plan_resume", plan)
    monkeypatch.setattr(steps, "audit_before", lambda _: say("audit", fake.findings))
    monkeypatch.setattr(steps, "prepare", lambda *_: say("prepare", Path("kept.pt")))
    monkeypatch.setattr(steps, "train", train)
    monkeypatch.setattr(pipeline, "analyze", lambda request, _: say(request, fake.answer))
    return fake


def drift(*arguments):
    return CliRunner().invoke(app, ["resume", "r", *arguments], env={"COLUMNS": "80", "TERM": "dumb"})


@pytest.mark.parametrize(("name", "code"), [("noise", 0), ("fault", 10), ("part", 11)])
def test_the_steps_in_order_and_the_exit_code_of_the_verdict(done, name, code):
    done.answer = golden(name)
    result = drift("--json")
    assert result.exit_code == code, result.stderr
    *order, request = done.calls
    assert order == ["audit", "prepare", "train"]
    assert (request.checkpoint, request.seam, request.history_only) == (Path("kept.pt"), 5, True)
    assert result.stdout == dumps(document(name))  # the plan went to stderr
    assert "'a b'" in result.stderr
    assert drift("--exit-zero").exit_code == 0


def test_options_arrive(done):
    result = drift("--replicates", "4", "--epochs", "2", "--on-fault", "stop", "--alpha", "0.01", "device=1", "batch=8")
    assert result.exit_code == 0, result.stderr
    assert done.request == steps.ResumeRequest(Path("r"), 4, 2, "stop", 0.01, ("device=1", "batch=8"))
    assert "4 healthy resumes of 2 epochs each, about 1 min 30 s" in result.stderr


def test_dry_run_shows_and_does_nothing(done):
    result = drift("--dry-run")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == [
        "Resume", "audit", "snapshot", "training", "report",
    ]  # fmt: skip
    assert done.calls == []


def test_a_certain_fault_is_said_and_stops_only_where_asked(done):
    done.findings = (HARD,)
    result = drift("--on-fault", "stop")
    assert (result.exit_code, done.calls) == (10, ["audit"])
    assert "audit: hard: lr0 is 0.1. Resume from the unedited checkpoint." in result.stderr
    assert drift().exit_code == 0
    assert "train" in done.calls


def test_a_training_that_fails_is_no_verdict(done):
    done.error = EngineError("The resumed training ended with exit code 1.")
    result = drift()
    assert (result.exit_code, done.calls) == (12, ["audit", "prepare", "train"])
    assert "ended with exit code 1" in result.stderr


def test_ctrl_c(done):
    done.error = KeyboardInterrupt()
    assert drift().exit_code == 130
