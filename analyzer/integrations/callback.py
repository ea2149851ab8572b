"""The callback of Ultralytics, in the convention of ``add_wandb_callback``."""

from __future__ import annotations

from typing import Any

from analyzer.integrations.guard import EVENTS, Guard

__all__ = ["add_drift_callback", "guard_all"]


def add_drift_callback(model: Any, *, epochs: int = 3, on_fault: str = "warn", alpha: float = 0.05) -> Any:
    """Guard the next resume of a model.

    At the start of a *resume* (a new training is left alone) a copy of the checkpoint and a manifest of the data are
    kept under ``RUN/drift/seams/``. Each of the first `epochs` resumed epochs is then tested: against the stored null
    of that checkpoint where ``drift replicate`` made one, else against the run's own history. The outcome is in
    ``RUN/drift/guard.json``. Any error of the guard itself is one warning; the training goes on.

    Parameters
    ----------
    model
        A ``YOLO`` (or RTDETR ...) or a trainer: whatever has ``add_callback``.
    epochs
        K, how many resumed epochs are judged.
    on_fault
        "warn", or "stop": end the training cleanly after the epoch, the seam's checkpoint kept.
    alpha
        Rate of false alarms over all K epochs.

    Returns
    -------
    The model.

    Raises
    ------
    UsageError
        An option does not make sense.

    Examples
    --------
    >>> from ultralytics import YOLO  # doctest: +SKIP
    >>> model = add_drift_callback(YOLO("runs/detect/train/weights/last.pt"), on_fault="stop")  # doctest: +SKIP
    >>> model.train(resume=True)  # doctest: +SKIP
    """
    guard = Guard(epochs=epochs, on_fault=on_fault, alpha=alpha)
    for event in EVENTS:
        model.callbacks[event] = [c for c in model.callbacks.get(event, []) if not _ours(c)]  # never two guards
        model.add_callback(event, getattr(guard, event))
    return model


def guard_all(*, epochs: int = 3, on_fault: str = "warn", alpha: float = 0.05) -> None:
    """Guard every model that is made in this process from now on; imports ultralytics.

    Raises
    ------
    UsageError
        An option does not make sense.
    """
    from ultralytics.utils.callbacks.base import default_callbacks

    guard = Guard(epochs=epochs, on_fault=on_fault, alpha=alpha)
    for event in EVENTS:
        kept = [c for c in default_callbacks[event] if not _ours(c)]
        default_callbacks[event] = [*kept, getattr(guard, event)]


def _ours(callback: Any) -> bool:
    return isinstance(getattr(callback, "__self__", None), Guard)
