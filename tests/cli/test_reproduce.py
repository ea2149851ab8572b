"""The command in a report asks for what was asked: every option of `drift analyze` there and back."""

import shlex
from dataclasses import fields
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from analyzer import pipeline
from analyzer.cli.app import app
from analyzer.errors import RunError
from analyzer.pipeline.request import command_of

runner = CliRunner()
ASKED = {
    "run": ["a run/train"],
    "checkpoint": ["--checkpoint", "it's here/last.pt"],
    "seam": ["--seam", "11"],
    "replicates": ["--replicates", "7"],
    "epochs": ["--epochs", "2"],
    "fraction": ["--fraction", "0.123456789"],
    "device": ["--device", "0,1"],
    "workers_on": ["--workers-on", "0,1,2"],
    "per_device": ["--per-device", "3"],
    "ray": ["--ray", "head:6379"],
    "data": ["--data", "d.yaml"],
    "alpha": ["--alpha", "0.01"],
    "margin": ["--margin", "map=0.03", "--margin", "train/box_loss=5%"],
    "seed": ["--seed", "0"],
    "budget": ["--budget", "90 min"],
    "dry_run": ["--dry-run"],
    "out": ["--out", "o"],
    "history_only": ["--history-only"],
    "revalidate": ["--no-revalidate"],
    "replay": ["--no-replay"],
    "twins": ["--no-twins"],
    "share_device": ["--share-device"],
    "yes": ["--yes"],
    "before": ["--before", "old run"],
    "trust_checkpoint": ["--trust-checkpoint"],
}
OF_THE_OUTPUT = {"json", "report", "exit_zero", "debug", "help"}


@pytest.fixture
def asked(monkeypatch):
    """The request that a command line makes."""
    seen = []

    def remember(request, progress):
        seen.append(request)
        raise RunError("Seen.", "")

    monkeypatch.setattr(pipeline, "analyze", remember)

    def ask(words):
        done = runner.invoke(app, words)
        assert done.exit_code == 12, done.output
        return seen.pop()

    return ask


def test_no_option_is_missing_here():
    command = typer.main.get_command(app).commands["analyze"]
    assert {p.name for p in command.params} - OF_THE_OUTPUT == set(ASKED)
    assert len(fields(pipeline.AnalyzeRequest)) == len(ASKED) + 1  # `workers` is for callers in Python


@pytest.mark.parametrize("option", ASKED)
def test_each_option_there_and_back(asked, option):
    words = ["analyze", *ASKED["run"], *(ASKED[option] if option != "run" else [])]
    request = asked(words)
    assert (request != pipeline.AnalyzeRequest(Path("a run/train"))) == (option != "run")
    again = shlex.split(command_of(request))
    assert again[0] == "drift"
    assert sorted(again[1:]) == sorted(words)
    assert asked(again[1:]) == request


def test_all_at_once(asked):
    request = asked(["analyze", *(word for words in ASKED.values() for word in words)])
    assert asked(shlex.split(command_of(request))[1:]) == request
