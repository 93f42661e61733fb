"""The deck's code samples, in Python, line for line; each with what it must come to."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, matthews_corrcoef, precision_score, roc_auc_score
from sklearn.naive_bayes import GaussianNB as Theirs

from clinfa import Dataset, Pr
from clinfa.composing import MultiClassModel
from clinfa.datasets import load_breast_cancer, load_iris
from clinfa.naive_bayes import GaussianNB


def test_dataset_of_three_kinds_of_targets():
    """`Pr`, `Float` and `Label` are told apart."""
    records = np.zeros((2, 1))
    assert Dataset(records, Pr([0.5, 1.0])).target_kind == "probability"
    for dtype in (np.float32, np.float64):
        assert Dataset(records, np.array([0.5, 1.0], dtype)).target_kind == "float"
    for labels in ([1, 2], ["a", "b"], [True, False]):
        assert Dataset(records, labels).target_kind == "label"


def test_confusion_matrix(capsys):
    train, ground_truth = load_breast_cancer().split_with_ratio(0.6)
    pred = GaussianNB.params().fit(train).predict(ground_truth)

    cm = pred.confusion_matrix(ground_truth)
    print(f"accuracy {cm.accuracy():.2f}, precision {cm.precision():.2f}, MCC {cm.mcc():.2f}")

    y, p = ground_truth.targets, pred.targets
    expected = (accuracy_score(y, p), precision_score(y, p), matthews_corrcoef(y, p))
    assert capsys.readouterr().out == "accuracy {:.2f}, precision {:.2f}, MCC {:.2f}\n".format(*expected)


def test_roc():
    train, ground_truth = load_breast_cancer().split_with_ratio(0.6)
    model = GaussianNB.params().fit(train)
    pred = model.predict_proba(ground_truth)
    assert pred.target_kind == "probability"

    # prediction is probability, ground_truth binary label
    roc = pred.roc(ground_truth)
    curve = roc.curve()
    auc = roc.area_under_curve()

    assert auc == pytest.approx(roc_auc_score(ground_truth.targets, pred.targets[:, 1]), rel=1e-12)
    assert np.trapezoid(curve[1], curve[0]) == pytest.approx(auc, rel=1e-12)


def test_k_folding():
    data, targets = load_iris().shuffle(1)
    params = GaussianNB.params()

    score = (
        sum(
            params.fit(train).predict(valid).confusion_matrix(valid).accuracy()
            for train, valid in Dataset(data, targets).fold(12)
        )
        / 12.0
    )

    by_hand, edges = [], np.r_[0, np.cumsum([13] * 6 + [12] * 6)]
    for low, high in pairwise(edges):
        rest = np.r_[0:low, high:150]
        said = Theirs().fit(data[rest], targets[rest]).predict(data[low:high])
        by_hand.append((said == targets[low:high]).mean())
    assert score == pytest.approx(np.mean(by_hand), rel=1e-12)


def test_one_vs_all():
    dataset, params = load_iris(), GaussianNB.params()

    model = MultiClassModel((params.fit(x), label) for x, label in dataset.one_vs_all())

    X, y = dataset
    each = [Theirs().fit(X, y == label).predict_proba(X)[:, 1] for label in range(3)]
    np.testing.assert_array_equal(model.predict(dataset).targets, np.argmax(each, axis=0))


def test_incremental_fit():
    """`fit_with(model or nothing, dataset)` returns the updated model; the old one stays as it was."""
    params, model = GaussianNB.params(), None
    seen = []
    for chunk in load_iris().shuffle(2).sample_chunks(50):
        model = params.fit_with(model, chunk) if model else params.fit_with(None, load_iris())
        seen.append(model.class_count_.sum())
    assert seen == [150, 200, 250]
