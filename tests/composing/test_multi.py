"""MultiClassModel and MultiTargetModel: by hand, with models of both houses, and what is refused."""

import pickle

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.naive_bayes import GaussianNB as TheirNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from clinfa import Dataset, Pr
from clinfa.cluster import KMeans
from clinfa.composing import MultiClassModel, MultiTargetModel
from clinfa.datasets import load_iris
from clinfa.errors import NotFittedError
from clinfa.naive_bayes import GaussianNB
from clinfa.recipes import fit_copy

IRIS = load_iris()


class Says:
    """A model that gives what it was told to."""

    def __init__(self, **answers):
        for name, values in answers.items():
            setattr(self, name, values if name == "classes_" else lambda X, v=values: np.asarray(v)[: len(X)])
        if "predict" not in answers:
            self.predict = lambda X: np.zeros(len(X), bool)


def proba(p):
    return Says(predict_proba=np.c_[1 - np.array(p), p], classes_=np.array([False, True]))


ROWS = np.zeros((3, 2))


def test_by_hand():
    model = MultiClassModel([(proba([0.2, 0.5, 0.0]), "z"), (proba([0.6, 0.5, 0.0]), "a")])
    assert model.classes_.tolist() == ["z", "a"]
    assert model.predict(ROWS).tolist() == ["a", "z", "z"]  # the first wins ties
    np.testing.assert_allclose(
        model.predict_proba(ROWS), [[0.25, 0.75], [0.5, 0.5], [0.5, 0.5]], rtol=1e-15
    )  # where nobody says anything all are alike
    assert model.decision_function(ROWS).tolist() == [[0.2, 0.6], [0.5, 0.5], [0.0, 0.0]]
    assert repr(model) == "MultiClassModel(2 of Says: z, a)"


def test_scores_and_values():
    for name in ("decision_function", "predict"):
        pair = Says(**{name: [-1.5, 2.0, 0.0]}), Says(**{name: np.array([[-1.0], [1.0], [7.0]])})
        model = MultiClassModel(zip(pair, [1, 2], strict=True))
        assert model.predict(ROWS).tolist() == [2, 1, 2]
        assert not hasattr(model, "predict_proba")
        with pytest.raises(AttributeError, match=f"the models have {name} only"):
            model.predict_proba(ROWS)


def test_class_that_was_never_or_always_there():
    never = Says(predict_proba=np.ones((3, 1)), classes_=np.array([False]))
    always = Says(predict_proba=np.ones((3, 1)), classes_=np.array([True]))
    model = MultiClassModel([(never, 0), (always, 1), (proba([0.5] * 3), 2)])
    assert model.decision_function(ROWS).tolist() == [[0, 1, 0.5]] * 3
    assert model.predict(ROWS).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "recipe",
    [
        GaussianNB.params(),
        GaussianNB(),
        TheirNB(),
        LogisticRegression(),
        LinearSVC(),
        Perceptron(),
        LinearRegression(),
        KNeighborsClassifier(3),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda r: r.replace and repr(r) if hasattr(r, "replace") else type(r).__name__,
)
def test_one_vs_all(recipe):
    model = MultiClassModel((fit_copy(recipe, part), label) for part, label in IRIS.one_vs_all())
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.n_features_in_ == 4
    X = np.asarray(IRIS.records)
    scores = model.decision_function(X)
    np.testing.assert_array_equal(model.predict(X), scores.argmax(axis=1))
    assert (model.predict(X) == IRIS.targets).mean() > 0.7
    first = model.models[0]
    if hasattr(first, "predict_proba"):
        np.testing.assert_array_equal(scores[:, 0], first.predict_proba(X)[:, 1])
        P = model.predict_proba(X)
        np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-14)
        np.testing.assert_allclose(P[:, 1] * scores.sum(axis=1), scores[:, 1], rtol=1e-13)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.decision_function(X), scores)


@pytest.mark.parametrize("recipe", [GaussianNB(), TheirNB()])
def test_a_dataset_goes_in_and_comes_out(recipe):
    data = Dataset(IRIS.records, np.asarray(IRIS.targets), np.arange(1.0, 151), target_names=["kind"])
    model = MultiClassModel((fit_copy(recipe, part), label) for part, label in data.one_vs_all())
    out = model.predict(data)
    assert out.targets.tolist() == model.predict(data.records).tolist()
    assert out.target_names == ["kind"]
    assert out.weights.tolist() == data.weights.tolist()
    P = model.predict_proba(data)
    assert isinstance(P.targets, Pr)
    assert P.target_names == ["0", "1", "2"]
    np.testing.assert_array_equal(P.targets, model.predict_proba(data.records))
    assert model.decision_function(data).targets.shape == (150, 3)


FITTED = GaussianNB().fit(ROWS, [True, False, True])


@pytest.mark.parametrize(
    ("pairs", "error", "text"),
    [
        ([], ValueError, "pairs is empty"),
        ([FITTED], TypeError, r"pairs must yield \(model, label\)"),
        ([(FITTED, 1, 2)], TypeError, r"pairs must yield \(model, label\)"),
        ([(1, FITTED)], TypeError, "must be a fitted model with a predict method"),
        ([(FITTED, "a"), (FITTED, "b"), (FITTED, "a")], ValueError, "'a' comes twice"),
        ([(FITTED, "a"), (FITTED, 1)], ValueError, "label"),
        ([(FITTED, 0.5)], ValueError, "Unknown label type"),
        ([(GaussianNB(), 1)], NotFittedError, r"The model of label 1 is not fitted yet: GaussianNB\(\)"),
        ([(LogisticRegression(), "x")], NotFittedError, "The model of label 'x' is not fitted yet"),
        ([(GaussianNB.params(), 1)], TypeError, "must be a fitted model"),
        ([(GaussianNB, 1)], TypeError, "must be a fitted model"),
        (
            [(FITTED, 1), (GaussianNB().fit(ROWS[:, :1], [1, 0, 1]), 2)],
            ValueError,
            r"the same columns; theirs are \[1, 2\]",
        ),
        ([(FITTED, 1), (Says(predict=[1.0] * 3), 2)], ValueError, "some are of predict, others of predict_p"),
        ([(GaussianNB().fit(ROWS, list("aba")), 1)], ValueError, r"label 1 must know.*\['a', 'b'\]"),
        ([(GaussianNB().fit(ROWS, [1, 2, 3]), 1)], ValueError, r"must know.*\[1, 2, 3\]"),
    ],
)
def test_what_is_refused(pairs, error, text):
    with pytest.raises(error, match=text):
        MultiClassModel(pairs)


def test_labels_are_no_scores():
    model = MultiClassModel([(KMeans(1).fit(ROWS), 5)])
    with pytest.raises(ValueError, match=r"The model of label 5 predicts labels \(dtype int32\)"):
        model.predict(ROWS)
    model = MultiClassModel([(Says(decision_function=np.zeros((3, 3))), 5)])
    with pytest.raises(ValueError, match=r"tell two classes apart, but its decision_function has shape"):
        model.predict(ROWS)


class TestMultiTarget:
    X = np.array([[0.0], [1.0], [10.0], [11.0]])

    def models(self):
        return [
            GaussianNB().fit(self.X, ["low", "low", "high", "high"]),
            TheirNB().fit(self.X, [1, 1, 2, 2]),
            LinearRegression().fit(self.X, 2 * self.X[:, 0]),
        ]

    def test_mixed_kinds(self):
        words, ints, floats = self.models()
        out = MultiTargetModel([words, ints, floats]).predict([[0.5], [10.5]])
        assert out.dtype == object
        assert out[:, :2].tolist() == [["low", 1], ["high", 2]]
        np.testing.assert_allclose(out[:, 2].astype(float), [1.0, 21.0], rtol=1e-12)
        numbers = MultiTargetModel(iter([ints, floats])).predict([[0.5]])
        assert numbers.dtype == np.float64
        np.testing.assert_allclose(numbers, [[1.0, 1.0]], rtol=1e-12)
        assert MultiTargetModel([ints, ints]).predict(self.X).dtype == ints.classes_.dtype

    def test_datasets_and_names(self):
        model = MultiTargetModel(self.models(), ["level", "kind", "length"])
        out = model.predict(Dataset(self.X, weights=[1.0, 2.0, 3.0, 4.0]))
        assert out.target_names == ["level", "kind", "length"]
        assert out.weights.tolist() == [1, 2, 3, 4]
        assert np.array_equal(out.targets, model.predict(self.X))
        assert (
            repr(model) == "MultiTargetModel(level: GaussianNB, kind: GaussianNB, length: LinearRegression)"
        )
        assert repr(MultiTargetModel(self.models()[:1])) == "MultiTargetModel(0: GaussianNB)"
        data = Dataset(self.X, np.zeros((4, 2)), target_names=["p", "q"])
        assert MultiTargetModel(self.models()[1:]).predict(data).target_names == ["p", "q"]
        assert MultiTargetModel(self.models()).predict(data).target_names is None

    def test_pickles(self):
        model = MultiTargetModel(self.models(), list("abc"))
        again = pickle.loads(pickle.dumps(model))
        assert np.array_equal(again.predict(self.X), model.predict(self.X))
        assert again.target_names == ["a", "b", "c"]

    def test_refused(self):
        with pytest.raises(ValueError, match="models is empty"):
            MultiTargetModel([])
        with pytest.raises(NotFittedError, match="Model 1 is not fitted yet"):
            MultiTargetModel([self.models()[0], GaussianNB()])
        with pytest.raises(TypeError, match="Model 0 must be a fitted model"):
            MultiTargetModel(["model"])
        with pytest.raises(ValueError, match="2 names for 3 models"):
            MultiTargetModel(self.models(), ["a", "b"])
        with pytest.raises(ValueError, match=r"theirs are \[1, 2\]"):
            MultiTargetModel([self.models()[0], FITTED])
        wide = DummyRegressor().fit(self.X, np.zeros((4, 2)))
        with pytest.raises(ValueError, match=r"Model 0 must predict one target.*\(4, 2\)"):
            MultiTargetModel([wide]).predict(self.X)
