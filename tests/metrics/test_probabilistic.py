"""Losses of probabilities and of decision values: by hand, invariants, agreement with scikit-learn."""

import math
import warnings
from itertools import product

import numpy as np
import pytest
import sklearn.metrics

import clinfa.metrics
from clinfa import Dataset, config_context
from clinfa.errors import UndefinedMetricWarning
from clinfa.metrics import brier_score_loss, d2_brier_score, d2_log_loss_score, hinge_loss, log_loss

LOSSES = ["log_loss", "brier_score_loss", "d2_log_loss_score", "d2_brier_score"]
WEIGHTS = ["none", "random", "zeros", "signed"]


def some_weights(kind, n, rng):
    return {
        "none": None,
        "random": rng.random(n) + 0.1,
        "zeros": np.maximum(rng.integers(-1, 3, n), np.arange(n) < 4),
        "signed": rng.standard_normal(n) + 2,
    }[kind]


def some_problem(n, k, seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, k, n)
    codes[:k] = range(k)
    return codes, rng.dirichlet(np.ones(k), n), rng


def agree(name, *args, rtol=1e-12, atol=1e-13, **how):
    """The same number and warnings, or else the texts of both errors."""
    results, words = [], []
    for library in (clinfa.metrics, sklearn.metrics):
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            try:
                results.append(getattr(library, name)(*args, **how))
            except ValueError as error:
                results.append(str(error))
        words.append({str(w.message) for w in heard})
    mine, theirs = results
    assert isinstance(mine, str) == isinstance(theirs, str), results
    assert words[0] == words[1]
    if not isinstance(mine, str):
        assert type(mine) is float
        assert np.isclose(mine, theirs, rtol=rtol, atol=atol), results
    return mine, theirs


# By hand


def test_log_loss_by_hand():
    """-(ln 0.9 + ln 0.9 + ln 0.8 + ln 0.65) / 4, whichever way the probabilities are given."""
    expected = -(2 * math.log(0.9) + math.log(0.8) + math.log(0.65)) / 4
    truth, p = ["spam", "ham", "ham", "spam"], np.array([0.9, 0.1, 0.2, 0.65])
    for given in (p, p[:, None], np.column_stack([1 - p, p])):
        assert np.isclose(log_loss(truth, given), expected, rtol=1e-15)
        assert np.isclose(log_loss(truth, given, normalize=False), 4 * expected, rtol=1e-15)
    assert np.isclose(
        log_loss(truth, p, sample_weight=[1, 0, 0, 2]),
        -(math.log(0.9) + 2 * math.log(0.65)) / 3,
        rtol=1e-15,
    )


def test_certainty_is_clipped():
    """A wrong certainty costs -ln eps, not infinity."""
    for dtype in (np.float64, np.float32):
        p = np.array([1, 0], dtype)
        eps = float(np.finfo(dtype).eps)
        assert np.isclose(log_loss([0, 1], p), -math.log(eps), rtol=1e-14)
        assert np.isclose(log_loss([1, 0], p), eps, rtol=0.01)


def test_brier_by_hand():
    assert np.isclose(brier_score_loss([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]), 0.15 / 4, rtol=1e-14)
    assert np.isclose(brier_score_loss([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3], pos_label=0), 2.75 / 4, rtol=1e-14)
    p = [[0.2, 0.7, 0.1], [0.6, 0.2, 0.2], [0.2, 0.2, 0.6]]
    # 0.04 + 0.09 + 0.01, 0.16 + 0.04 + 0.04, 0.04 + 0.04 + 0.16
    assert np.isclose(brier_score_loss([1, 0, 2], p), 0.62 / 3, rtol=1e-14)
    assert np.isclose(brier_score_loss([1, 0, 2], p, scale_by_half=True), 0.31 / 3, rtol=1e-14)


def test_brier_of_a_nearly_perfect_forecast_is_exact():
    """No cancellation: 2 rows at a distance of 1e-9 in two columns."""
    p = np.array([[1 - 1e-9, 1e-9], [1e-9, 1 - 1e-9]])
    expected = ((1 - p[0, 0]) ** 2 + 1e-18) / 2
    assert np.isclose(brier_score_loss([0, 1], p), expected, rtol=1e-15)


def test_explained_shares():
    """The frequencies explain nothing, certainty everything."""
    truth = [0, 0, 0, 1]
    assert abs(d2_log_loss_score(truth, [0.25] * 4)) < 1e-15
    assert d2_brier_score(truth, [0.25] * 4) == 0
    assert np.isclose(d2_log_loss_score(truth, [0.0, 0, 0, 1]), 1, rtol=1e-15)
    assert d2_brier_score(truth, [0.0, 0, 0, 1]) == 1


def test_one_class_has_nothing_to_explain():
    """scikit-learn's answer with weights depends on the rounding of their sum."""
    weights = [0.1, 0.2, 0.3]
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert d2_brier_score([1, 1, 1], [0.5, 0.6, 0.7], sample_weight=weights) == -np.inf


def test_hinge_by_hand():
    """Shortfalls 0, 0 and 0.75; then 1 - (2 - 1), 1 - (0 - 3), 1 - (5 - 1.5)."""
    assert hinge_loss([-1, 1, 1], [-2.5, 2.0, 0.25]) == 0.25
    decision = [[2, 1, 0], [3, 0, 1], [0, 1.5, 5]]
    assert np.isclose(hinge_loss([0, 1, 2], decision), 4 / 3, rtol=1e-15)


def test_hinge_of_one_class_of_two():
    """With all labels named, the sign of the one is known; scikit-learn takes it for the lower."""
    assert hinge_loss([1, 1], [2.0, 0.5], labels=[-1, 1]) == 0.25
    assert hinge_loss([-1, -1], [-2.0, 0.5], labels=[-1, 1]) == 0.75


# Invariants


@pytest.mark.parametrize("name", LOSSES)
def test_a_weight_is_a_number_of_copies(name):
    codes, p, rng = some_problem(50, 3, 0)
    copies, score = rng.integers(1, 4, 50), getattr(clinfa.metrics, name)
    expected = score(np.repeat(codes, copies), np.repeat(p, copies, axis=0))
    assert np.isclose(score(codes, p, sample_weight=copies), expected, rtol=1e-13)
    assert np.isclose(score(Dataset(np.zeros((50, 1)), codes, weights=copies), p), expected, rtol=1e-13)


@pytest.mark.parametrize("name", LOSSES)
def test_same_bits_on_any_number_of_threads(name):
    codes, p, _ = some_problem(200_000, 3, 1)
    seen = set()
    for threads in (1, 2, 3, 8):
        with config_context(n_threads=threads):
            seen.add(getattr(clinfa.metrics, name)(codes, p))
    assert len(seen) == 1


def test_many_rows():
    """Sums over stripes: the definition in numpy."""
    codes, p, rng = some_problem(300_000, 4, 2)
    w = rng.random(300_000)
    own = p[np.arange(300_000), codes]
    assert np.isclose(log_loss(codes, p, sample_weight=w), -(w * np.log(own)).sum() / w.sum(), rtol=1e-12)
    squares = ((np.eye(4)[codes] - p) ** 2).sum(axis=1)
    assert np.isclose(brier_score_loss(codes, p), squares.mean(), rtol=1e-12)


# Agreement


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("n", [2, 4, 100])
def test_two_classes_like_sklearn(name, weights, n):
    codes, p, rng = some_problem(n, 2, n)
    w = some_weights(weights, n, rng)
    truths = [codes, codes > 0, 2 * codes - 1, codes * 1.0, codes[:, None], codes + 5]
    for truth, given in product(truths, (p[:, 1], p[:, 1:], p[:, 1].tolist(), codes, np.asfortranarray(p))):
        agree(name, truth, given, sample_weight=w)
    names = np.array(["no", "yes"])[codes]
    how = {"pos_label": "no"} if "brier" in name else {}
    agree(name, names, p[:, 0], sample_weight=w, **how)
    agree(name, names.astype(object), p, sample_weight=w)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_several_classes_like_sklearn(name, weights):
    for n, k in ((3, 3), (60, 4)):
        codes, p, rng = some_problem(n, k, k)
        w = some_weights(weights, n, rng)
        agree(name, codes, p, sample_weight=w)
        agree(name, np.array(list("abcd"))[codes], p, sample_weight=w)
        agree(name, codes % 2, p, labels=range(k), sample_weight=w)
        agree(name, codes, p, labels=list(range(k))[::-1], sample_weight=w)  # (a warning about their order)
        agree(name, codes, p * 1.01 / 1.02, sample_weight=w)  # (another about sums)
        agree(name, np.eye(k, dtype=int)[codes], p, sample_weight=w)
        agree(name, rng.integers(0, 2, (n, k)), p, sample_weight=w)
        # scikit-learn adds single precision up in single precision.
        agree(name, codes, p.astype(np.float32), sample_weight=w, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("half", [True, False, "auto"])
@pytest.mark.parametrize("k", [2, 3])
def test_halves(half, k):
    codes, p, _ = some_problem(30, k, k)
    agree("brier_score_loss", codes, p, scale_by_half=half)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_sums(normalize, weights):
    codes, p, rng = some_problem(30, 3, 3)
    agree("log_loss", codes, p, normalize=normalize, sample_weight=some_weights(weights, 30, rng))


@pytest.mark.parametrize("weights", WEIGHTS)
def test_hinge_like_sklearn(weights):
    for n, k in ((20, 2), (20, 4)):
        codes, _, rng = some_problem(n, k, k)
        w = some_weights(weights, n, rng)
        decision = rng.standard_normal((n, k)) * 2
        for truth in (codes, np.array(list("abcd"))[codes]):
            agree("hinge_loss", truth, decision[:, 0] if k == 2 else decision, sample_weight=w)
    agree("hinge_loss", codes % 3, decision, labels=[0, 1, 2, 3], sample_weight=w)
    agree("hinge_loss", codes, decision.astype(int), sample_weight=w)
    agree("hinge_loss", codes * 0, decision[:, 0], sample_weight=w)


# Refused, in scikit-learn's words


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(
    ("args", "how"),
    [
        (([0, 1], [0.5, 1.5]), {}),
        (([0, 1], [0.5, -0.5]), {}),
        (([0, 1], [[0.5, 0.5], [1.5, -0.5]]), {}),
        (([0, 1], [0.5, 0.5, 0.5]), {}),
        (([0, 1], [0.5, 0.5]), {"sample_weight": [1, 2, 3]}),
        (([0, 1], [0.5, 0.5]), {"sample_weight": [0, 0]}),
        (([0, 1], [[0.2, 0.2, 0.6]] * 2), {}),
        (([1, 1], [[0.2, 0.8]] * 2), {}),
        (([0, 1], [[0.2, 0.8]] * 2), {"labels": [0, 1, 2]}),
        (([1, 1], [[0.2, 0.8]] * 2), {"labels": [1]}),
        (([0, 3], [[0.2, 0.8]] * 2), {"labels": [0, 1]}),
        ((["a", "b"], ["x", "y"]), {}),
    ],
)
def test_refused_like_sklearn(name, args, how):
    mine, theirs = agree(name, *args, **how)
    assert isinstance(mine, str)
    if "x" not in args[1] and "labels" not in how:
        # (numpy of scikit-learn shows a set of numpy numbers; and the text of a bad literal is ours)
        assert mine == theirs


@pytest.mark.parametrize("name", ["brier_score_loss", "d2_brier_score"])
@pytest.mark.parametrize("truth", [["a", "b", "a"], [0, 1, 2], [0.5, 0.2, 0.1]])
def test_whose_probability(name, truth):
    mine, theirs = agree(name, truth, [0.1, 0.2, 0.3])
    assert mine == theirs


@pytest.mark.parametrize("name", [*LOSSES, "hinge_loss"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(name, value):
    with pytest.raises(ValueError, match=r"(y_proba|pred_decision) contains (NaN|infinity)"):
        getattr(clinfa.metrics, name)([0, 1, 1], [0.5, value, 0.5])
    with pytest.raises(ValueError, match=r"y_true contains (NaN|infinity)"):
        getattr(clinfa.metrics, name)([0, 1, value], [0.5, 0.5, 0.5])


@pytest.mark.parametrize("name", LOSSES[:2])
def test_nothing(name):
    with pytest.raises(ValueError, match="0 sample"):
        getattr(clinfa.metrics, name)([], [])


@pytest.mark.parametrize("name", LOSSES[2:])
def test_one_row(name):
    with pytest.warns(UndefinedMetricWarning, match="less than two samples"):
        assert np.isnan(getattr(clinfa.metrics, name)([1], [0.5]))


@pytest.mark.parametrize("name", ["log_loss", "d2_log_loss_score"])
def test_the_old_name_of_probabilities(name):
    score = getattr(clinfa.metrics, name)
    with pytest.warns(FutureWarning, match="renamed to `y_proba`"):
        assert score([0, 1], y_pred=[0.25, 0.75]) == score([0, 1], [0.25, 0.75])
    with pytest.raises(ValueError, match="Cannot use both"):
        score([0, 1], [0.25, 0.75], y_pred=[0.25, 0.75])


def test_weights_that_cancel():
    with pytest.raises(ZeroDivisionError, match="sum to zero"):
        log_loss([0, 1], [0.5, 0.5], sample_weight=[1, -1])


@pytest.mark.parametrize(
    ("args", "how", "told"),
    [
        (([0, 1, 2], [1, 2, 3]), {}, "cannot be 1d array"),
        (([0, 1, 2], np.ones((3, 2))), {}, "include all labels"),
        (([0, 1, 1], np.ones((3, 2))), {"labels": [0, 1, 2]}, "not consistent with the number of classes"),
        (([0, 1], np.ones((2, 2))), {}, "should be a 1d array"),
        (([0, 7], [1, 2]), {"labels": [0, 1]}, "not in labels"),
        (([0, 1], [1, 2, 3]), {}, r"inconsistent numbers of samples: \[2, 3\]"),
    ],
)
def test_hinge_refuses(args, how, told):
    with pytest.raises(ValueError, match=told):
        hinge_loss(*args, **how)


def test_scale_by_half_is_checked():
    with pytest.raises(ValueError, match="The 'scale_by_half' parameter of brier_score_loss must be"):
        brier_score_loss([0, 1], [0.5, 0.5], scale_by_half="no")
