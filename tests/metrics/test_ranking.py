"""Metrics of rankings within rows: worked by hand, invariants, agreement with scikit-learn."""

import math
import warnings

import numpy as np
import pytest
import sklearn.metrics
from scipy.sparse import csc_array, csr_array

import clinfa.metrics
from clinfa.errors import UndefinedMetricWarning
from clinfa.metrics import (
    coverage_error,
    dcg_score,
    label_ranking_average_precision_score,
    label_ranking_loss,
    ndcg_score,
    top_k_accuracy_score,
)

RELEVANT = ["label_ranking_average_precision_score", "label_ranking_loss", "coverage_error"]
GAINS = ["dcg_score", "ndcg_score"]
SHAPES = [(1, 2), (3, 2), (40, 5), (200, 30)]
WEIGHTS = ["none", "random", "zeros", "signed"]


def some_weights(kind, n, rng):
    return {
        "none": None,
        "random": rng.random(n) + 0.1,
        "zeros": np.maximum(rng.integers(-1, 3, n), np.arange(n) == 0),
        "signed": rng.standard_normal(n) + 1,
    }[kind]


def both(name, *args, **how):
    mine = getattr(clinfa.metrics, name)(*args, **how)
    theirs = getattr(sklearn.metrics, name)(*args, **how)
    assert type(mine) is float
    return mine, theirs


# By hand


def test_precision_of_a_ranking():
    """Row 1: ranks 1 and 3 of 4, precision (1/1 + 2/3) / 2. Row 2: rank 2, tied with another: 1/2."""
    truth = [[1, 0, 1, 0], [0, 1, 0, 0]]
    scores = [[9, 5, 4, 1], [1, 7, 7, 0]]
    assert np.isclose(label_ranking_average_precision_score(truth, scores), (5 / 6 + 1 / 2) / 2, rtol=1e-15)


def test_pairs_in_the_wrong_order():
    """Row 1: of 4 pairs one (5 over 4). Row 2: of 3 pairs one, tied."""
    truth = [[1, 0, 1, 0], [0, 1, 0, 0]]
    scores = [[9, 5, 4, 1], [1, 7, 7, 0]]
    assert np.isclose(label_ranking_loss(truth, scores), (1 / 4 + 1 / 3) / 2, rtol=1e-15)


def test_coverage():
    """Down to place 3, to place 2 because of the tie, and nowhere."""
    truth = [[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    scores = [[9, 5, 4, 1], [1, 7, 7, 0], [1, 2, 3, 4]]
    assert np.isclose(coverage_error(truth, scores), (3 + 2 + 0) / 3, rtol=1e-15)


def test_rows_that_say_nothing():
    truth, scores = [[1, 1], [0, 0]], [[1, 2], [2, 1]]
    assert label_ranking_average_precision_score(truth, scores) == 1
    assert label_ranking_loss(truth, scores) == 0
    assert coverage_error(truth, scores) == 1


def test_discounted_gain():
    """Gains 3, 1, 2 by falling score."""
    expected = 3 / math.log2(2) + 1 / math.log2(3) + 2 / math.log2(4)
    assert np.isclose(dcg_score([[1, 2, 3]], [[5, 1, 8]]), expected, rtol=1e-15)
    assert np.isclose(dcg_score([[1, 2, 3]], [[5, 1, 8]], k=2), 3 + 1 / math.log2(3), rtol=1e-15)
    best = 3 + 2 / math.log2(3) + 1 / math.log2(4)
    assert np.isclose(ndcg_score([[1, 2, 3]], [[5, 1, 8]]), expected / best, rtol=1e-15)


def test_ties_share_their_gains():
    """Gains 1 and 4 in either order: the mean of both, also where the k-th place lies between."""
    either = [4 + 1 / math.log2(3), 1 + 4 / math.log2(3)]
    assert np.isclose(dcg_score([[1, 4]], [[2, 2]]), np.mean(either), rtol=1e-15)
    assert np.isclose(dcg_score([[1, 4]], [[2, 2]], k=1), 2.5, rtol=1e-15)


def test_rows_without_gains():
    assert ndcg_score([[0, 0, 0], [1, 2, 3]], [[1, 2, 3], [1, 2, 3]]) == 0.5


def test_top_k():
    """The truth is at place 1, 2 and 3."""
    scores = [[0.1, 0.2, 0.7], [0.3, 0.5, 0.2], [0.5, 0.3, 0.2]]
    for k, hits in ((1, 1), (2, 2)):
        assert top_k_accuracy_score([2, 0, 2], scores, k=k, normalize=False, labels=[0, 1, 2]) == hits
    assert top_k_accuracy_score([0, 1, 1, 0], [0.2, 0.6, 0.4, 0.5], k=1) == 0.75
    assert top_k_accuracy_score([0, 1, 1, 0], [-2, 3, 0, 0.5], k=1) == 0.5  # (not all in [0, 1]: above 0)


def test_everything_is_within_the_first_n_classes():
    with pytest.warns(UndefinedMetricWarning, match="perfect score"):
        assert top_k_accuracy_score([0, 1], [0.2, 0.6], k=2) == 1


# Invariants


@pytest.mark.parametrize("name", RELEVANT + GAINS)
def test_rows_count_by_weight_in_any_order(name):
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(0, 2, (60, 5)), rng.integers(0, 4, (60, 5))
    copies, order = rng.integers(1, 4, 60), rng.permutation(60)
    score = getattr(clinfa.metrics, name)
    expected = score(np.repeat(truth, copies, axis=0), np.repeat(scores, copies, axis=0))
    assert np.isclose(score(truth, scores, sample_weight=copies), expected, rtol=1e-13)
    assert np.isclose(score(truth[order], scores[order], sample_weight=copies[order]), expected, rtol=1e-13)
    columns = rng.permutation(5)
    assert np.isclose(
        score(truth[:, columns], scores[:, columns], sample_weight=copies), expected, rtol=1e-13
    )


@pytest.mark.parametrize("name", RELEVANT + GAINS)
def test_blocks_of_rows(name, monkeypatch):
    rng = np.random.default_rng(1)
    truth, scores = rng.integers(0, 2, (50, 4)), rng.integers(0, 4, (50, 4))
    score = getattr(clinfa.metrics, name)
    whole = score(truth, scores)
    monkeypatch.setattr(clinfa.metrics._label_ranking, "_BLOCK", 12)
    assert score(truth, scores) == whole


# Agreement


@pytest.mark.parametrize("name", RELEVANT)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("tied", [False, True])
def test_relevant_labels_like_sklearn(name, shape, weights, tied):
    rng = np.random.default_rng(shape[0])
    truth, scores = rng.integers(0, 2, shape), rng.standard_normal(shape)
    scores = scores.round() if tied else scores
    w = some_weights(weights, shape[0], rng)
    for t, s in ((truth, scores), (truth > 0, scores.astype(np.float32)), (truth * 1.0, scores * 1e300)):
        mine, theirs = both(name, t, s, sample_weight=w)
        assert np.isclose(mine, theirs, rtol=1e-12)


@pytest.mark.parametrize("name", RELEVANT[:2])
@pytest.mark.parametrize("form", [csr_array, csc_array])
def test_sparse_truth(name, form):
    rng = np.random.default_rng(2)
    truth, scores = rng.integers(0, 2, (20, 4)), rng.integers(0, 5, (20, 4))
    score = getattr(clinfa.metrics, name)
    assert score(form(truth), scores) == score(truth, scores)


@pytest.mark.parametrize("name", GAINS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("k", [None, 1, 3, 100])
def test_gains_like_sklearn(name, shape, weights, k):
    rng = np.random.default_rng(shape[1])
    w = some_weights(weights, shape[0], rng)
    for gains in (rng.integers(0, 4, shape), rng.random(shape)):
        for scores in (rng.standard_normal(shape), rng.integers(0, 3, shape)):
            mine, theirs = both(name, gains, scores, k=k, sample_weight=w)
            assert np.isclose(mine, theirs, rtol=1e-12)
        mine, theirs = both(name, gains, rng.standard_normal(shape), k=k, sample_weight=w, ignore_ties=True)
        assert np.isclose(mine, theirs, rtol=1e-12)


def test_base_of_the_logarithm():
    mine, theirs = both("dcg_score", [[3, 1, 2.5]], [[1, 2, 3]], log_base=10)
    assert np.isclose(mine, theirs, rtol=1e-14)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("normalize", [False, True])
def test_top_k_like_sklearn(weights, text, normalize):
    rng = np.random.default_rng(3)
    names = np.array(list("abcde")) if text else np.arange(5)
    truth, scores = rng.integers(0, 5, 100), rng.standard_normal((100, 5)).round(1)
    truth[:5] = np.arange(5)
    how = {"normalize": normalize, "sample_weight": some_weights(weights, 100, rng)}
    for k in (1, 2, 4):
        mine, theirs = both("top_k_accuracy_score", names[truth], scores, k=k, **how)
        assert np.isclose(mine, theirs, rtol=1e-12)
        some = names[truth % 2]
        mine, theirs = both("top_k_accuracy_score", some, scores, k=k, labels=names, **how)
        assert np.isclose(mine, theirs, rtol=1e-12)
    for column in (scores[:, 0], rng.random(100)):
        mine, theirs = both("top_k_accuracy_score", names[truth % 2], column, k=1, **how)
        assert np.isclose(mine, theirs, rtol=1e-12)


# Refused, in scikit-learn's words


@pytest.mark.parametrize(
    ("name", "args", "how"),
    [
        ("coverage_error", ([[0, 1]], [[1, 2], [1, 2]]), {}),
        ("coverage_error", ([[0, 1, 0]], [[1, 2]]), {}),
        ("coverage_error", ([[0, 1, 2]], [[1, 2, 3]]), {}),
        ("label_ranking_loss", ([0, 1], [1, 2]), {}),
        ("label_ranking_loss", ([[0.5, 1]], [[1, 2]]), {}),
        ("label_ranking_average_precision_score", ([[0, 1]], [[1, 2]]), {"sample_weight": [1, 2]}),
        ("dcg_score", ([0, 1], [1, 2]), {}),
        ("ndcg_score", ([[0, -1]], [[1, 2]]), {}),
        ("ndcg_score", ([[1], [2]], [[1], [2]]), {}),
        ("top_k_accuracy_score", ([0, 1, 2], [0.1, 0.2, 0.3]), {}),
        ("top_k_accuracy_score", ([0, 1, 1], [[0.1, 0.2, 0.3]] * 3), {}),
        ("top_k_accuracy_score", ([0.5, 1, 1], [[0.1, 0.2, 0.3]] * 3), {}),
        ("top_k_accuracy_score", ([0, 1, 1], [[0.1, 0.2, 0.3]] * 3), {"labels": [0, 1, 1]}),
        ("top_k_accuracy_score", ([0, 1, 1], [[0.1, 0.2, 0.3]] * 3), {"labels": [1, 0, 2]}),
        ("top_k_accuracy_score", ([0, 1, 1], [[0.1, 0.2, 0.3]] * 3), {"labels": [0, 1, 2, 3]}),
        ("top_k_accuracy_score", ([0, 1, 7], [[0.1, 0.2, 0.3]] * 3), {"labels": [0, 1, 2]}),
        ("top_k_accuracy_score", ([0, 1, 2, 3], [[0.1, 0.2, 0.3]] * 4), {}),
    ],
)
def test_refused_in_the_same_words(name, args, how):
    with pytest.raises(ValueError) as theirs:
        getattr(sklearn.metrics, name)(*args, **how)
    with pytest.raises(ValueError) as mine:
        getattr(clinfa.metrics, name)(*args, **how)
    assert str(mine.value) == str(theirs.value)


@pytest.mark.parametrize("name", [*RELEVANT, *GAINS])
def test_values_that_are_not_finite(name):
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"y_score contains (NaN|infinity)"):
            getattr(clinfa.metrics, name)([[0, 1], [1, 0]], [[1, 2], [value, 0]])
    with pytest.raises(ValueError, match="0 sample"):
        getattr(clinfa.metrics, name)(np.empty((0, 2), int), np.empty((0, 2)))


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("dcg_score", {"k": 0}),
        ("dcg_score", {"k": 1.5}),
        ("dcg_score", {"log_base": 0}),
        ("ndcg_score", {"k": "all"}),
        ("dcg_score", {"ignore_ties": 1}),
        ("top_k_accuracy_score", {"k": None}),
        ("top_k_accuracy_score", {"normalize": "yes"}),
    ],
)
def test_parameters(name, how):
    (parameter,) = how
    with pytest.raises(ValueError, match=f"The {parameter!r} parameter of {name} must be"):
        getattr(clinfa.metrics, name)([[0, 1]], [[1, 2]], **how)


def test_weights_that_cancel():
    with pytest.raises(ZeroDivisionError, match="sum to zero"):
        coverage_error([[0, 1], [1, 0]], [[1, 2], [1, 2]], sample_weight=[1, -1])


def test_no_warning_on_rows_without_relevant_labels():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert label_ranking_loss(np.zeros((3, 2)), np.ones((3, 2))) == 0
