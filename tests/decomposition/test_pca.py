"""Principal components: worked by hand, certified, at the corners, and against scikit-learn."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.decomposition as theirs

from clinfa import Dataset
from clinfa.blas import one_thread
from clinfa.datasets import load_digits, load_iris
from clinfa.decomposition import PCA

SOLVERS = ["auto", "full", "covariance_eigh", "arpack", "randomized"]


def spread_out(n, d, *, ratio=0.7, offset=0.0, dtype=np.float64):
    """Records with singular values that fall by a factor."""
    rng = np.random.default_rng(n + d)
    with one_thread():
        turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
        return ((rng.standard_normal((n, d)) * ratio ** np.arange(d)) @ turn + offset).astype(dtype)


@pytest.mark.parametrize("solver", SOLVERS)
def test_by_hand(solver):
    """Points on a cross: 4 along (3, 4) / 5 to either side, 1 across."""
    along, across = np.array([3.0, 4]) / 5, np.array([4.0, -3]) / 5
    X = np.array([10.0, 20]) + np.array([4 * along, -4 * along, across, -across])
    model = PCA(1, svd_solver=solver, random_state=0).fit(X)
    np.testing.assert_allclose(model.mean_, [10, 20], rtol=1e-14)
    np.testing.assert_allclose(model.components_, [along], rtol=1e-13)
    np.testing.assert_allclose(model.explained_variance_, [32 / 3], rtol=1e-13)
    np.testing.assert_allclose(model.explained_variance_ratio_, [32 / 34], rtol=1e-13)
    np.testing.assert_allclose(model.singular_values_, [np.sqrt(32)], rtol=1e-13)
    np.testing.assert_allclose(model.noise_variance_, 2 / 3, rtol=1e-12)
    np.testing.assert_allclose(model.transform(X), [[4], [-4], [0], [0]], atol=1e-13)
    np.testing.assert_allclose(model.inverse_transform([[5.0]]), [[13, 24]], rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1000, 20), (60, 150), (120, 120)])
@pytest.mark.parametrize("solver", SOLVERS)
def test_certificates(solver, shape, dtype):
    """Against NumPy's decomposition of the centred records in double."""
    X, k = spread_out(*shape, offset=3, dtype=dtype), 6
    centred = X.astype(float) - X.astype(float).mean(axis=0)
    _, s, axes = np.linalg.svd(centred, full_matrices=False)
    model = PCA(k, svd_solver=solver, random_state=0).fit(X)
    assert {model.components_.dtype, model.mean_.dtype, model.transform(X).dtype} == {np.dtype(dtype)}
    u = np.finfo(dtype).eps / np.finfo(float).eps
    V = model.components_.astype(float)
    np.testing.assert_allclose(V @ V.T, np.eye(k), atol=1e-14 * u)
    np.testing.assert_allclose(model.singular_values_, s[:k], rtol=1e-10 if u == 1 else 1e-6)
    # the sine of the greatest angle between the two spaces
    assert np.linalg.norm(axes[:k] - (axes[:k] @ V.T) @ V, 2) < (1e-8 if u == 1 else 1e-5)
    np.testing.assert_allclose(model.explained_variance_, s[:k] ** 2 / (len(X) - 1), rtol=2e-6)
    np.testing.assert_allclose(model.explained_variance_ratio_, s[:k] ** 2 / (s**2).sum(), rtol=2e-6)
    np.testing.assert_allclose(
        model.noise_variance_, (s[k:] ** 2).sum() / (len(X) - 1) / (min(shape) - k), rtol=1e-4
    )
    back = model.inverse_transform(model.transform(X)).astype(float)
    np.testing.assert_allclose(((X - back) ** 2).sum(), (s[k:] ** 2).sum(), rtol=1e-5)


def test_full_keeps_small_variances_where_products_lose_them():
    n, d = 2000, 12
    rng = np.random.default_rng(1)
    frame = np.linalg.qr(np.hstack([np.ones((n, 1)), rng.standard_normal((n, d))]))[0][:, 1:]
    turn, s = np.linalg.qr(rng.standard_normal((d, d)))[0], np.logspace(0, -11, d)
    X = (frame * s) @ turn.T
    np.testing.assert_allclose(PCA(svd_solver="full").fit(X).singular_values_, s, rtol=1e-4)
    assert not np.allclose(PCA(svd_solver="covariance_eigh").fit(X).singular_values_, s, rtol=1e-4, atol=0)


@pytest.mark.parametrize("offset", [1e3, 1e8, -1e12])
@pytest.mark.parametrize("solver", ["full", "covariance_eigh"])
def test_far_off_the_origin_nothing_is_lost(solver, offset):
    X = np.round(spread_out(5000, 5), 2) * 1024  # an offset leaves these values as they are
    X = np.rint(X) / 1024 if abs(offset) < 1e6 else np.rint(X)
    near, far = (PCA(svd_solver=solver).fit(X + move) for move in (0, offset))
    np.testing.assert_allclose(far.singular_values_, near.singular_values_, rtol=1e-9)
    np.testing.assert_allclose(
        np.abs(far.transform(X[:9] + offset)), np.abs(near.transform(X[:9])), rtol=1e-3
    )


def test_a_mean_that_no_sample_shows_is_found_again():
    """Rows that are looked at for the shift lie elsewhere than all others."""
    X = spread_out(5120, 4) + 1e6
    X[::20] -= 1e6
    model = PCA(svd_solver="covariance_eigh").fit(X)
    s = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[1]
    np.testing.assert_allclose(model.singular_values_[0], s[0], rtol=1e-13)
    np.testing.assert_allclose(model.mean_, X.mean(axis=0), rtol=1e-14)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e150, 1e290])
@pytest.mark.parametrize("solver", SOLVERS)
def test_any_scale(solver, scale):
    X = spread_out(400, 6)
    usual = PCA(3, svd_solver=solver, random_state=0, whiten=True).fit(X)
    other = PCA(3, svd_solver=solver, random_state=0, whiten=True).fit(X * scale)
    np.testing.assert_allclose(other.components_, usual.components_, atol=1e-10)
    np.testing.assert_allclose(other.singular_values_ / scale, usual.singular_values_, rtol=1e-10)
    np.testing.assert_allclose(other.explained_variance_ratio_, usual.explained_variance_ratio_, rtol=1e-10)
    np.testing.assert_allclose(other.transform(X * scale), usual.transform(X), atol=1e-8)


@pytest.mark.parametrize("solver", ["auto", "full", "covariance_eigh"])
def test_corners(solver):
    one = PCA(svd_solver=solver).fit([[1.0, 2, 3]])
    assert one.explained_variance_.tolist() == [0] and one.transform([[1.0, 2, 3]]).tolist() == [[0]]
    X = spread_out(50, 4)
    X[:, 2] = 7
    model = PCA(svd_solver=solver).fit(X)
    assert np.abs(model.components_[-1]).argmax() == 2 and model.singular_values_[-1] < 1e-6
    np.testing.assert_allclose(model.components_ @ model.components_.T, np.eye(4), atol=1e-13)
    assert PCA(0, svd_solver=solver).fit(X).transform(X).shape == (50, 0)
    wide = PCA(svd_solver=solver).fit(spread_out(5, 30))
    assert wide.components_.shape == (5, 30)
    if solver != "covariance_eigh":
        np.testing.assert_allclose(wide.components_ @ wide.components_.T, np.eye(5), atol=1e-13)


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("k", [None, 2, 0.9, "mle"])
@pytest.mark.parametrize("solver", ["auto", "full", "covariance_eigh"])
def test_as_scikit_learn(solver, k, whiten):
    X = load_iris().records
    ours = PCA(k, svd_solver=solver, whiten=whiten).fit(X)
    other = theirs.PCA(k, svd_solver=solver, whiten=whiten).fit(X)
    assert (ours.n_components_, ours.n_samples_) == (other.n_components_, 150)
    for name in (
        "components_",
        "explained_variance_",
        "explained_variance_ratio_",
        "singular_values_",
        "mean_",
    ):
        np.testing.assert_allclose(getattr(ours, name), getattr(other, name), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(ours.noise_variance_, other.noise_variance_, rtol=1e-10)
    scores = ours.transform(X)
    np.testing.assert_allclose(scores, other.transform(X), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(PCA(k, svd_solver=solver, whiten=whiten).fit_transform(X), scores, atol=0)
    np.testing.assert_allclose(ours.inverse_transform(scores), other.inverse_transform(scores), rtol=1e-11)
    # (Theirs takes a whitened model's axes for scaled ones in the next two, which they are not.)
    plain = theirs.PCA(k, svd_solver=solver).fit(X)
    np.testing.assert_allclose(ours.get_covariance(), plain.get_covariance(), rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(ours.score_samples(X), plain.score_samples(X), rtol=1e-10)
    np.testing.assert_allclose(ours.get_precision() @ ours.get_covariance(), np.eye(4), atol=1e-11)
    assert ours.score(X) == pytest.approx(plain.score(X), rel=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("storage", ["dense", "far off", "csr"])
@pytest.mark.parametrize("shape", [(540, 510), (510, 540)])
def test_leading_components_of_what_is_large_both_ways(shape, storage, dtype):
    """At least the variance that scikit-learn's randomised solver captures; all of it with "arpack"."""
    X = spread_out(*shape, ratio=0.99, offset=1e3 if storage == "far off" else 0.0, dtype=dtype)
    if storage == "csr":
        X[np.random.default_rng(0).random(shape) < 0.9] = 0
    given = sp.csr_array(X) if storage == "csr" else X
    with one_thread():
        exact = np.linalg.svd(X.astype(float) - X.astype(float).mean(axis=0), compute_uv=False)[:5]
    sharp = PCA(5, svd_solver="arpack", random_state=0).fit(given)
    np.testing.assert_allclose(sharp.singular_values_, exact, rtol=1e-9 if dtype == np.float64 else 1e-5)
    assert {sharp.components_.dtype, sharp.transform(given).dtype} == {np.dtype(dtype)}
    if storage == "csr":
        return
    ours, other = (cls(5, svd_solver="randomized", random_state=0).fit(X) for cls in (PCA, theirs.PCA))
    assert ours.explained_variance_.sum() >= other.explained_variance_.sum() * (1 - 1e-5)
    np.testing.assert_allclose(ours.components_ @ ours.components_.T, np.eye(5), atol=1e-5)
    rest = ours.noise_variance_ * (510 - 5) + ours.explained_variance_.sum()
    np.testing.assert_allclose(rest, X.astype(float).var(axis=0, ddof=1).sum(), rtol=1e-4)


def test_most_likely_rank_as_scikit_learn():
    X = load_digits().records[:, 20:44]
    for n in (40, 200, 1797):
        assert PCA("mle").fit(X[:n]).n_components_ == theirs.PCA("mle").fit(X[:n]).n_components_


@pytest.mark.parametrize("solver", ["auto", "covariance_eigh", "arpack"])
@pytest.mark.parametrize("density", [0.05, 0.5])
def test_sparse_is_dense(solver, density):
    X = sp.random_array((400, 30), density=density, rng=np.random.default_rng(0), format="csr")
    ours, dense = (PCA(4, svd_solver=solver, random_state=0).fit(x) for x in (X, X.toarray()))
    np.testing.assert_allclose(ours.singular_values_, dense.singular_values_, rtol=1e-10)
    np.testing.assert_allclose(ours.transform(X), dense.transform(X.toarray()), atol=1e-7)
    with pytest.raises(TypeError, match="PCA only support sparse inputs"):
        PCA(svd_solver="full").fit(X)


def test_wide_sparse_records_take_no_products_of_columns():
    """Those of twenty thousand columns would be 3 GB."""
    X = sp.random_array((40, 20_000), density=0.01, rng=np.random.default_rng(0), format="csr")
    ours, dense = PCA().fit(X), PCA().fit(X.toarray())
    np.testing.assert_allclose(ours.singular_values_, dense.singular_values_, atol=1e-12)
    np.testing.assert_allclose(ours.transform(X), dense.transform(X.toarray()), atol=1e-10)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"n_components": 5}, r"n_components=5 must be between 0 and min\(n_samples, n_features\)=4"),
        ({"n_components": 4, "svd_solver": "arpack"}, "must be strictly less than"),
        ({"n_components": 0, "svd_solver": "randomized"}, "must be between 1 and"),
        ({"n_components": "mle", "svd_solver": "arpack"}, "cannot be a string"),
    ],
)
def test_what_is_refused(params, said):
    with pytest.raises(ValueError, match=said):
        PCA(**params).fit(load_iris().records)
    with pytest.raises(ValueError, match="only supported if n_samples >= n_features"):
        PCA("mle").fit(np.eye(3, 5))


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_is_not_finite_is_found_without_a_look_of_its_own(solver):
    X = spread_out(300, 5)
    model = PCA(2, svd_solver=solver, random_state=0).fit(X)
    for bad in (np.nan, np.inf):
        spoilt = X.copy()
        spoilt[17, 3] = bad
        for call in (
            PCA(2, svd_solver=solver).fit,
            model.transform,
            model.score_samples,
            PCA(0).fit(X).transform,
        ):
            with pytest.raises(ValueError, match=r"NaN|infinity"):
                call(spoilt)


def test_recipe_and_dataset():
    iris = load_iris()
    model = PCA.params(n_components=2).fit(iris)
    out = model.transform(iris)
    assert isinstance(out, Dataset) and out.records.shape == (150, 2)
    assert list(out.feature_names) == ["pca0", "pca1"]
    assert model.inverse_transform(out).feature_names == iris.feature_names
