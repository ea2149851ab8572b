"""The methods paragraph: how this verdict was made, with all numbers, ready for an appendix."""

from __future__ import annotations

from analyzer.domain.levels import EQUIVALENCE_BETA, NULL_SHARE, SEAM_SHARE
from analyzer.report import borrowed
from analyzer.report.formatting import p_value
from analyzer.report.model.analysis import Analysis
from analyzer.report.phrases import clean, count, selection_line

__all__ = ["methods_paragraph"]


def methods_paragraph(analysis: Analysis) -> str:
    """Write one paragraph on how the analysis was made, of facts in the view model only."""
    versions = analysis.environment.packages
    tools = ", ".join(f"{name} {versions[name]}" for name in ("ultralytics", "torch") if name in versions)
    sentences = [f"The resume at epoch {analysis.seam.epoch} was analysed with yolo-drift {analysis.tool_version}."]
    if analysis.borrowed is not None and analysis.n_replicates:
        sentences.append(borrowed.methods(analysis.borrowed, analysis.n_replicates))
    elif analysis.n_replicates and not analysis.history_only:
        sentences += _null(analysis, tools)
    else:
        sentences.append("No replicate was trained: the first resumed epoch was judged by the epochs before it.")
    deciding = [m.name for m in analysis.metrics if m.deciding]
    if deciding:
        sentences.append(
            f"{count(len(deciding), 'metric')} decided together ({', '.join(map(clean, deciding))}), "
            f"adjusted after Holm (1979); of alpha = {analysis.alpha:g}, {NULL_SHARE:.0%} was spent on them"
            + ("." if analysis.fraction else f" and {SEAM_SHARE:.0%} on the seam against the run's own history.")
        )
        sentences.append(
            "A shift counts as inside its margin where its upper bound at one-sided level "
            f"{1 - EQUIVALENCE_BETA:g} does not exceed it (intersection-union, Berger and Hsu 1996)."
        )
    omnibus = analysis.omnibus
    if omnibus is not None and omnibus.p is not None:
        sentences.append(f"Whole family: {omnibus.test}, p {p_value(omnibus.p)}.")
    rate = selection_line(analysis)
    if rate:
        sentences.append(f"{rate[0].upper()}{rate[1:]}.")
    return " ".join(sentences)


def _null(analysis: Analysis, tools: str) -> list[str]:
    checkpoint = analysis.checkpoint
    source = "" if checkpoint is None else f" (epoch {checkpoint.epoch}, SHA-256 {checkpoint.sha256[:16]})"
    seeds = "" if analysis.base_seed is None else f", seeds spawned from {analysis.base_seed}"
    return [
        f"Its checkpoint{source} was resumed {analysis.n_replicates} times with different seeds{seeds}"
        + (f" under {tools}" if tools else "")
        + (f" on {analysis.environment.device}" if analysis.environment.device else "")
        + (f" for the first {analysis.fraction:.2g} of an epoch, without validation" if analysis.fraction else "")
        + "; the unexplained shift of a metric is its observed value minus the mean of these replicates."
    ]
