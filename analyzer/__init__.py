"""Was the jump after resuming a YOLO training noise or a fault? Imports neither torch nor ultralytics."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.diagnosis.audit import Audited
    from analyzer.domain.evidence import Verdict
    from analyzer.report.model.analysis import Analysis

__version__ = "0.1.0"
__all__ = ["Analysis", "Verdict", "__version__", "add_drift_callback", "analyze", "audit"]

_LAZY = {
    "Analysis": "analyzer.report.model.analysis",
    "Verdict": "analyzer.domain.evidence",
    "add_drift_callback": "analyzer.integrations.callback",
}


def analyze(run: str | Path, **options: Any) -> Analysis:
    """Judge the resume of a run, as ``drift analyze`` does.

    Parameters
    ----------
    run
        An Ultralytics run directory in which a resumed run wrote results.csv, or a ``.pt`` inside one.
    **options
        Fields of ``analyzer.pipeline.AnalyzeRequest``: checkpoint, seam, replicates, epochs, device, data, alpha,
        margins, seed, budget, dry_run, out, history_only, share_device, assume_yes.

    Returns
    -------
    Analysis
        The same result as the command's.

    Raises
    ------
    analyzer.errors.DriftError
        Where the analysis could not run, in one sentence.
    """
    import analyzer.pipeline as pipeline  # noqa: PLR0402  (from analyzer import ... would ask __getattr__ below)
    from analyzer.domain.progress import Silent

    for name in ("checkpoint", "data", "out", "before"):
        if options.get(name) is not None:
            options[name] = Path(options[name])
    if "margins" in options:
        options["margins"] = tuple(options["margins"])
    return pipeline.analyze(pipeline.AnalyzeRequest(run=Path(run), **options), Silent())


def audit(place: str | Path, **options: Any) -> Audited:
    """Look at checkpoints, arguments, history and data without training, as ``drift audit`` does.

    Parameters
    ----------
    place
        A run directory, or a ``.pt``.
    **options
        ``checkpoint``, ``seam``, ``data``, ``trust``, as the command's options.

    Returns
    -------
    Audited
        With ``.findings`` and ``.hard``.

    Raises
    ------
    analyzer.errors.DriftError
        Where nothing could be read, in one sentence.
    """
    from analyzer.pipeline.audit import AuditOptions, audit_place

    for name in ("checkpoint", "data"):
        if options.get(name) is not None:
            options[name] = Path(options[name])
    return audit_place(Path(place), AuditOptions(**options))


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
