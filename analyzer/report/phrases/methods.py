"""The methods paragraph: how this verdict was made, with all numbers, ready for an appendix."""

from __future__ import annotations

from analyzer.domain.levels import EQUIVALENCE_BETA, NULL_SHARE, SEAM_SHARE
from analyzer.report.formatting import clean, count, p_value
from analyzer.report.model.analysis import Analysis
from analyzer.report.phrases.bases import phrases
from analyzer.report.phrases.lines import selection_line

__all__ = ["methods_paragraph"]


def methods_paragraph(analysis: Analysis) -> str:
    """Write one paragraph on how the analysis was made, of facts in the view model only."""
    sentences = [f"The resume at epoch {analysis.seam.epoch} was analysed with yolo-drift {analysis.tool_version}."]
    if analysis.n_replicates:
        sentences.append(phrases(analysis).method(analysis))
    else:
        sentences.append("No replicate was trained: the first resumed epoch was judged by the epochs before it.")
    deciding = [m.name for m in analysis.metrics if m.deciding]
    spent_on_seam = phrases(analysis).seam_share
    if deciding:
        sentences.append(
            f"{count(len(deciding), 'metric')} decided together ({', '.join(map(clean, deciding))}), "
            f"adjusted after Holm (1979); of alpha = {analysis.alpha:g}, {NULL_SHARE:.0%} was spent on them"
            + (f" and {SEAM_SHARE:.0%} on the seam against the run's own history." if spent_on_seam else ".")
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
