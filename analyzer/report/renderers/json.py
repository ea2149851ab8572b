"""report.json: the document, sealed with its checksum where it stands in its study."""

from __future__ import annotations

from analyzer.report.document import dumps, to_document
from analyzer.report.model.analysis import Analysis
from analyzer.report.seal import write_sealed as keep

__all__ = ["keep", "render"]


def render(analysis: Analysis) -> str:
    """Make the document as text."""
    return dumps(to_document(analysis))
