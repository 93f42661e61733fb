"""What must not change a result: threads, algorithm, storage, type, units, origin, repetition."""

import numpy as np
import pytest
import scipy.sparse as sp

import clinfa
from clinfa.cluster import KMeans, MiniBatchKMeans
from tests.cluster.problems import (
    assert_same_bits,
    blobs,
    count_stripes,
    inertia,
    separate,
    sparse,
    start,
    weights,
    whole,
)

INITS = ["k-means++", "k-means||", "random"]


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("kind", ["float64", "float32", "csr"])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_threads(init, kind, algorithm, monkeypatch):
    X = sparse(20_000, 40) if kind == "csr" else blobs(120_000, 16, dtype=np.dtype(kind))
    w, seen, models = weights(X.shape[0]), count_stripes(monkeypatch), []
    for count in (1, 2, 3, 8):
        with clinfa.config_context(n_threads=count):
            model = KMeans(20, init=init, n_init=1, algorithm=algorithm, random_state=3, max_iter=5, tol=0)
            models.append(model.fit(X, sample_weight=w))
    assert max(seen) > 8
    for other in models[1:]:
        assert_same_bits(models[0], other)


@pytest.mark.parametrize("kind", ["float64", "float32", "csr"])
def test_threads_of_mini_batches(kind, monkeypatch):
    X = sparse(20_000, 40) if kind == "csr" else blobs(20_000, 12, dtype=np.dtype(kind))
    seen, models = count_stripes(monkeypatch), []
    for count in (1, 2, 8):
        with clinfa.config_context(n_threads=count):
            models.append(MiniBatchKMeans(20, random_state=3, max_iter=2, batch_size=4000).fit(X))
    assert max(seen) > 2
    for other in models[1:]:
        assert_same_bits(models[0], other)


@pytest.mark.parametrize("k", [2, 10, 40])
@pytest.mark.parametrize("d", [2, 15, 60, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_algorithms_agree(k, d, dtype):
    """Labels to the bit; sums may be added up in another order."""
    X = blobs(3000, d, 12, spread=2.5, dtype=dtype)
    first = start(X, k)
    plain = KMeans(k, init=first, algorithm="lloyd", tol=0, max_iter=60).fit(X)
    for algorithm in ("auto", "elkan", "hamerly"):
        other = KMeans(k, init=first, algorithm=algorithm, tol=0, max_iter=60).fit(X)
        assert np.array_equal(other.labels_, plain.labels_)
        assert other.n_iter_ == plain.n_iter_
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(
            other.cluster_centers_, plain.cluster_centers_, rtol=8 * eps, atol=8 * eps * np.abs(X).max()
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_algorithms_agree_on_long_rows_with_many_centres(dtype, spread):
    """Where "auto" rules centres out in a few dimensions and sums are not kept by stripe."""
    X = blobs(4000, 540, 1000, spread=spread, dtype=dtype)
    first = start(X, 1000)
    plain = KMeans(1000, init=first, algorithm="lloyd", tol=0, max_iter=4).fit(X)
    auto = KMeans(1000, init=first, tol=0, max_iter=4).fit(X)
    assert np.array_equal(auto.labels_, plain.labels_)
    assert auto.n_iter_ == plain.n_iter_
    assert np.array_equal(auto.cluster_centers_, plain.cluster_centers_)
    assert auto.inertia_ == plain.inertia_


def test_algorithms_agree_to_the_bit_on_sparse_rows():
    X = sparse(3000, 50)
    first = start(X.toarray(), 20)
    plain = KMeans(20, init=first, algorithm="lloyd", tol=0).fit(X)
    for algorithm in ("auto", "elkan", "hamerly"):
        assert_same_bits(KMeans(20, init=first, algorithm=algorithm, tol=0).fit(X), plain)


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("init", INITS)
def test_dense_and_sparse_rows(estimator, seed, weighted, init):
    X = sparse(700, 20, seed=seed)
    w = weights(700) if weighted else None
    how = {"init": init, "random_state": seed, "n_init": 1}
    found = [estimator(6, **how).fit(rows, sample_weight=w) for rows in (X, X.toarray())]
    assert np.array_equal(found[0].labels_, found[1].labels_)
    np.testing.assert_allclose(found[0].cluster_centers_, found[1].cluster_centers_, rtol=1e-10, atol=1e-10)
    assert found[0].inertia_ == pytest.approx(found[1].inertia_, rel=1e-10)
    assert found[0].n_iter_ == found[1].n_iter_
    np.testing.assert_allclose(found[0].transform(X), found[1].transform(X.toarray()), atol=1e-6)
    assert np.array_equal(found[0].predict(X.toarray()), found[1].predict(X))


@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csr_array, sp.csc_array, sp.coo_array])
def test_sparse_formats(form):
    X = sparse()
    model = KMeans(4, random_state=0).fit(form(X))
    assert_same_bits(model, KMeans(4, random_state=0).fit(X))


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("data", [blobs, sparse])
def test_float32_stays(estimator, data):
    X = data(500, 10, dtype=np.float32)
    model = estimator(4, random_state=0).fit(X)
    assert model.cluster_centers_.dtype == np.float32
    assert model.transform(X).dtype == np.float32
    double = estimator(4, random_state=0).fit(X.astype(np.float64))
    assert double.cluster_centers_.dtype == np.float64
    assert model.inertia_ == pytest.approx(double.inertia_, rel=1e-3)


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [60, 1500])
def test_weight_is_repetition(init, seed, n):
    """Also in what chance decides: rows are drawn in the space of weights."""
    X = whole(n, 3, seed=seed)
    w = np.random.default_rng(seed).integers(0, 4, n)
    how = {"init": init, "random_state": seed, "n_init": 1}
    by_weight = KMeans(5, **how).fit(X, sample_weight=w)
    repeated = KMeans(5, **how).fit(np.repeat(X, w, axis=0))
    np.testing.assert_allclose(by_weight.cluster_centers_, repeated.cluster_centers_, rtol=1e-12, atol=1e-12)
    assert np.array_equal(np.repeat(by_weight.labels_, w), repeated.labels_)
    assert by_weight.inertia_ == pytest.approx(repeated.inertia_, rel=1e-12)
    assert by_weight.n_iter_ == repeated.n_iter_


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("seed", range(3))
def test_order_of_the_rows(init, seed):
    X = whole(800, 3, seed=seed)
    shuffled = np.random.default_rng(seed).permutation(800)
    how = {"init": init, "random_state": seed, "n_init": 1}
    one, other = KMeans(5, **how).fit(X), KMeans(5, **how).fit(X[shuffled])
    np.testing.assert_allclose(one.cluster_centers_, other.cluster_centers_, rtol=1e-12, atol=1e-12)
    assert np.array_equal(one.labels_[shuffled], other.labels_)


@pytest.mark.parametrize("scale", [1e-3, 7.0, 1e12])
def test_scale_of_the_weights(scale):
    X, w = blobs(500, 3), weights(500)
    one, other = (KMeans(4, random_state=0).fit(X, sample_weight=w * by) for by in (1, scale))
    np.testing.assert_allclose(other.cluster_centers_, one.cluster_centers_, rtol=1e-10, atol=1e-10)
    assert other.inertia_ == pytest.approx(one.inertia_ * scale, rel=1e-10)


@pytest.mark.parametrize("data", [blobs, sparse])
@pytest.mark.parametrize("exponent", [-996, -500, -50, 50, 480])
def test_powers_of_two_change_no_bit(data, exponent):
    X, unit = data(400, 8), 2.0**exponent
    first = start(X if data is blobs else X.toarray(), 5)
    one, other = KMeans(5, init=first).fit(X), KMeans(5, init=first * unit).fit(X * unit)
    assert np.array_equal(other.labels_, one.labels_)
    assert other.n_iter_ == one.n_iter_
    assert np.array_equal(other.cluster_centers_, one.cluster_centers_ * unit)
    assert np.array_equal(other.predict(X * unit), one.labels_)
    assert np.array_equal(other.transform(X * unit), one.transform(X) * unit)
    assert other.inertia_ == np.ldexp(np.ldexp(one.inertia_, exponent), exponent)


UNITS = [1e-300, 1e-200, 1e-100, 1e-30, 1e30, 1e100, 1e150, 1e300]


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("unit", UNITS)
def test_any_unit(estimator, unit):
    X, middles = separate()
    X, middles = X / 128, middles / 128  # near one
    one = estimator(6, init=middles, random_state=0).fit(X)
    other = estimator(6, init=middles * unit, random_state=0).fit(X * unit)
    assert np.array_equal(other.labels_, one.labels_)
    rtol = 1e-12 if estimator is KMeans else 0.02  # batches are drawn along another order
    np.testing.assert_allclose(other.cluster_centers_ / unit, one.cluster_centers_, rtol=rtol, atol=rtol)
    assert np.array_equal(other.predict(X * unit), one.labels_)
    np.testing.assert_allclose(other.transform(X * unit) / unit, one.transform(X), rtol=rtol, atol=2 * rtol)
    if 1e-150 < unit < 1e150:
        assert other.inertia_ / unit**2 == pytest.approx(one.inertia_, rel=rtol)


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_any_unit_from_any_start(estimator, init, unit):
    X, _ = separate()
    X = X / 128 * unit
    for rows in (X, sp.csr_array(X)):
        model = estimator(6, init=init, random_state=0, n_init=2).fit(rows)
        assert np.isfinite(model.cluster_centers_).all()
        assert len(np.unique(model.labels_)) == 6
        if estimator is MiniBatchKMeans:
            model.partial_fit(rows)
            assert np.isfinite(model.cluster_centers_).all()


@pytest.mark.parametrize("unit", [1e-44, 1e-40, 1e-30, 1e-20, 1e20, 1e30, 1e36])
def test_any_unit_of_float32(unit):
    """Down to numbers of few bits; the groups lie farther apart than those can round."""
    X, middles = separate()
    X, middles = ((array * unit).astype(np.float32) for array in (X, middles))
    for how in ({"init": middles}, {"init": "k-means++", "random_state": 0}):
        model = KMeans(6, **how).fit(X)
        assert len(np.unique(model.labels_[:6])) == 6
        assert np.array_equal(model.labels_, np.resize(model.labels_[:6], 400))
        expected = [X[i::6].mean(axis=0, dtype=np.float64) for i in range(6)]
        np.testing.assert_allclose(model.cluster_centers_[model.labels_[:6]], expected, rtol=1e-5, atol=1e-45)


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("offset", [1e4, 1e8, -1e12])
def test_offset(estimator, offset):
    """Numbers that stay exact when moved: far from the origin nothing gets lost."""
    X, middles = separate()
    one = estimator(6, init=middles, random_state=0).fit(X)
    other = estimator(6, init=middles + offset, random_state=0).fit(X + offset)
    assert np.array_equal(other.labels_, one.labels_)
    assert other.inertia_ == pytest.approx(inertia(X, other.cluster_centers_ - offset), rel=1e-9)
    if estimator is KMeans:
        difference = other.cluster_centers_ - offset - one.cluster_centers_
        assert np.abs(difference).max() <= abs(offset) * 3e-16 + 1e-12


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0.0, 1e-30, 1e-10])
def test_records_far_from_all_that_was_fitted(estimator, dtype, size):
    """A model of rows that hardly differ still knows how far away others are."""
    X = np.array([[3.0 * size, 0], [0, 0], [0, 4 * size], [0, 0]], dtype)
    model = estimator(1, init=[[0.0, 0]], random_state=0).fit(X)
    far = np.array([[3, 4], [-6, 8], [0, 1e6]], dtype)
    np.testing.assert_allclose(model.transform(far)[:, 0], [5, 10, 1e6], rtol=1e-6)
    assert model.score(far) == pytest.approx(-(25 + 100 + 1e12), rel=1e-6)
    assert model.predict(far).tolist() == [0, 0, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_nearest_centre_of_far_records(dtype):
    X = (np.arange(20)[:, None] % 2 * np.array([1e-25, 0])).astype(dtype)
    model = KMeans(2, init=X[:2]).fit(X)
    assert model.predict(np.array([[-1, 0], [1, 0]], dtype)).tolist() == [0, 1]


def test_columns_of_very_different_sizes():
    """One column far away and constant, the others tiny: its size must not swallow them."""
    X = blobs(300, 3, 3, spread=0.1)
    mixed = np.column_stack([np.full(300, 1e300), X * 1e-100])
    one = KMeans(3, init=start(X, 3)).fit(X)
    model = KMeans(3, random_state=0).fit(mixed)
    assert np.isfinite(model.cluster_centers_).all()
    assert len(np.unique(model.labels_)) == len(np.unique(one.labels_)) == 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weight", [1e-310, 1e-60, 1e40, 1e90, 1e300])
def test_any_size_of_weights(dtype, weight):
    X = blobs(3000, 4, 5, dtype=dtype)
    one = KMeans(5, random_state=0).fit(X)
    other = KMeans(5, random_state=0).fit(X, sample_weight=np.full(3000, weight))
    assert np.array_equal(one.labels_, other.labels_)
    np.testing.assert_allclose(other.cluster_centers_, one.cluster_centers_, rtol=1e-5)


@pytest.mark.parametrize("kind", ["dense", "csr"])
@pytest.mark.parametrize("d", [1, 3, 8, 17])
@pytest.mark.parametrize(("unit", "weight"), [(1e-300, 1e99), (1e300, 1e-99), (1e300, 1e200)])
def test_extreme_units_and_weights_together(kind, d, unit, weight):
    """A weight is of the data's number, not of their size: both may be extreme at once."""
    X, middles = separate(400, d, 3)
    form = sp.csr_array if kind == "csr" else np.asarray
    one = KMeans(3, init=middles / 128).fit(form(X / 128))
    other = KMeans(3, init=middles / 128 * unit).fit(form(X / 128 * unit), sample_weight=np.full(400, weight))
    assert np.array_equal(other.labels_, one.labels_)
    np.testing.assert_allclose(other.cluster_centers_ / unit, one.cluster_centers_, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("kind", ["dense", "csr"])
def test_inputs_are_not_changed(estimator, kind):
    X = sparse(300, 10) if kind == "csr" else blobs(300, 4)
    w, first = weights(300), start(X.toarray() if kind == "csr" else X, 3)
    for array in [w, first, *([X.data, X.indices, X.indptr] if kind == "csr" else [X])]:
        array.flags.writeable = False
    model = estimator(3, init=first, copy_x=False) if estimator is KMeans else estimator(3, init=first)
    model.fit(X, sample_weight=w)
    model.predict(X)
    assert not np.shares_memory(model.cluster_centers_, first)
