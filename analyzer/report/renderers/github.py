"""GitHub Actions: the Markdown report as job summary, and annotations on stderr."""

from __future__ import annotations

import os
from pathlib import Path

from analyzer.domain.evidence import Verdict
from analyzer.errors import StoreError
from analyzer.report.model.analysis import Analysis
from analyzer.report.renderers.markdown import escape, render
from analyzer.report.seal import write_file

__all__ = ["annotate", "annotate_error", "keep", "render", "render_error"]

_LEVEL = {Verdict.FAULT: "error", Verdict.INCONCLUSIVE: "warning"}


def annotate(analysis: Analysis) -> str:
    """Make the workflow commands: one for the verdict, one a metric at fault, one a warning.

    Source: GitHub Docs, "Workflow commands for GitHub Actions", setting an error, warning or notice message.
    """
    lines = [_command(_LEVEL.get(analysis.verdict, "notice"), analysis.verdict.value, analysis.decision.reasons[0])]
    for m in analysis.metrics:
        if m.deciding and m.verdict is Verdict.FAULT:
            lines.append(_command("error", f"FAULT {m.name}", m.reason))
    lines += [_command("warning", "drift", warning) for warning in analysis.warnings]
    return "".join(lines)


def annotate_error(message: str) -> str:
    """Make the workflow command of an analysis that could not run."""
    return _command("error", "drift could not run", message)


def render_error(message: str) -> str:
    """Make the job summary of an analysis that could not run."""
    return f"## drift could not run\n\n{escape(message)}\n"


def keep(content: str, place: Path | None) -> Path | None:
    """Add to the job summary, where other steps write too; outside of a job write the file, where a place is known.

    Raises
    ------
    StoreError
        Where it cannot be written.
    """
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if not summary:
        return None if place is None else write_file(place, content)
    try:
        with Path(summary).open("ab") as file:
            file.write(content.encode("utf-8"))
    except OSError as error:
        raise StoreError(f"The job summary {summary} cannot be written: {error.strerror or error}.") from error
    return Path(summary)


def _command(kind: str, title: str, message: str) -> str:
    r"""Write one workflow command.

    Examples
    --------
    >>> _command("error", "a:b", "50%\n::set-output::x")
    '::error title=a%3Ab::50%25%0A::set-output::x\n'
    """
    text = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    head = title.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={head}::{text}\n"
