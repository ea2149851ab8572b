"""Annotations for GitHub Actions; the job summary is the Markdown report."""

from __future__ import annotations

from analyzer.domain.evidence import Verdict
from analyzer.report.model.analysis import Analysis

__all__ = ["annotation_of_error", "workflow_commands"]

_LEVEL = {Verdict.FAULT: "error", Verdict.INCONCLUSIVE: "warning"}


def workflow_commands(analysis: Analysis) -> str:
    """Make the workflow commands: one for the verdict, one a metric at fault, one a warning.

    Source: GitHub Docs, "Workflow commands for GitHub Actions", setting an error, warning or notice message.
    """
    lines = [_command(_LEVEL.get(analysis.verdict, "notice"), analysis.verdict.value, analysis.decision.reasons[0])]
    for m in analysis.metrics:
        if m.deciding and m.verdict is Verdict.FAULT:
            lines.append(_command("error", f"FAULT {m.name}", m.reason))
    lines += [_command("warning", "drift", warning) for warning in analysis.warnings]
    return "".join(lines)


def annotation_of_error(message: str) -> str:
    """Make the workflow command of an analysis that could not run."""
    return _command("error", "drift could not run", message)


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
