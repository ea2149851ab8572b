"""Analyses by the real pipeline: of stored replicates, each basis once, with nothing left to train.

What depends on the machine (versions, threads, times, the folder) is fixed here and nowhere else.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from analyzer.domain.progress import Silent
from analyzer.pipeline import AnalyzeRequest, analyze
from analyzer.report.document import from_document, to_document
from analyzer.report.model.analysis import Analysis

__all__ = ["BASES", "INPUT", "analysis_of", "document_of", "request_of", "unpacked"]

INPUT = Path(__file__).parent / "input.tar.xz"

#: What is asked of the pipeline, by basis: two of a study of one's own, then one of each other kind.
BASES: Mapping[str, Mapping[str, Any]] = {
    "noise": {"run": "noise"},
    "fault": {"run": "fault"},
    "history": {"run": "history"},
    "borrowed": {"run": "borrowed"},
    "part": {"run": "part", "fraction": 0.5, "replicates": 5},
    "plan": {"run": "noise", "dry_run": True},
    "continuation": {"run": "continuation", "before": "killed", "replicates": 3},
}
_CREATED, _SECONDS, _DIGITS = "2026-01-01T00:00:00+00:00", 1.0, 10


def request_of(basis: str) -> AnalyzeRequest:
    """The request, with paths that are relative to the folder of the runs."""
    return AnalyzeRequest(**{k: Path(v) if k in ("run", "before") else v for k, v in BASES[basis].items()})


@contextlib.contextmanager
def unpacked(root: Path) -> Iterator[Path]:
    """The input below `root`, as if this were the machine that trained it; whatever trains fails."""
    with tarfile.open(INPUT) as packed:
        packed.extractall(root, filter="data")
    recorded = json.loads((root / "data" / "versions.json").read_text(encoding="utf-8"))

    def version(name: str) -> str:
        if recorded.get(name) is None:
            raise LookupError(name)
        return str(recorded[name])

    def refuse(*_: object) -> None:
        raise AssertionError("A replicate is missing in the stored input: something would be trained.")

    with (
        contextlib.chdir(root),
        mock.patch(
            "analyzer.runs.versions.metadata", SimpleNamespace(version=version, PackageNotFoundError=LookupError)
        ),
        mock.patch("platform.python_version", return_value=recorded["python"]),
        mock.patch("platform.platform", return_value="Linux"),
        mock.patch("os.cpu_count", return_value=2),
        mock.patch("analyzer.replicates.collector.executor_for", refuse),
        mock.patch.dict(os.environ, {"OMP_NUM_THREADS": "1"}),
    ):
        yield root


def document_of(basis: str, root: Path) -> dict[str, Any]:
    """The document of an analysis below `root`, without what is another one every time."""
    document = to_document(analyze(request_of(basis), Silent()))
    text = re.sub(rf"{re.escape(str(root))}|/tmp/golden\w{{8}}(?=/)", "/runs", json.dumps(document, ensure_ascii=False))
    fixed: dict[str, Any] = json.loads(text, parse_float=lambda digits: float(f"{float(digits):.{_DIGITS}g}"))
    fixed["created"] = _CREATED
    fixed["cost"]["seconds"] = _SECONDS
    return fixed


def analysis_of(basis: str, root: Path) -> Analysis:
    """The analysis that such a document holds."""
    return from_document(document_of(basis, root))
