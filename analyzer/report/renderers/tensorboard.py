"""A study as a log directory of TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analyzer.report.model.analysis import Analysis
from analyzer.report.renderers.trackers import facts, numbers, report_files, steps, study_id, summary

__all__ = ["log"]


def log(analysis: Analysis, target: str) -> str:
    """Log it; ``target`` is the log directory; by default a folder in the study."""
    import numpy as np
    from torch.utils.tensorboard import SummaryWriter

    default = analysis.study if analysis.study else analysis.run / "drift"
    folder = Path(target) / study_id(analysis) if target else default / "tensorboard"
    for old in folder.glob("events.out.tfevents.*"):
        old.unlink()  # the study's earlier report: one study is one run
    writer: Any = SummaryWriter(str(folder))
    try:
        for key, value in numbers(analysis).items():
            writer.add_scalar(key, value, 0)
        null: dict[str, list[float]] = {}
        for i, row in enumerate(steps(analysis)):
            for key, value in row.items():
                writer.add_scalar(key, value, i)
                null.setdefault(key, []).append(value)
        for key, values in null.items():
            writer.add_histogram(f"{key}s", np.array(values), 0)
        writer.add_text("verdict", summary(analysis), 0)
        writer.add_text("facts", "\n".join(f"- {k}: `{v}`" for k, v in facts(analysis).items()), 0)
        with report_files(analysis) as files:
            writer.add_text("report", files[2].read_text(encoding="utf-8"), 0)
        writer.add_figure("report", analysis.plot(), 0)
    finally:
        writer.close()
    return f"tensorboard --logdir {folder}"
