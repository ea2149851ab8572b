"""Faults of the data loader."""

from __future__ import annotations

from typing import Any

from analyzer.faults.fault import Family, Fault

__all__ = ["ConstantLoader"]


class ConstantLoader(Fault):
    """The loader's generator is seeded with a constant, as Ultralytics did up to 8.4.120 (upstream PR #25815).

    With worker processes no seed then changes order or augmentation: a null without variance.
    """

    id = "constant-loader"
    family = Family.LOADER
    row = "No seed changes anything: a null without variance."
    audit = "Named as a known bug of the version."
    remedy = "Update Ultralytics to a version that seeds its loader (8.4.132 and later)."
    untried = "its row is an ordinary one: only replicates that agree in every digit show it"

    def at_start(self, trainer: Any) -> None:
        """Seed the loader with Ultralytics' old constant and restart it."""
        trainer.train_loader.generator.manual_seed(6148914691236517205)
        trainer.train_loader.reset()
