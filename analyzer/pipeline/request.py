"""What a user asks for. The fields of a request are the table of its options.

An option is named after its field, but where the field's metadata say so; the command line, the request and the command
to reproduce are made from these names alone.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from analyzer.replicates.options import TrainingOptions

__all__ = ["AnalyzeRequest", "ReplicateRequest", "command_of", "request_of", "with_absolute_out"]

R = TypeVar("R", bound=TrainingOptions)


def with_absolute_out(request: R) -> R:
    """The request with a study folder that means the same in the worker, whose working directory is another."""
    return request if request.out is None else replace(request, out=request.out.expanduser().absolute())


@dataclass(frozen=True, slots=True)
class AnalyzeRequest(TrainingOptions):
    """Options of ``drift analyze``.

    Parameters
    ----------
    run
        Run directory, or a ``.pt`` inside one.
    checkpoint
        From which the seam started; None: found by its epoch.
    seam
        First resumed epoch as in the CSV; None: the last seam that is visible.
    alpha
        Level of the whole command, in (0, 1).
    margins
        ``METRIC=VALUE`` terms.
    budget
        ``6h``, ``45m``, ``5epochs``; None: none below 30 minutes, then 2 hours unless somebody agrees to more.
    dry_run
        Stop before the first epoch.
    history_only
        Train nothing.
    share_device
        Use the device although a training is running in the run.
    assume_yes
        Do not ask before long work.
    revalidate
        Validate the checkpoint's own weights first.
    replay
        Repeat the user's own resume first, where it can be had again.
    twins
        Train plausible faults where the row is more than noise and no cause is certain.
    before
        The run that was continued: `run` is then a new training from its checkpoint, not a resume.
    """

    run: Path
    checkpoint: Path | None = None
    seam: int | None = None
    alpha: float = 0.05
    margins: tuple[str, ...] = field(default=(), metadata={"option": "margin"})
    budget: str | None = None
    dry_run: bool = False
    history_only: bool = False
    share_device: bool = False
    assume_yes: bool = field(default=False, metadata={"option": "yes"})
    revalidate: bool = True
    replay: bool = True
    twins: bool = True
    before: Path | None = None
    workers: int | None = field(default=None, kw_only=True, metadata={"option": ""})  # for callers in Python


@dataclass(frozen=True, slots=True)
class ReplicateRequest(TrainingOptions):
    """Options of the commands that resume a checkpoint: ``drift replicate``, ``variance`` and ``seam``.

    Parameters
    ----------
    checkpoint
        The checkpoint that will be resumed.
    replicates
        How many healthy replicates there shall be in the end; of ``variance`` and ``seam`` the number of seeds.
    replay
        Train the run's own resume too, on CPU, where it can be exact: the guard then compares batch by batch.
    """

    checkpoint: Path
    replicates: int = field(default=5, kw_only=True)
    replay: bool = False


def request_of(kind: type[R], given: Mapping[str, Any], **more: Any) -> R:
    """Build a request from the parameters of a command.

    Parameters
    ----------
    kind
        The request.
    given
        Values by the names of the command's parameters, others among them; a list becomes a tuple.
    more
        Fields that no parameter is named after.
    """
    named = {f.name: given[_parameter(f)] for f in fields(kind) if _parameter(f) in given} | more
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in named.items()}
    return kind(**values)


def command_of(request: AnalyzeRequest) -> str:
    """The exact command that asks for the same.

    Examples
    --------
    >>> command_of(AnalyzeRequest(Path("train"), margins=("map=0.03",), replay=False, trust_checkpoint=True))
    'drift analyze train --trust-checkpoint --margin map=0.03 --no-replay'
    """
    words = ["drift", "analyze", str(request.run)]
    for f in fields(request):
        value, name = getattr(request, f.name), _parameter(f).replace("_", "-")
        if f.name == "run" or not name or value == f.default:
            continue
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no-{name}")
        else:
            words += [w for v in (value if isinstance(value, tuple) else (value,)) for w in (f"--{name}", str(v))]
    return shlex.join(words)


def _parameter(field: Field[Any]) -> str:
    """Name of a field among the parameters of a command; empty where it has none."""
    return str(field.metadata.get("option", field.name))
