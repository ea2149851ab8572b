"""What the store holds for a checkpoint: nulls of whole epochs, nulls of epochs from inside, a replay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.domain.replicate import HEALTHY, Arm, ArmKind, Outcome, Replicate
from analyzer.domain.within import Within
from analyzer.files import read_json
from analyzer.replicates.devices import as_many
from analyzer.replicates.placement import ultralytics_threads
from analyzer.replicates.store import Store
from analyzer.runs.versions import installed_versions

__all__ = ["Kept", "studies_of"]

_ENOUGH = 5  # replicates, as many as the pilot of `drift analyze`


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A study of the checkpoint, made with the installed versions.

    Parameters
    ----------
    name
        Of the study.
    store
        Its files.
    facts
        What its name stands for.
    changes
        Arguments that were changed at the resume: they name the arm.
    """

    name: str
    store: Store
    facts: Mapping[str, Any]
    changes: Mapping[str, Any]

    def null(self, epochs: int) -> tuple[Replicate, ...]:
        """Replicates of at least that many whole epochs, or that diverged."""
        return tuple(r for r in self._arm("") if len(r.epochs) >= epochs or r.outcome is Outcome.DIVERGED)

    def inside(self, batches: int) -> tuple[Replicate, ...]:
        """Replicates whose first epoch of that many batches was kept from inside, one a seed.

        Those that left their epoch early are taken along only where whole ones are few: they shorten the comparison.
        """
        parts = sorted((self.store.path / "replicates").glob(f"{self._folder}-first*"), reverse=True)  # longest first
        found: dict[int, Replicate] = {}
        for suffix in ("", *(p.name.removeprefix(self._folder) for p in parts)):
            if len(found) >= _ENOUGH:
                break
            for r in self._arm(suffix):
                within = r.epochs[0].within if r.epochs else None
                if within is not None and within.batches == batches:
                    found.setdefault(r.seed, r)  # the same seed gives the same path
        return tuple(found[seed] for seed in sorted(found))

    def replay(self, seed: int, batches: int) -> Within | None:
        """The first epoch of the run's own resume, every batch of it; None where its like cannot be expected here.

        Two executions agree to the last digit only with the same packages and the same number of threads: a replay is
        trained with those that Ultralytics takes by itself.
        """
        import torch

        installed = installed_versions()
        versions = self.facts.get("versions") or {}
        threads = torch.get_num_threads() == ultralytics_threads()
        if not threads or installed.get("albumentations") or any(installed.get(k) != v for k, v in versions.items()):
            return None
        found = self.store.get(Arm(ArmKind.REPLAY, {**self.changes, "seed": seed}).folder, seed)
        within = found.epochs[0].within if found is not None and found.epochs else None
        return within if within is not None and within.batches == batches == len(within.after) else None

    @property
    def _folder(self) -> str:
        return (Arm(ArmKind.AS_CONFIGURED, self.changes) if self.changes else HEALTHY).folder

    def _arm(self, suffix: str) -> tuple[Replicate, ...]:
        return tuple(r for r in self.store.all(self._folder + suffix) if r.outcome is not Outcome.FAILED)


def studies_of(roots: Iterable[Path], sha256: str, changes: Mapping[str, Any], device: Any) -> Iterator[Kept]:
    """Every study of that checkpoint below the roots, made with the installed Ultralytics and torch.

    One of another number of GPUs is left out: its losses are those of other shards, and an alarm may end the training.

    Parameters
    ----------
    roots
        Folders that hold studies.
    sha256
        Of the checkpoint.
    changes
        Arguments that were changed at the resume; empty for a plain one.
    device
        Of the run's arguments.
    """
    installed = installed_versions()
    for file in sorted({f for root in roots for f in root.glob("*/study.json")}):
        try:
            facts = read_json(file)
        except (OSError, ValueError):
            continue  # torn or foreign: no study of ours
        if not isinstance(facts, dict):
            continue
        versions = facts.get("versions") or {}
        same = all(versions.get(p) in (None, installed.get(p)) for p in ("ultralytics", "torch"))
        if facts.get("checkpoint") == sha256 and same and as_many(str(facts.get("device", "")), device):
            yield Kept(file.parent.name, Store(file.parent.parent, file.parent.name), facts, changes)
