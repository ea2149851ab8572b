"""What every renderer makes of the synthetic analyses; run as a script to write the files again."""

from __future__ import annotations

import functools
import importlib.util
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from analyzer.report.document import dumps, to_document
from analyzer.report.terminal import render_plan, render_terminal

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("golden_synthetic", HERE / "synthetic.py")
synthetic = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = synthetic
_spec.loader.exec_module(synthetic)


def terminal(analysis, render=render_terminal, width: int = 80) -> str:
    file = io.StringIO()
    render(analysis, Console(file=file, width=width, highlight=False, emoji=False, color_system=None))
    return file.getvalue()


def files() -> Iterator[tuple[str, Callable[[], str]]]:
    for name, make in synthetic.ANALYSES.items():
        yield f"{name}.json", functools.partial(lambda m: dumps(to_document(m())), make)
        yield f"{name}.txt", functools.partial(lambda m: terminal(m()), make)
    yield "plan.txt", lambda: terminal(synthetic.inconclusive(), render_plan)


if __name__ == "__main__":
    for name, text in files():
        (HERE / name).write_text(text(), encoding="utf-8")
