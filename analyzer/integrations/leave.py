"""End an Ultralytics training between two batches, as if the epoch that runs had never begun."""

from __future__ import annotations

from typing import Any

__all__ = ["leave_epoch"]


def leave_epoch(trainer: Any) -> None:
    """Ask the trainer to stop, and keep what follows in its loop from saving half an epoch.

    After ``stop`` Ultralytics leaves the loop over batches and goes on as after a whole epoch: it would validate,
    append a row to results.csv, overwrite last.pt, and strip it. Those steps of this one trainer are replaced by
    nothing, so that results.csv and last.pt stay as the epoch before left them. Callbacks, loggers and loaders end as
    usual. Versions that do not look at ``stop`` between batches train the epoch to its end first, unsaved.

    Parameters
    ----------
    trainer
        A trainer of one process. Under DDP the other ranks would wait for this one for ever.
    """
    trainer.stop = True
    trainer.validate = lambda: (trainer.metrics, None)
    trainer.save_metrics = _nothing
    trainer.save_model = _nothing
    trainer.final_eval = _nothing
    trainer.plot_metrics = _nothing
    trainer._handle_nan_recovery = _nothing


def _nothing(*_: Any, **__: Any) -> bool:
    return False
