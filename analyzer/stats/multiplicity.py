"""Several metrics decided together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["holm"]


def holm(p: ArrayLike) -> NDArray[np.float64]:
    r"""Adjusted p values that control the family-wise error rate under any dependence.

    .. math:: \\tilde p_{(k)} = \\max_{i \\le k} \\min(1, (M - i + 1)\\, p_{(i)})

    The same as ``statsmodels.stats.multitest.multipletests(method="holm")`` (tested), which runs the garbage collector
    at every call and is a hundred times slower for it.

    Parameters
    ----------
    p
        Shape (M,).

    Returns
    -------
    ndarray
        Shape (M,), in the order of ``p``.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6, 65-70.

    Examples
    --------
    >>> [float(v) for v in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    stepped = np.minimum(values[order] * (len(values) - np.arange(len(values))), 1.0)
    adjusted = np.empty_like(values)
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted
