"""Partial dependence: of models whose average is known, as scikit-learn, and drawn."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.inspection import partial_dependence as theirs
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeRegressor

from clinfa import Dataset, config_context
from clinfa.cluster import KMeans
from clinfa.inspection import PartialDependenceDisplay, partial_dependence, permutation_importance
from clinfa.naive_bayes import GaussianNB
from clinfa.neighbors import KNeighborsRegressor

X, Y = load_iris(return_X_y=True)
DX, DY = load_diabetes(return_X_y=True)


@pytest.fixture(autouse=True)
def no_windows():
    mpl.use("Agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def test_of_a_plane_by_hand():
    """A plane depends on a column by its coefficient, and on the mean of the others."""
    model = LinearRegression().fit([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [1.0, 3.0, 6.0])  # 1 + 2a + 5b
    found = partial_dependence(
        model, [[0.0, 2.0], [10.0, 4.0]], [0], custom_values={0: [0.0, 1.0]}, kind="both"
    )
    np.testing.assert_allclose(found.average, [[1 + 15, 1 + 2 + 15]])
    np.testing.assert_allclose(found.individual, [[[11, 13], [21, 23]]])
    weighted = partial_dependence(
        model, [[0.0, 2.0], [10.0, 4.0]], [0], custom_values={0: [0.0]}, sample_weight=[1, 3]
    )
    np.testing.assert_allclose(weighted.average, [[1 + 5 * 3.5]])


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (LinearRegression(), (DX, DY)),
        (LinearRegression(), (DX, np.stack([DY, -DY], axis=1))),
        (KNeighborsRegressor(9), (DX, DY)),
        (LogisticRegression(max_iter=500), (X, Y)),
        (GaussianNB(), (X, Y > 0)),
        (GradientBoostingRegressor(n_estimators=5, random_state=0), (DX, DY)),
        (DecisionTreeRegressor(max_depth=3, random_state=0), (DX, DY)),
    ],
    ids=["plane", "two", "near", "logistic", "bayes", "boosting", "tree"],
)
@pytest.mark.parametrize(
    "how",
    [
        {"features": [2]},
        {"features": [0, 3], "grid_resolution": 5, "kind": "both"},
        {"features": [1], "percentiles": (0.2, 0.7), "grid_resolution": 7, "kind": "individual"},
        {"features": [3], "categorical_features": [3]},
        {"features": [3, 1], "custom_values": {1: [0.1, 0.2]}, "grid_resolution": 4},
    ],
    ids=["one", "both", "individual", "category", "custom"],
)
def test_as_scikit_learn(model, data, how):
    records, y = data
    model.fit(records, y)
    ours, reference = partial_dependence(model, records, **how), theirs(model, records, **how)
    assert ours.keys() == reference.keys()
    for one, two in zip(ours.grid_values, reference.grid_values, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)
    for name in ours.keys() - {"grid_values"}:
        assert ours[name].shape == reference[name].shape
        np.testing.assert_allclose(ours[name], reference[name], rtol=1e-9, atol=1e-12)


def test_recursion_weighs_nodes_as_in_fit():
    model = GradientBoostingRegressor(n_estimators=5, random_state=0).fit(DX, DY)
    auto = partial_dependence(model, DX, [2])
    named = partial_dependence(model, DX, [2], method="recursion")
    brute = partial_dependence(model, DX, [2], method="brute")
    np.testing.assert_array_equal(auto.average, named.average)
    gap = brute.average - auto.average
    np.testing.assert_allclose(gap, DY.mean(), rtol=0.02)  # trees know nothing of where boosting starts
    for how, words in (
        ({"kind": "both"}, "average"),
        ({"sample_weight": np.ones(442)}, "sample_weight"),
        ({"response_method": "predict_proba"}, "response_method"),
    ):
        with pytest.raises(ValueError, match=words):
            partial_dependence(model, DX, [2], method="recursion", **how)
    with pytest.raises(ValueError, match="Try using method='brute'"):
        partial_dependence(LinearRegression().fit(DX, DY), DX, [2], method="recursion")


def test_the_same_bits_on_any_number_of_threads():
    model, big, seen = KNeighborsRegressor(3).fit(DX, DY), np.tile(DX, (30, 1)), set()
    for threads in (1, 2, 5):
        with config_context(n_threads=threads):
            seen.add(partial_dependence(model, big, [2], grid_resolution=4).average.tobytes())
    assert len(seen) == 1


def test_names_frames_and_datasets():
    names = list("abcdefghij")
    frame, plain = pd.DataFrame(DX, columns=names), KNeighborsRegressor(9).fit(DX, DY)
    model = KNeighborsRegressor(9).fit(frame, DY)
    expected = partial_dependence(plain, DX, [2, 4], grid_resolution=4).average
    for records in (frame, Dataset(DX, DY, feature_names=names)):
        found = partial_dependence(model, records, ["c", "e"], grid_resolution=4)
        np.testing.assert_array_equal(found.average, expected)
    found = partial_dependence(plain, DX, "c", feature_names=names, grid_resolution=4)
    np.testing.assert_array_equal(found.average, partial_dependence(plain, DX, 2, grid_resolution=4).average)


def test_words_and_whole_numbers():
    frame = pd.DataFrame({"kind": np.array(["u", "v", "w"])[Y], "size": X[:, 0], "count": np.arange(150)})
    pipe = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    model = make_pipeline(pipe, LinearRegression()).fit(frame, Y)
    found = partial_dependence(model, frame, ["kind"], categorical_features=["kind"])
    assert found.grid_values[0].tolist() == ["u", "v", "w"]
    np.testing.assert_allclose(found.average, [[0, 1, 2]], atol=1e-9)
    half = partial_dependence(model, frame, ["count"], custom_values={"count": [0.5]})
    alone = partial_dependence(
        model, frame.astype({"count": float}), ["count"], custom_values={"count": [0.5]}
    )
    np.testing.assert_allclose(half.average, alone.average, rtol=1e-12)
    whole = partial_dependence(
        LinearRegression().fit(DX * 0 + 1, DY), np.arange(20).reshape(10, 2).repeat(5, 1), [0]
    )
    assert whole.grid_values[0].dtype == float


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"features": [9]}, r"must be in \[0, 3\]"),
        ({"features": ["z"]}, "not in feature_names"),
        ({"features": []}, "one column at least"),
        ({"percentiles": (0.5,)}, "2 elements"),
        ({"percentiles": (0.5, 1.5)}, r"in \[0, 1\]"),
        ({"percentiles": (0.9, 0.1)}, "strictly less"),
        ({"grid_resolution": 1}, "strictly greater"),
        ({"percentiles": (0.5, 0.5001), "grid_resolution": 5}, "too close"),
        ({"categorical_features": []}, "empty list"),
        ({"categorical_features": [True]}, "boolean array-like"),
        ({"categorical_features": [0.5]}, "boolean, integer, or string"),
        ({"custom_values": {0: [[1.0]]}}, "one-dimensional"),
        ({"kind": "mean"}, "kind"),
        ({"response_method": "decision_function"}, "none of the following"),
        ({"feature_names": list("aacd")}, "duplicates"),
    ],
)
def test_what_is_refused(how, words):
    with pytest.raises(ValueError, match=words):
        partial_dependence(GaussianNB().fit(X, Y), X, **{"features": [0]} | how)


def test_which_models_are_refused():
    with pytest.raises(ValueError, match="regressor or classifier"):
        partial_dependence(KMeans(2).fit(X), X, [0])
    with pytest.raises(ValueError, match="not fitted"):
        partial_dependence(GaussianNB(), X, [0])
    with pytest.raises(ValueError, match="must be 'auto'"):
        partial_dependence(KNeighborsRegressor().fit(DX, DY), DX, [0], response_method="predict_proba")


def test_panels():
    model = KNeighborsRegressor(9).fit(DX, DY)
    display = PartialDependenceDisplay.from_estimator(
        *(model, DX, [0, 2, (0, 2)]),
        kind=["both", "individual", "average"],
        grid_resolution=5,
        subsample=30,
        n_cols=2,
        random_state=0,
        feature_names=list("abcdefghij"),
    )
    assert display.axes_.shape == (2, 2)
    assert display.axes_[1, 1] is None
    assert [ax.get_xlabel() for ax in display.axes_.ravel()[:3]] == ["a", "c", "a"]
    assert [sum(line is not None for line in one) for one in display.lines_.reshape(4, -1)] == [31, 30, 0, 0]
    average = display.lines_[0, 0, -1].get_ydata()
    np.testing.assert_allclose(average, partial_dependence(model, DX, [0], grid_resolution=5).average[0])
    assert display.contours_[1, 0] is not None
    again = PartialDependenceDisplay.from_estimator(
        model, DX, [0, 2, (0, 2)], grid_resolution=5, centered=True, ax=display.axes_.ravel()[:3]
    )
    assert again.figure_ is display.figure_
    assert again.lines_[0].get_ydata()[0] == 0
    # What stands at the axes is kept; averages alone have one line for each place.
    assert [ax.get_xlabel() for ax in again.axes_] == ["a", "c", "a"]
    assert again.lines_.shape == (3,)
    assert display.bounding_ax_ in display.figure_.axes
    assert again.bounding_ax_ is None


def test_styles():
    model = KNeighborsRegressor(9).fit(DX, DY)
    display = PartialDependenceDisplay.from_estimator(
        *(model, DX, [0]),
        **{"kind": "both", "subsample": 4, "grid_resolution": 5},
        line_kw={"c": "green", "label": "mean"},
        ice_lines_kw={"ls": ":"},
        pd_line_kw={"lw": 4},
    )
    *each, mean = display.lines_[0, 0]
    assert [line.get_linestyle() for line in each] == [":"] * 4
    assert [line.get_color() for line in (*each, mean)] == ["green"] * 5
    assert mean.get_linewidth() == 4
    assert [text.get_text() for text in display.axes_[0, 0].get_legend().get_texts()] == ["mean"]
    display.kind = ["both", "both"]
    with pytest.raises(ValueError, match="as many elements"):
        display.plot()


def test_probabilities_are_not_followed_through_trees():
    model = GradientBoostingClassifier(n_estimators=3, random_state=0).fit(X, Y == 1)
    how = {"features": [2], "grid_resolution": 5, "response_method": "predict_proba"}
    told = partial_dependence(model, X, **how).average
    np.testing.assert_array_equal(told, partial_dependence(model, X, method="brute", **how).average)
    assert ((told > 0) & (told < 1)).all()


def test_mask_of_columns():
    model = GaussianNB().fit(X, Y)
    one = partial_dependence(model, X, np.array([False, True, False, True]), grid_resolution=3)
    two = partial_dependence(model, X, [1, 3], grid_resolution=3)
    np.testing.assert_array_equal(one.average, two.average)


def test_panels_of_categories():
    model = GaussianNB().fit(X.round(), Y)
    display = PartialDependenceDisplay.from_estimator(
        model, X.round(), [3, (2, 3)], categorical_features=[2, 3], target=1
    )
    assert [bar.get_height() for bar in display.bars_[0, 0]] == pytest.approx(
        partial_dependence(model, X.round(), [3], categorical_features=[3]).average[1]
    )
    assert display.heatmaps_[0, 1].get_array().shape == (len(set(X[:, 3].round())), len(set(X[:, 2].round())))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({}, "target must be specified"),
        ({"target": 9}, "not in est.classes_"),
        ({"target": 1, "kind": "both", "features": [(0, 1)]}, "2-way feature"),
        ({"target": 1, "features": [(0, 1, 2)]}, "at most 2"),
        ({"target": 1, "kind": ["both", "both"]}, "as many elements"),
        ({"target": 1, "subsample": 0}, "should be positive"),
        ({"target": 1, "subsample": 1.5}, r"\(0, 1\)"),
        ({"target": 1, "features": [(0, 1)], "categorical_features": [0]}, "continuous and categorical"),
        ({"target": 1, "kind": "both", "categorical_features": [0]}, "individual effects"),
    ],
)
def test_panels_that_are_refused(how, words):
    with pytest.raises(ValueError, match=words):
        PartialDependenceDisplay.from_estimator(GaussianNB().fit(X, Y), X, **{"features": [0]} | how)


def test_importances_are_drawn_in_their_order():
    found = permutation_importance(GaussianNB().fit(X, Y), X, Y, random_state=0)
    ax = found.plot(feature_names=list("abcd"), most=3)
    order = np.argsort(-found.importances_mean, kind="stable")[:3]
    assert [label.get_text() for label in ax.get_yticklabels()] == [list("abcd")[j] for j in order[::-1]]
    assert [bar.get_width() for bar in ax.patches] == found.importances_mean[order[::-1]].tolist()
    with pytest.raises(ValueError, match="2 names for 4"):
        found.plot(feature_names=["a", "b"])
