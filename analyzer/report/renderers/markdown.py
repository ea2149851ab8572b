"""The report as Markdown, for an issue, a pull request or a job summary."""

from __future__ import annotations

import re

from analyzer.report.formatting import clean, level, p_value, signed, unsigned
from analyzer.report.model.analysis import Analysis
from analyzer.report.phrases import lines, simulated_faults
from analyzer.report.phrases.methods import methods_paragraph
from analyzer.report.phrases.shares import attribution_lines

__all__ = ["escape", "render"]

_HEAD = ("metric", "before", "observed", "jump", "expected seam", "unexplained shift", "margin", "p adj", "verdict")


def escape(text: object) -> str:
    r"""Make foreign text plain text in Markdown: no markup, no HTML, no new line, no mention.

    Examples
    --------
    >>> escape("a_b|<i>*x*</i>")
    'a\\_b\\|&lt;i&gt;\\*x\\*&lt;/i&gt;'
    """
    plain = clean(str(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = re.sub(r"([\\`*_{}\[\]|~#!])", r"\\\1", plain)
    return plain.replace("@", "&#64;")  # nobody is called by a path


def render(analysis: Analysis) -> str:
    """Make a Markdown document in the order of the terminal report."""
    page = [f"## {analysis.verdict.value}: {lines.headline(analysis)}", ""]
    page += [f"{escape(reason)}\n" for reason in analysis.decision.reasons]
    facts = (
        ("Run", str(analysis.run)),
        ("Seam", lines.seam_line(analysis)),
        ("Checkpoint", lines.checkpoint_line(analysis)),
        ("Null", lines.null_line(analysis)),
    )
    page += [f"- **{name}**: {escape(value)}" for name, value in facts]
    page += ["", f"| {' | '.join(_HEAD)} |", f"| --- |{' ---: |' * 7} --- |"]
    for m in analysis.metrics:
        verdict = "not deciding" if not m.deciding else m.verdict.value if m.verdict else "not tested"
        numbers = (level(m.before), level(m.observed), signed(m.jump), signed(m.expected_seam))
        judged = (signed(m.unexplained_shift), unsigned(m.margin), escape(p_value(m.p_adjusted)))
        page.append(f"| {' | '.join((escape(m.name), *numbers, *judged, verdict))} |")
    page += ["", *(f"{sentence}" for sentence in lines.legend(analysis)), ""]
    page.append(f"- **History**: {escape(lines.history_line(analysis))}")
    page += [f"- **Cause**: {escape(line)}" for line in lines.cause_lines(analysis)]
    for finding in lines.other_findings(analysis):
        page.append(f"- **{escape(finding.id)}** ({finding.severity.value}): {escape(finding.evidence)}")
    page += [f"- **{name.capitalize()}**: {escape(s.summary)}" for name, s in lines.ladder_steps(analysis)]
    page += _twins(analysis)
    page += [f"- **Shares**: {escape(line)}" for line in attribution_lines(analysis)]
    page += [f"- **Warning**: {escape(warning)}" for warning in analysis.warnings]
    page += [f"- **Not run**: {escape(line)}" for line in lines.not_run_lines(analysis)]
    page.append(f"- **Cost**: {escape(lines.cost_line(analysis))}")
    title = "To settle it" if analysis.verdict.value == "INCONCLUSIVE" else "Next"
    page += ["", f"### {title}", ""]
    for step in lines.next_steps(analysis, look=False):
        page.append(f"- {escape(step.text)}" + (f" {_code(step.command)}" if step.command else ""))
    page += ["", "<details><summary>Methods</summary>", "", escape(methods_paragraph(analysis)), "", "</details>"]
    if analysis.command:
        page += ["", f"Do it again: {_code(clean(analysis.command))}"]
    return "\n".join(page) + "\n"


def _twins(analysis: Analysis) -> list[str]:
    found = analysis.twins
    if found is None:
        return []
    table = [f"| {' | '.join(map(escape, row))} |" for row in simulated_faults.rows(found)]
    head = ["", f"| {' | '.join(simulated_faults.HEAD)} |", f"| --- |{' ---: |' * 4} --- |"]
    page = filter(None, (simulated_faults.selection_line(found), simulated_faults.confused_line(found)))
    return [*head, *table, "", *(f"- **Twins** {escape(line)}" for line in page)]


def _code(text: str) -> str:
    """Quote as code, with more backticks than the text itself has in a row."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"`{text}`"
