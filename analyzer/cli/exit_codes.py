"""What the shell gets back."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.domain.evidence import Verdict

__all__ = ["ExitCode", "exit_code"]


class ExitCode(IntEnum):
    """Exit codes; "something is wrong" and "could not run" are never the same."""

    OK = 0  # NOISE or NEGLIGIBLE
    USAGE = 2
    FAULT = 10
    INCONCLUSIVE = 11
    COULD_NOT_RUN = 12
    INTERRUPTED = 130


def exit_code(verdict: Verdict) -> ExitCode:
    """Map a verdict to its exit code."""
    codes = {"FAULT": ExitCode.FAULT, "INCONCLUSIVE": ExitCode.INCONCLUSIVE}
    return codes.get(verdict.value, ExitCode.OK)
