"""Which formats a report has. A new one is its module in this folder, of the same name, and one line of `FORMATS`."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.errors import DriftError, StoreError, UsageError
from analyzer.report.seal import write_file

if TYPE_CHECKING:
    from analyzer.report.model.analysis import Analysis

__all__ = ["FORMATS", "KINDS", "Format", "ReportSpec", "parse_spec", "write", "write_error"]


@dataclass(frozen=True, slots=True)
class Format:
    """One format; its module is imported when it is used.

    A module that makes a file has ``render(analysis)`` for its text or bytes. It may have ``render_error(message)`` for
    an analysis that could not run; ``keep(content, place)``, which writes it where no path is given; and ``annotate``
    and ``annotate_error``, whose text goes to stderr. The module of a tracker has ``log(analysis, target)``, which says
    where the study can be seen.

    Parameters
    ----------
    filename
        In the study folder, where no path is given; empty for a tracker.
    library
        Of a tracker: the user has to install it.
    """

    filename: str = ""
    library: str = ""


FORMATS: Mapping[str, Format] = {
    "html": Format("report.html"),
    "png": Format("drift.png"),
    "svg": Format("report.svg"),
    "json": Format("report.json"),
    "csv": Format("replicates.csv"),
    "markdown": Format("report.md"),
    "junit": Format("junit.xml"),
    "github": Format("summary.md"),
    "mlflow": Format(library="mlflow"),
    "wandb": Format(library="wandb"),
    "tensorboard": Format(library="tensorboard"),
}


KINDS = "; ".join(
    ", ".join(kind for kind, made in FORMATS.items() if bool(made.library) is tracker) for tracker in (False, True)
)
"""All kinds in words: those that make a file; trackers."""


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """One ``--report``.

    Parameters
    ----------
    kind
        A key of `FORMATS`.
    path
        Where to write; None for the format's own place.
    target
        What a tracker is told (a tracking URI, a project, a log directory); empty for its own default.
    """

    kind: str
    path: Path | None = None
    target: str = ""


def parse_spec(text: str) -> ReportSpec:
    """Read ``KIND`` or ``KIND=PATH``.

    Raises
    ------
    UsageError
        Where there is no such kind, the path is empty, or the library of a tracker is not installed.

    Examples
    --------
    >>> parse_spec("html").path is None, parse_spec("junit=out/a=b.xml").path.name
    (True, 'a=b.xml')
    """
    kind, equals, path = text.partition("=")
    if kind not in FORMATS:
        raise UsageError(f"There is no report of kind {kind!r}.", f"Choose from {', '.join(FORMATS)}.")
    if equals and not path:
        raise UsageError(f"--report {text} names no path.")
    if FORMATS[kind].library:
        _require(kind)  # said now, not after hours of training
        return ReportSpec(kind, target=path)
    return ReportSpec(kind, Path(path) if path else None)


def _require(kind: str) -> None:
    library = FORMATS[kind].library
    if importlib.util.find_spec(library) is None:
        raise UsageError(f"--report {kind} needs {library}, which is not installed.", f"pip install {library}")


def _function(kind: str, name: str) -> Callable[..., Any] | None:
    """A function of a format's module; None where it has no such function."""
    found: Callable[..., Any] | None = getattr(importlib.import_module(f"{__package__}.{kind}"), name, None)
    return found


def write(analysis: Analysis, spec: ReportSpec) -> Path | str:
    """Render one report and write it, or log it with a tracker.

    Returns
    -------
    Path or str
        What was written; for a tracker where it can be seen.

    Raises
    ------
    StoreError
        It cannot be written, or the tracker refused or cannot be reached.
    UsageError
        The library of the tracker is not installed.
    """
    kind = spec.kind
    if FORMATS[kind].library:
        return _log(analysis, spec)
    render, keep, annotate = (_function(kind, name) for name in ("render", "keep", "annotate"))
    assert render is not None
    content = render(analysis)
    if annotate is not None:
        sys.stderr.write(annotate(analysis))
    folder = analysis.study if analysis.study is not None else analysis.run / "drift"
    if spec.path is None and keep is not None:
        written: Path = keep(content, folder / FORMATS[kind].filename)
        return written
    return write_file(spec.path or folder / FORMATS[kind].filename, content)


def _log(analysis: Analysis, spec: ReportSpec) -> str:
    _require(spec.kind)
    log = _function(spec.kind, "log")
    assert log is not None
    try:
        return str(log(analysis, spec.target))
    except DriftError:
        raise
    except Exception as e:  # of a foreign library: any
        reason = " ".join(str(e).split())[:300] or type(e).__name__
        raise StoreError(
            f"{spec.kind} took no report: {reason}.", "The study is kept: drift report STUDY --report."
        ) from e


def write_error(message: str, spec: ReportSpec) -> None:
    """Write that the analysis could not run, where the format can say so and a place is known."""
    if FORMATS[spec.kind].library:  # a tracker keeps studies, not failures
        return
    render, keep, annotate = (_function(spec.kind, name) for name in ("render_error", "keep", "annotate_error"))
    if annotate is not None:
        sys.stderr.write(annotate(message))
    if render is None:
        return
    if spec.path is not None:
        write_file(spec.path, render(message))
    elif keep is not None:  # without an analysis there is no study folder
        keep(render(message), None)
