"""Scores of labels: hand-worked numbers, extreme labels, and what is ours alone."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from clinfa import Dataset, metrics
from clinfa.errors import InvalidParameterError, UndefinedMetricWarning

I64, U64 = np.iinfo(np.int64), np.iinfo(np.uint64)


def test_by_hand():
    truth, prediction = ["a", "b", "b", "c"], ["a", "b", "c", "a"]
    assert metrics.accuracy_score(truth, prediction) == 0.5
    assert metrics.zero_one_loss(truth, prediction) == 0.5
    assert metrics.zero_one_loss(truth, prediction, normalize=False) == 2
    assert metrics.hamming_loss(truth, prediction) == 0.5
    assert metrics.confusion_matrix(truth, prediction).tolist() == [[1, 0, 0], [0, 1, 1], [1, 0, 0]]
    assert metrics.precision_score(truth, prediction, average=None).tolist() == [0.5, 1, 0]
    assert metrics.recall_score(truth, prediction, average=None).tolist() == [1, 0.5, 0]
    assert metrics.f1_score(truth, prediction, average=None) == pytest.approx([2 / 3, 2 / 3, 0])
    assert metrics.f1_score(truth, prediction, average="macro") == pytest.approx(4 / 9, rel=1e-15)
    assert metrics.f1_score(truth, prediction, average="weighted") == pytest.approx(1 / 2, rel=1e-15)
    assert metrics.jaccard_score(truth, prediction, average=None).tolist() == [0.5, 0.5, 0]
    assert metrics.balanced_accuracy_score(truth, prediction) == 0.5
    # 2 right of 4; margins 1 2 1 and 2 1 1: (2 * 4 - 5) / sqrt((16 - 6) (16 - 6))
    assert metrics.matthews_corrcoef(truth, prediction) == pytest.approx(0.3, rel=1e-15)
    # by chance 5 of 16 agree: (1/2 - 5/16) / (11/16)
    assert metrics.cohen_kappa_score(truth, prediction) == pytest.approx(3 / 11, rel=1e-14)


def test_precision_and_recall_are_not_exchanged():
    truth, prediction = [1, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1]
    assert metrics.precision_score(truth, prediction) == 1
    assert metrics.recall_score(truth, prediction) == 0.75


def test_likelihood_ratios_by_hand():
    # sensitivity 2/3, specificity 3/4
    truth, prediction = [1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 1]
    positive, negative = metrics.class_likelihood_ratios(truth, prediction)
    assert positive == pytest.approx((2 / 3) / (1 / 4), rel=1e-15)
    assert negative == pytest.approx((1 / 3) / (3 / 4), rel=1e-15)
    with pytest.raises(ValueError, match="pass both as `labels`"):
        metrics.class_likelihood_ratios([1, 1], [1, 1])


@pytest.mark.parametrize(
    "labels",
    [
        [I64.min, I64.max],
        [I64.min, I64.min + 1],
        [I64.max - 1, I64.max],
        np.array([0, U64.max], np.uint64),
        np.array([U64.max - 1, U64.max], np.uint64),
        np.array([2**63 - 1, 2**63], np.uint64),
        [-128, 127],
        [-(10**12), 10**12],
    ],
)
@pytest.mark.parametrize("repeat", [1, 3000])
def test_extreme_labels(labels, repeat):
    labels = np.asarray(labels)
    truth, prediction = np.tile(labels[[0, 1, 1]], repeat), np.tile(labels[[0, 0, 1]], repeat)
    cm = metrics.ConfusionMatrix(truth, prediction)
    assert cm.labels.tolist() == labels.tolist()
    assert cm.labels.dtype == labels.dtype
    assert cm.counts.tolist() == [[repeat, 0], [repeat, repeat]]
    assert metrics.accuracy_score(truth, prediction) == 2 / 3
    assert metrics.recall_score(truth, prediction, pos_label=labels[1]) == 0.5


@pytest.mark.parametrize("repeat", [1, 3000])
def test_one_column_signed_and_one_not(repeat):
    truth = np.tile([-1, 5, 5], repeat)
    prediction = np.tile(np.array([5, 5, U64.max], np.uint64), repeat)
    cm = metrics.ConfusionMatrix(truth, prediction)
    assert cm.labels.tolist() == [-1, 5, U64.max]  # -1 and 2^64 - 1 have the same bits
    assert cm.counts.tolist() == [[0, repeat, 0], [0, repeat, repeat], [0, 0, 0]]
    near = metrics.ConfusionMatrix(
        np.tile([-1, 5, 5], repeat), np.tile(np.array([5, 5, 6], np.uint64), repeat)
    )
    assert near.labels.tolist() == [-1, 5, 6]
    assert near.labels.dtype == np.int64
    assert near.counts.tolist() == [[0, repeat, 0], [0, repeat, repeat], [0, 0, 0]]


def test_many_labels_need_no_matrix():
    """A matrix of all pairs of 80 000 labels would take 51 GB."""
    n = 80_000
    truth, prediction = np.arange(n), np.arange(n)
    prediction[: n // 4] = truth[1 : n // 4 + 1]
    right = 3 / 4
    for scale in (1, 10**10):
        some = truth * scale, prediction * scale
        assert metrics.accuracy_score(*some) == right
        assert metrics.recall_score(*some, average="macro") == right
        # label n / 4 is predicted twice, so is right half of the time; label 0 never
        assert metrics.precision_score(*some, average="macro", zero_division=0) == pytest.approx(
            right - 0.5 / n, rel=1e-12
        )
        assert metrics.hamming_loss(*some, sample_weight=np.ones(n)) == 1 - right
        assert metrics.confusion_matrix(*some, labels=[0, scale]).tolist() == [[0, 1], [0, 0]]
    # margins: truth all 1; prediction one 2 and one 0
    below = math.sqrt((n * n - n) * (n * n - (n + 2)))
    expected = (right * n * n - n) / below
    assert metrics.matthews_corrcoef(truth, prediction) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weighed", [True, False])
def test_a_table_of_pairs_and_codes_agree(weighed):
    """As many labels as fit a table, and one more: counted differently, with one result."""
    rng = np.random.default_rng(0)
    for k in (63, 64, 65, 70):
        truth, prediction = rng.integers(0, k, 2000), rng.integers(0, k, 2000)
        truth[:2] = 0, k - 1
        w = rng.integers(0, 9, 2000) / 8 if weighed else None
        cm = metrics.confusion_matrix(truth, prediction, sample_weight=w)
        expected = np.zeros((k, k))
        np.add.at(expected, (truth, prediction), 1 if w is None else w)
        assert np.array_equal(cm, expected)
        hits, sums = expected.diagonal(), expected.sum(axis=1)
        recall = metrics.recall_score(truth, prediction, average=None, sample_weight=w, zero_division=0)
        assert np.array_equal(recall, np.divide(hits, sums, out=np.zeros(k), where=sums > 0))
        some = metrics.confusion_matrix(truth, prediction, labels=[k - 1, 5], sample_weight=w)
        assert np.array_equal(some, expected[np.ix_([k - 1, 5], [k - 1, 5])])


def test_weights_that_cancel():
    with pytest.raises(ZeroDivisionError, match="Weights sum to zero"):
        metrics.accuracy_score([0, 1], [0, 0], sample_weight=[1, -1])


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1, 2, 3], r"inconsistent numbers of samples: \[2, 2, 3\]"),
        ([1, np.nan], "NaN"),
        ([0, 0], "at least one non-zero"),
        ([[1], [1]], "Sample weights must be 1D array or scalar"),
        (["a", "b"], "sample_weight must hold numbers"),
    ],
)
def test_weights_that_are_refused(weights, words):
    for score in (metrics.accuracy_score, metrics.confusion_matrix, metrics.hamming_loss):
        with pytest.raises(ValueError, match=words):
            score([0, 1], [0, 1], sample_weight=weights)


def test_datasets_and_series():
    truth = Dataset(np.zeros((3, 1)), ["a", "b", "b"], weights=[1.0, 3.0, 0.0])
    assert metrics.accuracy_score(truth, ["a", "a", "b"]) == 0.25
    assert metrics.accuracy_score(pd.Series([1, 2], index=[7, 8]), pd.Series([1, 2])) == 1


def test_parameters_are_checked():
    for call, words in [
        (lambda: metrics.f1_score([0], [0], average="mean"), "The 'average' parameter of f1_score must be"),
        (lambda: metrics.f1_score([0], [0], zero_division=2), "The 'zero_division' parameter of f1_score"),
        (lambda: metrics.fbeta_score([0], [0], beta=-1), "The 'beta' parameter of fbeta_score"),
        (lambda: metrics.confusion_matrix([0], [0], normalize="rows"), "The 'normalize' parameter"),
        (lambda: metrics.cohen_kappa_score([0], [0], weights="cubic"), "The 'weights' parameter"),
        (lambda: metrics.cohen_kappa_score([0], [0], replace_undefined_by=3), "The 'replace_undefined_by'"),
        (lambda: metrics.classification_report([0], [0], digits=-1), "The 'digits' parameter"),
    ]:
        with pytest.raises(InvalidParameterError, match=words):
            call()
    with pytest.raises(ValueError, match=r"`replace_undefined_by` .* got `\{'LR\+': 0.5\}`"):
        metrics.class_likelihood_ratios([0, 1], [0, 1], replace_undefined_by={"LR+": 0.5})
    with pytest.raises(ValueError, match="labels that differ"):
        metrics.confusion_matrix([0, 1], [0, 1], labels=[1, 1])


def test_kappa_has_no_value():
    with pytest.warns(UndefinedMetricWarning, match="`cohen_kappa_score` is undefined"):
        assert metrics.cohen_kappa_score([1, 1], [1, 1], replace_undefined_by=0.5) == 0.5
    with pytest.raises(ValueError, match="must be present in `y1`"):
        metrics.cohen_kappa_score([1, 1], [1, 2], labels=[7])


def test_several_labels_a_row_by_hand():
    truth = np.array([[1, 0, 1], [0, 0, 1]])
    prediction = np.array([[1, 1, 0], [0, 0, 1]])
    for pair in ((truth, prediction), (csr_array(truth), csr_array(prediction))):
        assert metrics.accuracy_score(*pair) == 0.5
        assert metrics.hamming_loss(*pair) == 2 / 6
        assert metrics.precision_score(*pair, average="samples") == (1 / 2 + 1) / 2
        assert metrics.recall_score(*pair, average=None, zero_division=0).tolist() == [1, 0, 0.5]
        matrices = metrics.multilabel_confusion_matrix(*pair)
        assert matrices.tolist() == [[[1, 0], [0, 1]], [[1, 1], [0, 0]], [[0, 0], [1, 1]]]


def test_explicit_zeros_of_a_sparse_matrix_are_zeros():
    zeros = csr_array((np.zeros(2), [0, 1], [0, 1, 2]), shape=(2, 2))
    zeros_and_one = csr_array(([0.0, 1.0], [0, 1], [0, 1, 2]), shape=(2, 2))
    assert metrics.multilabel_confusion_matrix(zeros, zeros_and_one).tolist() == [
        [[2, 0], [0, 0]],
        [[1, 1], [0, 0]],
    ]
    assert zeros.nnz == 2  # what is passed is left alone
