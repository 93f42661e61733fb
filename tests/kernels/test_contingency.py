"""The pass over expected information, against sums over the whole hypergeometric distribution."""

import numpy as np
import pytest
from scipy.special import gammaln, rel_entr

from clinfa._core import contingency
from tests.kernels.helpers import cut, run


def expected(a, a_times, b, b_times, n, stripes=1):
    bounds = cut(len(a) * len(b), stripes)
    out = np.full((len(bounds) - 1, 2), np.nan)
    a, a_times, b, b_times = (np.array(v, float) for v in (a, a_times, b, b_times))
    run(
        lambda cursor, limit: contingency.expected_pass(
            a, a_times, b, b_times, float(n), bounds, cursor, limit, out
        ),
        bounds,
    )
    assert np.isnan(out[:, 1]).all()
    return out[:, 0].sum()


def twin(a, b, n):
    """The mean of k log(k n / ab) - k + ab / n by the probability of every k."""
    k = np.arange(max(0, a + b - n), min(a, b) + 1)
    logs = [gammaln(v + 1) for v in (a, b, n - a, n - b)]
    chance = np.exp(
        sum(logs) - gammaln(n + 1) - sum(gammaln(v + 1) for v in (k, a - k, b - k, n - a - b + k))
    )
    return (chance * (rel_entr(k, a * b / n) - k + a * b / n)).sum()


@pytest.mark.parametrize("n", [1, 2, 3, 10, 57, 1000])
def test_every_pair_of_sizes(n):
    sizes = sorted({1, 2, 3, n // 10, n // 3, n // 2, n - 3, n - 1, n} & set(range(1, n + 1)))
    for a in sizes:
        for b in sizes:
            np.testing.assert_allclose(expected([a], [1], [b], [1], n), twin(a, b, n), 1e-10, 1e-12)


def test_many_pairs_with_multiplicities():
    a, b, n = np.array([1, 5, 20, 300]), np.array([2, 7, 100]), 1000
    a_times, b_times = np.array([3, 1, 4, 2]), np.array([5, 9, 1])
    wanted = sum(
        p * q * twin(x, y, n)
        for x, p in zip(a, a_times, strict=True)
        for y, q in zip(b, b_times, strict=True)
    )
    for stripes in (1, 2, 5):
        np.testing.assert_allclose(expected(a, a_times, b, b_times, n, stripes), wanted, 1e-10)


def test_the_greatest_sizes():
    # where lgamma has no digits left: for large cells (1 - a/n)(1 - b/n) / 2
    n = 2**50
    for share in (0.5, 0.1):
        found = expected([share * 2**24 * 64], [1], [2.0**30], [1], n)
        np.testing.assert_allclose(found, 0.5, 2e-3)
