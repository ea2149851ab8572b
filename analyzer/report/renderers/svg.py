"""report.svg: what the terminal shows, as a picture for a README or an issue."""

from __future__ import annotations

import io
import re

from analyzer.report.model.analysis import Analysis

__all__ = ["render"]


def render(analysis: Analysis) -> str:
    """Draw the terminal report, 80 columns wide, on white; the picture asks for nothing from outside."""
    from rich._export_format import CONSOLE_SVG_FORMAT
    from rich.console import Console
    from rich.terminal_theme import DEFAULT_TERMINAL_THEME

    from analyzer.report.renderers.terminal import render_terminal

    console = Console(
        record=True, width=80, file=io.StringIO(), force_terminal=True, color_system="standard", highlight=False
    )
    render_terminal(analysis, console)
    # rich loads its font from a network; any monospaced one of the reader does
    template = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="drift analyze", theme=DEFAULT_TERMINAL_THEME, code_format=template, unique_id="d")
