"""Which renderers there are, and where each writes. A new one is one function and one line here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.errors import StoreError, UsageError
from analyzer.files import write_atomically
from analyzer.report.renderers.trackers import TRACKERS, log, require

if TYPE_CHECKING:
    from analyzer.report.model.analysis import Analysis

__all__ = ["KINDS", "Renderer", "ReportSpec", "parse_spec", "write", "write_error", "write_file"]


@dataclass(frozen=True, slots=True)
class Renderer:
    """One kind of report.

    Parameters
    ----------
    filename
        In the study folder, where no path is given.
    render
        Makes the content; imports what it needs when it is called.
    render_error
        Makes the content for an analysis that could not run; None where the kind has no word for that.
    """

    filename: str
    render: Callable[[Analysis], str | bytes]
    render_error: Callable[[str], str] | None = None


def _html(analysis: Analysis) -> str:
    from analyzer.report.renderers.html import render_html

    return render_html(analysis)


def _png(analysis: Analysis) -> bytes:
    from analyzer.report.renderers.png import render_png

    return render_png(analysis)


def _svg(analysis: Analysis) -> str:
    from analyzer.report.renderers.svg import render_svg

    return render_svg(analysis)


def _json(analysis: Analysis) -> str:
    from analyzer.report.document import dumps, to_document

    return dumps(to_document(analysis))


def _csv(analysis: Analysis) -> str:
    from analyzer.report.renderers.csv import render_csv

    return render_csv(analysis)


def _markdown(analysis: Analysis) -> str:
    from analyzer.report.renderers.markdown import render_markdown

    return render_markdown(analysis)


def _junit(analysis: Analysis) -> str:
    from analyzer.report.renderers.junit import render_junit

    return render_junit(analysis)


def _junit_error(message: str) -> str:
    from analyzer.report.renderers.junit import render_junit_error

    return render_junit_error(message)


def _github_error(message: str) -> str:
    from analyzer.report.renderers.markdown import escape

    return f"## drift could not run\n\n{escape(message)}\n"


KINDS = {
    "html": Renderer("report.html", _html),
    "png": Renderer("drift.png", _png),
    "svg": Renderer("report.svg", _svg),
    "json": Renderer("report.json", _json),
    "csv": Renderer("replicates.csv", _csv),
    "markdown": Renderer("report.md", _markdown),
    "junit": Renderer("junit.xml", _junit, _junit_error),
    "github": Renderer("summary.md", _markdown, _github_error),
}


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """One ``--report``.

    Parameters
    ----------
    kind
        A key of ``KINDS`` or ``TRACKERS``.
    path
        Where to write; None for the kind's own place.
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
    if kind not in KINDS and kind not in TRACKERS:
        raise UsageError(f"There is no report of kind {kind!r}.", f"Choose from {', '.join((*KINDS, *TRACKERS))}.")
    if equals and not path:
        raise UsageError(f"--report {text} names no path.")
    if kind in TRACKERS:
        require(kind)  # said now, not after hours of training
        return ReportSpec(kind, target=path)
    return ReportSpec(kind, Path(path) if path else None)


def write(analysis: Analysis, spec: ReportSpec) -> Path | str:
    """Render one report and write it, or log it with a tracker; for ``github`` also say the annotations on stderr.

    Returns
    -------
    Path or str
        What was written; for a tracker where it can be seen.

    Raises
    ------
    StoreError
        Where it cannot be written.
    """
    if spec.kind in TRACKERS:
        return log(spec.kind, analysis, spec.target)
    renderer = KINDS[spec.kind]
    content = renderer.render(analysis)
    if spec.kind == "github":
        from analyzer.report.renderers.github import workflow_commands

        sys.stderr.write(workflow_commands(analysis))
    folder = analysis.study if analysis.study is not None else analysis.run / "drift"
    return _put(spec, content, folder / renderer.filename)


def write_error(message: str, spec: ReportSpec) -> None:
    """Write that the analysis could not run, where the kind can say so and a place is known."""
    renderer = KINDS.get(spec.kind)
    if renderer is None or renderer.render_error is None:  # a tracker keeps studies, not failures
        return
    if spec.kind == "github":
        from analyzer.report.renderers.github import annotation_of_error

        sys.stderr.write(annotation_of_error(message))
    if spec.path is not None or _job_summary(spec) is not None:  # without an analysis there is no study folder
        _put(spec, renderer.render_error(message), Path(renderer.filename))


def _job_summary(spec: ReportSpec) -> Path | None:
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    return Path(place) if place and spec.kind == "github" and spec.path is None else None


def _put(spec: ReportSpec, content: str | bytes, place: Path) -> Path:
    summary = _job_summary(spec)
    if summary is None and spec.kind == "json" and spec.path is None:
        from analyzer.report.seal import write_sealed

        return write_sealed(place, str(content))
    if summary is None:
        return write_file(spec.path or place, content)
    try:
        with summary.open("ab") as file:  # other steps write there too
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
    except OSError as error:
        raise StoreError(f"The job summary {summary} cannot be written: {error.strerror or error}.") from error
    return summary


def write_file(path: Path, content: str | bytes) -> Path:
    """Write a report so that it is there whole or not at all.

    Raises
    ------
    StoreError
        Where the folder cannot be written.
    """

    def failure(_: Path, error: OSError) -> StoreError:
        return StoreError(f"{path} cannot be written: {error.strerror or error}.")

    return write_atomically(path, content, failure)
