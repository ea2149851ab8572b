"""What is no file, or holds what no training writes: nothing waits for ever, nothing ends in a traceback."""

import json
import os
import signal

import pytest
import yaml

from tests.support.written_run import HEADER, checkpoint, one_sentence, rows, text

SEAMS = "drift/seams/epoch15-aaaaaaaa"


@pytest.fixture(autouse=True)
def no_waiting():
    """Reading a pipe that nobody writes to never ends: after a minute it is a failure."""

    def late(*_):
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pipe(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def device(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [pipe, device])
@pytest.mark.parametrize("name", ["results.csv", "args.yaml", "../data/data.yaml", "../data/labels/train/a.txt"])
def test_a_file_that_is_needed_and_is_none_is_refused(run, drift, make, name):
    make(run / name)
    one_sentence(drift("analyze", run, "--dry-run"), 12)


@pytest.mark.parametrize("make", [pipe, device])
@pytest.mark.parametrize(
    "name",
    [
        "weights/epoch13.pt", "weights/epoch14.pt", f"{SEAMS}/checkpoint.pt", f"{SEAMS}/manifest.json",
        f"{SEAMS}/running.json", "../data/images/train/b.jpg", "../data/labels/train.cache", "drift/x/report.json",
        "drift/x/study.json",
    ],
)  # fmt: skip
def test_a_file_that_is_not_needed_and_is_none_is_left_out(run, drift, make, name):
    make(run / name)
    for command in (("analyze", run, "--dry-run"), ("analyze", run, "--history-only"), ("audit", run, "--deep")):
        done = drift(*command)
        assert done.exit_code in (0, 10, 11), done.stderr
    assert drift("list", run).exit_code == 0
    one_sentence(drift("analyze", run, "--fraction", "0.5"), 12, "logged no epoch")


NOT_LOGGED = ['{"epoch": 1e400, "within": 3}', "[" * 100_000, "[1]", '{"epoch": 16}', "\x00" * 99]


@pytest.mark.parametrize("content", NOT_LOGGED, ids=range(len(NOT_LOGGED)))
def test_what_the_guard_cannot_have_logged_is_left_out(run, drift, content):
    for name in ("running.json", "manifest.json"):
        (run / SEAMS).mkdir(parents=True, exist_ok=True)
        (run / SEAMS / name).write_text(content)
    (run / SEAMS / "checkpoint.pt").write_bytes((run / "weights" / "epoch14.pt").read_bytes())
    assert drift("analyze", run, "--dry-run").exit_code == 0
    assert drift("audit", run).exit_code in (0, 10, 11)
    one_sentence(drift("analyze", run, "--fraction", "0.5"), 12, "logged no epoch")


NO_REPORT = ["[" * 100_000, "[]", "\x00" * 99, '{"schema_version":' + "9" * 5000 + "}"]


@pytest.mark.parametrize("content", NO_REPORT, ids=range(len(NO_REPORT)))
def test_a_report_that_is_none_is_named(run, drift, content):
    (run / "drift" / "x").mkdir(parents=True)
    (run / "drift" / "x" / "report.json").write_text(content)
    done = drift("list", run)
    assert (done.exit_code, "no verdict" in done.stdout) == (0, True)
    assert done.stderr.startswith("drift: ")
    for command in ("report", "export"):
        one_sentence(drift(command, run / "drift" / "x"), 12)


@pytest.mark.parametrize("digits", [18, 200, 400, 4000])
@pytest.mark.parametrize("key", ["epochs", "batch", "lr0", "close_mosaic", "nbs", "warmup_epochs"])
def test_numbers_that_no_training_can_have(run, drift, key, digits):
    args = yaml.safe_load((run / "args.yaml").read_text())
    (run / "args.yaml").write_text(yaml.safe_dump({**args, key: 10**digits}))
    one_sentence(drift("analyze", run, "--dry-run"), 12, "args.yaml")
    assert "fault of drift itself" not in drift("audit", run).stderr
    (run / "args.yaml").write_text(yaml.safe_dump(args))
    (run / "weights" / "epoch14.pt").write_bytes(checkpoint({**args, key: 10**digits}))
    done = drift("analyze", run, "--dry-run", "--checkpoint", run / "weights" / "epoch14.pt")
    one_sentence(done, 12, "epoch14.pt")
    assert "fault of drift itself" not in drift("audit", run).stderr


def test_links_that_lead_nowhere_or_in_circles(run, drift):
    (run / "weights" / "loop").symlink_to("..")
    (run / "weights" / "self.pt").symlink_to("self.pt")
    (run / "weights" / "gone.pt").symlink_to("/nowhere/x.pt")
    (run / "drift").symlink_to(".")
    assert drift("analyze", run, "--dry-run").exit_code == 0
    assert drift("audit", run).exit_code in (0, 10, 11)
    assert drift("scan", run.parent, "--json").exit_code == 0


def test_a_csv_of_thousands_of_columns_is_read_in_time(run, drift):
    many = [f"extra{i}" for i in range(5_000)]
    body = [[*line, *["1"] * len(many)] for line in rows()]
    (run / "results.csv").write_text(text(header=[*HEADER, *many], body=body))
    done = drift("analyze", run, "--history-only", "--json")
    assert done.exit_code in (0, 10, 11), done.stderr
    assert json.loads(done.stdout)["seam"]["epoch"] == 16
