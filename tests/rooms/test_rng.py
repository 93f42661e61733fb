"""Draws in the space of weights."""

import numpy as np
import pytest
from scipy import stats

from clinfa.rng import WeightedRows, check_random_state

SIZE = WeightedRows.SIZE
SIZES = sorted({1, 2, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE, 1023, 1024, 1025, 2047, 2048, 2049, 5000})


def _keys(n, seed=0):
    return np.random.RandomState(seed).randint(0, 2**63, n).astype(np.uint64)


def _weights(n, kind, seed=1):
    rng = np.random.RandomState(seed)
    if kind == "ones":
        return np.empty(0)
    w = rng.uniform(0.1, 3.0, n)
    if kind == "half of them zero":
        w[rng.random_sample(n) < 0.5] = 0
        w[rng.randint(n)] = 1
    if kind == "one bucket empty":
        w[np.argsort(_keys(n), kind="stable")[:-1][:SIZE]] = 0
    return w


@pytest.mark.parametrize("kind", ["ones", "uneven", "half of them zero", "one bucket empty"])
@pytest.mark.parametrize("n", SIZES)
def test_every_row_by_its_weight(n, kind):
    rows, w = WeightedRows(_keys(n)), _weights(n, kind)
    share = np.ones(n) if not len(w) else w
    draws = min(40 * n, 30_000)
    uniforms = np.random.RandomState(2).random_sample(draws)
    found = np.bincount(rows.draw(rows.mass(w), uniforms, w), minlength=n)
    assert (found[share == 0] == 0).all()
    live = share > 0
    if live.sum() > 1:
        expected = draws * share[live] / share.sum()
        # Rows of small weight together: chi-square wants five of each.
        order = np.argsort(expected)
        bins = np.cumsum(expected[order]) // 20  # about twenty of each
        seen, meant = (np.bincount(bins.astype(int), v[order]) for v in (found[live], expected))
        keep = meant > 0
        assert stats.chisquare(seen[keep], meant[keep]).pvalue > 1e-6


@pytest.mark.parametrize("n", SIZES)
def test_weights_are_multiplied(n):
    rows, a, b = WeightedRows(_keys(n)), _weights(n, "uneven", 3), _weights(n, "uneven", 4)
    u = np.random.RandomState(0).random_sample(200)
    product = rows.draw(rows.mass(a * b), u, a * b)
    np.testing.assert_array_equal(rows.draw(rows.mass(a * b), u, a, b), product)
    np.testing.assert_array_equal(rows.draw(rows.mass(a * b), u, np.empty(0), a * b), product)


@pytest.mark.parametrize("n", [1, 2, 300, 700])
def test_a_weight_is_a_repetition(n):
    """Rows of weight w, and the same rows standing there w times, mixed: the same draws."""
    rng = np.random.RandomState(0)
    keys, w = _keys(n), rng.randint(0, 5, n).astype(float)
    w[0] = 3
    repeated = rng.permutation(np.repeat(np.arange(n), w.astype(int)))
    u = rng.random_sample(500)
    one, two = WeightedRows(keys), WeightedRows(keys[repeated])
    by_weight = keys[one.draw(one.mass(w), u, w)]
    by_repetition = keys[repeated][two.draw(two.mass(np.empty(0)), u, np.empty(0))]
    np.testing.assert_array_equal(by_weight, by_repetition)


@pytest.mark.parametrize("n", SIZES)
def test_order_of_rows_says_nothing(n):
    keys, w = _keys(n), _weights(n, "uneven")
    mixed = np.random.RandomState(5).permutation(n)
    u = np.random.RandomState(0).random_sample(300)
    one, two = WeightedRows(keys), WeightedRows(keys[mixed])
    first = keys[one.draw(one.mass(w), u, w)]
    second = keys[mixed][two.draw(two.mass(w[mixed]), u, w[mixed])]
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kind", ["ones", "half of them zero", "one bucket empty"])
def test_ends_of_the_unit_interval(n, kind):
    rows, w = WeightedRows(_keys(n)), _weights(n, kind)
    share = np.ones(n) if not len(w) else w
    edges = np.array([0.0, 5e-324, 0.5, np.nextafter(1, 0)])
    assert (share[rows.draw(rows.mass(w), edges, w)] > 0).all()


@pytest.mark.parametrize("n", [1024, 1025, 5000])
def test_mass_and_rows_may_disagree_by_rounding(n):
    """The mass of buckets is kept in another order of summation than the draw makes."""
    rows, w = WeightedRows(_keys(n)), _weights(n, "half of them zero")
    mass = rows.mass(w)
    edges = np.r_[(np.cumsum(mass) / mass.sum()).clip(0, np.nextafter(1, 0)), np.nextafter(1, 0)]
    for off in (1 - 1e-13, 1, 1 + 1e-13):
        assert (w[rows.draw(mass * off, edges, w)] > 0).all()


@pytest.mark.parametrize("n", SIZES)
def test_mass(n):
    rows, w = WeightedRows(_keys(n)), _weights(n, "uneven")
    assert rows.mass(w).sum() == pytest.approx(w.sum())
    assert rows.mass(np.empty(0)).sum() == n
    assert len(rows.mass(w)) == rows.buckets == -(-n // SIZE)


def test_random_state():
    assert check_random_state(3).randint(1000) == np.random.RandomState(3).randint(1000)
    state = np.random.RandomState(0)
    assert check_random_state(state) is state
    a, b = (check_random_state(np.random.default_rng(5)).randint(10**6) for _ in range(2))
    assert a == b
    assert check_random_state(np.uint32(7)).randint(99) == check_random_state(7).randint(99)


@pytest.mark.parametrize("bad", [-1, 2**32, 1.0, "0", True, [], np.random])
def test_random_state_of_something_else(bad):
    with pytest.raises(ValueError, match="random_state"):
        check_random_state(bad)


def test_numpys_own_state_is_used_for_none_alone():
    """As scikit-learn's users expect: `numpy.random.seed` seeds what has no seed of its own."""
    before = np.random.get_state()
    try:
        np.random.seed(5)
        first = check_random_state(None).random_sample(3)
        np.random.seed(5)
        check_random_state(0).random_sample(3)
        np.testing.assert_array_equal(check_random_state(None).random_sample(3), first)
    finally:
        np.random.set_state(before)
