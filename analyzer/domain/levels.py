"""Levels and shares that the whole tool keeps to; they stand here and nowhere else."""

from __future__ import annotations

__all__ = ["EQUIVALENCE_BETA", "INTERVAL_LEVEL", "NULL_SHARE", "POWER", "SEAM_SHARE"]

NULL_SHARE = 0.8  # of alpha, for the seed null over all metrics, epochs and looks
SEAM_SHARE = 0.2  # of alpha, for the seam against history; alpha is spent once for the whole command
EQUIVALENCE_BETA = 0.2  # a shift counts as inside its margin when |d| + t(1 - beta, df) se <= m
INTERVAL_LEVEL = 0.95  # of every interval that belongs to one metric alone
POWER = 0.8  # with which a detectable jump is seen
