"""Pr: never outside of [0, 1], whatever is done to it."""

import copy
import pickle

import numpy as np
import pytest

from clinfa import Dataset, Pr


@pytest.mark.parametrize("values", [0.5, 0, 1, True, [0.0, 1.0], [[0.25], [0.75]], [], np.float32(0.1)])
def test_what_is_a_probability(values):
    p = Pr(values)
    assert isinstance(p, Pr)
    np.testing.assert_array_equal(np.asarray(p), np.asarray(values, dtype=p.dtype))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (1.5, r"got 1.5\."),
        (-1e-300, r"got -1e-300"),
        (np.nan, "got nan"),
        (np.inf, "got inf"),
        ([0.5, 2.0], r"got 2.0 at index 1"),
        ([[0, 1], [0, np.nan]], r"got nan at index \(1, 1\)"),
        ("0.5", "must be numbers"),
        ([None], "must be numbers"),
        (1j, "must be numbers"),
        (np.nextafter(np.float32(1), 2), "got 1.0000001"),
    ],
)
def test_what_is_none(values, said):
    with pytest.raises(ValueError, match=said):
        Pr(values)


def test_types():
    assert Pr(np.float32([0.5])).dtype == np.float32
    assert Pr([1, 0]).dtype == np.float64
    assert Pr(np.float16([0.5])).dtype == np.float64
    assert Pr(np.array([0.5], ">f4")).dtype == np.dtype("=f4")


def test_it_has_memory_of_its_own_and_is_read_only():
    values = np.array([0.25, 0.5])
    p = Pr(values)
    values[0] = 7
    assert p[0] == 0.25
    assert Pr(p) is p
    changes = [
        lambda: p.__setitem__(0, 2),
        lambda: p[p > 0].__setitem__(0, 2),
        lambda: p.__iadd__(1),
        lambda: np.add(p, 1, out=p),
        lambda: p.sort(),
        lambda: p.fill(3),
        lambda: p[:1].__imul__(9),
    ]
    for change in changes:
        with pytest.raises(ValueError, match="read-only"):
            change()
    assert np.asarray(p).tolist() == [0.25, 0.5]


def test_parts_are_probabilities_and_results_are_not():
    p = Pr([[0.25, 0.75], [0.5, 0.5]])
    for part in (p[0], p[:, 1], p.T, p.reshape(-1), p.ravel(), p[p > 0.3], p[[1, 0]]):
        assert isinstance(part, Pr)
    for result in (p * 2, 1 - p, -p, np.log(p), p > 0.5, p @ p, np.sort(p), np.concatenate([p, p])):
        assert type(result) is np.ndarray
    for result in (
        p.copy(),
        p.astype(np.float32),
        np.empty_like(p),
        np.asarray(p),
        p.cumsum(),
        np.where(p)[0],
    ):
        assert type(result) is np.ndarray
    for number in (p.sum(), p.mean(), p[0, 0], p.max(), float(Pr(0.5))):
        assert isinstance(number, float)
    p.copy()[0] = 7


def test_comparisons_and_even():
    assert Pr.even() == 0.5
    assert (Pr([0.1, 0.9]) < Pr.even()).tolist() == [True, False]
    assert repr(Pr([0.5])) == "Pr([0.5])"


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_copies(way):
    again = way(Pr([0.25, 1]))
    assert isinstance(again, Pr)
    assert again.tolist() == [0.25, 1]
    with pytest.raises(ValueError, match="read-only"):
        again[0] = 2


def test_as_targets():
    ds = Dataset([[1.0], [2.0]], Pr([0.25, 0.75]))
    assert ds.target_kind == "probability"
    assert ds.take([1]).target_kind == "probability"
    assert Dataset([[1.0], [2.0]], [0.25, 0.75]).target_kind == "float"
