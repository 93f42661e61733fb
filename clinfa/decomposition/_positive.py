"""Eigenvalues that should be positive but for rounding."""

from __future__ import annotations

import numpy as np

__all__ = ["positive_part"]


def positive_part(values: np.ndarray) -> np.ndarray:
    """Eigenvalues of a matrix that ought to be positive semi-definite, with zeros for what is only rounding.

    Parameters
    ----------
    values : ndarray of shape (k,)

    Raises
    ------
    ValueError
        If one is below zero by more than rounding.
    """
    if not len(values):
        return values
    single = values.dtype == np.float32
    most, least = float(values.max()), float(values.min())
    if most < 0:
        raise ValueError(
            f"All eigenvalues are negative (maximum is {most:g}). Either the matrix is not PSD, or there was "
            f"an issue while computing the eigendecomposition of the matrix."
        )
    if least < -(5e-3 if single else 1e-5) * most and least < -(1e-6 if single else 1e-10):
        raise ValueError(
            f"There are significant negative eigenvalues ({-least / most:g} of the maximum positive). Either "
            f"the matrix is not PSD, or there was an issue while computing "
            f"the eigendecomposition of the matrix."
        )
    return np.where(values < (2e-7 if single else 1e-12) * most, 0, values).astype(values.dtype)
