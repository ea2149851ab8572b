"""What every table has in common."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analyzer.report.codec import encode

__all__ = ["Printed", "document_of", "plain_table", "say"]

T_contra = TypeVar("T_contra", contravariant=True)


class Printed(Protocol[T_contra]):
    """What a module of this folder has."""

    def document(self, found: T_contra, /) -> Any:
        """Make what ``--json`` prints."""

    def show(self, found: T_contra, console: Console, /) -> None:
        """Print it for people; it fits 80 columns."""


def document_of(found: object, **first: object) -> dict[str, Any]:
    """The fields of a dataclass as one JSON document; a number that is not finite is null."""
    return {"schema_version": "1.0", **first, **encode(found)}


def plain_table(first: str, *numbers: str, min_width: int | None = None) -> Table:
    """A table without lines: names on the left, numbers on the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True, min_width=min_width)
    return table


def say(console: Console, *lines: str, style: str = "") -> None:
    """Print lines that wrap, as they are: no markup in them."""
    for line in lines:
        console.print(Text(line), style=style)
