"""Pearson's correlation between features, and how likely it is by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa.blas import matmul
from clinfa.rng import generator

__all__ = ["PearsonCorrelation", "pearson"]


@dataclass(frozen=True, eq=False)
class PearsonCorrelation:
    """Correlations between all pairs of features.

    Parameters
    ----------
    coefficients : ndarray of shape (n_features, n_features)
        Between -1 and 1, symmetric, 1 on the diagonal; NaN where a feature is constant.
    p_values : ndarray of shape (n_features, n_features)
        How likely a coefficient at least as far from 0 is where the two features have nothing to do with each
        other; NaN where there is no coefficient, 0 on the diagonal.
    names : list of str
        The features.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> print(load_iris().pearson_correlation())
    sepal length (cm)  -0.12      +0.87 ***  +0.82 ***
    sepal width (cm)              -0.43 ***  -0.37 ***
    petal length (cm)                        +0.96 ***
    petal width (cm)
    """

    coefficients: np.ndarray
    p_values: np.ndarray
    names: list[str]

    def upper(self) -> np.ndarray:
        """The coefficients above the diagonal, row by row: shape (p (p - 1) / 2,)."""
        return self.coefficients[np.triu_indices(len(self.names), 1)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.coefficients, dtype=dtype, copy=copy)

    def __str__(self) -> str:
        """One feature a row; ``*`` p < 0.05, ``**`` p < 0.01, ``***`` p < 0.001."""
        wide = max(len(name) for name in self.names)
        lines = []
        for i, name in enumerate(self.names):
            cells = [self._cell(i, j) if j > i else "" for j in range(1, len(self.names))]
            lines.append("  ".join([f"{name:{wide}}", *(f"{cell:9}" for cell in cells)]).rstrip())
        return "\n".join(lines)

    __repr__ = __str__

    def _cell(self, i: int, j: int) -> str:
        p = self.p_values[i, j]
        stars = "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else ""
        return f"{self.coefficients[i, j]:+.2f} {stars}"


def pearson(
    X: np.ndarray,
    weights: np.ndarray,
    names: list[str],
    permutations: int | None,
    random_state: Any,
) -> PearsonCorrelation:
    """Correlations of the columns of X, rows counted `weights` times (an empty array: once)."""
    n = len(X) if not len(weights) else weights.sum()
    shares = np.full(len(X), 1 / len(X)) if not len(weights) else weights / n
    scale = np.abs(X).max(axis=0, initial=0)
    Z = X / np.where(scale > 0, scale, 1)  # neither squares nor sums can overflow
    Z -= matmul(shares, Z)
    Z -= matmul(shares, Z)  # (what rounding left of the mean)
    Z *= np.sqrt(shares)[:, None]
    length = np.sqrt((Z * Z).sum(axis=0))
    constant = X.min(axis=0) == X.max(axis=0)
    Z /= np.where(constant, np.nan, length)
    r = np.clip(matmul(Z.T, Z), -1, 1)
    r = (r + r.T) / 2
    np.fill_diagonal(r, np.where(constant, np.nan, 1.0))
    if permutations is None:
        p = _student(r, n)
    else:
        p = _permuted(shares, Z, r, permutations, random_state)
    np.fill_diagonal(p, np.where(constant, np.nan, 0.0))
    return PearsonCorrelation(r, p, names)


def _student(r: np.ndarray, n: float) -> np.ndarray:
    """Two-sided p-values where the features are normal: r sqrt((n - 2) / (1 - r^2)) is Student's t."""
    from scipy.special import betainc

    if n <= 2:
        return np.where(np.isnan(r), np.nan, 1.0)
    return betainc((n - 2) / 2, 0.5, 1 - r * r)


def _permuted(
    shares: np.ndarray,
    Z: np.ndarray,
    r: np.ndarray,
    permutations: int,
    random_state: Any,
) -> np.ndarray:
    """The share of permutations of one feature whose coefficient is at least as far from 0.

    The permutation that changes nothing counts as one of them, so that no p-value is 0 (Phipson & Smyth
    2010). One permutation serves all pairs: a pair's own p-value does not depend on what others do.
    """
    source = generator(random_state)
    far = np.ones(r.shape)
    root = np.sqrt(shares)[:, None]
    plain = Z / np.where(root > 0, root, 1)
    for _ in range(permutations):
        moved = plain[source.permutation(len(Z))] * root
        moved -= root * matmul(root[:, 0], moved)
        moved /= np.sqrt((moved * moved).sum(axis=0))
        far += np.abs(matmul(Z.T, moved)) >= np.abs(r) * (1 - 1e-12)
    far = np.triu(far, 1)
    return np.where(np.isnan(r), np.nan, (far + far.T) / (permutations + 1))
