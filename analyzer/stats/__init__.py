"""Pure functions: arrays and a Generator in, frozen results out; no path, clock or print."""

from analyzer.stats.arms import ArmDifference, compare_arms
from analyzer.stats.history import (
    HistoryNoise,
    auto_margin,
    history_noise,
)
from analyzer.stats.margins import parse_margins
from analyzer.stats.moderation import Prior, moderate
from analyzer.stats.null import shift_tests
from analyzer.stats.paths import PathComparison, path_tests
from analyzer.stats.seam import SeamResult, observed_against_history, seam_against_history
from analyzer.stats.sequential import Continue, Stop, StopReason, next_action
from analyzer.stats.shift import NullComparison

__all__ = [
    "ArmDifference",
    "Continue",
    "HistoryNoise",
    "NullComparison",
    "PathComparison",
    "Prior",
    "SeamResult",
    "Stop",
    "StopReason",
    "auto_margin",
    "compare_arms",
    "history_noise",
    "moderate",
    "next_action",
    "observed_against_history",
    "parse_margins",
    "path_tests",
    "seam_against_history",
    "shift_tests",
]
