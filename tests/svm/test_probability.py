"""Probabilities: within pairs, from pairs to classes, and as targets."""

import warnings

import numpy as np
import pytest
from sklearn import svm as theirs
from sklearn.datasets import load_breast_cancer, load_iris

from clinfa import Dataset, Pr
from clinfa.kernels import Gaussian, Kernel
from clinfa.svm import SVC, NuSVC
from clinfa.svm._calibration import folds_of
from clinfa.svm._votes import coupled


def _standard(data):
    return (data.data - data.data.mean(axis=0)) / data.data.std(axis=0), data.target


def _log_loss(p, y):
    return -np.log(p[np.arange(len(y)), y]).mean()


def test_coupling_finds_probabilities_that_agree():
    """Where r_ij = p_i / (p_i + p_j) for all pairs, p is what agrees with them."""
    rng = np.random.default_rng(0)
    for k in (3, 4, 9):
        p = rng.dirichlet(np.ones(k), size=20)
        pairwise = p[:, :, None] / (p[:, :, None] + p[:, None, :])
        np.testing.assert_allclose(coupled(pairwise), p, atol=1e-9)


def test_coupling_of_certain_pairs_is_certain():
    pairwise = np.zeros((1, 3, 3))
    pairwise[0, 0, 1] = pairwise[0, 0, 2] = pairwise[0, 1, 2] = 1.0
    np.testing.assert_allclose(coupled(pairwise), [[1.0, 0.0, 0.0]], atol=1e-5)


def test_folds_are_even_in_each_class():
    codes = np.repeat([0, 1, 2], [7, 20, 3])
    folds = folds_of(codes, 3)
    for code, most, least in ((0, 2, 1), (1, 4, 4), (2, 1, 0)):
        counts = np.bincount(folds[codes == code], minlength=5)
        assert (counts.max(), counts.min()) == (most, least)


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
@pytest.mark.parametrize("cls", [SVC, NuSVC])
def test_as_good_as_libsvm(cls, load):
    X, y = _standard(load())
    rows = np.random.RandomState(0).permutation(len(y))
    fit, held = rows[: 2 * len(y) // 3], rows[2 * len(y) // 3 :]
    how = {"nu": 0.2} if cls is NuSVC else {}
    model = cls(probability=True, random_state=0, **how).fit(X[fit], y[fit])
    p = model.predict_proba(X[held])
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        other = getattr(theirs, cls.__name__)(probability=True, random_state=0, **how).fit(X[fit], y[fit])
        want = other.predict_proba(X[held])
    assert _log_loss(p, y[held]) < _log_loss(want, y[held]) + 0.02
    np.testing.assert_allclose(model.predict_log_proba(X[held]), np.log(p))


def test_probability_rises_with_the_decision_function():
    X, y = _standard(load_breast_cancer())
    model = SVC(probability=True).fit(X, y)
    order = np.argsort(model.decision_function(X))
    assert (np.diff(model.predict_proba(X)[order, 1]) >= 0).all()


def test_only_on_request():
    X, y = load_iris(return_X_y=True)
    model = SVC().fit(X, y)
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError, match="probability=False"):
        model.predict_proba(X)
    with pytest.raises(AttributeError, match="fitted with probability=False"):
        model.set_params(probability=True).predict_proba(X)


def test_a_class_of_one_record():
    """In one fold it is not there to be learned from."""
    X, y = load_iris(return_X_y=True)
    rows = np.r_[0, 50:90]
    model = SVC(probability=True).fit(X[rows], y[rows])
    p = model.predict_proba(X)
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0)


def test_certain_targets_are_labels():
    X, y = load_iris(return_X_y=True)
    one = y == 1
    of_labels = SVC(C=10).fit(X, one)
    of_shares = SVC.params(C=10).fit(Dataset(X, targets=Pr(one.astype(float))))
    np.testing.assert_array_equal(of_shares.classes_, [False, True])
    np.testing.assert_array_equal(of_shares.support_, of_labels.support_)
    np.testing.assert_array_equal(of_shares.dual_coef_, of_labels.dual_coef_)
    assert type(of_shares.predict_proba(Dataset(X)).targets) is Pr


def test_shares_are_weights_of_either_class():
    X, y = load_iris(return_X_y=True)
    share = np.where(y == 1, 0.9, 0.2)
    model = SVC(C=10, tol=1e-8).fit(X, Pr(share))
    twice = SVC(C=10, tol=1e-8, gamma=model._gamma).fit(
        np.concatenate([X, X]), np.repeat([True, False], len(X)), np.concatenate([share, 1 - share])
    )
    np.testing.assert_allclose(model.decision_function(X), twice.decision_function(X), atol=1e-6)
    assert model.support_.max() < len(X)
    p = model.predict_proba(X)[:, 1]
    assert p[y == 1].mean() > 0.6 > 0.4 > p[y != 1].mean()


def test_shares_of_several_classes():
    X, y = load_iris(return_X_y=True)
    shares = np.full((len(y), 3), 0.05)
    shares[np.arange(len(y)), y] = 0.9
    model = SVC().fit(X, Pr(shares))
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    assert (model.predict(X) == y).mean() > 0.9
    assert (model.predict_proba(X).argmax(axis=1) == y).mean() > 0.9


def test_shares_need_records():
    with pytest.raises(ValueError, match="precomputed"):
        SVC(kernel="precomputed").fit(np.eye(4), Pr([0.1, 0.2, 0.9, 1.0]))


@pytest.mark.parametrize("way", ["method", "params", "kernel"])
def test_kernels_of_the_deck(way):
    """Gaussian(eps) is scikit-learn's rbf with gamma = 1 / eps, however it is handed over."""
    X, y = load_iris(return_X_y=True)
    kernel = {
        "method": Gaussian(2.0),
        "params": Kernel.params(method=Gaussian(2.0)),
        "kernel": Kernel(X, Gaussian(2.0)),
    }[way]
    model, plain = SVC(kernel=kernel).fit(X, y), SVC(gamma=0.5).fit(X, y)
    np.testing.assert_array_equal(model.support_, plain.support_)
    np.testing.assert_allclose(model.decision_function(X), plain.decision_function(X), rtol=1e-9)
