"""`ConfusionMatrix`: hand-worked numbers, what must be true of any matrix, tables and pictures."""

import builtins
import copy
import pickle
from fractions import Fraction

import matplotlib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.metrics
from matplotlib.figure import Figure

from clinfa import Dataset, config_context
from clinfa.errors import UndefinedMetricWarning
from clinfa.metrics import ConfusionMatrix

# Linfa's own example, whose precision and recall come out exchanged there.
TRUTH, PREDICTION = [1, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1]
THREE = [0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 2, 2]


def random_pair(n=300, k=5, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    return truth, np.where(rng.random(n) < 0.7, truth, rng.integers(0, k, n))


def test_rows_are_truth_and_columns_are_predictions():
    cm = ConfusionMatrix(TRUTH, PREDICTION)
    # One 1 was taken for a 0, no 0 for a 1.
    assert cm.counts.tolist() == [[2, 0], [1, 3]]
    assert cm.labels.tolist() == [0, 1]
    assert cm.counts.dtype == np.int64
    assert (cm.total, cm.n_classes) == (6, 2)
    assert cm.support.tolist() == [2, 4]
    assert cm.true_positives.tolist() == [2, 3]
    assert cm.false_positives.tolist() == [1, 0]
    assert cm.false_negatives.tolist() == [0, 1]
    assert cm.true_negatives.tolist() == [3, 2]


def test_scores_of_two_labels_by_hand():
    cm = ConfusionMatrix(TRUTH, PREDICTION)
    assert cm.accuracy() == 5 / 6
    assert cm.precision() == 1  # 3 of the 3 predicted ones
    assert cm.recall() == 3 / 4
    assert cm.specificity() == 1  # 2 of the 2 zeros
    assert cm.f1_score() == pytest.approx(2 * 0.75 / 1.75, rel=1e-15)
    assert cm.f_score(2) == pytest.approx(5 * 0.75 / (4 + 0.75), rel=1e-15)
    assert cm.jaccard() == 3 / 4
    assert cm.balanced_accuracy() == (1 + 3 / 4) / 2
    assert cm.balanced_accuracy(adjusted=True) == pytest.approx(0.75, rel=1e-15)  # (7/8 - 1/2) / (1/2)
    # (tp tn - fp fn) / sqrt of the product of the margins 3, 3, 4, 2
    assert cm.mcc() == pytest.approx(3 * 2 / np.sqrt(3 * 3 * 4 * 2), rel=1e-14)
    # by chance (2 * 3 + 4 * 3) / 36 = 1/2 would agree; (5/6 - 1/2) / (1/2)
    assert cm.cohen_kappa() == pytest.approx(2 / 3, rel=1e-14)


def test_the_other_label_may_be_the_positive_one():
    cm = ConfusionMatrix(TRUTH, PREDICTION)
    assert (cm.precision(positive=0), cm.recall(positive=0)) == (2 / 3, 1)
    assert cm.specificity(positive=0) == 3 / 4
    turned = ConfusionMatrix(TRUTH, PREDICTION, labels=[1, 0])
    assert turned.counts.tolist() == [[3, 1], [0, 2]]
    assert (turned.precision(), turned.recall()) == (1, 3 / 4)  # 1 is the greater one wherever it stands


@pytest.mark.parametrize("names", [[False, True], ["no", "yes"], [-1, 1], [0.0, 1.0]])
def test_the_positive_label_of_two_is_the_greater_one(names):
    names = np.array(names)
    cm = ConfusionMatrix(names[TRUTH], names[PREDICTION])
    assert (cm.precision(), cm.recall()) == (1, 0.75)
    assert cm.labels.dtype == names.dtype


def test_averages_of_three_labels_by_hand():
    cm = ConfusionMatrix(*THREE)
    assert cm.counts.tolist() == [[1, 1, 0], [0, 2, 0], [0, 0, 2]]
    p, r = [Fraction(1), Fraction(2, 3), Fraction(1)], [Fraction(1, 2), Fraction(1), Fraction(1)]
    f = [2 * a * b / (a + b) for a, b in zip(p, r)]
    assert cm.precision(None).tolist() == [float(v) for v in p]
    assert cm.recall(None).tolist() == [float(v) for v in r]
    assert cm.f1_score(None) == pytest.approx([float(v) for v in f], rel=1e-15)
    # The mean of the F, not the F of means (which is 0.8602).
    assert cm.f1_score() == cm.f1_score("macro") == pytest.approx(float(sum(f) / 3), rel=1e-15)
    assert round(cm.f1_score(), 4) == 0.8222
    assert cm.precision("micro") == cm.recall("micro") == cm.f1_score("micro") == cm.accuracy() == 5 / 6
    assert cm.precision("weighted") == pytest.approx(8 / 9, rel=1e-15)  # three classes of two rows
    # Rows without each label: 4, of which 4, 3 and 4 are recognised.
    assert cm.specificity(None).tolist() == [1, 0.75, 1]
    assert cm.jaccard(None) == pytest.approx([1 / 2, 2 / 3, 1], rel=1e-15)


def test_weights_of_kappa_by_hand():
    # Two raters, three grades, one disagreement by two grades: costs 2 and 4 of what chance would cost.
    cm = ConfusionMatrix([0, 1, 2, 2], [0, 1, 2, 0])
    # margins 1 1 2 and 2 1 1; by chance pairs (i, j) occur margin_i margin_j / 4 times
    apart = {1: (1 * 1 + 1 * 2 + 1 * 1 + 2 * 1) / 4, 2: (1 * 1 + 2 * 2) / 4}
    assert cm.cohen_kappa("linear") == pytest.approx(1 - 2 / (apart[1] + 2 * apart[2]), rel=1e-14)
    assert cm.cohen_kappa("quadratic") == pytest.approx(1 - 4 / (apart[1] + 4 * apart[2]), rel=1e-14)


def test_weights_of_rows():
    cm = ConfusionMatrix(["a", "b", "b"], ["a", "b", "a"], weights=[0.5, 2.0, 0.25])
    assert cm.counts.tolist() == [[0.5, 0], [0.25, 2]]
    assert cm.counts.dtype == np.float64
    assert cm.total == 2.75
    assert cm.accuracy() == 2.5 / 2.75
    # A label whose weight is zero occurs all the same.
    assert ConfusionMatrix([0, 1, 2], [0, 1, 1], weights=[1, 1, 0]).labels.tolist() == [0, 1, 2]


def test_datasets_bring_their_targets_and_weights():
    X = np.zeros((3, 1))
    truth = Dataset(X, ["a", "b", "b"], weights=[0.5, 2.0, 0.25])
    prediction = Dataset(X, ["a", "b", "a"], weights=[9, 9, 9])
    expected = ConfusionMatrix(["a", "b", "b"], ["a", "b", "a"], weights=[0.5, 2.0, 0.25])
    assert ConfusionMatrix(truth, prediction) == expected
    assert ConfusionMatrix(truth, ["a", "b", "a"]) == expected
    assert ConfusionMatrix(truth, prediction, weights=[1, 1, 1]).counts.tolist() == [[1, 0], [1, 1]]
    with pytest.raises(ValueError, match="y_true is a Dataset without targets"):
        ConfusionMatrix(Dataset(X), prediction)


@pytest.mark.parametrize(
    "make",
    [
        list,
        tuple,
        pd.Series,
        pl.Series,
        lambda y: pd.Series(y, dtype="category"),
        lambda y: np.array(y, object),
        lambda y: np.array(y).reshape(-1, 1),
        lambda y: np.array([y, y]).T[:, 0],
    ],
)
def test_what_labels_may_come_in(make):
    y, z = ["b", "a", "b"], ["a", "a", "b"]
    assert ConfusionMatrix(make(y), make(z)) == ConfusionMatrix.from_counts([[1, 0], [1, 1]], ["a", "b"])


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "string", "int64[pyarrow]"])
def test_nullable_series(dtype):
    values = {"boolean": [False, True], "string": ["u", "v"]}.get(dtype, [3, 7])
    truth = pd.Series([values[0], values[1], values[1]], dtype=dtype)
    cm = ConfusionMatrix(truth, truth[::-1])
    assert cm.labels.tolist() == values
    assert cm.counts.tolist() == [[0, 1], [1, 1]]
    truth[0] = None
    with pytest.raises(ValueError, match="y_true"):
        ConfusionMatrix(truth, truth)


def test_some_labels_in_ones_own_order():
    cm = ConfusionMatrix(*THREE, labels=[2, 1])
    assert cm.counts.tolist() == [[2, 0], [0, 2]]
    assert ConfusionMatrix(*THREE, labels=[5, 0]).counts.tolist() == [[0, 0], [0, 1]]
    with pytest.raises(ValueError, match="At least one label specified must be in y_true"):
        ConfusionMatrix(*THREE, labels=[7])
    with pytest.raises(ValueError, match="'labels' should contain at least one label"):
        ConfusionMatrix(*THREE, labels=[])
    with pytest.raises(ValueError, match="labels that differ"):
        ConfusionMatrix(*THREE, labels=[1, 1])


def test_normalize():
    cm = ConfusionMatrix.from_counts([[1, 3], [0, 0]], [0, 1])
    assert cm.normalize().tolist() == cm.normalize("truth").tolist() == [[0.25, 0.75], [0, 0]]
    assert cm.normalize("prediction").tolist() == [[1, 1], [0, 0]]
    assert cm.normalize("all").tolist() == [[0.25, 0.75], [0, 0]]
    with pytest.raises(ValueError, match="'over' parameter"):
        cm.normalize("rows")


def test_one_vs_all():
    cm = ConfusionMatrix(*random_pair())
    truth, prediction = random_pair()
    parts = cm.split_one_vs_all()
    assert len(parts) == cm.n_classes
    for label, part in zip(cm.labels, parts):
        assert part == ConfusionMatrix(truth == label, prediction == label)
    assert [part.f1_score() for part in parts] == cm.f1_score(None).tolist()


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_one_vs_one(k):
    truth, prediction = random_pair(k=k)
    cm = ConfusionMatrix(truth, prediction)
    parts = cm.split_one_vs_one()
    assert len(parts) == k * (k - 1) // 2  # a label is not paired with itself
    for part in parts:
        low, high = part.labels
        assert low < high
        both = np.isin(truth, part.labels) & np.isin(prediction, part.labels)
        assert part == ConfusionMatrix(truth[both], prediction[both], labels=[low, high])


def test_folds_add_up():
    truth, prediction = random_pair()
    folds = [ConfusionMatrix(truth[i::3], prediction[i::3]) for i in range(3)]
    assert sum(folds) == ConfusionMatrix(truth, prediction)
    one, two = ConfusionMatrix(["a", "c"], ["c", "c"]), ConfusionMatrix(["b", "c"], ["b", "a"])
    assert one + two == ConfusionMatrix(["a", "c", "b", "c"], ["c", "c", "b", "a"])
    assert two + one == one + two
    weighed = ConfusionMatrix(["a"], ["a"], weights=[0.5])
    assert (one + weighed).counts.tolist() == [[0.5, 1], [0, 1]]
    # An order of one's own stays where both have it.
    turned = ConfusionMatrix(["a", "c"], ["c", "c"], labels=["c", "a"])
    assert (turned + turned).labels.tolist() == ["c", "a"]
    with pytest.raises(ValueError, match="Mix of label input types"):
        one + ConfusionMatrix([1, 2], [1, 2])
    with pytest.raises(TypeError, match="unsupported operand"):
        one + 1.5


@pytest.mark.parametrize("seed", range(5))
def test_what_is_true_of_any_matrix(seed):
    rng = np.random.default_rng(seed)
    truth, prediction = random_pair(n=200, k=4, seed=seed)
    cm = ConfusionMatrix(truth, prediction)
    assert cm.counts.sum() == 200
    order = rng.permutation(200)
    assert ConfusionMatrix(truth[order], prediction[order]) == cm
    names = np.array(["w", "x", "y", "z"])
    named = ConfusionMatrix(names[truth], names[prediction])
    assert np.array_equal(named.counts, cm.counts)
    assert np.array_equal(ConfusionMatrix(prediction, truth).counts, cm.counts.T)
    assert ConfusionMatrix(truth, prediction, weights=np.full(200, 2)).counts.tolist() == (
        (2 * cm.counts).tolist()
    )
    for average in ("macro", "micro", "weighted", None):
        assert cm.recall(average) == pytest.approx(
            ConfusionMatrix(prediction, truth).precision(average) if average != "weighted" else cm.accuracy(),
            rel=1e-14,
        )
    assert ConfusionMatrix(truth, truth).mcc() == pytest.approx(1, rel=1e-14)
    assert cm.mcc() == pytest.approx(ConfusionMatrix(prediction, truth).mcc(), rel=1e-14)


@pytest.mark.parametrize("weights", [None, "some"])
@pytest.mark.parametrize("labels", [None, [3, 0]])
def test_parity(weights, labels):
    truth, prediction = random_pair()
    w = None if weights is None else np.random.default_rng(1).random(len(truth))
    how = {"labels": labels, "sample_weight": w}
    cm = ConfusionMatrix(truth, prediction, labels=labels, weights=w)
    theirs = sklearn.metrics.confusion_matrix(truth, prediction, **how)
    np.testing.assert_allclose(cm.counts, theirs, rtol=1e-12)
    kappa = sklearn.metrics.cohen_kappa_score(truth, prediction, weights="linear", **how)
    assert cm.cohen_kappa("linear") == pytest.approx(kappa, rel=1e-12)
    if labels is None:
        score = sklearn.metrics.matthews_corrcoef(truth, prediction, sample_weight=w)
        assert cm.mcc() == pytest.approx(score, rel=1e-12)
        report = sklearn.metrics.classification_report(truth, prediction)
        if w is None:
            assert cm.report() == report


@pytest.mark.parametrize(
    "make",
    [
        lambda rng, n: rng.integers(0, 7, n),
        lambda rng, n: rng.integers(0, 300, n).astype(np.int16),
        lambda rng, n: rng.integers(0, 7, n) * 10**13,
        lambda rng, n: np.array(["u", "vvvv", "w"])[rng.integers(0, 3, n)],
    ],
)
def test_the_same_bits_on_any_number_of_threads(make):
    rng = np.random.default_rng(0)
    n = 1_000_000
    truth, prediction, weights = make(rng, n), make(rng, n), rng.random(n)
    bits = set()
    for threads in (1, 2, 3):
        with config_context(n_threads=threads):
            counted = ConfusionMatrix(truth, prediction)
            weighed = ConfusionMatrix(truth, prediction, weights=weights)
        bits.add((counted.counts.tobytes(), weighed.counts.tobytes(), counted.labels.tobytes()))
    assert len(bits) == 1
    assert counted.total == n
    a, b = (np.searchsorted(counted.labels, y) for y in (truth, prediction))
    k = counted.n_classes
    assert np.array_equal(counted.counts.ravel(), np.bincount(a * k + b, minlength=k * k))
    np.testing.assert_allclose(weighed.counts.ravel(), np.bincount(a * k + b, weights, k * k), rtol=1e-11)


def test_scores_that_have_no_value():
    nothing = ConfusionMatrix.from_counts(np.zeros((2, 2), int), [0, 1])
    with pytest.warns(UndefinedMetricWarning, match="accuracy is ill-defined"):
        assert np.isnan(nothing.accuracy())
    with pytest.warns(UndefinedMetricWarning, match="kappa is ill-defined"):
        assert np.isnan(nothing.cohen_kappa())
    assert np.isnan(nothing.balanced_accuracy())
    assert nothing.mcc() == 0
    never = ConfusionMatrix([0, 1], [0, 0])
    with pytest.warns(
        UndefinedMetricWarning, match="Precision is ill-defined.*due to no predicted samples"
    ) as told:
        assert never.precision() == 0
    assert told[0].filename == __file__
    assert never.precision(zero_division=1) == 1
    assert np.isnan(never.precision(zero_division=np.nan))
    assert never.precision("macro", zero_division=np.nan) == 0.5  # the other label's alone
    with pytest.raises(ValueError, match="'zero_division' parameter"):
        never.precision(zero_division=2)


def test_which_average():
    cm = ConfusionMatrix(*THREE)
    assert cm.precision(positive=1) == 2 / 3
    with pytest.raises(ValueError, match="of 3 labels say which one is `positive`"):
        cm.precision("binary")
    with pytest.raises(ValueError, match="positive=9 is not a valid label"):
        cm.precision(positive=9)
    with pytest.raises(ValueError, match="has no meaning for average='macro'"):
        cm.precision("macro", positive=1)
    with pytest.raises(ValueError, match="'average' parameter"):
        cm.precision("samples")
    with pytest.raises(ValueError, match="'beta' parameter"):
        cm.f_score(-1)


def test_from_counts_refuses():
    for counts, labels, words in [
        ([[1, 2]], [0, 1], "shape"),
        ([[1, 2], [3, 4]], [0, 1, 2], "shape"),
        ([["a", "b"], ["c", "d"]], [0, 1], "dtype"),
        ([[1, np.nan], [0, 1]], [0, 1], "NaN"),
        ([[1, 2], [3, 4]], [0, 0], "differ"),
    ]:
        with pytest.raises(ValueError, match=words):
            ConfusionMatrix.from_counts(counts, labels)


def test_one_label_a_row():
    with pytest.raises(ValueError, match="ConfusionMatrix takes one label a row"):
        ConfusionMatrix([[0, 1], [1, 1]], [[0, 1], [1, 0]])


def test_a_matrix_does_not_change():
    counts, labels = np.array([[1, 2], [3, 4]]), np.array([5, 6])
    cm = ConfusionMatrix.from_counts(counts, labels)
    counts[0, 0] = labels[0] = 99
    assert (cm.counts[0, 0], cm.labels[0]) == (1, 5)
    for array in (cm.counts, cm.labels):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_copies_and_comparison():
    cm = ConfusionMatrix(["a", "b"], ["b", "b"], weights=[0.5, 1])
    for again in (pickle.loads(pickle.dumps(cm)), copy.deepcopy(cm)):
        assert again == cm
        assert not again.counts.flags.writeable
    assert cm != ConfusionMatrix(["a", "b"], ["b", "b"])
    assert cm != ConfusionMatrix(["a", "c"], ["c", "c"], weights=[0.5, 1])
    assert cm != "a matrix"
    array = np.asarray(cm)
    assert np.array_equal(array, cm.counts)
    assert np.array(cm, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy is needed"):
        np.asarray(cm, dtype=np.float32, copy=False)


def test_tables():
    cm = ConfusionMatrix(["cat", "ant", "cat"], ["cat", "cat", "cat"])
    assert str(cm).splitlines() == [
        "truth \\ prediction  ant  cat",
        "ant                   0    1",
        "cat                   0    2",
    ]
    assert repr(cm) == str(cm)
    assert cm._repr_html_().count("<tr>") == 3
    wide = ConfusionMatrix(np.arange(40), np.arange(40))
    lines = str(wide).splitlines()
    assert len(lines) == 1 + 17
    assert {len(line) for line in lines} == {len(lines[0])}
    assert lines[9].startswith("...")
    assert lines[-1].startswith("39")
    odd = ConfusionMatrix(["<b>", "a very long name of a class\nindeed"], ["<b>", "<b>"])
    assert "&lt;b&gt;" in odd._repr_html_()
    assert "<b>" not in odd._repr_html_()
    assert "a very long name ..." in str(odd)
    assert len(str(odd).splitlines()) == 3


@pytest.fixture
def pictures():
    with matplotlib.rc_context({"backend": "agg"}):
        yield
        matplotlib.pyplot.close("all")


@pytest.mark.usefixtures("pictures")
def test_plot():
    cm = ConfusionMatrix(["cat", "ant", "cat", "cat"], ["cat", "cat", "cat", "ant"])
    ax = cm.plot()
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["ant", "cat"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("prediction", "truth")
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert written == {(0, 0): "0", (1, 0): "1", (0, 1): "1", (1, 1): "2"}  # (column, row)
    assert ax.images[0].get_array().tolist() == cm.counts.tolist()
    mine = Figure().add_subplot()
    assert cm.plot(mine, normalize="truth") is mine
    assert [text.get_text() for text in mine.texts] == ["0", "1", "0.33", "0.67"]
    many = ConfusionMatrix(np.arange(60), np.arange(60)).plot()
    assert not many.texts
    assert len(many.get_xticks()) <= 25
    ConfusionMatrix.from_counts(np.zeros((2, 2)), [0, 1]).plot().figure.canvas.draw()


def test_plot_without_matplotlib(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install clinfa\[plot\]"):
        ConfusionMatrix([0, 1], [0, 1]).plot()
