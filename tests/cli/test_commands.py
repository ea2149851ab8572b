"""Options to one call to an exit code; the pipeline is a fake, everything else is real."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analyzer import pipeline
from analyzer.cli.app import app
from analyzer.errors import CheckpointError, UsageError
from analyzer.report.document import dumps
from tests.support.analyses import document, golden

runner = CliRunner()


class Fake:
    """A pipeline that remembers its request and answers with a given analysis or error."""

    def __init__(self):
        self.answer = golden("noise")
        self.request = None

    def __call__(self, request, progress):
        self.request = request
        progress.start(2, "healthy resumes")
        progress.epoch_fraction(5, 10)
        progress.finished_replicate("healthy", 1, 3.2, False)
        progress.finished_replicate("healthy", 2, 0.0, True)
        progress.message("[not markup]")
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def fake(monkeypatch):
    fake = Fake()
    monkeypatch.setattr(pipeline, "analyze", fake)
    monkeypatch.setattr(pipeline, "replicate", fake)
    return fake


def run(*arguments):
    return runner.invoke(app, list(arguments), env={"COLUMNS": "80", "TERM": "dumb"})


@pytest.mark.parametrize(("name", "code"), [("noise", 0), ("fault", 10), ("part", 11)])
def test_exit_code_is_that_of_the_verdict(fake, name, code):
    fake.answer = golden(name)
    done = run("analyze", "RUN")
    assert done.exit_code == code
    assert done.stdout.startswith(fake.answer.verdict.value)
    assert run("analyze", "RUN", "--exit-zero").exit_code == 0


@pytest.mark.parametrize("name", ["noise", "fault", "part"])
def test_json_is_the_document_alone_on_stdout(fake, name):
    fake.answer = golden(name)
    done = run("analyze", "RUN", "--json")
    assert done.stdout == dumps(document(name))
    assert "healthy replicate 1: 3.2 s" in done.stderr


def test_talk_goes_to_stderr_one_line_a_replicate(fake):
    done = run("analyze", "RUN")
    assert done.stderr.splitlines() == [
        "healthy resumes: 2 epochs at most",
        *[line for line in done.stderr.splitlines() if line.startswith("healthy replicate 1: 3.2 s")],
        "healthy replicate 2: reused",
        "[not markup]",
    ]
    assert "healthy replicate 1" not in done.stdout


def test_options_arrive(fake):
    done = run(
        "analyze", "RUN", "--checkpoint", "a.pt", "--seam", "11", "--replicates", "7", "--epochs", "2",
        "--device", "cpu", "--data", "d.yaml", "--alpha", "0.01", "--margin", "map=0.03", "--margin",
        "train/box_loss=5%", "--seed", "4", "--budget", "6h", "--out", "o", "--history-only", "--share-device", "--yes",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert fake.request == pipeline.AnalyzeRequest(
        run=Path("RUN"), checkpoint=Path("a.pt"), seam=11, replicates=7, epochs=2, device="cpu", data=Path("d.yaml"),
        alpha=0.01, margins=("map=0.03", "train/box_loss=5%"), seed=4, budget="6h", dry_run=False, out=Path("o"),
        history_only=True, share_device=True, assume_yes=True,
    )  # fmt: skip


def test_defaults_are_those_of_the_request(fake):
    run("analyze", "RUN")
    assert fake.request == pipeline.AnalyzeRequest(run=Path("RUN"))


def test_python_call_makes_the_same_request(fake):
    import analyzer

    run("analyze", "RUN", "--replicates", "7", "--checkpoint", "a.pt", "--margin", "map=0.03")
    by_command = fake.request
    result = analyzer.analyze("RUN", replicates=7, checkpoint="a.pt", margins=["map=0.03"])
    assert fake.request == by_command
    assert result.verdict is analyzer.Verdict.NOISE


def test_dry_run_prints_the_plan_and_exits_with_0(fake):
    fake.answer = golden("plan")
    done = run("analyze", "RUN", "--dry-run")
    assert done.exit_code == 0
    assert "19 replicates of 1 epoch, 0.3 s each" in done.stdout
    assert "INCONCLUSIVE" not in done.stdout


@pytest.mark.parametrize(
    ("error", "code"),
    [(CheckpointError("a.pt is stripped.", "Give another with --checkpoint."), 12), (UsageError("No.", "Yes."), 2)],
)
def test_a_known_error_is_its_sentence_and_its_code(fake, error, code):
    fake.answer = error
    done = run("analyze", "RUN")
    assert done.exit_code == code
    assert done.stderr.splitlines()[-1] == f"drift: {error}"
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_an_unknown_error_is_one_sentence_and_a_traceback_with_debug_only(fake):
    fake.answer = ZeroDivisionError("division by zero")
    done = run("analyze", "RUN")
    assert done.exit_code == 12
    assert "A fault of drift itself: ZeroDivisionError: division by zero. Please report it" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in run("analyze", "RUN", "--debug").stderr


def test_ctrl_c_says_that_the_replicates_are_kept(fake):
    fake.answer = KeyboardInterrupt()
    done = run("analyze", "RUN")
    assert done.exit_code == 130
    assert "the same command goes on" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--alpha", "0"), ("--alpha", "0.9"), ("--alpha", "x"), ("--replicates", "0"), ("--replicates", "many"),
        ("--epochs", "0"), ("--margin", "0.1"), ("--margin", "map=lots"), ("--budget", "soon"), ("--seam", "x"),
        ("--seed", "-1"), ("--no-such-option",),
    ],
)  # fmt: skip
def test_usage_errors_exit_with_2_and_name_the_option(fake, arguments):
    done = run("analyze", "RUN", *arguments)
    assert done.exit_code == 2
    assert arguments[0] in done.stderr
    assert fake.request is None


def test_replicate(fake):
    fake.answer = Path("RUN/drift/study")
    done = run("replicate", "RUN/weights/last.pt", "-n", "3", "--device", "cpu")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "RUN/drift/study\n"
    assert (fake.request.checkpoint, fake.request.replicates) == (Path("RUN/weights/last.pt"), 3)


def test_json_can_be_read_by_another_program(fake):
    assert json.loads(run("analyze", "RUN", "--json").stdout)["schema_version"] == "1.0"


def test_reports_are_written_after_the_table(fake, tmp_path):
    page = tmp_path / "r.html"
    done = run("analyze", "RUN", "--report", f"html={page}", "--report", f"junit={tmp_path / 'j.xml'}")
    assert done.exit_code == 0, done.stderr
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "j.xml").is_file()


def test_junit_says_that_the_analysis_could_not_run(fake, tmp_path):
    fake.answer = CheckpointError("a.pt is stripped.")
    file = tmp_path / "j.xml"
    assert run("analyze", "RUN", "--report", f"junit={file}").exit_code == 12
    assert "COULD_NOT_RUN" in file.read_text(encoding="utf-8")


def test_an_unknown_report_kind_is_refused_before_any_work(fake):
    assert run("analyze", "RUN", "--report", "pdf").exit_code == 2
    assert fake.request is None
