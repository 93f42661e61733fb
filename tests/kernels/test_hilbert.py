"""Hilbert's curve: it visits every cell once, and steps from each to one beside it."""

import numpy as np
import pytest

from clinfa._core import hilbert


@pytest.mark.parametrize(("d", "bits"), [(1, 6), (2, 1), (2, 5), (3, 1), (3, 4)])
def test_the_curve_steps_from_cell_to_cell(d, bits):
    cells = np.stack(np.meshgrid(*[np.arange(2.0**bits)] * d, indexing="ij"), axis=-1).reshape(-1, d)
    n = len(cells)
    cells = cells[np.random.default_rng(d).permutation(n)]
    low, scale = np.full(d, -3.0), 0.25  # a cell is four long
    spare, cuts = 20, np.linspace(0, n, 8).astype(np.int64)
    out, cursor = np.empty(n, np.uint64), np.zeros(1, np.int64)
    while cursor[0] < 7:
        hilbert.places_pass(low + 4 * cells + 1.5, low, scale, bits, spare, cuts, cursor, 2, out)
    rows = out & np.uint64(2**spare - 1)
    np.testing.assert_array_equal(rows, np.arange(n))
    order = np.argsort(out >> np.uint64(spare))
    np.testing.assert_array_equal(np.sort(out >> np.uint64(spare)), np.arange(n))
    steps = np.abs(np.diff(cells[order], axis=0))
    np.testing.assert_array_equal(steps.sum(axis=1), 1)


def test_the_greatest_value_is_in_the_last_cell():
    X, out = np.array([[0.0], [1.0]]), np.empty(2, np.uint64)
    hilbert.places_pass(X, np.zeros(1), 8.0, 3, 1, np.array([0, 2]), np.zeros(1, np.int64), 1, out)
    assert (out >> np.uint64(1)).tolist() == [0, 7]
