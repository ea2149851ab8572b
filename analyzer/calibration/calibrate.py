"""`drift calibrate`: the tool's own error rates over a grid of simulated resumes; resumable, in shards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.calibration.grid import DESIGNS, SHIFTS, CellResult, Requirement, requirements_of
from analyzer.calibration.operating import Shares, shares_together
from analyzer.calibration.recorded_rows import Recorded, read_recorded
from analyzer.calibration.simulate import SHAPES, Cell
from analyzer.domain.levels import NULL_SHARE
from analyzer.files import read_json, write_atomically
from analyzer.stats.critical import looks

__all__ = ["CalibrateRequest", "Calibration", "calibrate"]


_ENOUGH_ROWS = 100  # different rows below which their number limits what is learnt, not that of the draws


@dataclass(frozen=True, slots=True)
class CalibrateRequest:
    """What is measured.

    Parameters
    ----------
    places
        Studies or row files whose rows are resampled, beside the shapes that are simulated.
    draws
        Simulated analyses a cell.
    alphas
        Levels of the whole command.
    designs
        Replicates; None for the sequential design.
    prior_ratio
        True sd of a history epoch over true sd of a replicate.
    seed
        Of the simulation.
    shard
        (i, n): compute every n-th block only, from the i-th (counted from 1).
    folder
        Where finished blocks are kept.
    """

    folder: Path
    places: tuple[Path, ...] = ()
    draws: int = 20_000
    alphas: tuple[float, ...] = (0.05, 0.01)
    designs: tuple[int | None, ...] = DESIGNS
    prior_ratio: float = 1.0
    seed: int = 1
    shard: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The grid, or as much of it as there is.

    Parameters
    ----------
    request
        What was asked for.
    done, total
        Blocks (one noise, one N) that are finished, and blocks of the grid.
    cells
        In the order of the grid.
    notes
        What was left out and why.
    """

    request: CalibrateRequest
    done: int
    total: int
    cells: tuple[CellResult, ...]
    notes: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether no block is missing."""
        return self.done == self.total

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """Every requirement, one entry for each cell that it speaks of."""
        return tuple(r for c in self.cells for r in requirements_of(c))


@dataclass(frozen=True, slots=True)
class _Block:
    """One noise and one N: its shifts and levels share their draws, so they are computed and kept together."""

    source: str
    n: int | None
    rows: Recorded | None
    facts: dict[str, Any]

    @property
    def words(self) -> str:
        return f"{self.source}, {'auto' if self.n is None else f'N = {self.n}'}"

    def file(self, folder: Path) -> Path:
        name = "".join(c if c.isalnum() or c in "-_." else "-" for c in self.source)
        return folder / f"{name}-{self.n or 'auto'}-{_digest(self.facts)[:12]}.json"


def calibrate(request: CalibrateRequest, on_block: Callable[[str, int, int], None]) -> Calibration:
    """Compute the blocks of this shard that are missing, each kept as soon as it is finished, and read all there are.

    Parameters
    ----------
    request
        What is measured.
    on_block
        Told before each block is computed: its words, how many of this shard are finished, how many it has to compute.

    Raises
    ------
    RunError
        A place holds no rows.
    StoreError
        The folder cannot be written.
    """
    blocks, notes = _blocks(request)
    first, step = request.shard
    missing = [b for b in blocks[first - 1 :: step] if _read(b, request) is None]
    for done, block in enumerate(missing):
        on_block(block.words, done, len(missing))
        _compute(block, request)
    found = [_read(b, request) for b in blocks]
    cells = tuple(c for f in found if f is not None for c in f)
    return Calibration(request, sum(f is not None for f in found), len(blocks), cells, notes)


def _blocks(request: CalibrateRequest) -> tuple[list[_Block], tuple[str, ...]]:
    sources: dict[str, Recorded | None] = dict.fromkeys(SHAPES)
    sources |= {r.label: r for r in read_recorded(request.places)}
    code, blocks, notes = _code_digest(), [], []
    for source, rows in sources.items():
        for n in request.designs:
            needed = (n or looks()[-1]) + 1
            if rows is not None and len(rows.rows) < needed:
                notes.append(
                    f"{source}: left out for N = {n or 'auto'}, which takes {needed} different rows, the judged one "
                    f"included; there are {len(rows.rows)}. More: drift replicate CHECKPOINT -n {needed}."
                )
                continue
            facts = {
                "source": source if rows is None else hashlib.sha256(rows.rows.tobytes()).hexdigest(),
                "n": n,
                "draws": request.draws,
                "alphas": request.alphas,
                "shifts": SHIFTS,
                "prior_ratio": request.prior_ratio,
                "seed": request.seed,
                "code": code,
            }
            blocks.append(_Block(source, n, rows, facts))
        used = rows is not None and any(b.source == source for b in blocks)
        if rows is not None and used and len(rows.rows) < _ENOUGH_ROWS:
            notes.append(
                f"{source}: the same {len(rows.rows)} rows are drawn again and again, so its shares are known to about "
                f"{0.5 / len(rows.rows) ** 0.5:.2f} at best, however many draws; {_ENOUGH_ROWS} or more are wanted."
            )
    return blocks, tuple(notes)


def _code_digest() -> str:
    """Of the statistics, their tables and the simulation: a change in any of them makes new blocks."""
    stats = resources.files("analyzer.stats")
    folders = (stats, stats / "tables", resources.files("analyzer.calibration"))
    files = [f for folder in folders for f in folder.iterdir() if f.name.endswith((".py", ".json"))]
    digest = hashlib.sha256()
    for file in sorted(files, key=str):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def _digest(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _compute(block: _Block, request: CalibrateRequest) -> None:
    shape, n = (block.source if block.rows is None else "rows"), block.n or looks()[-1]
    cells = [Cell(shape, n, prior_ratio=request.prior_ratio, shift=s, shifted=j) for s, j in SHIFTS]
    start = {k: block.facts[k] for k in ("source", "n")}
    found = shares_together(
        cells,
        request.draws,
        np.random.default_rng([request.seed, int(_digest(start)[:15], 16)]),
        alphas=[NULL_SHARE * a for a in request.alphas],
        auto=block.n is None,
        rows=None if block.rows is None else block.rows.rows,
        groups=None if block.rows is None else block.rows.groups,
    )
    shares = [[asdict(s) for s in by_level] for by_level in found]
    write_atomically(block.file(request.folder), json.dumps({"facts": block.facts, "shares": shares}))


def _read(block: _Block, request: CalibrateRequest) -> list[CellResult] | None:
    """The cells of a finished block; None where it is missing or its file is damaged."""
    try:
        document = read_json(block.file(request.folder))
        if document["facts"] != json.loads(json.dumps(block.facts)):
            return None
        return [
            CellResult(block.source, block.n, alpha, shift, len(shifted), Shares(**shares))
            for (shift, shifted), by_level in zip(SHIFTS, document["shares"], strict=True)
            for alpha, shares in zip(request.alphas, by_level, strict=True)
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return None
