"""Errors and warnings that scikit-learn's own tests look for: the words that users search for."""

import numpy as np
import pytest

from clinfa import metrics
from clinfa.errors import UndefinedMetricWarning

THREE = np.eye(3) * 0.4 + 0.2


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1, np.nan, 1], r"Input sample_weight contains NaN\."),
        ([1, np.inf, 1], "Input sample_weight contains infinity or a value too large for dtype"),
        ([[1, 1]] * 3, "Sample weights must be 1D array or scalar"),
        ([1, 1], "inconsistent numbers of samples"),
    ],
)
@pytest.mark.parametrize("name", ["accuracy_score", "mean_squared_error", "cohen_kappa_score", "f1_score"])
def test_weights(name, weights, words):
    with pytest.raises(ValueError, match=words):
        getattr(metrics, name)([0, 1, 1], [0, 1, 0], sample_weight=weights)


def test_lengths_are_looked_at_before_the_average():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        metrics.f1_score([0, 1, 1], [0, 1, 0], average="samples", sample_weight=[1, 1])


@pytest.mark.parametrize(("role", "given"), [("labels_true", 0), ("labels_pred", 1)])
def test_labels_of_clusters(role, given):
    pair = [[0, 1], [0, 1]]
    pair[given] = [[0, 1], [1, 0]]
    with pytest.raises(ValueError, match=rf"{role} must be 1D: shape is \(2, 2\)"):
        metrics.adjusted_rand_score(*pair)
    assert metrics.adjusted_rand_score([[0], [1]], [1, 0]) == 1


def test_hinge():
    with pytest.raises(ValueError, match=r"cannot be 1d arraywith a multiclass target\. pred_decision shape"):
        metrics.hinge_loss([0, 1, 2], [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=r"With a multiclass target, pred_decision shape .* \(3, 3\)\. Got"):
        metrics.hinge_loss([0, 1, 2], np.ones((3, 2)), labels=[0, 1, 2])


@pytest.mark.parametrize("name", ["log_loss", "brier_score_loss", "d2_brier_score"])
def test_several_columns_of_labels(name):
    with pytest.raises(ValueError, match="Multioutput target data is not supported"):
        getattr(metrics, name)([[1, 0], [2, 3]], [[0.5, 0.5], [0.4, 0.6]])


def test_weights_of_pairs_of_classes():
    with pytest.raises(ValueError, match="sample_weight is not supported for multiclass one-vs-one ROC AUC"):
        metrics.roc_auc_score([0, 1, 2], THREE, multi_class="ovo", sample_weight=[])


@pytest.mark.parametrize(
    ("truth", "found", "words"),
    [
        ([1, 1, 0, 0], [1, 1, 0, 0], "`positive_likelihood_ratio` is ill-defined and set to `np.nan`"),
        ([1, 1, 0, 0], [0, 0, 0, 0], "No samples were predicted .* is set to `np.nan`"),
        ([0, 0, 1, 1], [1, 1, 0, 0], "`negative_likelihood_ratio` is ill-defined and set to `np.nan`"),
    ],
)
def test_ratios(truth, found, words):
    with pytest.warns(UndefinedMetricWarning, match=words):
        metrics.class_likelihood_ratios(truth, found)


def test_ratios_instead():
    truth, found = [1, 1, 0, 0], [1, 0, 0, 0]  # no false positive, half of the positives found
    with pytest.warns(UndefinedMetricWarning, match="set to `inf`"):
        assert metrics.class_likelihood_ratios(
            truth, found, replace_undefined_by={"LR+": np.inf, "LR-": 0.5}
        ) == (np.inf, 0.5)
    with pytest.raises(ValueError, match="passed as `replace_undefined_by` needs to be in the form"):
        metrics.class_likelihood_ratios(truth, found, replace_undefined_by={"LR+": 0.0, "LR-": 0.5})


@pytest.mark.parametrize(
    ("found", "words"),
    [([3, 3, 3], "`y2` contains no labels that are"), ([1, 3, 3], "have only one label in common")],
)
def test_kappa_without_labels_in_common(found, words):
    with pytest.warns(UndefinedMetricWarning, match=words):
        assert np.isnan(metrics.cohen_kappa_score([1, 1, 2], found, labels=[1, 2]))


def test_whole_weights_that_do_not_fit():
    most = np.iinfo(np.int64).max
    with pytest.raises(ValueError, match="too large for int64"):
        metrics.confusion_matrix([0, 1, 1], [0, 1, 1], sample_weight=np.full(3, most))
    half = metrics.confusion_matrix([0, 1, 1], [0, 1, 1], sample_weight=np.full(3, 2**61))
    assert half.tolist() == [[2**61, 0], [0, 2**62]]
