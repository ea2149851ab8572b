"""Faults of the data loader."""

from __future__ import annotations

from typing import Any, ClassVar

from analyzer.faults.base import Intervention

__all__ = ["ConstantLoader"]


class ConstantLoader(Intervention):
    """The loader's generator is seeded with a constant, as Ultralytics did up to 8.4.120 (upstream PR #25815).

    With worker processes no seed then changes order or augmentation: a null without variance.
    """

    id: ClassVar[str] = "constant-loader"

    def at_start(self, trainer: Any) -> None:
        """Seed the loader with Ultralytics' old constant and restart it."""
        trainer.train_loader.generator.manual_seed(6148914691236517205)
        trainer.train_loader.reset()
