"""The report as Markdown, for an issue, a pull request or a job summary."""

from __future__ import annotations

import re

from analyzer.report import phrases as words
from analyzer.report import twins
from analyzer.report.attribution import attribution_lines
from analyzer.report.formatting import level, p_value, signed, unsigned
from analyzer.report.methods import methods_paragraph
from analyzer.report.model.analysis import Analysis

__all__ = ["escape", "render_markdown"]

_HEAD = ("metric", "before", "observed", "jump", "expected seam", "unexplained shift", "margin", "p adj", "verdict")


def escape(text: object) -> str:
    r"""Make foreign text plain text in Markdown: no markup, no HTML, no new line, no mention.

    Examples
    --------
    >>> escape("a_b|<i>*x*</i>")
    'a\\_b\\|&lt;i&gt;\\*x\\*&lt;/i&gt;'
    """
    plain = words.clean(str(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = re.sub(r"([\\`*_{}\[\]|~#!])", r"\\\1", plain)
    return plain.replace("@", "&#64;")  # nobody is called by a path


def render_markdown(analysis: Analysis) -> str:
    """Make a Markdown document in the order of the terminal report."""
    lines = [f"## {analysis.verdict.value}: {words.headline(analysis)}", ""]
    lines += [f"{escape(reason)}\n" for reason in analysis.decision.reasons]
    facts = (
        ("Run", str(analysis.run)),
        ("Seam", words.seam_line(analysis)),
        ("Checkpoint", words.checkpoint_line(analysis)),
        ("Null", words.null_line(analysis)),
    )
    lines += [f"- **{name}**: {escape(value)}" for name, value in facts]
    lines += ["", f"| {' | '.join(_HEAD)} |", f"| --- |{' ---: |' * 7} --- |"]
    for m in analysis.metrics:
        verdict = "not deciding" if not m.deciding else m.verdict.value if m.verdict else "not tested"
        numbers = (level(m.before), level(m.observed), signed(m.jump), signed(m.expected_seam))
        judged = (signed(m.unexplained_shift), unsigned(m.margin), escape(p_value(m.p_adjusted)))
        lines.append(f"| {' | '.join((escape(m.name), *numbers, *judged, verdict))} |")
    lines += ["", *(f"{sentence}" for sentence in words.legend(analysis)), ""]
    lines.append(f"- **History**: {escape(words.history_line(analysis))}")
    lines += [f"- **Cause**: {escape(line)}" for line in words.cause_lines(analysis)]
    for finding in words.other_findings(analysis):
        lines.append(f"- **{escape(finding.id)}** ({finding.severity.value}): {escape(finding.evidence)}")
    lines += [f"- **{name.capitalize()}**: {escape(s.summary)}" for name, s in words.ladder_steps(analysis)]
    lines += _twins(analysis)
    lines += [f"- **Shares**: {escape(line)}" for line in attribution_lines(analysis)]
    lines += [f"- **Warning**: {escape(warning)}" for warning in analysis.warnings]
    lines += [f"- **Not run**: {escape(line)}" for line in words.not_run_lines(analysis)]
    lines.append(f"- **Cost**: {escape(words.cost_line(analysis))}")
    title = "To settle it" if analysis.verdict.value == "INCONCLUSIVE" else "Next"
    lines += ["", f"### {title}", ""]
    for step in words.next_steps(analysis, look=False):
        lines.append(f"- {escape(step.text)}" + (f" {_code(step.command)}" if step.command else ""))
    lines += ["", "<details><summary>Methods</summary>", "", escape(methods_paragraph(analysis)), "", "</details>"]
    if analysis.command:
        lines += ["", f"Do it again: {_code(words.clean(analysis.command))}"]
    return "\n".join(lines) + "\n"


def _twins(analysis: Analysis) -> list[str]:
    found = analysis.twins
    if found is None:
        return []
    table = [f"| {' | '.join(map(escape, row))} |" for row in twins.rows(found)]
    head = ["", f"| {' | '.join(twins.HEAD)} |", f"| --- |{' ---: |' * 4} --- |"]
    lines = filter(None, (twins.selection_line(found), twins.confused_line(found)))
    return [*head, *table, "", *(f"- **Twins** {escape(line)}" for line in lines)]


def _code(text: str) -> str:
    """Quote as code, with more backticks than the text itself has in a row."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"`{text}`"
