"""One validation of the weights that a checkpoint stores, as the trainer itself validates after an epoch."""

from __future__ import annotations

import time
from typing import Any

from analyzer.domain.replicate import EpochRecord
from analyzer.replicates.worker.rows import printed_row

__all__ = ["Validated", "validate_stored"]


class Validated(BaseException):
    """The stored weights have been validated: the training that would follow is not wanted."""


def validate_stored(trainer: Any, *, padded: bool) -> EpochRecord:
    """Validate the EMA of a trainer that was set up for a resume and has not trained yet.

    It is Ultralytics' own ``trainer.validate()``: its validator, loader, image size, batch and precision.

    Parameters
    ----------
    trainer
        At its ``on_train_start``.
    padded
        As in :func:`analyzer.replicates.worker.rows.printed_row`.

    Returns
    -------
    EpochRecord
        The validation columns of the checkpoint's own epoch; both rows are rounded as Ultralytics does.
    """
    import torch

    started = time.perf_counter()
    trainer.epoch = trainer.start_epoch - 1
    if trainer.validator is None:  # on several GPUs older versions validate on the first rank alone
        return EpochRecord(int(trainer.epoch) + 1, {}, {}, 0.0)
    trainer.loss_items = _loss_items(trainer)  # the validator takes names and shape of its sums from the last batch
    trainer.loss = torch.zeros(1)
    metrics, _ = trainer.validate()
    row = printed_row(metrics, padded=padded) if metrics is not None else {}  # None: another rank has them
    return EpochRecord(int(trainer.epoch) + 1, row, row, time.perf_counter() - started)


def _loss_items(trainer: Any) -> Any:
    """Loss items of one validation image, which no loader hands out: its order stays untouched."""
    import torch

    loader = trainer.validator.dataloader
    batch = trainer.preprocess_batch(loader.collate_fn([loader.dataset[0]]))
    model = trainer.ema.ema
    model.eval()
    with torch.no_grad():
        return model.loss(batch)[1]
