"""What every renderer makes of the synthetic analyses; run as a script to write the files again."""

from __future__ import annotations

import functools
import importlib.util
import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from analyzer.report.document import dumps, to_document
from analyzer.report.renderers.csv import render as render_csv
from analyzer.report.renderers.github import annotate
from analyzer.report.renderers.html import render as render_html
from analyzer.report.renderers.html import render_summary
from analyzer.report.renderers.junit import render as render_junit
from analyzer.report.renderers.markdown import render as render_markdown
from analyzer.report.renderers.terminal import render_plan, render_terminal

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("golden_synthetic", HERE / "synthetic.py")
synthetic = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = synthetic
_spec.loader.exec_module(synthetic)


def terminal(analysis, render=render_terminal, width: int = 80) -> str:
    file = io.StringIO()
    render(analysis, Console(file=file, width=width, highlight=False, emoji=False, color_system=None))
    return file.getvalue()


def page(analysis) -> str:
    """The page without the figures, whose bytes depend on the version of matplotlib."""
    return re.sub(r"<svg .*?</svg>", "<svg/>", render_html(analysis), flags=re.DOTALL)


RENDERERS = {
    "json": lambda analysis: dumps(to_document(analysis)),
    "txt": terminal,
    "md": render_markdown,
    "csv": render_csv,
    "xml": render_junit,
    "github": annotate,
    "html": page,
    "summary.html": render_summary,
}


def files() -> Iterator[tuple[str, Callable[[], str]]]:
    for name, make in synthetic.ANALYSES.items():
        for ending, render in RENDERERS.items():
            yield f"{name}.{ending}", functools.partial(lambda r, m: r(m()), render, make)
    yield "plan.txt", lambda: terminal(synthetic.inconclusive(), render_plan)


if __name__ == "__main__":
    from tests.golden.public import FILES

    for name, text in FILES.items():
        (HERE / "public" / name).write_text(text(), encoding="utf-8")
    for name, text in files():
        (HERE / name).write_text(text(), encoding="utf-8")
