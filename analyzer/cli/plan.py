"""``drift plan``: how many replicates see a jump, before any is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import AlphaOption, DebugOption, JsonOption, MarginOption, TrustOption

__all__ = ["plan"]


def _check_power(power: float) -> float:
    if not 0.5 <= power <= 0.999:
        raise typer.BadParameter(f"{power:g} must lie between 0.5 and 0.999, e.g. 0.8.")
    return power


Run = Annotated[Path, typer.Argument(metavar="RUN", help="Run directory, or a .pt inside it.")]
PowerOption = Annotated[
    float, typer.Option(metavar="P", callback=_check_power, help="Chance to see a jump of that size.")
]
SeamOption = Annotated[
    int | None, typer.Option(metavar="EPOCH", help="First resumed epoch; default: the last seam, else the next resume.")
]
CheckpointOption = Annotated[
    Path | None, typer.Option(metavar="PT", help="From which the resume starts; default: found by its epoch.")
]


@guarded
def plan(
    run: Run,
    jump: MarginOption = [],  # noqa: B006
    power: PowerOption = 0.8,
    alpha: AlphaOption = 0.05,
    seam: SeamOption = None,
    checkpoint: CheckpointOption = None,
    trust_checkpoint: TrustOption = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Say how many replicates see a jump, and which jump N replicates see; trains nothing."""
    given = locals()
    from analyzer.cli.emit import emit_found
    from analyzer.pipeline.plan import plan_replicates
    from analyzer.pipeline.request import AnalyzeRequest, request_of
    from analyzer.report.tables import plan as table

    request = request_of(AnalyzeRequest, given, margins=tuple(jump))
    return emit_found(plan_replicates(request, power), table, as_json=json)
