"""How KMeans is used: predict, transform, score, recipes, messages, logs."""

import logging
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clinfa.cluster import KMeans, MiniBatchKMeans, k_means
from clinfa.errors import InvalidParameterError, NotFittedError
from tests.cluster.problems import assert_same_bits, blobs, inertia, sparse, squared, start, weights

ROOT = Path(__file__).parents[2]
BOTH = pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])


@BOTH
@pytest.mark.parametrize("data", [blobs, sparse])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_a_fitted_model_says(estimator, data, dtype):
    X = data(500, 10, dtype=dtype)
    dense = X if data is blobs else X.toarray()
    model = estimator(5, random_state=0)
    labels = model.fit_predict(X)
    assert np.array_equal(labels, model.labels_)
    assert np.array_equal(model.predict(X), labels)
    distances = model.transform(X)
    tight = {"rtol": 1e-6, "atol": 1e-6} if dtype is np.float64 else {"rtol": 1e-4, "atol": 1e-3}
    np.testing.assert_allclose(distances, np.sqrt(squared(dense, model.cluster_centers_)), **tight)
    assert distances.dtype == dtype
    assert model.score(X) == pytest.approx(-model.inertia_, rel=1e-6)
    w = weights(500)
    assert model.score(X, sample_weight=w) == pytest.approx(
        -inertia(dense, model.cluster_centers_, w), rel=1e-5
    )
    assert np.array_equal(estimator(5, random_state=0).fit_transform(X), distances)
    assert model.n_features_in_ == 10
    assert model.get_feature_names_out().tolist() == [f"{estimator.__name__.lower()}{i}" for i in range(5)]


@BOTH
def test_predict_of_few_rows_is_predict_of_many(estimator):
    X = blobs(2000, 7, 9, spread=3)
    model = estimator(9, random_state=0).fit(X)
    labels = model.predict(X)
    for rows in (slice(0, 1), slice(5, 38), slice(1999, 2000), slice(None, None, 7)):
        assert np.array_equal(model.predict(X[rows]), labels[rows])
        np.testing.assert_array_equal(model.transform(X[rows]), model.transform(X)[rows])


@BOTH
def test_other_type_in_predict(estimator):
    X = blobs(300, 4, spread=0.3)
    for of_fit, of_predict in [(np.float32, np.float64), (np.float64, np.float32)]:
        model = estimator(6, random_state=0).fit(X.astype(of_fit))
        assert np.array_equal(model.predict(X.astype(of_predict)), model.labels_)


@BOTH
@pytest.mark.parametrize("method", ["predict", "transform", "score"])
def test_before_fit(estimator, method):
    with pytest.raises(NotFittedError, match=f"This {estimator.__name__} instance is not fitted yet"):
        getattr(estimator(), method)(blobs())


@BOTH
def test_wrong_width(estimator):
    model = estimator(2, random_state=0).fit(blobs(50, 3))
    for method in (model.predict, model.transform, model.score):
        with pytest.raises(
            ValueError, match=f"X has 4 features, but {estimator.__name__} is expecting 3 features"
        ):
            method(blobs(50, 4))


@BOTH
def test_fewer_rows_than_clusters(estimator):
    with pytest.raises(ValueError, match=r"n_samples=3 should be >= n_clusters=4"):
        estimator(4).fit(np.eye(3))


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("n_clusters", 0, "an int >= 1"),
        ("n_clusters", True, "an int >= 1"),
        ("n_init", 0, "an int >= 1 or 'auto'"),
        ("max_iter", 0, "an int >= 1"),
        ("tol", -1e-9, "a float in [0, inf)"),
        ("tol", "small", "a float in [0, inf)"),
        ("algorithm", "full", "'auto', 'lloyd', 'elkan' or 'hamerly'"),
        ("copy_x", "yes", "a bool"),
        ("verbose", -1, "an int >= 0 or a bool"),
        (
            "random_state",
            "seed",
            "None, an int in [0, 4294967295], a numpy RandomState or a numpy Generator",
        ),
    ],
)
def test_errors_name_parameter_value_and_what_is_allowed(name, value, allowed):
    text = f"The {name!r} parameter of KMeans must be {allowed}. Got {value!r} instead."
    for act in (
        lambda: KMeans(**{name: value}).fit(blobs(50)),
        lambda: KMeans.params(**{name: value}).check(),
        lambda: k_means(blobs(50), **({"n_clusters": 3} | {name: value})),
    ):
        with pytest.raises(InvalidParameterError) as caught:
            act()
        assert str(caught.value) == text


@pytest.mark.parametrize(
    ("w", "text"),
    [
        (np.ones(49), r"sample_weight.shape == \(49,\), expected \(50,\)!"),
        (np.ones((50, 1)), "Sample weights must be 1D array or scalar, got 2D array"),
        (np.full(50, np.nan), "sample_weight contains NaN"),
        (-np.ones(50), "Negative values in data passed to `sample_weight`"),
        (np.zeros(50), "at least one non-zero"),
    ],
)
@BOTH
def test_wrong_weights(estimator, w, text):
    with pytest.raises(ValueError, match=text):
        estimator(3).fit(blobs(50), sample_weight=w)
    model = estimator(3, random_state=0).fit(blobs(50))
    with pytest.raises(ValueError, match=text):
        model.score(blobs(50), sample_weight=w)


def test_recipe_makes_new_models():
    X = blobs()
    recipe = KMeans.params(n_clusters=5, random_state=1)
    one, other = recipe.fit(X), recipe.fit(X)
    assert one is not other
    assert_same_bits(one, other)
    with pytest.raises(TypeError, match="KMeans cannot be fitted step by step"):
        recipe.fit_with(None, X)


def test_refit_changes_everything_or_nothing():
    model = KMeans(3, random_state=0).fit(blobs(100, 3))
    before = pickle.loads(pickle.dumps(model))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((10, 2), np.nan))
    assert_same_bits(model, before)
    assert model.fit(blobs(100, 2)).cluster_centers_.shape == (3, 2)


@pytest.mark.parametrize("seed", [0, np.int64(3), "RandomState", "Generator"])
def test_seeds(seed):
    X = blobs()

    def fit():
        made = {"RandomState": np.random.RandomState, "Generator": np.random.default_rng}.get(
            seed, lambda _: seed
        )(5)
        return KMeans(6, random_state=made).fit(X)

    assert_same_bits(fit(), fit())


@BOTH
@pytest.mark.parametrize("data", [blobs, sparse])
def test_same_seed_in_either_type(estimator, data):
    """The start does not depend on the type, although the data do, by rounding."""
    X = data(500, 10, dtype=np.float64)
    double = estimator(5, random_state=0).fit(X)
    single = estimator(5, random_state=0).fit(X.astype(np.float32))
    assert np.array_equal(single.labels_, double.labels_)
    np.testing.assert_allclose(single.cluster_centers_, double.cluster_centers_, atol=1e-4)


@pytest.mark.parametrize("algorithm", ["elkan", "hamerly"])
def test_bounds_for_one_cluster(algorithm):
    with pytest.warns(RuntimeWarning, match="doesn't make sense for a single cluster"):
        model = KMeans(1, algorithm=algorithm).fit(blobs(50, 3))
    assert not model.labels_.any()


def test_global_seed_is_what_none_means():
    X = blobs()
    found = []
    state = np.random.get_state()
    try:
        for _ in range(2):
            np.random.seed(3)
            found.append(KMeans(6).fit(X))
    finally:
        np.random.set_state(state)
    assert_same_bits(*found)


@pytest.mark.parametrize("verbose", [0, 1, 2, True])
def test_log(verbose, caplog):
    X = blobs(300, 2, 5, spread=2)
    with caplog.at_level(logging.INFO, logger="clinfa"):
        model = KMeans(5, init="random", n_init=3, random_state=0, verbose=verbose).fit(X)
    assert {record.name for record in caplog.records} <= {"clinfa"}
    starts = [r.getMessage() for r in caplog.records if r.getMessage().startswith("KMeans start")]
    steps = [r.getMessage() for r in caplog.records if r.getMessage().startswith("Iteration")]
    assert len(starts) == (3 if verbose else 0)
    assert bool(steps) == (verbose == 2)
    if verbose:
        assert "KMeans start 1 of 3: inertia" in starts[0]
        assert any(f"inertia {model.inertia_:g} after {model.n_iter_} iterations" in line for line in starts)
    if verbose == 2:
        assert "Iteration 1: 300 labels changed" in steps[0]
        assert_same_bits(model, KMeans(5, init="random", n_init=3, random_state=0).fit(X))


def test_log_of_mini_batches(caplog):
    with caplog.at_level(logging.INFO, logger="clinfa"):
        model = MiniBatchKMeans(3, random_state=0, verbose=1, max_iter=2, batch_size=100).fit(blobs(300))
    assert len(caplog.records) == model.n_steps_
    assert caplog.messages[0].startswith("Mini-batch step 1 of 6: mean inertia")


@pytest.mark.parametrize("configured", [False, True], ids=["", "logging-configured"])
@pytest.mark.parametrize("verbose", [0, 1])
def test_verbose_shows_itself_where_nobody_else_shows_it(verbose, configured):
    """On stderr, once per start; a user's own handlers are left to show it."""
    code = f"""
import logging, numpy as np
from clinfa.cluster import KMeans
if {configured}:
    logging.basicConfig(format="mine %(message)s", level=logging.INFO)
for _ in range(2):
    KMeans(2, init=[[0.0], [1]], verbose={verbose}).fit(np.arange(8.0)[:, None])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 2 * verbose
    prefix = "mine " if configured else "[clinfa] "
    assert all(line.startswith(prefix + "KMeans start 1 of 1: inertia 10 after") for line in lines)


def test_centres_given_by_hand_need_no_randomness():
    X = blobs()
    state = np.random.RandomState(0)
    KMeans(4, init=start(X, 4), random_state=state).fit(X)
    assert state.randint(1 << 30) == np.random.RandomState(0).randint(1 << 30)
