"""The generators: the same values as scikit-learn's from the same seed, and hand-made checks."""

import inspect

import numpy as np
import pytest
import sklearn.datasets as theirs

import clinfa.datasets as ours
from clinfa.dataset import Dataset

SEEDS = [3, 20240517]
NAMES = [
    "make_blobs",
    "make_circles",
    "make_moons",
    "make_swiss_roll",
    "make_regression",
    "make_classification",
]
CENTERS = np.array([[0.0, 1.0, 2.0], [5.0, -5.0, 0.5]])

EXACT = [  # (generator, arguments)
    ("make_blobs", {}),
    ("make_blobs", {"n_samples": 1}),
    ("make_blobs", {"n_samples": 11, "n_features": 3, "centers": 4, "shuffle": False}),
    ("make_blobs", {"n_samples": 20, "centers": CENTERS, "cluster_std": [0.5, 3]}),
    ("make_blobs", {"n_samples": [4, 0, 7], "cluster_std": 0.0}),
    ("make_blobs", {"n_samples": (4, 7), "centers": CENTERS.tolist(), "return_centers": True}),
    ("make_blobs", {"n_samples": np.array([2, 5]), "center_box": (3, 3.5), "return_centers": True}),
    ("make_circles", {}),
    ("make_circles", {"n_samples": 0}),
    ("make_circles", {"n_samples": 1, "noise": 1.0}),
    ("make_circles", {"n_samples": 33, "noise": 0.1, "factor": 0.0}),
    ("make_circles", {"n_samples": (5, 0), "shuffle": False}),
    ("make_circles", {"n_samples": (3, 8), "noise": 0, "factor": 0.5}),
    ("make_moons", {}),
    ("make_moons", {"n_samples": 1}),
    ("make_moons", {"n_samples": 31, "noise": 0.2}),
    ("make_moons", {"n_samples": (4, 9), "noise": None, "shuffle": False}),
    ("make_swiss_roll", {}),
    ("make_swiss_roll", {"n_samples": 1, "noise": 0.5}),
    ("make_swiss_roll", {"n_samples": 57, "noise": 0.1, "hole": True}),
    ("make_regression", {}),
    ("make_regression", {"n_samples": 30, "n_features": 7, "noise": 2.5, "bias": -4, "coef": True}),
    ("make_regression", {"n_samples": 12, "n_features": 5, "n_targets": 3, "coef": True}),
    ("make_regression", {"n_features": 6, "n_informative": 0, "shuffle": False, "coef": True}),
    ("make_classification", {}),
    ("make_classification", {"n_samples": 1}),
    ("make_classification", {"n_samples": 101, "shuffle": False, "flip_y": 0}),
    ("make_classification", {"n_samples": 60, "weights": [0.7], "flip_y": 0.3}),
    ("make_classification", {"n_samples": 60, "weights": np.array([0.25, 0.75]), "class_sep": 3}),
    ("make_classification", {"n_samples": 60, "weights": [0.1, 0.2]}),  # the rest is spread
    ("make_classification", {"shift": None, "scale": None, "hypercube": False}),
    ("make_classification", {"shift": np.arange(20.0), "scale": np.arange(1.0, 21)}),
    (
        "make_classification",
        {"n_classes": 3, "n_informative": 4, "n_redundant": 3, "n_repeated": 5, "n_features": 12},
    ),
    ("make_classification", {"n_classes": 1, "n_clusters_per_class": 1, "n_redundant": 0}),
    # the four ways of drawing corners: permutation, one by one, reservoir, more than 30 bits
    ("make_classification", {"n_informative": 5, "n_clusters_per_class": 8}),
    ("make_classification", {"n_informative": 12, "n_features": 30, "n_classes": 5}),
    (
        "make_classification",
        {"n_informative": 7, "n_classes": 127, "n_clusters_per_class": 1, "n_samples": 300},
    ),
    ("make_classification", {"n_informative": 33, "n_features": 40, "n_samples": 20}),
]


def both(name, options, seed):
    got = getattr(ours, name)(random_state=seed, **options)
    want = getattr(theirs, name)(random_state=seed, **options)
    assert len(got) == len(want)
    return zip(got, want, strict=True)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "options"), EXACT)
def test_same_arrays_as_scikit_learn(name, options, seed):
    for got, want in both(name, options, seed):
        want = np.asarray(want).reshape(got.shape)  # it drops an axis of length one
        np.testing.assert_array_equal(got, want, strict=True)
        assert got.flags.c_contiguous or got.ndim == 1


@pytest.mark.parametrize("shape", [(40, 15), (15, 40), (1, 4)])
def test_low_rank_regression_agrees_with_scikit_learn(shape):
    # orthonormal bases come from two builds of LAPACK here, so the last bits may differ
    options = {"n_samples": shape[0], "n_features": shape[1], "effective_rank": 3, "coef": True}
    for got, want in both("make_regression", options | {"tail_strength": 0.1}, 8):
        np.testing.assert_allclose(got, want.reshape(got.shape), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_signature_is_scikit_learns(name):
    got = inspect.signature(getattr(ours, name)).parameters
    want = inspect.signature(getattr(theirs, name)).parameters
    assert [(p.name, p.kind, p.default) for p in got.values()] == [
        (p.name, p.kind, p.default) for p in want.values()
    ]


@pytest.mark.parametrize("name", NAMES)
def test_kinds_of_random_state(name):
    make = getattr(ours, name)
    state = np.random.RandomState(12)
    first, second = make(random_state=state), make(random_state=state)
    np.testing.assert_array_equal(first[0], make(random_state=12)[0])
    assert not np.array_equal(first[0], second[0])  # the state moved on
    drawn = [make(random_state=np.random.default_rng(12))[0] for _ in range(2)]
    np.testing.assert_array_equal(*drawn)
    assert make(random_state=None)[0].shape == first[0].shape


# what the arrays should look like, whoever else draws them


def test_blobs_are_where_they_should_be():
    X, y, centers = ours.make_blobs(
        9000, 2, centers=3, cluster_std=[0.1, 1, 2], random_state=5, return_centers=True
    )
    assert np.bincount(y).tolist() == [3000] * 3
    for k, std in enumerate([0.1, 1, 2]):
        np.testing.assert_allclose(X[y == k].mean(axis=0), centers[k], atol=5 * std / 3000**0.5)
        np.testing.assert_allclose(X[y == k].std(axis=0), std, rtol=0.08)


def test_blobs_leave_the_given_centers_alone():
    before = CENTERS.copy()
    *_, centers = ours.make_blobs(4, centers=CENTERS, return_centers=True)
    centers += 1
    np.testing.assert_array_equal(CENTERS, before)


def test_regression_keeps_its_axes():
    X, y, w = ours.make_regression(1, 1, coef=True)
    assert (X.shape, y.shape, w.shape) == ((1, 1), (1,), (1,))
    X, y, w = ours.make_regression(1, 2, n_targets=3, coef=True)
    assert (X.shape, y.shape, w.shape) == ((1, 2), (1, 3), (2, 3))


def test_regression_is_linear():
    X, y, w = ours.make_regression(50, 8, n_targets=2, bias=2.0, coef=True, random_state=4)
    np.testing.assert_allclose(y, X @ w + 2.0, atol=1e-11)


def test_low_rank_falls_off():
    X, _ = ours.make_regression(60, 30, effective_rank=4, tail_strength=0.0, random_state=4)
    s = np.linalg.svd(X, compute_uv=False)
    np.testing.assert_allclose(s, np.exp(-((np.arange(30) / 4) ** 2)), atol=1e-14)


def test_swiss_roll_hole_is_empty():
    X, t = ours.make_swiss_roll(5000, hole=True, random_state=6)
    inside = (np.abs(t - 3 * np.pi) < 0.5 * np.pi - 1e-9) & (np.abs(X[:, 1] - 10.5) < 3.5 - 1e-9)
    assert not inside.any()
    assert X[:, 1].min() > 0
    assert X[:, 1].max() < 21


def test_classification_columns_are_what_they_claim():
    problem = ours.make_classification(
        200, 9, n_informative=3, n_redundant=2, n_repeated=2, random_state=9, return_X_y=False
    )
    assert isinstance(problem, Dataset)
    want = theirs.make_classification(
        200, 9, n_informative=3, n_redundant=2, n_repeated=2, random_state=9, return_X_y=False
    )
    assert problem.feature_info == want["feature_info"]
    assert problem.parameters == want["parameters"]
    np.testing.assert_array_equal(problem["X"], want["X"])
    np.testing.assert_array_equal(problem.y, want["y"])
    assert problem.X is problem.records
    X, kinds = problem.X, np.array(problem.feature_info)
    informative, rest = X[:, kinds == "informative"], X[:, kinds == "redundant"]
    mixture = np.linalg.lstsq(informative, rest, rcond=None)[0]
    np.testing.assert_allclose(informative @ mixture, rest, atol=1e-12)
    originals = X[:, np.isin(kinds, ["informative", "redundant"])]
    for column in X[:, kinds == "repeated"].T:
        assert (originals == column[:, None]).all(axis=0).any()


def test_classification_shares():
    _, y = ours.make_classification(
        1000, n_classes=3, n_informative=3, weights=[0.5, 0.25], flip_y=0, random_state=2
    )
    assert np.bincount(y).tolist() == [500, 250, 250]


COUNT = r"n_samples must be an integer >= 1, got -3\."
WRONG = [  # (generator, arguments, error, its text)
    ("make_blobs", {"n_samples": -3}, ValueError, COUNT),
    ("make_blobs", {"n_samples": 0}, ValueError, "n_samples must be an integer >= 1, got 0"),
    ("make_blobs", {"n_samples": 2.5}, ValueError, "n_samples must be an integer >= 1 or a non-e"),
    ("make_blobs", {"n_samples": []}, ValueError, "non-empty sequence"),
    ("make_blobs", {"n_samples": [3, -1]}, ValueError, "sequence of integers >= 0"),
    ("make_blobs", {"n_samples": [3, 4.5]}, ValueError, "sequence of integers >= 0"),
    ("make_blobs", {"n_samples": True}, TypeError, "n_samples must be an integer"),
    ("make_blobs", {"n_samples": [3, 4], "centers": 2}, ValueError, "centers must be an array"),
    ("make_blobs", {"n_samples": [3, 4, 5], "centers": CENTERS}, ValueError, "one entry per cente"),
    ("make_blobs", {"n_features": 0}, ValueError, "n_features must be an integer >= 1, got 0"),
    ("make_blobs", {"centers": 0}, ValueError, "centers must be an integer >= 1, got 0"),
    ("make_blobs", {"centers": [1.0, 2.0]}, ValueError, "centers must be 2-dimensional"),
    ("make_blobs", {"centers": [[np.nan]]}, ValueError, "centers must be finite"),
    ("make_blobs", {"centers": [["a"]]}, TypeError, "centers must hold numbers"),
    ("make_blobs", {"centers": np.empty((0, 2))}, ValueError, "centers must not be empty"),
    ("make_blobs", {"cluster_std": -1.0}, ValueError, "cluster_std must be a finite number >= 0"),
    ("make_blobs", {"cluster_std": [1.0]}, ValueError, "cluster_std must have one entry per cent"),
    ("make_blobs", {"cluster_std": [1, -2, 3]}, ValueError, "cluster_std must be >= 0"),
    ("make_blobs", {"center_box": (1, 0)}, ValueError, "center_box must be"),
    ("make_blobs", {"center_box": (1, 2, 3)}, ValueError, "center_box must be .low, hi"),
    ("make_blobs", {"center_box": 4.0}, ValueError, "center_box must be"),
    ("make_blobs", {"shuffle": 1}, TypeError, "shuffle must be True or False, got 1"),
    ("make_circles", {"n_samples": -3}, ValueError, "n_samples must be an integer >= 0, got -3"),
    ("make_circles", {"n_samples": (1, 2, 3)}, ValueError, "n_samples must be .* a pair"),
    ("make_circles", {"n_samples": (1, -2)}, ValueError, r"n_samples\[1\] must be an integer >= 0"),
    ("make_circles", {"n_samples": "8"}, ValueError, "n_samples must be .* a pair"),
    ("make_circles", {"factor": 1.0}, ValueError, r"factor must be a number in \[0, 1\), got 1\.0"),
    ("make_circles", {"noise": -0.1}, ValueError, "noise must be a finite number >= 0, got -0.1"),
    ("make_circles", {"noise": "a"}, TypeError, "noise must be a finite number >= 0, got 'a'"),
    ("make_moons", {"n_samples": -3}, ValueError, COUNT),
    ("make_moons", {"n_samples": 0}, ValueError, "n_samples must be an integer >= 1, got 0"),
    ("make_moons", {"noise": np.inf}, ValueError, "noise must be a finite number >= 0, got inf"),
    ("make_swiss_roll", {"n_samples": -3}, ValueError, COUNT),
    ("make_swiss_roll", {"noise": None}, TypeError, "noise must be a finite number >= 0, got None"),
    ("make_swiss_roll", {"hole": "no"}, TypeError, "hole must be True or False"),
    ("make_regression", {"n_samples": -3}, ValueError, COUNT),
    ("make_regression", {"n_features": 1.5}, TypeError, "n_features must be an integer >= 1, got"),
    ("make_regression", {"n_informative": -1}, ValueError, "n_informative must be an integer >= 0"),
    ("make_regression", {"n_targets": 0}, ValueError, "n_targets must be an integer >= 1"),
    ("make_regression", {"bias": np.nan}, ValueError, "bias must be a finite number, got nan"),
    ("make_regression", {"tail_strength": 2}, ValueError, r"tail_strength must be a number in \[0"),
    ("make_regression", {"effective_rank": 0}, ValueError, "effective_rank must be an integer >="),
    ("make_classification", {"n_samples": -3}, ValueError, COUNT),
    ("make_classification", {"n_features": 3}, ValueError, "n_features must be >= .* = 4, got 3"),
    ("make_classification", {"n_classes": 3}, ValueError, "n_informative must be large enough"),
    ("make_classification", {"weights": [0.1] * 4}, ValueError, "weights must have n_classes = 2"),
    ("make_classification", {"weights": [1, 1]}, ValueError, "weights must be >= 0 and sum to"),
    ("make_classification", {"weights": [1.5]}, ValueError, "weights must be >= 0 and sum to"),
    ("make_classification", {"flip_y": 1.1}, ValueError, r"flip_y must be a number in \[0, 1\]"),
    ("make_classification", {"class_sep": 0}, ValueError, "class_sep must be a finite number > 0"),
    ("make_classification", {"shift": [1.0]}, ValueError, "shift must have one entry per feature"),
    ("make_classification", {"scale": 0.0}, ValueError, "scale must be > 0 throughout, got 0.0"),
    ("make_classification", {"hypercube": None}, TypeError, "hypercube must be True or False"),
]


@pytest.mark.parametrize(("name", "options", "error", "text"), WRONG)
def test_what_is_wrong_is_named(name, options, error, text):
    with pytest.raises(error, match=text):
        getattr(ours, name)(**options)


@pytest.mark.parametrize("name", NAMES)
def test_bad_random_state(name):
    with pytest.raises((TypeError, ValueError)):
        getattr(ours, name)(random_state="seed")
