"""Every golden file and what it should hold; ``python -m tests.golden.write`` writes them all again: look at the diff.

The documents come from the real pipeline and the stored replicates of `tests.golden.pipeline`; each renderer is given a
committed document, so that a change of the one is not taken for a change of the other.
"""

from __future__ import annotations

import functools
import io
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from analyzer.report.model.analysis import Analysis
from analyzer.report.renderers import csv, github, html, junit, markdown
from analyzer.report.renderers.terminal import render_plan, render_terminal
from tests.golden import public
from tests.golden.pipeline import BASES, document_of, unpacked
from tests.support.analyses import GOLDEN, golden

__all__ = ["documents", "rendered"]


def _terminal(analysis: Analysis) -> str:
    file = io.StringIO()
    render = render_plan if analysis.decision.rule == "dry-run" else render_terminal
    render(analysis, Console(file=file, width=80, highlight=False, emoji=False, color_system=None))
    return file.getvalue()


def _page(analysis: Analysis) -> str:
    """The page without the figures, whose bytes depend on the version of matplotlib."""
    return re.sub(r"<svg .*?</svg>", "<svg/>", html.render(analysis), flags=re.DOTALL)


EVERY: Mapping[str, Callable[[Analysis], str]] = {"txt": _terminal, "md": markdown.render}
ONCE: Mapping[str, Callable[[Analysis], str]] = {
    "csv": csv.render,
    "xml": junit.render,
    "github": github.annotate,
    "html": _page,
    "summary.html": html.render_summary,
}


def rendered() -> Iterator[tuple[str, Callable[[], str]]]:
    """File names, and what makes their text: terminal and Markdown of every basis, the other formats once."""
    for basis in BASES:
        for ending, render in {**EVERY, **(ONCE if basis == "fault" else {})}.items():
            yield f"{basis}.{ending}", functools.partial(lambda r, b: r(golden(b)), render, basis)


def documents(root: Path) -> dict[str, dict[str, Any]]:
    """The document of every basis, made now below `root`."""
    with unpacked(root):
        return {basis: document_of(basis, root) for basis in BASES}


def main() -> None:
    """Write every file again."""
    for name, text in public.FILES.items():
        (GOLDEN / "public" / name).write_text(text(), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for basis, document in documents(Path(folder).resolve()).items():
            line = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            (GOLDEN / f"{basis}.json").write_text(line + "\n", encoding="utf-8")
    for name, text in rendered():
        (GOLDEN / name).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
