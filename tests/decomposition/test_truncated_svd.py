"""TruncatedSVD: what must be true, by hand, and beside scikit-learn."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.decomposition import TruncatedSVD as Theirs
from sklearn.utils.extmath import randomized_svd

from clinfa.decomposition import PCA, TruncatedSVD
from clinfa.errors import ConvergenceWarning

ALGORITHMS = ["randomized", "krylov", "arpack"]


def words(n=400, d=300, seed=0):
    """Sparse rows over columns of very different frequency."""
    rng = np.random.default_rng(seed)
    frequency = 1 / np.arange(1, d + 1)
    return sp.csr_matrix(rng.random((n, d)) * (rng.random((n, d)) < frequency))


@pytest.mark.parametrize("algorithm", ["randomized", "krylov"])
def test_by_hand(algorithm):
    X = np.array([[3.0, 2, 2], [2, 3, -2]])
    model = TruncatedSVD(2, algorithm=algorithm)
    along = model.fit_transform(X)
    np.testing.assert_allclose(model.singular_values_, [5, 3], rtol=1e-14)
    half, third = np.sqrt(0.5), np.sqrt(1 / 18)
    np.testing.assert_allclose(model.components_, [[half, half, 0], [third, -third, 4 * third]], atol=1e-14)
    np.testing.assert_allclose(abs(along), [[5 * half, 3 * half]] * 2, rtol=1e-13)
    np.testing.assert_allclose(model.explained_variance_, [0, 4.5], atol=1e-13)
    np.testing.assert_allclose(model.explained_variance_ratio_, [0, 1], atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_matrix, sp.csr_array, lambda X: X.toarray()])
@pytest.mark.parametrize("shape", [(400, 300), (250, 300)])
def test_converged_is_what_lapack_finds(dtype, make, shape):
    X = words(*shape)
    model = TruncatedSVD(7, algorithm="arpack", random_state=0)
    along = model.fit_transform(make(X.astype(dtype)))
    _, s, vt = np.linalg.svd(X.toarray(), full_matrices=False)
    tight = 1e-10 if dtype == np.float64 else 1e-4
    vt *= np.sign(vt[range(len(vt)), abs(vt).argmax(axis=1)])[:, None]
    np.testing.assert_allclose(model.singular_values_, s[:7], rtol=tight)
    np.testing.assert_allclose(model.components_, vt[:7], atol=10 * tight)
    np.testing.assert_allclose(along, X @ vt[:7].T, atol=100 * tight)
    np.testing.assert_allclose(model.transform(make(X.astype(dtype))), along, atol=100 * tight)
    variance = (X @ vt[:7].T).var(axis=0)
    np.testing.assert_allclose(model.explained_variance_, variance, rtol=100 * tight)
    ratio = variance / X.toarray().var(axis=0).sum()
    np.testing.assert_allclose(model.explained_variance_ratio_, ratio, rtol=100 * tight)
    for name in ("components_", "explained_variance_", "explained_variance_ratio_", "singular_values_"):
        assert getattr(model, name).dtype == dtype
    assert along.dtype == dtype


@pytest.mark.parametrize("n_iter", [0, 2, 5])
@pytest.mark.parametrize("shape", [(500, 300), (300, 500)])
def test_as_much_variance_as_scikit_learn_in_as_many_steps(n_iter, shape):
    """From the same random vectors."""
    X = words(*shape, seed=1)

    def captured(make, **how):
        model = make(8, n_iter=n_iter, random_state=np.random.RandomState(0), **how)
        return np.linalg.norm(X @ model.fit(X).components_.T) ** 2

    ours, theirs = captured(TruncatedSVD), captured(Theirs)
    best = (np.linalg.svd(X.toarray(), compute_uv=False)[:8] ** 2).sum()
    assert theirs <= ours * (1 + 1e-12)
    assert ours <= captured(TruncatedSVD, algorithm="krylov") * (1 + 1e-12) <= best * (1 + 1e-10)


def test_the_same_as_scikit_learn_where_both_are_exact():
    X = words(60, 30)
    ours = TruncatedSVD(5, algorithm="arpack").fit(X)
    theirs = Theirs(5, algorithm="arpack").fit(X)
    for name in ("singular_values_", "explained_variance_", "explained_variance_ratio_", "components_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), atol=1e-11)
    back = ours.inverse_transform(ours.transform(X))
    np.testing.assert_allclose(back, theirs.inverse_transform(theirs.transform(X)), atol=1e-11)
    assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())


def test_randomized_svd_of_scikit_learn_agrees_on_a_low_rank():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 5)) @ rng.standard_normal((5, 200))
    model = TruncatedSVD(5, random_state=0).fit(X)
    np.testing.assert_allclose(model.singular_values_, randomized_svd(X, 5, random_state=0)[1], rtol=1e-10)
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), X, atol=1e-11)
    assert model.explained_variance_ratio_.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_centred_records_have_their_principal_components(algorithm):
    X = words(300, 120).toarray()
    X -= X.mean(axis=0)
    ours, pca = TruncatedSVD(3, algorithm=algorithm, n_iter=40, random_state=0).fit(X), PCA(3).fit(X)
    np.testing.assert_allclose(ours.components_, pca.components_, atol=1e-6)
    np.testing.assert_allclose(ours.explained_variance_ratio_, pca.explained_variance_ratio_, rtol=1e-8)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_linfa_leaves_out_what_is_not_there(algorithm):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 4)) @ rng.standard_normal((4, 200))
    model = TruncatedSVD(6, algorithm=algorithm, drop=1e-5, random_state=0)
    assert model.fit_transform(X).shape == (300, 4)
    assert model.components_.shape == (4, 200) and len(model.get_feature_names_out()) == 4
    kept = TruncatedSVD(6, algorithm=algorithm, random_state=0).fit(X)
    np.testing.assert_allclose(kept.components_ @ kept.components_.T, np.eye(6), atol=1e-12)
    np.testing.assert_allclose(kept.singular_values_[4:], 0, atol=1e-11)


@pytest.mark.parametrize("scale", [2.0**-900, 2.0**900])
def test_huge_and_tiny_numbers(scale):
    for X in (words(300, 200), words(300, 200).toarray()):
        want = TruncatedSVD(3, random_state=0).fit(X)
        model = TruncatedSVD(3, random_state=0)
        along = model.fit_transform(X * scale)
        np.testing.assert_allclose(model.singular_values_ / scale, want.singular_values_, rtol=1e-12)
        np.testing.assert_allclose(model.explained_variance_ratio_, want.explained_variance_ratio_, rtol=1e-9)
        np.testing.assert_allclose(along / scale, want.transform(X), atol=1e-10)


def test_the_share_of_the_variance_far_from_the_origin():
    rng = np.random.default_rng(0)
    X = 1e6 + rng.standard_normal((200, 5))
    want = X.var(axis=0).sum()
    for given in (X, sp.csr_matrix(X)):
        model = TruncatedSVD(2).fit(given)
        total = model.explained_variance_ / model.explained_variance_ratio_
        np.testing.assert_allclose(total, want, rtol=1e-8)


@pytest.mark.parametrize("shape", [(1, 3), (3, 2), (1, 2), (4, 1)])
def test_few_records(shape):
    X = np.random.default_rng(0).standard_normal(shape)
    k = min(2, *shape)
    model = TruncatedSVD(min(2, shape[1])).fit(X)
    assert model.components_.shape == (k, shape[1])
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), X, atol=1e-13)
    assert np.isfinite(model.explained_variance_ratio_).all()


def test_what_did_not_converge_says_so(monkeypatch):
    X = np.random.default_rng(0).standard_normal((900, 700))
    from clinfa.linalg import _svd

    def once(*args, **how):
        how["max_iter"] = 1
        return original(*args, **how)

    original = _svd.golub_kahan
    monkeypatch.setattr(_svd, "golub_kahan", once)
    with pytest.warns(ConvergenceWarning, match="above tol"):
        TruncatedSVD(5, algorithm="arpack", random_state=0).fit(X)


def test_bad_input():
    X = words(20, 10)
    with pytest.raises(ValueError, match=r"n_components\(11\) must be <= n_features\(10\)"):
        TruncatedSVD(11).fit(X)
    with pytest.raises(ValueError, match="must be below min"):
        TruncatedSVD(10, algorithm="arpack").fit(X)
    model = TruncatedSVD(2).fit(X)
    with pytest.raises(ValueError, match="TruncatedSVD has 2 components"):
        model.inverse_transform(np.ones((2, 3)))
    for bad in (np.nan, np.inf):
        spoilt = X.copy()
        spoilt.data[3] = bad
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            TruncatedSVD(2).fit(spoilt)
