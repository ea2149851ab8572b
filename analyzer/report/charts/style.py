"""Colours, fonts, and a figure as SVG that follows the page's light or dark colours."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BAND", "FAULT", "INK", "MUTED", "OBSERVED", "drawing", "png", "quiet", "svg"]

# Drawn in these colours for PNG; in SVG each becomes a CSS variable, so that the page decides.
INK, MUTED, BAND, OBSERVED, FAULT = "#1d2430", "#8a93a3", "#3f7cc4", "#d9731a", "#c0392b"
_VARIABLES = {INK: "--ink", MUTED: "--muted", BAND: "--band", OBSERVED: "--observed", FAULT: "--fault"}

_RC: dict[Any, Any] = {  # matplotlib's own type lists every key
    "font.family": "sans-serif",
    "font.size": 9,
    "svg.fonttype": "none",  # text stays text: small, searchable, in the page's font
    "svg.hashsalt": "yolo-drift",  # the same analysis gives the same bytes
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.formatter.useoffset": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw inside this: the house style, given back afterwards.

    A ``matplotlibrc`` in the working directory has no say: that may be a stranger's run directory.
    """
    import matplotlib as mpl

    defaults = {k: v for k, v in mpl.rcParamsDefault.items() if not k.startswith("backend")}
    with mpl.rc_context({**defaults, **_RC}):
        yield


def quiet(axes: Axes, *, y: bool = True) -> None:
    """Take away what a small panel does not need."""
    axes.margins(x=0.03)
    axes.locator_params(axis="x", nbins=5)
    if y:
        axes.locator_params(axis="y", nbins=4)
    else:
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])


def svg(figure: Figure, name: str) -> str:
    """Write a figure as an SVG element for the page.

    Parameters
    ----------
    figure
        Drawn inside ``drawing()``, in the colours of this module.
    name
        Prefix of every id, unique on the page.
    """
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text)
    head, close, rest = text.partition(">")
    text = re.sub(r' (width|height)="[^"]*"', "", head) + close + rest  # the page gives the size, viewBox the shape
    for colour, variable in _VARIABLES.items():
        text = re.sub(rf"(fill|stroke): {colour}", rf"\1: var({variable})", text)
    return text.replace("<svg ", '<svg role="img" ', 1)


def png(figure: Figure, dpi: int = 150) -> bytes:
    """Write a figure as PNG on white."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return file.getvalue()
