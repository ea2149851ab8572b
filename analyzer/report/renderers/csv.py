"""All values as tidy CSV: one row a value, replicates and the run itself alike."""

from __future__ import annotations

import csv
import io
import math

from analyzer.domain.metrics import metrics_of
from analyzer.report.model.analysis import Analysis

__all__ = ["HEADER", "render"]

HEADER = ("source", "arm", "seed", "outcome", "epoch", "metric", "value", "exact")


def render(analysis: Analysis) -> str:
    """Make the CSV.

    Returns
    -------
    str
        Columns ``source`` (replicate, before, observed), ``arm``, ``seed``, ``outcome``, ``epoch``, ``metric``,
        ``value`` (as Ultralytics prints it) and ``exact`` (full precision, replicates only); empty where there is
        none, and where a value is not finite. A replicate without an epoch is one row without a metric.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    names = [m.name for m in metrics_of(analysis.history.columns)]
    rows = (("before", analysis.seam.before), ("observed", analysis.seam.row))
    for source, index in rows:
        if index is not None and index < len(analysis.history):
            row = analysis.history.row(index)
            epoch = int(analysis.history.epochs[index])
            writer.writerows((source, "", "", "", epoch, _cell(n), _number(row[n]), "") for n in names)
    for replicate in analysis.replicates:
        key = ("replicate", _cell(replicate.arm), replicate.seed, replicate.outcome.value)
        if not replicate.epochs:
            writer.writerow((*key, "", "", "", ""))
        for record in replicate.epochs:
            for m in metrics_of(record.printed):
                exact = _number(record.exact.get(m.name, math.nan))
                writer.writerow((*key, record.epoch, _cell(m.name), _number(record.printed[m.name]), exact))
    return file.getvalue()


def _number(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else ""


def _cell(text: str) -> str:
    """Keep a spreadsheet from reading foreign text as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
