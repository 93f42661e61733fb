"""Pearson's correlation: by hand, against scipy, and where there is none."""

import numpy as np
import pytest
from scipy.stats import pearsonr

from clinfa import Dataset
from clinfa.datasets import load_diabetes, load_iris, load_wine


def test_by_hand():
    # deviations (-1, 0, 1) and (-1, 1, 0): 1 / sqrt(2 * 2); with one degree of freedom t is Cauchy:
    # p = 1 - 2 atan(|t|) / pi, t = 0.5 / sqrt(0.75) = tan(30 degrees)
    found = Dataset([[1.0, 1], [2, 3], [3, 2]]).pearson_correlation()
    np.testing.assert_allclose(found.coefficients, [[1, 0.5], [0.5, 1]], rtol=1e-14)
    np.testing.assert_allclose(found.p_values, [[0, 2 / 3], [2 / 3, 0]], rtol=1e-14)
    assert found.upper().tolist() == [found.coefficients[0, 1]]


@pytest.mark.parametrize("load", [load_iris, load_wine, load_diabetes])
def test_as_scipy(load):
    ds = load()
    found = ds.pearson_correlation()
    for i in range(ds.n_features):
        for j in range(i):
            theirs = pearsonr(ds.records[:, i], ds.records[:, j])
            assert found.coefficients[i, j] == pytest.approx(theirs.statistic, rel=1e-12, abs=1e-14)
            assert found.p_values[i, j] == pytest.approx(theirs.pvalue, rel=1e-8, abs=1e-200)
    np.testing.assert_array_equal(found.coefficients, found.coefficients.T)
    np.testing.assert_array_equal(np.asarray(found), found.coefficients)


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_scales_and_offsets(scale, offset):
    X = np.random.default_rng(1).normal(size=(50, 3))
    plain = Dataset(X).pearson_correlation().coefficients
    moved = Dataset((X + offset) * scale).pearson_correlation().coefficients
    np.testing.assert_allclose(moved, plain, atol=1e-9 if offset else 1e-13)


def test_a_weight_is_a_repetition():
    X = np.random.default_rng(2).normal(size=(20, 3))
    times = np.arange(20) % 4
    weighted = Dataset(X, weights=times).pearson_correlation()
    repeated = Dataset(np.repeat(X, times, axis=0)).pearson_correlation()
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, rtol=1e-12)
    np.testing.assert_allclose(weighted.p_values, repeated.p_values, rtol=1e-10)


def test_where_there_is_none():
    X = np.c_[np.arange(5.0), np.full(5, 0.1), np.arange(5.0) ** 2]
    found = Dataset(X).pearson_correlation()
    assert np.isnan(found.coefficients[1]).all()
    assert np.isnan(found.p_values[:, 1]).all()
    assert not np.isnan(found.coefficients[np.ix_([0, 2], [0, 2])]).any()
    two = Dataset(X[:2, [0, 2]]).pearson_correlation()
    np.testing.assert_allclose(two.coefficients, 1)
    assert two.p_values[0, 1] == 1.0
    assert np.isnan(Dataset(X[:1]).pearson_correlation().coefficients).all()
    with pytest.raises(ValueError, match="records contains NaN"):
        Dataset([[np.nan, 1.0]]).pearson_correlation()


def test_permutations_agree_with_theory():
    rng = np.random.default_rng(4)
    a = rng.normal(size=40)
    X = np.c_[a, 0.3 * a + rng.normal(size=40), rng.normal(size=40)]
    theory = Dataset(X).pearson_correlation().p_values
    found = Dataset(X).pearson_correlation(permutations=4000, random_state=0).p_values
    # the standard deviation of a share of 4000 is at most sqrt(0.25 / 4000) = 0.008
    assert np.abs(found - theory).max() < 0.045
    np.testing.assert_array_equal(found, found.T)
    assert found[0, 1] >= 1 / 4001


def test_all_permutations_of_three():
    """Of the six orders of three points as many are as extreme as enumeration says: here 4 of 6."""
    found = Dataset([[1.0, 1], [2, 3], [3, 2]]).pearson_correlation(permutations=6000, random_state=1)
    # |r| of the six orders: 1, 1/2, 1/2, 1/2, 1/2, 1: all at least 1/2
    assert found.p_values[0, 1] == 1.0
    line = Dataset([[1.0, 1], [2, 2], [3, 3]]).pearson_correlation(permutations=6000, random_state=1)
    assert abs(line.p_values[0, 1] - 2 / 6) < 0.03


def test_table():
    text = str(Dataset([[1.0, 1], [2, 3], [3, 2]], feature_names=["left", "right"]).pearson_correlation())
    assert text.splitlines() == ["left   +0.50", "right"]
    with pytest.raises(ValueError, match="'permutations'"):
        Dataset([[1.0]]).pearson_correlation(permutations=0)
