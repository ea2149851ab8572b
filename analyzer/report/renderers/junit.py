"""The report for CI systems that read JUnit XML: one test case a deciding metric, and one for the whole."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from analyzer.domain.evidence import MetricEvidence, Verdict
from analyzer.report.formatting import clean, level, p_value, signed, unsigned
from analyzer.report.model.analysis import Analysis

__all__ = ["render", "render_error"]


def render(analysis: Analysis) -> str:
    """Make the XML: FAULT is a failure, INCONCLUSIVE is skipped, NOISE and NEGLIGIBLE pass; numbers in the body."""
    deciding = [m for m in analysis.metrics if m.deciding]
    cases = [("verdict", analysis.verdict, "\n".join(analysis.decision.reasons), analysis.cost.seconds)]
    cases += [(m.name, m.verdict or Verdict.INCONCLUSIVE, _numbers(m), 0.0) for m in deciding]
    suite = _suite(
        tests=len(cases),
        failures=sum(v is Verdict.FAULT for _, v, _, _ in cases),
        skipped=sum(v is Verdict.INCONCLUSIVE for _, v, _, _ in cases),
        seconds=analysis.cost.seconds,
    )
    for name, verdict, body, seconds in cases:
        case = ET.SubElement(suite, "testcase", classname=clean(f"drift.{analysis.run.name}"), name=clean(name))
        case.set("time", f"{seconds:.3f}")
        text = "\n".join(clean(line) for line in body.splitlines())
        if verdict is Verdict.FAULT:
            ET.SubElement(case, "failure", type="FAULT", message=text.partition("\n")[0]).text = text
        elif verdict is Verdict.INCONCLUSIVE:
            ET.SubElement(case, "skipped", message=text.partition("\n")[0]).text = text
        else:
            ET.SubElement(case, "system-out").text = f"{verdict.value}\n{text}"
    return _text(suite)


def render_error(message: str) -> str:
    """Make the XML of an analysis that could not run: one test case with an error."""
    suite = _suite(tests=1, errors=1)
    case = ET.SubElement(suite, "testcase", classname="drift", name="verdict", time="0.000")
    ET.SubElement(case, "error", type="COULD_NOT_RUN", message=clean(message)).text = clean(message)
    return _text(suite)


def _suite(*, tests: int, failures: int = 0, errors: int = 0, skipped: int = 0, seconds: float = 0.0) -> ET.Element:
    counts = {"tests": tests, "failures": failures, "errors": errors, "skipped": skipped}
    return ET.Element(
        "testsuite", {"name": "drift", **{k: str(v) for k, v in counts.items()}, "time": f"{seconds:.3f}"}
    )


def _numbers(m: MetricEvidence) -> str:
    p = p_value(m.p_adjusted)
    return (
        f"{m.verdict.value if m.verdict else 'not tested'}: unexplained shift {signed(m.unexplained_shift)}, "
        f"margin {unsigned(m.margin)}, adjusted p {p}\n"
        f"before {level(m.before)}, observed {level(m.observed)}, jump {signed(m.jump)}, "
        f"expected seam {signed(m.expected_seam)}\n"
        f"null mean {level(m.null_mean)}, null sd {unsigned(m.null_sd)}, "
        f"minimum detectable jump {unsigned(m.minimum_detectable_jump)}\n{m.reason}"
    )


def _text(suite: ET.Element) -> str:
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'
