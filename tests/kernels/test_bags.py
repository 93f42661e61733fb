"""Bootstrap samples against their twin in Python."""

import numpy as np
import pytest

from clinfa._core import bags
from clinfa.arrays import Table
from clinfa.growing.bags import Bags

WORD = 2**64 - 1


def mixed(x):
    """The next number of Steele, Lea and Flood's sequence."""
    x = (x + 0x9E3779B97F4A7C15) & WORD
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & WORD
    return x ^ (x >> 31)


def drawn(order, ends, numbers, seed, n):
    counts = np.zeros(n, np.uint32)
    for j in numbers:
        x = mixed((seed + j) & WORD)
        if len(ends):
            at = (x >> 11) * 2.0**-53 * ends[-1]
            place = min(int(np.searchsorted(ends, at, side="right")), len(ends) - 1)
        else:
            place = x * len(order) >> 64
        counts[order[place]] += 1
    return counts


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [1, 2, 7, 64])
def test_draws(k, weighted):
    rng = np.random.default_rng(k)
    n = k + 3
    order = rng.permutation(n)[:k]
    ends = np.cumsum(rng.integers(1, 9, k) * 1.0) if weighted else np.empty(0)
    for seed in (0, 12345, WORD - 5):  # (the last wraps around)
        counts = np.zeros(n, np.uint32)
        bags.draw(order, ends, 0, 40, seed, counts)
        assert np.array_equal(counts, drawn(order, ends, range(40), seed, n))
        bags.draw(order, ends, 40, 100, seed, counts)  # the rest of a hundred
        assert np.array_equal(counts, drawn(order, ends, range(100), seed, n))


@pytest.mark.parametrize("n", [1, 2, 9])
def test_gather(n):
    for counts in (np.zeros(n), np.arange(n) % 3, np.ones(n)):
        counts = counts.astype(np.uint32)
        rows, weights = np.empty(n, np.int32), np.empty(n, np.uint32)
        k = bags.gather(counts, rows, weights)
        assert k == np.count_nonzero(counts)
        assert np.array_equal(rows[:k], np.flatnonzero(counts))
        assert np.array_equal(weights[:k], counts[counts > 0])


def test_plans():
    X, y = np.arange(6.0)[:, None], np.zeros(6)
    none = Bags.of(Table(X), y, np.empty(0))
    assert (none.total, none.size, none.whole) == (6, 6, True)
    whole = Bags.of(Table(X), y, np.array([0.0, 1, 2, 3, 0, 4]), 0.5)
    assert (whole.total, whole.size, whole.whole) == (10, 5, True)
    assert sorted(whole.order) == [1, 2, 3, 5]
    other = Bags.of(Table(X), y, np.array([0.0, 0.5, 2, 3, 0, 4]))
    assert (other.total, other.size, other.whole) == (4, 4, False)
    # What is more than a thousand a record on average is no number of repetitions.
    for huge in (1001.0, 1e300):
        assert not Bags.of(Table(X), y, np.full(6, huge)).whole
    assert Bags.of(Table(X), y, np.full(6, 1000.0)).total == 6000
    with pytest.raises(ValueError, match="max_samples must be <="):
        Bags.of(Table(X), y, np.empty(0), 6001)


def test_many_draws_are_made_in_steps(monkeypatch):
    plan = Bags.of(Table(np.arange(5.0)[:, None]), np.zeros(5), np.empty(0), 1000)
    counts = plan.counts(7)
    assert counts.sum() == 1000
    every = np.zeros(5, np.uint32)
    bags.draw(plan.order, plan.ends, 0, 1000, 7 * 0x9E3779B97F4A7C15 % 2**64, every)
    assert np.array_equal(counts, every)
    monkeypatch.setattr("clinfa.growing.bags._STEP", 33)
    assert np.array_equal(plan.counts(7), counts)
    rows, times = plan.sample(7)
    assert np.array_equal(rows, np.arange(5))
    assert np.array_equal(times, counts)
