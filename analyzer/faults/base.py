"""What a fault is: hooks that change the arguments, the data, the checkpoint copy or the trainer, and nothing else."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = ["Intervention", "trained_model"]


class Intervention:
    """One fault that can be injected into a replicate. Subclasses override the hooks they need.

    The hooks work on copies: `edit_args`, `edit_data` and `edit_checkpoint` before Ultralytics sees the checkpoint
    copy; `at_start` on the trainer of every replicate, after reseeding and before its first batch; `at_batch` before
    each batch. No hook draws from a random generator that the training uses: a replay under a fault must stay exact.
    """

    id: ClassVar[str]

    def edit_args(self, args: dict[str, Any]) -> None:
        """Change the training arguments of the checkpoint copy in place."""

    def edit_data(self, data: dict[str, Any]) -> None:
        """Change the mapping of the data yaml in place; not called for classification, whose data is a folder."""

    def edit_checkpoint(self, payload: dict[str, Any]) -> None:
        """Change the payload of the checkpoint copy in place."""

    def at_start(self, trainer: Any) -> None:
        """Change the trainer of a replicate in place, after reseeding."""

    def at_batch(self, trainer: Any) -> None:
        """Change the trainer in place before each batch."""


def trained_model(trainer: Any) -> Any:
    """The model that a trainer trains; on several GPUs it is wrapped (``DistributedDataParallel``)."""
    return getattr(trainer.model, "module", trainer.model)
