"""Reading studies again: report, list, export; no pipeline, no training."""

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analyzer.cli.app import app
from analyzer.report.renderers.csv import render as render_csv
from tests.support.analyses import GOLDEN, golden

runner = CliRunner()


@pytest.fixture
def run_folder(tmp_path):
    for name, study in (("noise", "aa"), ("fault", "bb")):
        folder = tmp_path / "train" / "drift" / study
        folder.mkdir(parents=True)
        shutil.copy(GOLDEN / f"{name}.json", folder / "report.json")
    unfinished = tmp_path / "train" / "drift" / "cc" / "replicates" / "healthy"
    unfinished.mkdir(parents=True)
    (unfinished / "1.json").write_text("{}")
    return tmp_path / "train"


def run(*arguments):
    return runner.invoke(app, [str(a) for a in arguments], env={"COLUMNS": "80", "TERM": "dumb"})


def test_report_prints_the_study_again(run_folder):
    done = run("report", run_folder / "drift" / "bb")
    assert done.exit_code == 10
    assert done.stdout.startswith("FAULT: ")
    assert run("report", run_folder / "drift" / "aa" / "report.json").exit_code == 0


@pytest.mark.parametrize(("newest", "verdict"), [("aa", "NOISE"), ("bb", "FAULT")])
def test_report_of_a_run_takes_the_study_that_says_it_is_the_newest(run_folder, newest, verdict):
    for study in ("aa", "bb"):
        file = run_folder / "drift" / study / "report.json"
        when = "2026-01-02" if study == newest else "2026-01-01"
        file.write_text(json.dumps({**json.loads(file.read_text()), "created": f"{when}T00:00:00+00:00"}))
        os.utime(file, (1, 1) if study == newest else None)  # a copy of the run has other file times
    assert run("report", run_folder).stdout.startswith(verdict)


def test_the_newest_report_is_found_past_a_damaged_one(run_folder):
    (run_folder / "drift" / "aa" / "report.json").write_text("{")
    done = run("report", run_folder)
    assert done.stdout.startswith("FAULT")
    assert "is no JSON document" in done.stderr
    (run_folder / "drift" / "bb" / "report.json").write_text("{")
    done = run("report", run_folder)
    assert (done.exit_code, done.stdout) == (12, "")
    assert "None of these reports can be read" in done.stderr


def test_report_writes_beside_a_study_that_was_moved(run_folder):
    study = run_folder / "drift" / "aa"
    done = run("report", study, "--report", "html", "--report", "junit=" + str(run_folder / "j.xml"))
    assert done.exit_code == 0, done.stderr
    assert (study / "report.html").is_file()
    assert (run_folder / "j.xml").is_file()
    assert f"Written: {study / 'report.html'}" in done.stderr.replace("\n", "")


def test_report_json_is_the_document(run_folder):
    study = run_folder / "drift" / "bb"
    document = json.loads(run("report", study, "--json", "--exit-zero").stdout)
    assert document == {**json.loads((study / "report.json").read_text(encoding="utf-8")), "study": str(study)}


def test_an_unknown_kind_is_a_usage_error(run_folder):
    done = run("report", run_folder, "--report", "pdf")
    assert done.exit_code == 2
    assert "pdf" in done.stderr


def test_list_shows_every_study_and_the_unfinished_one(run_folder):
    rows = json.loads(run("list", run_folder, "--json").stdout)
    assert [(Path(r["study"]).name, r["verdict"], r["seam"], r["replicates"]) for r in rows] == [
        ("aa", "NOISE", 12, 6),
        ("bb", "FAULT", 12, 5),
        ("cc", None, None, 1),
    ]
    table = run("list", run_folder.parent).stdout.splitlines()
    assert len(table) == 4
    assert "no verdict" in table[-1]


def test_list_goes_on_past_a_broken_report(run_folder):
    (run_folder / "drift" / "aa" / "report.json").write_text("{")
    done = run("list", run_folder)
    assert done.exit_code == 0
    assert "FAULT" in done.stdout
    assert "is no JSON document" in done.stderr


def test_nothing_to_list_or_report(tmp_path):
    done = run("list", tmp_path)
    assert (done.exit_code, done.stdout) == (0, "")
    done = run("report", tmp_path)
    assert done.exit_code == 12
    assert "There is no report in" in done.stderr


def test_export_gives_csv(run_folder, tmp_path):
    by_stdout = run("export", run_folder / "drift" / "aa").stdout
    assert by_stdout == render_csv(golden("noise"))
    assert run("export", run_folder / "drift" / "aa", "--out", tmp_path / "o.csv").exit_code == 0
    assert (tmp_path / "o.csv").read_text(encoding="utf-8") == by_stdout
