"""What a dataset of predictions says of itself: the numbers of scikit-learn, the truth's weights counted."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as theirs

from clinfa import Dataset, Pr
from clinfa.datasets import load_iris

RNG = np.random.default_rng(12)
X = np.zeros((40, 1))
TRUE = RNG.uniform(1, 9, (40, 2))
SAID = TRUE + RNG.uniform(-0.9, 0.9, (40, 2))
W = RNG.integers(1, 5, 40).astype(float)
NUMBERS = {
    "mean_absolute_error": theirs.mean_absolute_error,
    "mean_squared_error": theirs.mean_squared_error,
    "root_mean_squared_error": theirs.root_mean_squared_error,
    "mean_squared_log_error": theirs.mean_squared_log_error,
    "median_absolute_error": theirs.median_absolute_error,
    "mean_absolute_percentage_error": theirs.mean_absolute_percentage_error,
    "r2": theirs.r2_score,
    "explained_variance": theirs.explained_variance_score,
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("weights", [None, W], ids=["plain", "weighted"])
def test_numbers(name, weights):
    truth, prediction = Dataset(X, TRUE, weights), Dataset(X, SAID)
    each = [NUMBERS[name](TRUE[:, j], SAID[:, j], sample_weight=weights) for j in range(2)]
    np.testing.assert_allclose(getattr(prediction, name)(truth), each, rtol=1e-12)
    one = Dataset(X, SAID[:, 1])
    for single in (Dataset(X, TRUE[:, 1], weights), Dataset(X, pd.Series(TRUE[:, 1]), weights)):
        assert getattr(one, name)(single) == pytest.approx(each[1], rel=1e-12)


def test_greatest_error_and_smape():
    np.testing.assert_allclose(Dataset(X, SAID).max_error(TRUE), np.abs(TRUE - SAID).max(axis=0))
    assert Dataset(X, SAID[:, 0]).max_error(TRUE[:, 0]) == np.abs(TRUE - SAID)[:, 0].max()
    share = 200 * np.abs(TRUE - SAID) / (TRUE + SAID)
    np.testing.assert_allclose(Dataset(X, SAID).smape(TRUE), share.mean(axis=0))
    weighted = Dataset(X, SAID).smape(Dataset(X, TRUE, W))
    np.testing.assert_allclose(weighted, np.average(share, axis=0, weights=W))


def test_probabilities():
    y, p = RNG.integers(0, 2, 40), RNG.uniform(0.05, 0.95, 40)
    prediction, truth = Dataset(X, Pr(p)), Dataset(X, y, W)
    assert prediction.log_loss(truth) == pytest.approx(theirs.log_loss(y, p, sample_weight=W), rel=1e-12)
    brier = theirs.brier_score_loss(y, p, sample_weight=W)
    assert prediction.brier_score(truth) == pytest.approx(brier, rel=1e-12)
    area = theirs.roc_auc_score(y, p, sample_weight=W)
    assert prediction.roc(truth).area_under_curve() == pytest.approx(area, rel=1e-12)


def test_whose_weights_count():
    said, true = Dataset(X, SAID[:, 0], W), TRUE[:, 0]
    weighted = theirs.mean_squared_error(true, SAID[:, 0], sample_weight=W)
    plain = theirs.mean_squared_error(true, SAID[:, 0])
    assert said.mean_squared_error(true) == pytest.approx(
        weighted, rel=1e-12
    )  # its own, if the truth has none
    ones = Dataset(X, true, np.ones(40))
    assert said.mean_squared_error(ones) == pytest.approx(plain, rel=1e-12)  # the truth's go first


def test_clusters_and_names():
    iris = load_iris()
    expected = theirs.silhouette_score(iris.records, iris.targets)
    assert iris.silhouette_score() == pytest.approx(expected, rel=1e-10)
    named = iris.with_feature_names(list("abcd")).with_target_names(["kind"])
    assert named.feature_names == list("abcd")
    assert named.target_names == ["kind"]
    assert named.records is iris.records


def test_nothing_to_compare():
    with pytest.raises(ValueError, match="no targets to compare"):
        Dataset(X).r2(TRUE)
    with pytest.raises(ValueError, match="truth is a Dataset without targets"):
        Dataset(X, SAID).r2(Dataset(X))
