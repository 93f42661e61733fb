"""Means and centred products of records, in one pass over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa.arrays import CSR, Table, check_finite
from clinfa.linalg._blocks import moments

__all__ = ["LEAST", "MOST", "Scatter", "middle", "power_below", "scatter"]

_SAMPLE = 256  # rows whose mean is the shift
_LOSS = 16.0  # how much larger a column's squares may be about the shift than about the mean
LEAST, MOST = 1e-270, 1e290  # sums of squares that are safe from under- and overflow
_DENSE = 0.2  # share of non-zeros from which CSR is worked on as dense rows
_ROWS = 1 << 13


@dataclass(frozen=True, slots=True)
class Scatter:
    """How many records there were, their mean, and the products of what is left when that is taken off."""

    n: int
    mean: np.ndarray  # (d,) float64
    products: np.ndarray  # (d, d) float64, in units of 4**exponent
    exponent: int = 0

    def joined(self, other: Scatter) -> Scatter:
        """The scatter of the records of both (Chan, Golub & LeVeque 1983)."""
        if not self.n or not other.n:
            return self if self.n else other
        exponent, n = max(self.exponent, other.exponent), self.n + other.n
        step = np.ldexp(other.mean, -exponent) - np.ldexp(self.mean, -exponent)
        mine, theirs = (np.ldexp(s.products, 2 * (s.exponent - exponent)) for s in (self, other))
        products = mine + theirs + np.outer(step, step) * (self.n * (other.n / n))
        return Scatter(n, self.mean + np.ldexp(step * (other.n / n), exponent), products, exponent)


def scatter(table: Table, owner: str) -> Scatter:
    """The scatter of records.

    The mean is not known before the only pass over them; the mean of some rows is taken off instead, and
    what is between the two is put right afterwards. Where that would lose digits there is a second pass.
    Records whose squares do not fit a double are scaled by a power of two first.

    Parameters
    ----------
    table : Table
        Not looked at yet: NaN and infinity show in the sums.
    owner : str
        For whom, in an error message.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    X = table.X
    if table.sparse:
        check_finite(table, owner)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        found = _of_csr(X) if table.sparse else _about(X, middle(X))
        widest = np.diagonal(found.products).max()
    if LEAST < widest < MOST and np.isfinite(found.mean).all():
        return found
    check_finite(table, owner)
    values = X.data if table.sparse else X
    exponent = power_below(values)
    if table.sparse:
        found = _of_csr(CSR(np.ldexp(values, -exponent), X.indices, X.indptr, X.shape))
    else:
        X = np.ldexp(X.astype(np.float64), -exponent)
        found = _about(X, middle(X))
    with np.errstate(under="ignore"):
        return Scatter(found.n, np.ldexp(found.mean, exponent), found.products, exponent)


def power_below(values: np.ndarray) -> int:
    """The exponent of the power of two next above all values; 0 where all of them are zero."""
    most = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    return int(np.frexp(most)[1]) if most > 0 else 0


def middle(X: np.ndarray) -> np.ndarray:
    """The mean of some rows, taken at even distances; the value itself where they are all the same."""
    some = X[:: -(-len(X) // _SAMPLE)].astype(np.float64)
    first = some[0]
    return np.where((some == first).all(axis=0), first, some.mean(axis=0))


def _about(X: np.ndarray, shift: np.ndarray) -> Scatter:
    n, again = len(X), False
    while True:
        products, sums = moments(X, shift)
        step = sums / n
        centred = products - np.outer(sums, step)
        apart = np.diagonal(products) > _LOSS * np.diagonal(centred)
        if again or not (apart & (np.abs(step) > 1e-15 * np.abs(shift))).any():
            return Scatter(n, shift + step, centred)
        shift, again = shift + step, True


def _of_csr(X: CSR) -> Scatter:
    n, d = X.shape
    count = int(X.indptr[-1])
    if count > _DENSE * n * d:
        found = Scatter(0, np.zeros(d), np.zeros((d, d)))
        for first in range(0, n, _ROWS):
            rows = X.rows(np.arange(first, min(n, first + _ROWS)))
            found = found.joined(_about(rows, middle(rows)))
        return found
    wide = X.astype(np.float64).as_scipy()
    mean = np.bincount(wide.indices, weights=wide.data, minlength=d) / n
    return Scatter(n, mean, (wide.T @ wide).toarray() - n * np.outer(mean, mean))
