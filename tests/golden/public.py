"""The public face as text: help of every command, names that others import, exit codes, what a study is named after."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path

from typer.testing import CliRunner

import analyzer
from analyzer.cli.app import app
from analyzer.cli.exit_codes import ExitCode
from analyzer.domain.checkpoint import Checkpoint
from analyzer.pipeline import AnalyzeRequest
from analyzer.replicates.identity import StudyFacts
from analyzer.replicates.store import Store
from analyzer.report.document import SCHEMA_VERSION

__all__ = ["FILES"]


def _help() -> str:
    commands = ["", *(c.name or "" for c in app.registered_commands)]
    environment = {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1", "FORCE_COLOR": None}
    pages = []
    for command in commands:
        asked = [*([command] if command else []), "--help"]
        shown = CliRunner().invoke(app, asked, env=environment, prog_name="drift").stdout
        pages.append("\n".join(line.rstrip() for line in shown.splitlines() if line.strip()))
    return "\n\n".join(pages) + "\n"


def _names() -> str:
    lines = [f"schema version {SCHEMA_VERSION}", *(f"exit code {code.value} {code.name}" for code in ExitCode)]
    for name in sorted(analyzer.__all__):
        value = getattr(analyzer, name)
        called = inspect.isfunction(value)
        lines.append(f"analyzer.{name}{inspect.signature(value) if called else ''}")
    for field in sorted(fields(AnalyzeRequest), key=lambda f: f.name):
        lines.append(f"analyze option {field.name}" + ("" if field.default is MISSING else f" = {field.default!r}"))
    return "\n".join(lines) + "\n"


def _study() -> str:
    args = {"lr0": 0.01, "batch": 16, "seed": 0, "deterministic": True, "project": "/runs", "name": "train"}
    checkpoint = Checkpoint(
        path=Path("runs/train/weights/epoch13.pt"), sha256="ab" * 32, epoch=13, updates=None, version=None, date=None,
        task="detect", train_args=args, train_metrics={}, has_optimizer=True, optimizer_kind="SGD", names={},
    )  # fmt: skip
    facts = StudyFacts(checkpoint, "d" * 64, {"ultralytics": "8.4.190", "torch": "2.14.1"}, None, 0, "cpu", 2)
    store = Store(Path("drift"), facts.name)
    lines = [json.dumps(facts.to_dict(), indent=1, sort_keys=True), facts.name, store.path.as_posix()]
    return "\n".join([*lines, store.file_of("healthy", 1_000_003).as_posix()]) + "\n"


FILES: Mapping[str, Callable[[], str]] = {"help.txt": _help, "names.txt": _names, "study.txt": _study}
