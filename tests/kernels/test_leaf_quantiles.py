"""Quantiles of what leaves hold, against exact arithmetic with fractions."""

from fractions import Fraction

import numpy as np
import pytest

from clinfa._core import leaf_quantiles
from clinfa.threads import Stripes


def _twin(leaves, inside, weights, targets, wanted):
    """`inside[t]` has the members of each leaf; the least target that has at least the share."""
    shares = {}
    for t, leaf in enumerate(leaves):
        members = inside[t][leaf] if leaf >= 0 else []
        mass = sum(weights[i] for i in members)
        for i in members:
            shares[targets[i]] = shares.get(targets[i], Fraction(0)) + weights[i] / mass
    whole, out = sum(shares.values()), []
    for q in wanted:
        sum_, found = Fraction(0), np.nan
        for target in sorted(shares):
            sum_ += shares[target]
            found = target
            if sum_ >= q * whole:
                break
        out.append(found)
    return out


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("distinct", [1, 3, 64, 65, 1000])
def test_quantiles_are_those_of_fractions(distinct, weighted):
    rng = np.random.default_rng()
    n, trees, nodes, size, k = 40, 7, 5, 90, 60
    ranks = rng.integers(distinct, size=k).astype(np.int32)
    levels = np.sort(rng.choice(10**6, distinct, replace=False)).astype(float)
    weights = rng.integers(1, 9, size=k)
    members, ends, inside = np.empty((trees, size), np.int32), [], []
    for t in range(trees):
        members[t] = rng.integers(k, size=size)
        own = np.sort(rng.integers(size + 1, size=nodes))  # (some leaves hold nothing)
        ends.append(own)
        inside.append([list(part) for part in np.split(members[t], own)[:nodes]])
    leaves = rng.integers(-1, nodes, (n, trees)).astype(np.int32)
    leaves[0] = -1
    wanted = [Fraction(i, 20) for i in range(21)]
    slots, words = 3, distinct // 64 + 1
    out, shares = np.empty((n, len(wanted))), np.zeros((slots, distinct))
    bits, bounds, cursor = (
        np.zeros((slots, words), np.uint64),
        np.array([0, 11, 12, n]),
        np.zeros(1, np.int64),
    )
    for slot in (0, 2, 1):
        leaf_quantiles.quantile_pass(
            *(leaves, np.arange(trees + 1) * nodes, np.concatenate(ends), members),
            *(weights.astype(float) if weighted else np.empty(0), ranks, levels),
            *(np.array(wanted, float), out, shares, bits, bounds, cursor, 1, slot),
        )
    own = [Fraction(int(w)) for w in weights] if weighted else [Fraction(1)] * k
    want = [_twin(row, inside, own, levels[ranks], wanted) for row in leaves]
    np.testing.assert_array_equal(out, want)
    assert np.isnan(out[0]).all()
    assert not shares.any()
    assert not bits.any()


def test_a_call_takes_so_many_stripes():
    out, cut = np.full((3, 1), 7.0), Stripes(np.arange(4), 2, 1)
    leaf_quantiles.quantile_pass(
        *(np.zeros((3, 1), np.int32), np.array([0, 1]), np.array([1]), np.zeros((1, 1), np.int32)),
        *(np.empty(0), np.zeros(1, np.int32), np.array([5.0]), np.array([0.5]), out),
        *(np.zeros((1, 1)), np.zeros((1, 1), np.uint64), cut.bounds, np.zeros(1, np.int64), 2, 0),
    )
    assert out.ravel().tolist() == [5.0, 5.0, 7.0]
