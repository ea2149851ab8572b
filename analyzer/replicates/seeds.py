"""Seeds of replicates: independent, extendable, reproducible."""

from __future__ import annotations

import numpy as np

__all__ = ["rank_seed", "replicate_seeds", "second_seed"]


def replicate_seeds(base: int, n: int, *, first: int = 0) -> tuple[int, ...]:
    """Seeds of replicates ``first .. first + n - 1`` under one base seed.

    Replicate i has its own spawn key, so a longer study starts with the seeds of a shorter one.

    Parameters
    ----------
    base
        Non-negative integer.
    n
        How many.
    first
        Index of the first.

    Returns
    -------
    tuple of int
        Each in [0, 2**32), as ``numpy.random.seed`` takes them.

    Notes
    -----
    ``numpy.random.SeedSequence``, after M. E. O'Neill, "Developing a seed_seq alternative" (2015).

    Examples
    --------
    >>> replicate_seeds(0, 3)[:2] == replicate_seeds(0, 2)
    True
    """
    keys = range(first, first + n)
    return tuple(int(np.random.SeedSequence(base, spawn_key=(i,)).generate_state(1)[0]) for i in keys)


def second_seed(seed: int) -> int:
    """Seed of a second epoch whose first one had `seed`: both arms of a seam start it alike.

    Examples
    --------
    >>> second_seed(7) == second_seed(7), second_seed(7) == second_seed(8)
    (True, False)
    """
    return int(np.random.SeedSequence(seed, spawn_key=(1,)).generate_state(1)[0])


def rank_seed(seed: int, rank: int) -> int:
    """Seed of one process of a job on several GPUs; that of the first is `seed` itself.

    Examples
    --------
    >>> rank_seed(7, 0), rank_seed(7, 1) == rank_seed(7, 2), rank_seed(7, 1) == rank_seed(8, 1)
    (7, False, False)
    """
    return seed if rank == 0 else int(np.random.SeedSequence(seed, spawn_key=(2, rank)).generate_state(1)[0])
