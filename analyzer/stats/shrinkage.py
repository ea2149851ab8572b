"""A correlation matrix from few rows: shrunk towards independence by as much as the rows are few."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["shrink", "shrunk_correlation"]

Array = NDArray[np.float64]


def shrink(rows: ArrayLike) -> tuple[Array, float]:
    """Ledoit-Wolf estimate of the second moments of rows whose mean is known to be zero.

    With S = X'X/n, mu = tr(S)/m, d^2 = |S - mu I|^2/m and b^2 = min(sum_k |x_k x_k' - S|^2/(n^2 m), d^2), the estimate
    is (b^2/d^2) mu I + (1 - b^2/d^2) S.

    Parameters
    ----------
    rows
        Shape (n, m), n >= 1; residuals, in any unit.

    Returns
    -------
    tuple
        Shape (m, m), positive definite where the rows are not all zero; and the weight b^2/d^2 of the identity, [0, 1].

    References
    ----------
    Ledoit and Wolf (2004), A well-conditioned estimator for large-dimensional covariance matrices, J. Multivariate
    Anal. 88, 365-411, section 3.2; doi 10.1016/S0047-259X(03)00096-4.
    """
    x = np.asarray(rows, dtype=np.float64)
    n, m = x.shape
    s = x.T @ x / n
    mu = np.trace(s) / m
    target = mu * np.eye(m)
    distance = float(((s - target) ** 2).sum() / m)
    # |x x' - S|^2 summed over rows is the sum of |x|^4 less n |S|^2
    spread = float(((x**2).sum(axis=1) ** 2).sum() - n * (s**2).sum()) / (n**2 * m)
    weight = 1.0 if distance <= 0 else min(max(spread, 0.0), distance) / distance
    return weight * target + (1 - weight) * s, weight


def shrunk_correlation(residuals: ArrayLike) -> Array:
    """Correlation matrix of standardised residuals, shape (m, m), unit diagonal, positive definite.

    Parameters
    ----------
    residuals
        Shape (n, m), about zero and of about unit spread in each column; a column of zeros is taken as independent.
    """
    x = np.asarray(residuals, dtype=np.float64)
    if not len(x) or not x.any():
        return np.eye(x.shape[1])
    covariance, _ = shrink(x)
    sd = np.sqrt(np.diag(covariance))
    sd[sd <= 0] = 1.0
    correlation = covariance / np.outer(sd, sd)
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(correlation)
