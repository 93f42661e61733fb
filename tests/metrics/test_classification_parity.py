"""The functions under scikit-learn's names give scikit-learn's numbers, warnings and errors."""

import warnings

import numpy as np
import pytest
import sklearn.metrics
from scipy.sparse import csc_matrix, csr_array

import clinfa.metrics
from clinfa.errors import UndefinedMetricWarning

RNG = np.random.default_rng(3)


def draw(n, classes, names=None, right=0.6):
    truth = RNG.integers(0, classes, n)
    prediction = np.where(RNG.random(n) < right, truth, RNG.integers(0, classes, n))
    return (truth, prediction) if names is None else (np.array(names)[truth], np.array(names)[prediction])


WORDS = ["one", "two", "three", "four"]
MULTICLASS = {
    "four": draw(60, 4),
    "many": draw(500, 60),
    "far apart": draw(60, 4, [-(10**15), 3, 10**12, 10**12 + 1]),
    "absent in truth": (np.array([0, 0, 1, 1, 3]), np.array([0, 1, 2, 1, 3])),
    "absent in prediction": (np.array([0, 2, 1, 1, 3]), np.array([0, 0, 0, 0, 3])),
    "nothing right": (np.array([0, 1, 2]), np.array([1, 2, 0])),
    "words": draw(60, 4, WORDS),
    "objects": tuple(y.astype(object) for y in draw(60, 4, WORDS)),
    "whole floats": draw(60, 3, [-1.0, 0.0, 2.0]),
    "column": tuple(y.reshape(-1, 1) for y in draw(60, 3)),
    "lists": tuple(y.tolist() for y in draw(60, 3)),
    "small ints": tuple(y.astype(np.int8) for y in draw(60, 3, [-128, 0, 127])),
    "two types": (draw(60, 3)[0].astype(np.uint16), draw(60, 3)[1].astype(np.int64)),
    "int and float": (draw(60, 3)[0], draw(60, 3)[1].astype(np.float32)),
    "byte-swapped": tuple(y.astype(">i4") for y in draw(60, 3)),
    "every other": tuple(y[::2] for y in draw(60, 3)),
}
BINARY = {
    "two": draw(40, 2),
    "bools": draw(40, 2, [False, True]),
    "bool and int": (draw(40, 2)[0].astype(bool), draw(40, 2)[1]),
    "minus one": draw(40, 2, [-1, 1]),
    "all right": (np.array([0, 1, 1, 0]),) * 2,
    "all wrong": (np.array([0, 1, 1, 0]), np.array([1, 0, 0, 1])),
    "no positive": (np.array([0, 0, 0]), np.array([0, 0, 0])),
    "one positive": (np.array([1, 1]), np.array([1, 1])),
    "none predicted": (np.array([0, 1, 1]), np.array([0, 0, 0])),
    "none true": (np.array([0, 0, 0]), np.array([0, 1, 0])),
}
SINGLE = MULTICLASS | BINARY
# Cases that differ from others in what holds the labels, which is read before anything is counted: what is
# counted, and how, is tried in all combinations on the others.
CONTAINERS = {
    *("far apart", "words", "objects", "whole floats", "column", "lists", "small ints", "two types"),
    *("int and float", "byte-swapped", "every other", "bools", "bool and int", "minus one"),
    *("CSR", "mixed", "floats"),
}
DENSE = (RNG.random((25, 4)) < 0.4).astype(int), (RNG.random((25, 4)) < 0.4).astype(int)
EMPTY_ROWS = np.array([[0, 0], [1, 0], [0, 0]]), np.array([[0, 0], [0, 0], [0, 1]])
SEVERAL = {
    "dense": DENSE,
    "bools": tuple(y.astype(bool) for y in DENSE),
    "CSR": tuple(map(csr_array, DENSE)),
    "mixed": (DENSE[0], csc_matrix(DENSE[1])),
    "empty rows": EMPTY_ROWS,
    "floats": tuple(y.astype(float) for y in EMPTY_ROWS),
}
WEIGHTS = ["none", "fractions", "zeros", "signed", "ints"]
UNDEFINED = ["warn", 0, 1.0, np.nan]
# What is undefined, by what; with weights, those of zero decide.
COUNTED = [("warn", weights) for weights in WEIGHTS]
COUNTED += [(instead, weights) for instead in UNDEFINED[1:] for weights in ("none", "zeros")]
SET_WISE = ["precision_score", "recall_score", "f1_score", "jaccard_score"]


def weights_of(kind, n):
    rng = np.random.default_rng(n)
    if kind == "none":
        return None
    if kind == "ints":
        return rng.integers(0, 5, n) + (np.arange(n) == 0)
    w = rng.integers(1, 99, n) / 64  # (sums are exact, so that even texts are the same)
    if kind == "zeros":
        w[rng.random(n) < 0.5] = 0
        w[0] = 1
    return w - 0.25 if kind == "signed" else w


def outcome(module, name, *args, **how):
    """What a function returns (or raises) and what it warns of."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            result = getattr(module, name)(*args, **how)
        except (ValueError, TypeError, ZeroDivisionError) as error:
            return type(error).__mro__[-3:], str(error), set()
    return (
        None,
        result,
        {(w.category.__name__, str(w.message)) for w in told if w.category is not RuntimeWarning},
    )


def same(name, *args, **how):
    raised, ours, our_words = outcome(clinfa.metrics, name, *args, **how)
    they_raised, theirs, their_words = outcome(sklearn.metrics, name, *args, **how)
    assert (raised is None) == (they_raised is None), (ours, theirs)
    if raised is not None:
        return
    if name != "confusion_matrix":  # (others of theirs call it, and it says what is no matter to them)
        their_words = {w for w in their_words if "A single label was found" not in w[1]}
    assert {w[0] for w in our_words} == {w[0] for w in their_words}
    if isinstance(theirs, str | dict):
        assert_same_report(ours, theirs)
        return
    for one, other in zip(*((r if isinstance(r, tuple) else (r,)) for r in (ours, theirs)), strict=True):
        assert type(one) is type(other) or (np.isscalar(one) and np.isscalar(other))
        if other is not None:
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)
            if name == "confusion_matrix":
                assert one.dtype == other.dtype


def assert_same_report(ours, theirs):
    if isinstance(theirs, str):
        assert ours == theirs
        return
    assert list(ours) == list(theirs)
    for name, scores in theirs.items():
        np.testing.assert_allclose(
            *([*s.values()] if isinstance(s, dict) else s for s in (ours[name], scores)), rtol=1e-12
        )


@pytest.mark.parametrize("case", SINGLE)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_scores_of_single_labels(case, weights):
    truth, prediction = SINGLE[case]
    w = weights_of(weights, len(truth))
    for name in ("accuracy_score", "zero_one_loss"):
        for normalize in (True, False):
            same(name, truth, prediction, sample_weight=w, normalize=normalize)
    for name in ("hamming_loss", "matthews_corrcoef", "multilabel_confusion_matrix"):
        same(name, truth, prediction, sample_weight=w)
    for normalize in (None, "true", "pred", "all"):
        same("confusion_matrix", truth, prediction, sample_weight=w, normalize=normalize)
    for adjusted in (True, False):
        same("balanced_accuracy_score", truth, prediction, sample_weight=w, adjusted=adjusted)
    for cost in (None, "linear", "quadratic"):
        same("cohen_kappa_score", truth, prediction, sample_weight=w, weights=cost)


@pytest.mark.parametrize(
    ("case", "zero_division", "weights"),
    [(case, *how) for case in SINGLE for how in (COUNTED[:2] if case in CONTAINERS else COUNTED)],
)
def test_scores_by_class(case, zero_division, weights):
    truth, prediction = SINGLE[case]
    w = weights_of(weights, len(truth))
    for average in ("macro", "micro", "weighted", None, "samples") + ("binary",) * (case in BINARY):
        how = {"average": average, "sample_weight": w, "zero_division": zero_division}
        for name in SET_WISE:
            if name != "jaccard_score" or zero_division == zero_division:
                same(name, truth, prediction, **how)
        for beta in (0, 0.5, 2, np.inf):
            same("fbeta_score", truth, prediction, beta=beta, **how)
        same("precision_recall_fscore_support", truth, prediction, **how)


@pytest.mark.parametrize(
    ("case", "weights"),
    [(case, weights) for case in ("four", "many", "absent in truth") for weights in WEIGHTS]
    + [(case, weights) for case in ("words", "objects", "whole floats") for weights in WEIGHTS[:2]],
)
def test_some_labels_in_some_order(case, weights):
    truth, prediction = MULTICLASS[case]
    w = weights_of(weights, len(truth))
    known = np.unique([truth, prediction]) if truth.dtype != object else np.unique(truth)
    stranger = np.array(["zzz"] if truth.dtype.kind in "UO" else [77], known.dtype)
    choices = [known, known[::-1], known[:2], known[[2, 0]], np.concatenate([known[1:], stranger]), stranger]
    for labels in choices:
        for average in ("macro", "micro", "weighted", None, "binary"):
            how = {"labels": labels, "average": average, "sample_weight": w, "zero_division": 0}
            same("precision_recall_fscore_support", truth, prediction, **how)
            same("jaccard_score", truth, prediction, **how)
        same("multilabel_confusion_matrix", truth, prediction, labels=labels, sample_weight=w)
        same("confusion_matrix", truth, prediction, labels=labels, sample_weight=w)
        same("cohen_kappa_score", truth, prediction, labels=labels, sample_weight=w)
        for output in (True, False):
            how = {"labels": labels, "sample_weight": w, "output_dict": output, "zero_division": 0}
            same("classification_report", truth, prediction, **how)


@pytest.mark.parametrize("case", BINARY)
@pytest.mark.parametrize("pos_label", [0, 1, True, False, -1, "yes", 7])
def test_positive_label(case, pos_label):
    for name in SET_WISE:
        same(name, *BINARY[case], pos_label=pos_label)
    same("f1_score", *BINARY[case], pos_label=pos_label, average="macro", zero_division=0)


@pytest.mark.parametrize("case", BINARY)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_likelihood_ratios(case, weights):
    truth, prediction = BINARY[case]
    w = weights_of(weights, len(truth))
    for instead in (np.nan, 1.0, {"LR+": 3.0, "LR-": 0.5}, {"LR+": 0.5, "LR-": 0.5}, {"LR+": 3.0}):
        same("class_likelihood_ratios", truth, prediction, sample_weight=w, replace_undefined_by=instead)
    same("class_likelihood_ratios", truth, prediction, sample_weight=w, labels=[1, 0])


@pytest.mark.parametrize(
    ("case", "weights"),
    [(case, weights) for case in SEVERAL for weights in (WEIGHTS[:2] if case in CONTAINERS else WEIGHTS)],
)
def test_several_labels_a_row(case, weights):
    truth, prediction = SEVERAL[case]
    w = weights_of(weights, truth.shape[0])
    for normalize in (True, False):
        same("accuracy_score", truth, prediction, sample_weight=w, normalize=normalize)
        same("zero_one_loss", truth, prediction, sample_weight=w, normalize=normalize)
    if case != "bools":  # (where scikit-learn subtracts bools)
        same("hamming_loss", truth, prediction, sample_weight=w)
    for labels in (None, [1, 0], [1], [5], [-1]):
        for samplewise in (True, False):
            how = {"labels": labels, "samplewise": samplewise, "sample_weight": w}
            same("multilabel_confusion_matrix", truth, prediction, **how)
        for average in ("macro", "micro", "weighted", "samples", None, "binary"):
            for zero_division in UNDEFINED[:1] if case in CONTAINERS else UNDEFINED:
                how = {"average": average, "zero_division": zero_division, "labels": labels}
                same("precision_recall_fscore_support", truth, prediction, sample_weight=w, **how)
                if zero_division == zero_division:
                    same("jaccard_score", truth, prediction, sample_weight=w, **how)
    for output in (True, False)[: 1 if weights == "signed" else 2]:  # (a text shows the sign of a zero)
        how = {"sample_weight": w, "output_dict": output, "zero_division": 0}
        same("classification_report", truth, prediction, **how)


@pytest.mark.parametrize("case", ["four", "words", "two", "bools", "none predicted"])
def test_reports(case):
    truth, prediction = SINGLE[case]
    names = [f"a class named {i}" for i in range(len(np.unique([truth, prediction])))]
    for output in (True, False):
        for digits in (0, 4):
            for target_names in (None, names, names[:1]):
                how = {"output_dict": output, "digits": digits, "target_names": target_names}
                same("classification_report", truth, prediction, **how)


REFUSED = {
    "lengths": ([0, 1, 1], [0, 1]),
    "empty": ([], []),
    "continuous": ([0.5, 1.0], [0, 1]),
    "both continuous": ([0.5, 1.0], [0.2, 1]),
    "NaN": ([np.nan, 1.0], [0, 1]),
    "infinite": ([0, 1], [np.inf, 1.0]),
    "text and number": (["a", "b"], [0, 1]),
    "several and one": (DENSE[0], np.arange(25)),
    "several outputs": ([[0, 2], [1, 3]], [[0, 2], [1, 3]]),
    "widths": (DENSE[0], DENSE[1][:, :3]),
    "sparse column": (csr_array([[0], [1]]), csr_array([[0], [1]])),
    "None": (None, [0, 1]),
    "text": ("abc", "abc"),
    "bytes": (np.array([b"a", b"b"]), np.array([b"a", b"b"])),
    "objects": (np.array([0, 1], object), np.array([0, 1], object)),
    "complex": (np.array([0j, 1]), np.array([0, 1])),
    "three dimensions": (np.zeros((2, 2, 2)), np.zeros((2, 2, 2))),
}
# What is said where, in words that users would search for.
SAID = {
    "lengths": "Found input variables with inconsistent numbers of samples: [3, 2]",
    "empty": "Found empty input array (e.g., `y_true` or `y_pred`)",
    "continuous": "Classification metrics can't handle a mix of continuous and binary targets",
    "both continuous": "continuous is not supported",
    "NaN": "Input y_true contains NaN",
    "infinite": "Input y_pred contains infinity",
    "text and number": "Mix of label input types (string and number)",
    "several and one": "Classification metrics can't handle a mix of multilabel-indicator and multiclass",
    "several outputs": "multiclass-multioutput is not supported",
    "widths": "Multi-label binary indicator input with different numbers of labels",
    "sparse column": "Sparse input is only supported when targets are of multilabel type",
    "bytes": "Support for labels represented as bytes is not supported.",
    "objects": "unknown is not supported",
    "complex": "Complex data not supported",
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("name", ["accuracy_score", "f1_score", "classification_report"])
def test_what_is_refused(case, name):
    raised, ours, _ = outcome(clinfa.metrics, name, *REFUSED[case])
    they_raised, theirs, _ = outcome(sklearn.metrics, name, *REFUSED[case])
    assert raised is not None
    assert they_raised is not None
    words = SAID.get(case, "")
    assert words in ours
    assert words in theirs


def test_warnings_are_scikit_learns_too():
    with pytest.warns(sklearn.exceptions.UndefinedMetricWarning) as told:
        clinfa.metrics.precision_score([1, 1], [0, 0])
    with pytest.warns(sklearn.exceptions.UndefinedMetricWarning) as theirs:
        sklearn.metrics.precision_score([1, 1], [0, 0])
    assert str(told[0].message) == str(theirs[0].message)
    assert issubclass(told[0].category, UndefinedMetricWarning)
    assert told[0].filename == __file__
