"""Principal components batch by batch: as at once where all products are kept, near that elsewhere."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.decomposition as theirs

from clinfa.decomposition import PCA, IncrementalPCA

NAMES = ("components_", "explained_variance_", "explained_variance_ratio_", "singular_values_", "mean_")


def falling(n, d, *, ratio=0.8, offset=2.0, dtype=np.float64):
    rng = np.random.default_rng(n * d)
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return ((rng.standard_normal((n, d)) * ratio ** np.arange(d)) @ turn + offset).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [None, 3])
def test_in_pieces_as_at_once(k, dtype):
    X = falling(1000, 12, offset=100, dtype=dtype)
    whole = PCA(k, svd_solver="covariance_eigh").fit(X)
    pieces = IncrementalPCA(k)
    for batch in np.split(X, [300, 301, 650]):
        pieces.partial_fit(batch)
    for model in (pieces, IncrementalPCA(k).fit(X), IncrementalPCA(k, batch_size=13).fit(X)):
        for name in NAMES:
            mine = getattr(model, name)
            assert mine.dtype == dtype
            np.testing.assert_allclose(mine, getattr(whole, name), atol=1e-9 if dtype == np.float64 else 2e-5)
        assert model.noise_variance_ == pytest.approx(whole.noise_variance_, rel=1e-5, abs=1e-12)
        np.testing.assert_allclose(model.var_, X.astype(float).var(axis=0), rtol=1e-5)
        assert (model.n_samples_seen_, model.n_components_) == (1000, k or 12)


def test_by_hand():
    """Two rows, then two more: the mean moves, and its step counts."""
    model = IncrementalPCA(1).partial_fit([[-1.0, 0], [1, 0]]).partial_fit([[9.0, 0], [11, 0]])
    assert model.mean_.tolist() == [5, 0] and model.var_.tolist() == [26, 0]
    np.testing.assert_allclose(model.components_, [[1, 0]], atol=1e-15)
    np.testing.assert_allclose(model.explained_variance_, [104 / 3], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_batches_smaller_than_rows_are_merged_as_in_scikit_learn(dtype):
    X = falling(400, 100, ratio=0.9, dtype=dtype)
    ours, other = (cls(10, batch_size=40).fit(X) for cls in (IncrementalPCA, theirs.IncrementalPCA))
    rtol = 1e-7 if dtype == np.float64 else 3e-3
    for name in (*NAMES, "var_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(other, name), rtol=rtol, atol=10 * rtol)
    np.testing.assert_allclose(ours.components_ @ ours.components_.T, np.eye(10), atol=1e-6)
    pieces = IncrementalPCA(10)
    for batch in np.split(X, 10):
        pieces.partial_fit(batch)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(pieces, name), getattr(ours, name))
    best = PCA(10).fit(X).explained_variance_ratio_.sum()
    assert 0.95 * best < ours.explained_variance_ratio_.sum() <= best * (1 + 1e-6)


@pytest.mark.parametrize("scale", [1e-200, 1e250])
def test_any_scale_of_merged_batches(scale):
    X = falling(90, 80)
    usual, other = (IncrementalPCA(4, batch_size=10).fit(x) for x in (X, X * scale))
    np.testing.assert_allclose(other.components_, usual.components_, atol=1e-9)
    np.testing.assert_allclose(other.singular_values_ / scale, usual.singular_values_, rtol=1e-9)


def test_sparse_is_dense():
    X = sp.random_array((300, 80), density=0.1, rng=np.random.default_rng(0), format="csr")
    for size in (None, 10):
        ours, dense = (IncrementalPCA(5, batch_size=size).fit(x) for x in (X, X.toarray()))
        np.testing.assert_allclose(ours.singular_values_, dense.singular_values_, rtol=1e-10)
        np.testing.assert_allclose(ours.transform(X), dense.transform(X.toarray()), atol=1e-8)
    with pytest.raises(TypeError, match="partial_fit does not support sparse input"):
        ours.partial_fit(X)


def test_what_is_refused():
    X = falling(20, 5)
    with pytest.raises(ValueError, match="n_components=6 invalid for n_features=5"):
        IncrementalPCA(6).fit(X)
    with pytest.raises(ValueError, match="batch number of samples 3 for the first"):
        IncrementalPCA(4).partial_fit(X[:3])
    model = IncrementalPCA(2).partial_fit(X)
    with pytest.raises(ValueError, match="has changed from 2 to 3"):
        model.set_params(n_components=3).partial_fit(X)
    X[3, 3] = np.nan
    for fit in (IncrementalPCA(2).fit, IncrementalPCA(2).partial_fit, IncrementalPCA(2, batch_size=4).fit):
        with pytest.raises(ValueError, match="NaN"):
            fit(X)
