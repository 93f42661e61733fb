"""Ranks of columns against NumPy's own."""

import numpy as np
import pytest

from clinfa.growing.ranks import Ranks


def twin(column):
    """Codes, how many values there are, and whether NaN is among them."""
    values, codes = np.unique(column, return_inverse=True)  # (all NaN are one, and last; both zeros are one)
    missing = np.isnan(values[-1])
    return codes, len(values) - missing, missing


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 300, 4097, 70_000])  # the last takes codes of 32 bits
def test_ranks(n, dtype):
    # Up to 256 different values are found by hashing, more by sorting.
    rng = np.random.default_rng(n)
    columns = [rng.choice(rng.normal(size=k), n) for k in (1, 2, 255, 256, 257, n)]
    columns += [rng.permutation(n) - n / 2, np.sign(rng.normal(size=n)) * np.arange(n) % 3 * -1.0]
    X = np.stack(columns, axis=1).astype(dtype)
    gaps = X.copy()
    gaps[rng.random(X.shape) < 0.2] = np.nan
    gaps[n // 2, 0] = np.inf
    for table in (X, gaps):
        ranks = Ranks.of(table)
        for f, column in enumerate(table.T):
            codes, n_values, missing = twin(column)
            assert np.array_equal(ranks.columns[f], codes)
            assert (ranks.n_values[f], ranks.missing[f]) == (n_values, missing)
