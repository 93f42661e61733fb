"""`Roc`: worked by hand, invariants, what it reads, what it refuses."""

import pickle

import numpy as np
import pytest

from clinfa import Dataset, config_context
from clinfa.errors import UndefinedMetricWarning
from clinfa.metrics import Roc, average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

TRUTH = [False, True, False, True, True, True]
SCORES = [0.1, 0.3, 0.5, 0.7, 0.8, 0.9]


def random_problem(n, seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.4
    return truth, (rng.standard_normal(n) + truth).astype(dtype)


def pairs_in_order(truth, scores):
    """Mann and Whitney's count, pair by pair."""
    p, q = scores[truth], scores[~truth]
    return ((p[:, None] > q).sum() + 0.5 * (p[:, None] == q).sum()) / (len(p) * len(q))


# By hand


def test_worked_example():
    """Of the 2 x 4 pairs only (0.5, 0.3) is out of order: 7 of 8."""
    roc = Roc(TRUTH, SCORES)
    assert roc.area_under_curve() == 0.875
    fpr, tpr = roc.curve()
    assert fpr.tolist() == [0, 0, 0, 0, 0.5, 0.5, 1]
    assert tpr.tolist() == [0, 0.25, 0.5, 0.75, 0.75, 1, 1]
    assert roc.thresholds.tolist() == [np.inf, 0.9, 0.8, 0.7, 0.5, 0.3, 0.1]
    assert roc.positive is True


def test_positives_that_score_zero_count():
    """Linfa loses the group of the lowest score where that is 0: here it would see no pair at all."""
    roc = Roc([True, False, True, False], [0.0, 0.0, 1.0, 0.5])
    assert roc.area_under_curve() == (0.5 + 2) / 4
    fpr, tpr = roc.curve()
    assert fpr.tolist() == [0, 0, 0.5, 1]
    assert tpr.tolist() == [0, 0.5, 0.5, 1]
    assert Roc([True, False], [0.0, -1.0]).area_under_curve() == 1
    assert Roc([True, False], [-1.0, 0.0]).area_under_curve() == 0


def test_both_zeros_are_one_score():
    assert Roc([True, False], [0.0, -0.0]).area_under_curve() == 0.5
    assert len(Roc([True, False], [0.0, -0.0]).thresholds) == 2


def test_scores_closer_than_linfa_can_tell():
    """Scores within 1e-10 of each other are different scores."""
    assert Roc([False, True], [1e-12, 2e-12]).area_under_curve() == 1


def test_all_tied_is_guessing():
    roc = Roc(TRUTH, np.full(6, 0.3))
    assert roc.area_under_curve() == 0.5
    assert [c.tolist() for c in roc.curve()] == [[0, 1], [0, 1]]


def test_average_precision_by_hand():
    """Positives come first, second, third and fifth: (1/1 + 2/2 + 3/3 + 4/5) / 4."""
    roc = Roc(TRUTH, SCORES)
    assert np.isclose(roc.average_precision(), 0.95, rtol=1e-15)
    precision, recall, thresholds = roc.precision_recall_curve()
    assert np.allclose(precision, [4 / 6, 4 / 5, 3 / 4, 1, 1, 1, 1], rtol=1e-15)
    assert recall.tolist() == [1, 1, 0.75, 0.75, 0.5, 0.25, 0]
    assert thresholds.tolist() == SCORES


def test_best_threshold():
    """J is 1/4, 1/2, 3/4, 1/4, 1/2, 0 from the highest score on."""
    assert Roc(TRUTH, SCORES).best_threshold() == 0.7
    assert Roc([0, 1, 0, 1], [1, 2, 3, 4]).best_threshold() == 4  # (as good as 2: the highest of several)
    assert Roc([1, 0], [1, 2]).best_threshold() == 1  # (at 2 it is -1)


def test_part_of_the_area_by_hand():
    """Below 0.5 the area is 0.5 * 0.75; guessing has 0.125, perfection 0.5."""
    roc = Roc(TRUTH, SCORES)
    expected = 0.5 * (1 + (0.375 - 0.125) / (0.5 - 0.125))
    assert np.isclose(roc.area_under_curve(max_fpr=0.5), expected, rtol=1e-15)
    assert roc.area_under_curve(max_fpr=1) == 0.875


# Invariants


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int8, np.float16])
@pytest.mark.parametrize("n", [2, 3, 10, 200, 1000])
def test_area_is_the_share_of_pairs_in_order(n, dtype):
    truth, scores = random_problem(n, n)
    truth[:2] = [True, False]
    scores = (scores * 8).astype(dtype)
    assert np.isclose(Roc(truth, scores).area_under_curve(), pairs_in_order(truth, scores), rtol=1e-14)


@pytest.mark.parametrize("n", [50, 40_000, 200_000])
@pytest.mark.parametrize("decimals", [0, 2, 15])
def test_large_problems(n, decimals):
    """The same area by ranks (Mann-Whitney), over one and over many ranges of scores."""
    from scipy.stats import rankdata

    truth, scores = random_problem(n, 1)
    scores = scores.round(decimals)
    p = int(truth.sum())
    expected = (rankdata(scores)[truth].sum() - p * (p + 1) / 2) / (p * (n - p))
    roc = Roc(truth, scores)
    assert np.isclose(roc.area_under_curve(), expected, rtol=1e-13)
    fpr, tpr = roc.curve()
    assert np.isclose(np.trapezoid(tpr, fpr), expected, rtol=1e-12)
    assert np.array_equal(roc.thresholds[1:], np.unique(scores)[::-1])
    assert (np.diff(fpr) >= 0).all()
    assert (np.diff(tpr) >= 0).all()


@pytest.mark.parametrize("n", [30, 50_000])
def test_transformations(n):
    truth, scores = random_problem(n, 2)
    scores = scores.round(2)
    area = Roc(truth, scores).area_under_curve()
    assert np.isclose(Roc(truth, -scores).area_under_curve(), 1 - area, rtol=1e-14)
    assert np.isclose(Roc(~truth, scores).area_under_curve(), 1 - area, rtol=1e-14)
    assert Roc(truth, np.exp(scores)).area_under_curve() == area
    order = np.random.default_rng(3).permutation(n)
    assert Roc(truth[order], scores[order]).area_under_curve() == area


@pytest.mark.parametrize("n", [30, 50_000])
def test_a_weight_is_a_number_of_copies(n):
    truth, scores = random_problem(n, 4)
    scores = scores.round(2)
    copies = np.random.default_rng(5).integers(0, 4, n)
    weighted = Roc(truth, scores, weights=copies)
    copied = Roc(np.repeat(truth, copies), np.repeat(scores, copies))
    for a, b in zip(weighted.curve(), copied.curve(), strict=True):
        assert np.allclose(a, b, rtol=1e-13)
    assert np.array_equal(weighted.thresholds, copied.thresholds)
    assert np.isclose(weighted.area_under_curve(), copied.area_under_curve(), rtol=1e-13)
    assert np.isclose(weighted.average_precision(), copied.average_precision(), rtol=1e-13)


def test_weighted_rates_never_fall():
    """Weights of very different sizes: sums are rounded, and still in order."""
    truth, scores = random_problem(100_000, 6)
    weights = 10.0 ** np.random.default_rng(7).uniform(-18, 2, 100_000)
    for rate in Roc(truth, scores, weights=weights).curve():
        assert (np.diff(rate) >= 0).all()
        assert rate[0] == 0
        assert rate[-1] == 1


@pytest.mark.parametrize("weighted", [False, True])
def test_same_bits_on_any_number_of_threads(weighted):
    truth, scores = random_problem(300_000, 8)
    weights = np.random.default_rng(9).random(300_000) if weighted else None
    seen = set()
    for threads in (1, 2, 3, 8):
        with config_context(n_threads=threads):
            roc = Roc(truth, scores, weights=weights)
            curve = b"".join(rate.tobytes() for rate in roc.curve())
            seen.add((roc.area_under_curve(), roc.average_precision(), hash(curve)))
    assert len(seen) == 1


def test_many_ties_in_one_range():
    """Ranges of scores cannot part equal scores: one holds nearly everything here."""
    truth, scores = random_problem(100_000, 10)
    scores = np.where(scores > 2, scores, 0.0)
    expected = pairs_in_order(truth[::20], scores[::20])
    assert np.isclose(Roc(truth[::20], scores[::20]).area_under_curve(), expected, rtol=1e-14)
    assert np.isclose(
        Roc(truth, scores).area_under_curve(),
        Roc(truth, scores, weights=np.ones(100_000)).area_under_curve(),
        rtol=1e-13,
    )


def test_integers_that_floats_cannot_tell_apart():
    big = 2**60
    assert Roc([False, True], [big, big + 1]).area_under_curve() == 1
    assert Roc([False, True], np.array([big, big + 1], float)).area_under_curve() == 0.5


# What it reads


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        ([0, 1], 1),
        ([-1, 1], 1),
        ([3, 7], 7),
        (["ham", "spam"], "spam"),
        ([False, True], True),
        ([0.0, 1.0], 1.0),
    ],
)
def test_labels(labels, positive):
    truth = np.array(labels)[np.array(TRUTH).astype(int)]
    for form in (
        truth,
        truth.tolist(),
        truth[:, None],
        truth.astype(object if truth.dtype.kind == "U" else truth.dtype),
    ):
        roc = Roc(form, SCORES)
        assert roc.positive == positive
        assert roc.area_under_curve() == 0.875
    other = Roc(truth, SCORES, positive=labels[0])
    assert other.area_under_curve() == 0.125


def test_series_and_strided_arrays():
    import pandas as pd
    import polars as pl

    wide = np.repeat(np.array(SCORES), 3)[::3]
    swapped = np.array(SCORES).astype(">f8")
    for scores in (wide, swapped, pd.Series(SCORES, index=range(5, 11)), pl.Series(SCORES)):
        assert Roc(pd.Series(TRUTH), scores).area_under_curve() == 0.875
        assert Roc(pl.Series(TRUTH), scores).area_under_curve() == 0.875


def test_datasets_and_their_weights():
    weights = [1, 2, 3, 4, 5, 6]
    truth = Dataset(np.zeros((6, 1)), TRUTH, weights=weights)
    predicted = Dataset(np.zeros((6, 1)), SCORES)
    expected = Roc(TRUTH, SCORES, weights=weights)
    for scores in (SCORES, predicted):
        assert Roc(truth, scores).area_under_curve() == expected.area_under_curve()
    assert Roc(truth, SCORES, weights=np.ones(6)).area_under_curve() == 0.875
    # The functions take them as well.
    assert roc_auc_score(truth, SCORES) == expected.area_under_curve()
    assert average_precision_score(truth, SCORES) == expected.average_precision()


def test_columns_of_probabilities():
    p = np.array(SCORES)
    both = np.column_stack([1 - p, p])
    assert Roc(TRUTH, both).area_under_curve() == 0.875
    assert Roc(TRUTH, p[:, None]).area_under_curve() == 0.875
    assert Roc(TRUTH, both, positive=False).area_under_curve() == 0.875
    truth = np.array(["c", "a", "b", "b", "a", "c"])
    three = np.random.default_rng(0).random((6, 3))
    for c, name in enumerate("abc"):
        assert Roc(truth, three, positive=name).area_under_curve() == pairs_in_order(
            truth == name, three[:, c]
        )
        assert Roc(truth, three[:, c], positive=name).area_under_curve() == pairs_in_order(
            truth == name, three[:, c]
        )


def test_it_agrees_with_the_functions():
    truth, scores = random_problem(500, 11)
    scores, weights = scores.round(1), np.random.default_rng(12).random(500)
    for w in (None, weights):
        roc = Roc(truth, scores, weights=w)
        fpr, tpr, thresholds = roc_curve(truth, scores, sample_weight=w, drop_intermediate=False)
        assert np.array_equal(roc.curve(), (fpr, tpr))
        assert np.array_equal(roc.thresholds, thresholds)
        assert roc.area_under_curve() == roc_auc_score(truth, scores, sample_weight=w)
        assert roc.area_under_curve(0.3) == roc_auc_score(truth, scores, sample_weight=w, max_fpr=0.3)
        assert roc.average_precision() == average_precision_score(truth, scores, sample_weight=w)
        curve = precision_recall_curve(truth, scores, sample_weight=w)
        for a, b in zip(roc.precision_recall_curve(), curve, strict=True):
            assert np.array_equal(a, b)


def test_it_shows_and_pickles_itself():
    roc = Roc(TRUTH, SCORES)
    assert repr(roc) == "Roc(4 positive, 2 negative, area under curve 0.875)"
    assert repr(Roc([1, 1], [1, 2])) == "Roc(2 positive, 0 negative, area under curve undefined)"
    assert repr(Roc([0, 1], [1, 2], weights=[0.5, 2])) == (
        "Roc(2.0 positive, 0.5 negative, area under curve 1)"
    )
    again = pickle.loads(pickle.dumps(roc))
    assert again.positive is True
    assert np.array_equal(again.curve(), roc.curve())


# What has no answer, and what it refuses


@pytest.mark.parametrize("label", [0, 1, True, False, "a"])
def test_one_class(label):
    roc = Roc([label] * 3, [1, 2, 3])
    with pytest.warns(UndefinedMetricWarning, match="samples in y_true"):
        assert np.isnan(roc.area_under_curve())
    with pytest.warns(UndefinedMetricWarning, match="should be meaningless"):
        rates = roc.curve()
    defined = 1 if label in (1, "a") else 0
    assert np.allclose(rates[defined], [0, 1 / 3, 2 / 3, 1], rtol=1e-15)
    assert np.isnan(rates[1 - defined]).all()
    with pytest.raises(ValueError, match="only one class"):
        roc.best_threshold()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n", [3, 40_000])
def test_scores_that_are_not_finite(value, n):
    """Linfa drops NaN, and with them rows, without a word."""
    scores = np.arange(n, dtype=float)
    scores[1] = value
    told = "contains NaN" if np.isnan(value) else "contains infinity"
    with pytest.raises(ValueError, match=f"scores {told}"):
        Roc(np.arange(n) % 2, scores)


@pytest.mark.parametrize(
    ("truth", "scores", "how", "told"),
    [
        ([], [], {}, "no rows"),
        ([0, 1], [1, 2, 3], {}, r"inconsistent numbers of samples: \[2, 3\]"),
        ([0, 1, 2], [1, 2, 3], {}, "3 classes: name one as `positive`"),
        ([0, 1], [1, 2], {"positive": 7}, r"positive=7 is not among the labels in truth: \[0, 1\]"),
        ([0, 1], [[1, 2, 3], [1, 2, 3]], {}, "3 columns"),
        ([1, 1], [[1, 2], [1, 2]], {}, "2 columns"),
        ([0.5, 1], [1, 2], {}, "continuous"),
        ([0, np.nan], [1, 2], {}, "NaN"),
        (np.array(["a", None], object), [1, 2], {}, "among its objects there are NoneType"),
        (np.array([None, "a"], object), [1, 2], {}, "among its objects there are NoneType"),
        ([0, 1], ["a", "b"], {}, "scores must hold numbers"),
        ([0, 1], [1, 2], {"weights": [1, np.nan]}, "sample_weight contains NaN"),
        ([0, 1], [1, 2], {"weights": [0, 0]}, "at least one non-zero"),
        ([0, 1], [1, 2], {"weights": [1]}, r"sample_weight.shape == \(1,\)"),
        ([0, 1], np.array([1, 2**64 - 1], np.uint64), {}, "integers above"),
    ],
)
def test_refused(truth, scores, how, told):
    with pytest.raises(ValueError, match=told):
        Roc(truth, scores, **how)


def test_more_pairs_than_integers():
    """Counts are added in Python's integers; what one range can hold is checked."""
    from clinfa.metrics._ranked import Ranked

    huge = Ranked(np.empty(0), np.empty(0), np.zeros(3, np.int64), totals=np.array([[2**32, 2**31]]))
    with pytest.raises(OverflowError, match="pairs"):
        huge.area()


def test_plot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    roc = Roc(TRUTH, SCORES)
    ax = roc.plot()
    drawn = ax.lines[1]
    assert drawn.get_xdata().tolist() == [0, 0, 0, 0.5, 0.5, 1]
    assert "0.875" in drawn.get_label()
    assert ax.get_xlabel() == "false positive rate"
    _, mine = plt.subplots()
    assert roc.plot(mine) is mine
    plt.close("all")


def test_plot_without_matplotlib(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"clinfa\[plot\]"):
        Roc(TRUTH, SCORES).plot()
