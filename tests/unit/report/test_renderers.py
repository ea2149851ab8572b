"""What no golden file shows: escaping, self-containedness, writing, and other programs' readers."""

import csv
import importlib
import io
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from analyzer.errors import StoreError, UsageError
from analyzer.report import renderers
from analyzer.report.charts.overview import looks
from analyzer.report.charts.panels import panel_order
from analyzer.report.model.analysis import StepResult
from analyzer.report.renderers import registry
from analyzer.report.renderers.csv import HEADER
from analyzer.report.renderers.csv import render as render_csv
from analyzer.report.renderers.html import render as render_html
from analyzer.report.renderers.junit import render as render_junit
from analyzer.report.renderers.junit import render_error as render_junit_error
from analyzer.report.renderers.markdown import render as render_markdown
from analyzer.report.renderers.registry import FORMATS, Format, ReportSpec, parse_spec, write, write_error
from analyzer.report.renderers.svg import render as render_svg
from tests.support.analyses import golden, hostile

NAMES = ("noise", "fault", "history")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(params=NAMES)
def analysis(request):
    return golden(request.param)


@pytest.mark.parametrize("render", [render_html, render_markdown, lambda a: a._repr_html_()])
def test_foreign_text_is_escaped(render):
    text = render(hostile())
    if render is render_markdown:
        text = re.sub(r"`[^`]*`", "", text)  # code spans are literal in Markdown
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "<b>&" not in text
    assert "\x1b" not in text


def test_markdown_shares_a_jump_out(analysis):
    details = {m.name: {"effect": m.jump, "low": None, "high": None} for m in analysis.metrics}
    shared = replace(analysis, attribution=(StepResult("lr0 0.01 -> 0.1", "", 0, details),))
    assert "Shares" not in render_markdown(analysis)
    lines = [line for line in render_markdown(shared).splitlines() if line.startswith("- **Shares**")]
    assert "lr0" in lines[0]
    assert len(lines) == 1 + sum(m.deciding and bool(m.jump) for m in analysis.metrics)
    spans = {name: {"effect": d["effect"], "low": -1.0, "high": 1.0} for name, d in details.items()}
    bounded = render_markdown(replace(analysis, attribution=(StepResult("lr0 0.01 -> 0.1", "", 0, spans),)))
    assert "such intervals covered" in bounded
    assert "such intervals covered" not in render_markdown(shared)


def test_the_page_needs_nothing_from_outside(analysis):
    page = render_html(analysis)
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page)
    assert not re.findall(r"@import|url\((?!#)", page)
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_ids_on_the_page_are_unique(analysis):
    ids = re.findall(r'\bid="([^"]+)"', render_html(analysis))
    assert len(ids) == len(set(ids))


def test_figures_follow_the_colours_of_the_page():
    page = render_html(golden("fault"))
    figures = "".join(re.findall(r"<svg .*?</svg>", page, flags=re.DOTALL))
    assert set(re.findall(r"(?:fill|stroke): ([^;\"}]+)", figures)) <= {
        "none", "var(--ink)", "var(--muted)", "var(--band)", "var(--observed)", "var(--fault)",
    }  # fmt: skip


def test_the_page_is_small_and_the_same_every_time(analysis):
    page = render_html(analysis)
    assert len(page.encode()) < 1_500_000
    assert page == render_html(analysis)


def test_sections_are_there():
    def sections(name):
        return re.findall(r'<(?:section|header) id="([^"]+)"', render_html(golden(name)))

    assert sections("fault") == [
        "verdict", "metrics", "forest", "curves", "causes", "ladder", "findings", "environment", "methods", "reproduce",
    ]  # fmt: skip
    assert "looks" in sections("noise")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
@pytest.mark.parametrize("name", NAMES)
def test_a_real_browser_complains_about_nothing(tmp_path, name):
    page = tmp_path / "report.html"
    page.write_text(render_html(golden(name)), encoding="utf-8")
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]
    done = subprocess.run(
        [CHROMIUM, *arguments, f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    assert done.stdout.count("<section") >= 5


def test_markdown_tables_keep_their_columns(analysis):
    rows = [line for line in render_markdown(analysis).splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {10}


def test_csv_is_tidy(analysis):
    rows = list(csv.DictReader(io.StringIO(render_csv(analysis))))
    assert tuple(rows[0]) == HEADER
    replicates = [r for r in rows if r["source"] == "replicate" and r["metric"]]
    assert len(replicates) == 10 * len(analysis.replicates)
    observed = {r["metric"]: float(r["value"]) for r in rows if r["source"] == "observed"}
    assert observed["train/box_loss"] == analysis.history.row(analysis.seam.row)["train/box_loss"]


@pytest.mark.parametrize(("name", "counts"), [("noise", (7, 0, 0)), ("fault", (7, 4, 0)), ("continuation", (7, 0, 4))])
def test_junit_counts(name, counts):
    suite = ET.fromstring(render_junit(golden(name))).find("testsuite")
    assert tuple(int(suite.get(k)) for k in ("tests", "failures", "skipped")) == counts
    assert len(suite.findall("testcase")) == counts[0]
    assert len(suite.findall("testcase/failure")) == counts[1]
    assert len(suite.findall("testcase/skipped")) == counts[2]


def test_junit_of_an_analysis_that_could_not_run_is_an_error():
    suite = ET.fromstring(render_junit_error("a.pt is \x00 stripped & <gone>")).find("testsuite")
    assert suite.get("errors") == "1"
    assert suite.find("testcase/error").get("message") == "a.pt is \\x00 stripped & <gone>"


FILES = sorted(kind for kind, made in FORMATS.items() if made.filename)


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_is_written_to_its_path(tmp_path, analysis, kind, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    path = write(analysis, ReportSpec(kind, tmp_path / "deep" / "file"))
    assert path == tmp_path / "deep" / "file"
    assert path.stat().st_size > 100
    assert [p.name for p in tmp_path.iterdir()] == ["deep"]


def test_png_is_a_png_with_two_rows_of_panels(tmp_path):
    path = write(golden("fault"), ReportSpec("png", tmp_path / "drift.png"))
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")) == (12 * 150, 6 * 150)


def test_panels_are_in_the_order_of_ultralytics():
    columns = golden("noise").history.columns
    assert panel_order(columns) == (
        "train/box_loss", "train/cls_loss", "train/dfl_loss", "metrics/precision(B)", "metrics/recall(B)",
        "val/box_loss", "val/cls_loss", "val/dfl_loss", "metrics/mAP50(B)", "metrics/mAP50-95(B)",
    )  # fmt: skip


def test_github_appends_to_the_summary_and_annotates_on_stderr(tmp_path, monkeypatch, capsys):
    summary = tmp_path / "summary"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert write(golden("fault"), ReportSpec("github")) == summary
    assert summary.read_text(encoding="utf-8").startswith("before\n## FAULT")
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("::error title=FAULT::")
    write_error("100%\nbroken", ReportSpec("github"))
    assert "::error title=drift could not run::100%25%0Abroken" in capsys.readouterr().err
    assert "drift could not run" in summary.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_a_module_that_keeps_what_the_table_promises(kind):
    module = importlib.import_module(f"{renderers.__name__}.{kind}")
    assert callable(module.log if FORMATS[kind].library else module.render)
    assert bool(FORMATS[kind].library) != bool(FORMATS[kind].filename)


def test_a_new_format_is_its_module_and_a_line_of_the_table(tmp_path, analysis, monkeypatch):
    (tmp_path / "haiku.py").write_text("def render(analysis):\n    return f'{analysis.verdict.value} again'\n")
    monkeypatch.setattr(renderers, "__path__", [*renderers.__path__, str(tmp_path)])
    monkeypatch.setattr(registry, "FORMATS", {**FORMATS, "haiku": Format("haiku.txt")})
    monkeypatch.delitem(sys.modules, f"{renderers.__name__}.haiku", raising=False)
    written = write(replace(analysis, study=tmp_path / "study"), parse_spec("haiku"))
    assert written == tmp_path / "study" / "haiku.txt"
    assert written.read_text() == f"{analysis.verdict.value} again"
    write_error("no.", parse_spec(f"haiku={tmp_path / 'none'}"))  # it has no words for that
    assert not (tmp_path / "none").exists()


def test_errors_are_written_where_the_kind_has_a_word_for_them(tmp_path):
    write_error("no.", ReportSpec("junit", tmp_path / "j.xml"))
    write_error("no.", ReportSpec("html", tmp_path / "h.html"))
    assert [p.name for p in tmp_path.iterdir()] == ["j.xml"]


@pytest.mark.parametrize("text", ["pdf", "html=", "", "=x"])
def test_specs_that_are_none(text):
    with pytest.raises(UsageError):
        parse_spec(text)


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path, analysis):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write(analysis, ReportSpec("markdown", tmp_path / "file" / "report.md"))


def test_parsing_a_spec_imports_no_renderer():
    code = (
        "from analyzer.report.renderers.registry import parse_spec; parse_spec('html'); import sys; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {"matplotlib", "jinja2", "numpy"} & set(done.stdout.split())


def test_plot_gives_a_figure():
    figure = golden("noise").plot()
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["train/box_loss", "train/cls_loss"]


def test_every_line_of_the_legend_of_the_evidence_is_drawn():
    (axes,) = looks(golden("noise")).axes
    assert len(axes.get_legend().get_texts()) == 2
    assert all(len(line.get_xdata()) for line in axes.get_lines())


def test_svg_is_what_the_terminal_shows_and_asks_for_nothing(analysis):
    picture = render_svg(analysis)
    root = ET.fromstring(picture)
    shown = "".join(root.itertext()).replace("\xa0", " ")
    assert analysis.verdict.value in shown
    assert not re.findall(r"@import|@font-face|url\((?!#)|href", picture)
