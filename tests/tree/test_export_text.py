"""`export_text`: by hand, as scikit-learn's, and true of what the model predicts."""

import re

import numpy as np
import pytest
import sklearn.tree
from numpy.testing import assert_allclose

from clinfa.datasets import load_diabetes, load_iris
from clinfa.errors import InvalidParameterError, NotFittedError
from clinfa.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, export_text

NAN = float("nan")


def stump(**params):
    """Records 0 | 2, 4: labels a | b, b."""
    return DecisionTreeClassifier(**params).fit([[0.0], [2.0], [4.0]], ["a", "b", "b"])


def iris():
    return load_iris(return_X_y=True)


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return X.astype(np.float32).astype(float), y  # scikit-learn reads them as float32


# By hand


def test_classes():
    assert export_text(stump()) == (
        "|--- feature_0 <= 1.00\n|   |--- class: a\n|--- feature_0 >  1.00\n|   |--- class: b\n"
    )


def test_names_spacing_decimals_and_weights():
    text = export_text(
        stump(), feature_names=["size"], class_names=["A", "B"], spacing=1, decimals=0, show_weights=True
    )
    assert text == (
        "|- size <= 1\n| |- weights: [1, 0] class: A\n|- size >  1\n| |- weights: [0, 2] class: B\n"
    )


def test_weights_of_records_are_in_the_weights():
    model = DecisionTreeClassifier().fit([[0], [2], [4]], [0, 1, 1], sample_weight=[0.5, 2, 4])
    assert "weights: [0.50, 0.00] class: 0" in export_text(model, show_weights=True)
    assert "weights: [0.00, 6.00] class: 1" in export_text(model, show_weights=True)


def test_numbers():
    model = DecisionTreeRegressor(max_depth=1).fit([[0], [1], [10]], [1.0, 2.0, 9.0])
    assert export_text(model, decimals=1) == (
        "|--- feature_0 <= 5.5\n|   |--- value: [1.5]\n|--- feature_0 >  5.5\n|   |--- value: [9.0]\n"
    )


def test_several_targets():
    X = [[0], [1]]
    numbers = DecisionTreeRegressor().fit(X, [[1.0, 2.0], [3.0, 4.0]])
    assert re.findall("--- value: (.*)", export_text(numbers)) == ["[1.00, 2.00]", "[3.00, 4.00]"]
    labels = DecisionTreeClassifier().fit(X, [["a", "x"], ["b", "x"]])
    assert re.findall("--- class: (.*)", export_text(labels)) == ["[a, x]", "[b, x]"]
    weights = re.findall("--- weights: (.*) class", export_text(labels, show_weights=True, decimals=0))
    assert weights == ["[[1, 0], [1]]", "[[0, 1], [1]]"]


def test_one_leaf_and_one_class():
    assert export_text(DecisionTreeRegressor().fit([[1]], [5])) == "|--- value: [5.00]\n"
    assert export_text(DecisionTreeClassifier().fit([[1], [2]], ["only", "only"])) == "|--- class: only\n"


def test_branches_that_are_cut_off_tell_how_deep_they_go():
    """Splits at 0.5, 1.5 and 2.5, each the root of what is left; the values let no other order be."""
    model = DecisionTreeRegressor().fit([[0], [1], [2], [3]], [1000.0, 100.0, 10.0, 0.0])
    assert model.get_depth() == 3
    assert export_text(model, max_depth=0) == (
        "|--- feature_0 <= 0.50\n|   |--- value: [1000.00]\n"
        "|--- feature_0 >  0.50\n|   |--- truncated branch of depth 3\n"
    )
    assert "|   |   |--- truncated branch of depth 2\n" in export_text(model, max_depth=1)
    assert "truncated" not in export_text(model, max_depth=2)
    assert export_text(model, max_depth=2) == export_text(model, max_depth=None)


# What is missing


def test_missing_values_that_go_with_either_side():
    """What is missing is of class 0 as the low values are, or of class 1 as the high ones."""
    X = [[1.0], [2.0], [NAN]]
    low = export_text(DecisionTreeClassifier().fit(X, [0, 1, 0]))
    assert re.findall("--- (feature.*)", low) == ["feature_0 <= 1.50 or NaN", "feature_0 >  1.50"]
    high = export_text(DecisionTreeClassifier().fit(X, [0, 1, 1]))
    assert re.findall("--- (feature.*)", high) == ["feature_0 <= 1.50", "feature_0 >  1.50 or NaN"]


def test_missing_against_known_values():
    text = export_text(DecisionTreeClassifier().fit([[1.0], [2.0], [NAN]], ["known", "known", "lost"]))
    assert text == (
        "|--- feature_0 is not NaN\n|   |--- class: known\n|--- feature_0 is NaN\n|   |--- class: lost\n"
    )


def test_nothing_is_said_of_columns_that_lack_nothing():
    X = np.array([[1.0, NAN], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0]])
    text = export_text(DecisionTreeClassifier().fit(X, [0, 0, 1, 1]))
    assert "feature_0 <= 2.50\n" in text
    assert "NaN" not in text


def test_a_pruned_tree_still_knows_what_was_missing():
    model = DecisionTreeClassifier(ccp_alpha=0.01).fit([[1.0], [2.0], [NAN]], [0, 1, 0])
    assert "feature_0 <= 1.50 or NaN" in export_text(model)


# Rules are what the model does


def follow(text, row):
    """What the text says of a record: its rules are read and obeyed."""
    lines = [(line.count("|"), line.split("--- ")[1]) for line in text.splitlines()]
    depth = 1
    for level, words in lines:
        if level != depth:
            continue
        if not words.startswith("feature_"):
            return words
        column, is_or_sign, *rest = words.split()
        value = row[int(column.removeprefix("feature_"))]
        if is_or_sign == "is":
            holds = np.isnan(value) == (rest == ["NaN"])
        elif np.isnan(value):
            holds = rest[1:] == ["or", "NaN"]
        else:
            holds = value <= float(rest[0]) if is_or_sign == "<=" else value > float(rest[0])
        depth += bool(holds)
    raise AssertionError("no leaf")


@pytest.mark.parametrize("kind", [DecisionTreeClassifier, ExtraTreeClassifier])
def test_classes_and_weights_are_those_that_the_model_predicts(kind):
    rng = np.random.default_rng(0)
    X, y = iris()
    X[rng.random(X.shape) < 0.2] = NAN
    model = kind(min_samples_leaf=3, random_state=0).fit(X, y)
    text = export_text(model, max_depth=None, decimals=17, show_weights=True)
    shares, labels = model.predict_proba(X), model.predict(X)
    for row, own, label in zip(X, shares, labels, strict=True):
        weights, known = re.fullmatch(r"weights: \[(.*)\] class: (\d)", follow(text, row)).groups()
        weights = np.array(weights.split(", "), float)
        assert_allclose(weights / weights.sum(), own, rtol=1e-12)
        assert int(known) == label


def test_numbers_are_those_that_the_model_predicts():
    X, y = diabetes()
    model = DecisionTreeRegressor(min_samples_leaf=20).fit(X, y)
    text = export_text(model, max_depth=None, decimals=17)
    told = [float(follow(text, row).removeprefix("value: [").rstrip("]")) for row in X]
    assert_allclose(told, model.predict(X), rtol=1e-12)


# As scikit-learn's


@pytest.mark.parametrize("column", range(4))
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"max_depth": 2, "show_weights": True},
        {"max_depth": 0, "spacing": 1},
        {"decimals": 5, "class_names": ["se", "ve", "vi"], "feature_names": ["length"]},
    ],
    ids=["plain", "weights", "cut", "names"],
)
def test_iris_as_in_scikit_learn(column, how):
    """Column by column: of all four, several split equally well, and scikit-learn draws one of them."""
    X, y = iris()
    X = X[:, [column]].astype(np.float32).astype(float)
    ours, theirs = DecisionTreeClassifier(), sklearn.tree.DecisionTreeClassifier()
    assert export_text(ours.fit(X, y), **how) == sklearn.tree.export_text(theirs.fit(X, y), **how)


@pytest.mark.parametrize("max_depth", [0, 2])
def test_diabetes_as_in_scikit_learn(max_depth):
    X, y = diabetes()
    ours, theirs = DecisionTreeRegressor(max_depth=3), sklearn.tree.DecisionTreeRegressor(max_depth=3)
    names = load_diabetes().feature_names
    assert export_text(ours.fit(X, y), feature_names=names, max_depth=max_depth) == sklearn.tree.export_text(
        theirs.fit(X, y), feature_names=names, max_depth=max_depth
    )


# What is refused


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("max_depth", -1, "an int >= 0 or None"),
        ("max_depth", 1.5, "an int >= 0 or None"),
        ("spacing", 0, "an int >= 1"),
        ("decimals", None, "an int >= 0"),
        ("show_weights", 1, "a bool"),
    ],
)
def test_arguments_that_are_not_allowed(argument, value, words):
    with pytest.raises(InvalidParameterError, match=f"'{argument}' parameter of export_text must be {words}"):
        export_text(stump(), **{argument: value})


def test_names_that_do_not_fit():
    with pytest.raises(ValueError, match="feature_names must contain 1 elements, got 2"):
        export_text(stump(), feature_names=["a", "b"])
    with pytest.raises(ValueError, match=r"`class_names` is an array.* Got 1 while .* 2 classes"):
        export_text(stump(), class_names=["a"])
    with pytest.raises(TypeError, match="feature_names must be an array-like of names"):
        export_text(stump(), feature_names="a")
    with pytest.raises(TypeError, match=r"class_names must be an array-like of names or None. Got 3"):
        export_text(stump(), class_names=3)
    with pytest.raises(ValueError, match="feature_names must have one dimension"):
        export_text(stump(), feature_names=np.array([["a"]]))
    several = DecisionTreeClassifier().fit([[0], [1]], [[0, 1], [1, 0]])
    with pytest.raises(ValueError, match=r"class_names is for trees with one target\. This one has 2"):
        export_text(several, class_names=["a", "b"])


def test_what_is_no_fitted_tree():
    with pytest.raises(NotFittedError, match="DecisionTreeRegressor instance is not fitted"):
        export_text(DecisionTreeRegressor())
    for other in (stump().tree_, sklearn.tree.DecisionTreeClassifier(), None):
        with pytest.raises(TypeError, match=r"'decision_tree' parameter of export_text .* not an estimator"):
            export_text(other)
