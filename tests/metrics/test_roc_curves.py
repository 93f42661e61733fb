"""scikit-learn's curve functions and areas: its numbers, its warnings, its errors."""

import warnings
from itertools import product

import numpy as np
import pytest
import sklearn.metrics

import clinfa.metrics
from clinfa.errors import InvalidParameterError, UndefinedMetricWarning
from clinfa.metrics import auc, average_precision_score, det_curve, metric_at_thresholds, roc_auc_score

CURVES = ["roc_curve", "precision_recall_curve", "det_curve", "confusion_matrix_at_thresholds"]
TRUTHS = ["01", "pm", "bool", "float", "column", "zeros", "ones"]
NAMED = ["text", "object", "12", "three"]
SCORES = [
    "f8",
    "f4",
    "f2",
    "tied",
    "int64",
    "int8",
    "bool",
    "constant",
    "huge",
    "tiny",
    "either zero",
    "list",
]
WEIGHTS = ["none", "random", "zeros", "signed"]


def some_truth(kind, n, rng):
    b = rng.integers(0, 2, n)
    b[: n // 2 * 2 : n // 2] = [0, 1]  # (both classes, somewhere)
    return {
        "01": b,
        "pm": 2 * b - 1,
        "bool": b > 0,
        "float": b * 1.0,
        "column": b[:, None],
        "zeros": b * 0,
        "ones": b * 0 + 1,
        "text": np.array(["ham", "spam"])[b],
        "object": np.array(["ham", "spam"], object)[b],
        "12": b + 1,
        "three": b + 2 * rng.integers(0, 2, n),
    }[kind]


def some_scores(kind, n, rng):
    s = rng.standard_normal(n)
    return {
        "f8": s,
        "f4": s.astype(np.float32),
        "f2": s.astype(np.float16),
        "tied": s.round(),
        "int64": (s * 3).astype(np.int64),
        "int8": (s * 3).astype(np.int8),
        "bool": s > 0,
        "constant": np.full(n, 0.5),
        "huge": s * 1e300,
        "tiny": np.abs(s) * 1e-310,
        "either zero": np.where(s > 0, 0.0, -0.0),
        "list": s.tolist(),
    }[kind]


def some_weights(kind, n, rng):
    return {
        "none": None,
        "random": rng.random(n) + 0.1,
        "zeros": np.maximum(rng.integers(-1, 3, n), np.arange(n) < 2),
        "signed": rng.standard_normal(n) + 1.5,
    }[kind]


def told(function, *args, **how):
    """What comes out, or the kind of error, and the texts of warnings."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            result = function(*args, **how)
        except ValueError as error:
            result = error
    return result, {str(w.message) for w in heard}


def agree(name, *args, atol=1e-15, **how):
    mine, my_words = told(getattr(clinfa.metrics, name), *args, **how)
    theirs, their_words = told(getattr(sklearn.metrics, name), *args, **how)
    assert isinstance(mine, ValueError) == isinstance(theirs, ValueError), (mine, theirs)
    if isinstance(mine, ValueError):
        return str(mine), str(theirs)
    assert my_words == their_words
    for a, b in zip(*(r if isinstance(r, tuple) else (r,) for r in (mine, theirs)), strict=True):
        assert np.shape(a) == np.shape(b)
        assert a.dtype == b.dtype if isinstance(b, np.ndarray) else type(a) is float
        assert np.allclose(a, b, rtol=1e-12, atol=atol, equal_nan=True)
    return None


def some_pairs(truths, scores, n):
    """A third of all pairs, another one for each of three n: every kind meets every other somewhere."""
    return [(t, s) for i, t in enumerate(truths) for j, s in enumerate(scores) if (i + j) % 3 == n % 3]


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("n", [2, 3, 61])
def test_curves(name, weights, n):
    rng = np.random.default_rng(n)
    drops = [{}] if name == CURVES[-1] else [{}, {"drop_intermediate": True}, {"drop_intermediate": False}]
    for (truth, scores), drop in product(some_pairs(TRUTHS, SCORES, n), drops):
        w = some_weights(weights, n, rng)
        agree(name, some_truth(truth, n, rng), some_scores(scores, n, rng), sample_weight=w, **drop)
    for truth, scores in product(NAMED, SCORES[:4]):
        y = some_truth(truth, n, rng)
        w = some_weights(weights, n, rng)
        agree(name, y, some_scores(scores, n, rng), sample_weight=w, pos_label=y[0])


@pytest.mark.parametrize("name", ["roc_auc_score", "average_precision_score"])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("n", [2, 3, 61])
def test_areas_of_two_classes(name, weights, n):
    rng = np.random.default_rng(n)
    for truth, scores in some_pairs(TRUTHS + NAMED[:3], SCORES, n):
        y, w = some_truth(truth, n, rng), some_weights(weights, n, rng)
        # (Where weights make a class vanish, scikit-learn has an error about the part: see below.)
        parts = [{}, {"max_fpr": 0.2}] if name[0] == "r" and weights != "signed" else [{}]
        if name[0] == "a" and truth in NAMED:
            parts = [{"pos_label": y[0]}]
        for part in parts:
            agree(name, y, some_scores(scores, n, rng), sample_weight=w, **part)


@pytest.mark.parametrize("n", [40_000, 100_000])
@pytest.mark.parametrize("weights", ["none", "random"])
def test_many_ranges_of_scores(n, weights):
    rng = np.random.default_rng(n)
    y, w = some_truth("01", n, rng), some_weights(weights, n, rng)
    for scores in ("f8", "f4", "tied"):
        s = some_scores(scores, n, rng)
        for name in (*CURVES, "roc_auc_score", "average_precision_score"):
            # (What is left of a sum of n weights has the rounding of that sum.)
            agree(name, y, s, sample_weight=w, atol=1e-15 * n)


@pytest.mark.parametrize("name", ["roc_auc_score", "average_precision_score"])
@pytest.mark.parametrize("average", ["macro", "micro", "weighted", "samples", None])
@pytest.mark.parametrize("weights", WEIGHTS[:3])
def test_indicators_and_classes(name, average, weights):
    rng = np.random.default_rng(4)
    for n, k in ((6, 2), (50, 4)):
        w, p = some_weights(weights, n, rng), rng.random((n, k)) + 0.01
        p /= p.sum(axis=1, keepdims=True)
        indicator = rng.integers(0, 2, (n, k))
        indicator[:, 0] = [0, 1] * (n // 2)
        agree(name, indicator, p, average=average, sample_weight=w)
        agree(name, indicator * 0, p, average=average, sample_weight=w)
    codes = rng.integers(0, 4, n)
    codes[:4] = range(4)
    for y in (codes, np.array(list("wxyz"))[codes]):
        how = {"multi_class": "ovr"} if name == "roc_auc_score" else {}
        agree(name, y, p, average=average, sample_weight=w, **how)
        if name == "roc_auc_score" and average in ("macro", "weighted"):
            agree(name, y, p, average=average, multi_class="ovo")
            agree(name, y, p, average=average, multi_class="ovo", sample_weight=w)


@pytest.mark.parametrize("multi_class", ["ovr", "ovo"])
def test_classes_that_do_not_occur(multi_class):
    rng = np.random.default_rng(5)
    p = rng.random((30, 4))
    p /= p.sum(axis=1, keepdims=True)
    for some in (3, 2):
        y = rng.integers(0, some, 30)
        y[:some] = range(some)
        agree("roc_auc_score", y, p, multi_class=multi_class, labels=[0, 1, 2, 3])
        agree("roc_auc_score", y, p, multi_class=multi_class, average="weighted", labels=[0, 1, 2, 3])


def test_hand_and_till():
    """Three classes that scores tell apart wholly, but for one pair of rows."""
    p = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.75, 0.15, 0.1], [0.1, 0.1, 0.8]])
    y = [0, 0, 1, 1, 2]
    # a/b by column 0: 0.8, 0.7 against 0.1, 0.75: 3 of 4; by column 1: 0.8, 0.15 against 0.1, 0.2: 3 of 4.
    # a/c and b/c: all in order by either column.
    assert roc_auc_score(y, p, multi_class="ovo") == np.mean([(3 / 4 + 3 / 4) / 2, 1, 1])


def test_macro_is_the_mean_of_one_against_the_rest():
    rng = np.random.default_rng(6)
    p, y = rng.dirichlet([1, 1, 1], 200), rng.integers(0, 3, 200)
    each = [roc_auc_score(y == c, p[:, c]) for c in range(3)]
    assert np.array_equal(roc_auc_score(y, p, multi_class="ovr", average=None), each)
    assert np.isclose(roc_auc_score(y, p, multi_class="ovr"), np.mean(each), rtol=1e-15)
    shares = np.bincount(y)
    expected = np.average(each, weights=shares)
    assert np.isclose(roc_auc_score(y, p, multi_class="ovr", average="weighted"), expected, rtol=1e-15)


def test_trapezia():
    assert auc([0, 1, 3], [1, 1, 3]) == 5
    assert auc([3, 1, 0], [3, 1, 1]) == 5
    assert auc([1, 1], [0, 9]) == 0
    for args in (([0, 1, 0.5], [1, 1, 1]), ([0], [1]), ([0, 1], [1, 2, 3])):
        mine, theirs = agree("auc", *args)
        assert mine[:40] == theirs[:40]
    with pytest.raises(ValueError, match="x should be a 1d array"):
        auc([[0, 1]], [[1, 2]])


@pytest.mark.parametrize("weights", WEIGHTS[:3])
def test_any_metric_at_thresholds(weights):
    rng = np.random.default_rng(7)
    y, s, w = some_truth("01", 30, rng), some_scores("tied", 30, rng), some_weights(weights, 30, rng)
    for metric in (sklearn.metrics.accuracy_score, sklearn.metrics.balanced_accuracy_score):
        mine, theirs = (
            m.metric_at_thresholds(y, s, metric, sample_weight=w) for m in (clinfa.metrics, sklearn.metrics)
        )
        assert np.allclose(mine[0], theirs[0], rtol=1e-14)
        assert np.array_equal(mine[1], theirs[1])
    _, seen = metric_at_thresholds(y, s, lambda y, p, extra: extra, metric_params={"extra": 3})
    assert np.array_equal(seen, np.unique(s)[::-1])


# What is refused, and what has no value


@pytest.mark.parametrize(
    ("name", "args", "how"),
    [
        ("roc_curve", ([0, 1, 2], [1, 2, 3]), {}),
        ("roc_curve", ([0.5, 1, 2], [1, 2, 3]), {}),
        ("roc_curve", (["a", "b"], [1, 2]), {}),
        ("roc_curve", ([1, 2], [1, 2]), {}),
        ("roc_curve", ([[0, 1], [1, 1]], [1, 2]), {}),
        ("roc_curve", ([0, 1], [1, 2, 3]), {}),
        ("roc_curve", ([0, 1], [1, 2]), {"sample_weight": [0, 0]}),
        ("precision_recall_curve", ([0, 1], [1, 2]), {"sample_weight": [1, 2, 3]}),
        ("det_curve", ([1, 1], [1, 2]), {}),
        ("roc_auc_score", ([0, 1, 2], [1, 2, 3]), {}),
        ("roc_auc_score", ([0, 1, 2], [1, 2, 3]), {"multi_class": "ovr"}),
        ("roc_auc_score", ([0, 1, 2], [[0.1, 0.2, 0.3]] * 3), {"multi_class": "ovr"}),
        ("roc_auc_score", ([0, 1, 2], [[0.1, 0.9]] * 3), {"multi_class": "ovr"}),
        ("roc_auc_score", ([0, 1, 2], [[0.1, 0.5, 0.4]] * 3), {"multi_class": "ovr", "max_fpr": 0.5}),
        ("roc_auc_score", ([0, 1, 2], [[0.1, 0.5, 0.4]] * 3), {"multi_class": "ovr", "labels": [0, 2, 1]}),
        ("roc_auc_score", ([0, 1, 2], [[0.1, 0.5, 0.4]] * 3), {"multi_class": "ovr", "labels": [0, 1, 1]}),
        ("roc_auc_score", ([0, 1, 2], [[0.1, 0.5, 0.4]] * 3), {"multi_class": "ovr", "labels": [0, 1]}),
        ("roc_auc_score", ([0, 1, 2], [[0.1, 0.5, 0.4]] * 3), {"multi_class": "ovr", "labels": [0, 1, 7]}),
        ("roc_auc_score", ([0.5, 1, 2], [1, 2, 3]), {}),
        ("average_precision_score", ([0, 1], [1, 2]), {"pos_label": 2}),
        ("average_precision_score", ([[0, 1], [1, 0]], [[1, 2], [1, 2]]), {"pos_label": 0}),
        ("average_precision_score", ([0, 1, 2], [[1, 2, 3]] * 3), {"pos_label": 2}),
        ("average_precision_score", ([0, 1, 2], np.ones((3, 2))), {}),
    ],
)
def test_refused_in_the_same_words(name, args, how):
    mine, theirs = agree(name, *args, **how)
    assert mine == theirs


@pytest.mark.parametrize("name", [*CURVES, "roc_auc_score", "average_precision_score"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite(name, value):
    score = getattr(clinfa.metrics, name)
    with pytest.raises(ValueError, match=r"y_score contains (NaN|infinity)"):
        score([0, 1, 1], [1, value, 2])
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
        score([0, 1, value], [1, 1, 2])
    with pytest.raises(ValueError, match=r"sample_weight contains (NaN|infinity)"):
        score([0, 1, 1], [1, 1, 2], sample_weight=[1, 2, value])


@pytest.mark.parametrize("name", [*CURVES, "roc_auc_score", "average_precision_score"])
def test_nothing(name):
    with pytest.raises(ValueError, match="0 sample"):
        getattr(clinfa.metrics, name)([], [])


def test_one_class_even_with_bad_scores():
    with pytest.warns(UndefinedMetricWarning, match="Only one class is present") as heard:
        assert np.isnan(roc_auc_score([1, 1], [0, 1]))
    assert heard[0].filename == __file__
    assert isinstance(heard[0].message, sklearn.exceptions.UndefinedMetricWarning)
    with pytest.raises(ValueError, match="NaN"):
        roc_auc_score([1, 1], [0, np.nan])


def test_one_class_without_weight():
    """scikit-learn answers the whole area with NaN and the part with an error about a curve of one point."""
    for part in (None, 0.5):
        with pytest.warns(UndefinedMetricWarning, match="No negative samples"):
            assert np.isnan(roc_auc_score([0, 1, 1], [1, 2, 3], sample_weight=[0, 1, 1], max_fpr=part))


@pytest.mark.parametrize(
    ("score", "how"),
    [
        (roc_auc_score, {"average": "mean"}),
        (roc_auc_score, {"max_fpr": 0}),
        (roc_auc_score, {"max_fpr": 1.5}),
        (roc_auc_score, {"multi_class": "all"}),
        (average_precision_score, {"average": 1}),
    ],
)
def test_parameters(score, how):
    (name,) = how
    with pytest.raises(InvalidParameterError, match=f"The {name!r} parameter of {score.__name__} must be"):
        score([0, 1], [1, 2], **how)


def test_pairs_of_classes_are_not_listed():
    with pytest.raises(NotImplementedError, match="average=None is not implemented for multi_class='ovo'"):
        roc_auc_score([0, 1, 2], np.full((3, 3), 1 / 3), multi_class="ovo", average=None)


def test_a_detection_curve_ends_where_errors_end():
    """From the last threshold that finds all positives to the first that no negative reaches."""
    fpr, fnr, thresholds = det_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    assert fpr.tolist() == [0.5, 0.5, 0]
    assert fnr.tolist() == [0, 0.5, 0.5]
    assert thresholds.tolist() == [0.35, 0.4, 0.8]
