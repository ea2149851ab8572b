"""Options that several commands share, and how their words are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from analyzer.errors import UsageError
from analyzer.report.renderers.registry import KINDS, parse_spec  # a renderer is imported when it is used

__all__ = [
    "AlphaOption",
    "BudgetOption",
    "CheckpointArgument",
    "DataOption",
    "DebugOption",
    "DeviceOption",
    "EpochsOption",
    "FractionOption",
    "JsonOption",
    "MarginOption",
    "OutOption",
    "PerDeviceOption",
    "RayOption",
    "ReplicatesOption",
    "ReportOption",
    "SeedOption",
    "TrustOption",
    "WorkersOnOption",
    "WorkersOption",
    "replicates_of",
]


def replicates_of(text: str) -> int | None:
    """Read ``--replicates``: a number from 1, or ``auto`` (None), which the parameter then holds.

    Examples
    --------
    >>> replicates_of("auto"), replicates_of("12")
    (None, 12)
    """
    if text.strip().lower() == "auto":
        return None
    if not text.strip().isdecimal() or int(text) < 1:
        raise typer.BadParameter(f"{text!r} is neither a number from 1 nor 'auto'.")
    return int(text)


def _check_alpha(alpha: float) -> float:
    if not 0 < alpha < 0.5:
        raise typer.BadParameter(f"{alpha:g} must lie between 0 and 0.5, e.g. 0.05.")
    return alpha


def _check_margins(margins: list[str]) -> list[str]:
    for margin in margins:
        if not re.fullmatch(r"[^=]+=\s*[0-9.eE+-]+\s*%?", margin):
            raise typer.BadParameter(f"{margin!r} is not METRIC=VALUE, e.g. loss=0.1, map=0.03, train/box_loss=5%.")
    return margins


def _check_budget(budget: str | None) -> str | None:
    if budget is not None and not re.fullmatch(r"\s*(\d+(\.\d+)?\s*(s|m|min|h|d)|\d+\s*epochs?)\s*", budget):
        raise typer.BadParameter(f"{budget!r} is no budget, e.g. 6h, 90min, 5epochs.")
    return budget


def _check_reports(reports: list[str]) -> list[str]:
    for report in reports:
        try:
            parse_spec(report)
        except UsageError as error:
            raise typer.BadParameter(str(error)) from error
    return reports


def _check_fraction(fraction: float | None) -> float | None:
    if fraction is not None and not 0 < fraction < 1:
        raise typer.BadParameter(f"{fraction:g} must lie between 0 and 1, e.g. 0.1.")
    return fraction


FractionOption = Annotated[
    float | None,
    typer.Option(
        metavar="F", callback=_check_fraction, help="Only the first part of the epoch, e.g. 0.1: train losses."
    ),
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")]
DeviceOption = Annotated[
    str | None, typer.Option(metavar="D", help="cpu, 0, cuda:1; 0,1: DDP on both; default: as the run had it.")
]
DataOption = Annotated[Path | None, typer.Option(metavar="YAML", help="Data yaml, where it moved since the run.")]
EpochsOption = Annotated[int, typer.Option(min=1, metavar="K", help="Resumed epochs to train and compare.")]
TrustOption = Annotated[
    bool, typer.Option("--trust-checkpoint", help="Unpickle without the allow-list: runs what the file says.")
]
SeedOption = Annotated[int | None, typer.Option(min=0, metavar="BASE", help="Base seed of the replicates.")]
AlphaOption = Annotated[
    float, typer.Option(metavar="A", callback=_check_alpha, help="Rate of false alarms of the whole command.")
]
ReplicatesOption = Annotated[
    str, typer.Option(metavar="N|auto", callback=replicates_of, help="Healthy resumes to train or reuse.")
]
MarginOption = Annotated[
    list[str],
    typer.Option(metavar="METRIC=VALUE", callback=_check_margins, help="Jump that matters; repeatable."),
]
BudgetOption = Annotated[
    str | None, typer.Option(metavar="6h|5epochs", callback=_check_budget, help="Most to spend on training now.")
]
ReportOption = Annotated[
    list[str],
    typer.Option(
        "--report",
        metavar="KIND[=PATH]",
        callback=_check_reports,
        help=f"{KINDS}.",
    ),
]
WorkersOnOption = Annotated[
    str | None, typer.Option("--workers-on", metavar="D,D,...", help="Train on these devices at once, e.g. 0,1,2.")
]
PerDeviceOption = Annotated[
    int | None, typer.Option("--per-device", min=1, metavar="P", help="Replicates at once on each device.")
]
RayOption = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Train on a Ray cluster: host:port, auto, or local to start one.")
]
WorkersOption = Annotated[
    int | None, typer.Option(min=0, metavar="W", help="Loader processes; default: as the run had them.")
]
OutOption = Annotated[Path | None, typer.Option(metavar="DIR", help="Where the study is kept; default: RUN/drift.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, nothing else.")]
CheckpointArgument = Annotated[
    Path, typer.Argument(metavar="CHECKPOINT", help="That can be resumed, e.g. RUN/weights/last.pt.")
]
