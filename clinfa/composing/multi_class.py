"""One model for each class, together a classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from clinfa.arrays import is_dataset
from clinfa.composing._parts import common_width, score_method, scores
from clinfa.dataset import Pr
from clinfa.params import shown
from clinfa.recipes import check_fitted
from clinfa.targets import read_labels

__all__ = ["MultiClassModel"]

_ORDER = ("predict_proba", "decision_function", "predict")


class MultiClassModel:
    """A classifier made of one model for each class.

    Each model says how strongly a record belongs to its class: the probability of the class True, else its
    `decision_function`, else the floats that it predicts. The class of the model that says most is predicted,
    that of the first where several do.

    Parameters
    ----------
    pairs : iterable of (model, label)
        Fitted models of clinfa or scikit-learn, as from `Dataset.one_vs_all`.

    Attributes
    ----------
    models : tuple
    classes_ : ndarray of shape (n_classes,)
        The labels, in the order of the pairs.

    Raises
    ------
    ValueError
        If there are no pairs, a label comes twice, or the models expect different numbers of columns or
        cannot be compared.
    TypeError
        If a model cannot predict.
    NotFittedError
        If a model was not fitted.

    Examples
    --------
    >>> from clinfa.composing import MultiClassModel
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.naive_bayes import GaussianNB
    >>> iris, recipe = load_iris(), GaussianNB.params()
    >>> model = MultiClassModel((recipe.fit(part), label) for part, label in iris.one_vs_all())
    >>> model
    MultiClassModel(3 of GaussianNB: 0, 1, 2)
    >>> model.predict([[5.0, 3.4, 1.5, 0.2]])
    array([0])
    """

    _takes_datasets: ClassVar[bool] = True

    def __init__(self, pairs: Iterable[tuple[Any, Any]]):
        models, labels = [], []
        for pair in pairs:
            try:
                model, label = pair
            except (TypeError, ValueError) as error:
                raise TypeError(f"pairs must yield (model, label), got {shown(pair)}.") from error
            check_fitted(model, f"The model of label {shown(label)}")
            models.append(model)
            labels.append(label)
        if not models:
            raise ValueError("pairs is empty: there must be a model for each class.")
        mixed = len({isinstance(label, str) for label in labels}) > 1  # numpy would make strings of all
        found = read_labels(np.array(labels, object) if mixed else labels, "MultiClassModel", "labels")
        if found.n_classes < len(labels):
            twice = next(label for i, label in enumerate(labels) if label in labels[:i])
            raise ValueError(f"There must be one model for each label, but {twice!r} comes twice.")
        self.models = tuple(models)
        self.classes_ = found.classes[found.codes]
        for j, model in enumerate(models):
            self._check_classes(model, self._where(j))
        methods = {score_method(m, _ORDER, self._where(j)) for j, m in enumerate(models)}
        if len(methods) > 1:
            raise ValueError(
                f"The models' scores cannot be compared: some are of {', others of '.join(sorted(methods))}."
            )
        (self._method,) = methods
        width = common_width(models, "a MultiClassModel")
        if width is not None:
            self.n_features_in_ = width

    def _where(self, j: int) -> str:
        return f"The model of label {self.classes_.tolist()[j]!r}"

    @staticmethod
    def _check_classes(model: Any, where: str) -> None:
        if not hasattr(model, "classes_"):
            return
        classes = np.asarray(model.classes_)
        # (1 is True, and a class that occurs in no record, or in all, leaves one of them.)
        yes_or_no = classes.dtype.kind in "biuf" and (1 in classes or len(classes) == 1)
        if len(classes) > 2 or not yes_or_no:
            raise ValueError(f"{where} must know the classes False and True, but knows {classes.tolist()}.")

    def _scores(self, X: Any) -> np.ndarray:
        each = (scores(m, self._method, X, self._where(j)) for j, m in enumerate(self.models))
        return np.stack(list(each), axis=1)

    def decision_function(self, X: Any) -> Any:
        """What each model says of each record, as it says it.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes)
            A Dataset with those targets where X is one.
        """
        out = self._scores(X)
        return X.with_targets(out, self._names()) if is_dataset(X) else out

    def predict(self, X: Any) -> Any:
        """The label whose model says most, for each record.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            A Dataset with those targets where X is one.
        """
        labels = self.classes_[self._scores(X).argmax(axis=1)]
        return X.with_targets(labels, class_names=X.class_names) if is_dataset(X) else labels

    @property
    def predict_proba(self) -> Callable[[Any], Any]:
        """``predict_proba(X)``: the models' probabilities, divided by their sum.

        There is none where the models have none. Where all models say zero, every class is as likely as
        another.
        """
        if self._method != "predict_proba":
            raise AttributeError(f"There is no predict_proba: the models have {self._method} only.")
        return self._predict_proba

    def _predict_proba(self, X: Any) -> Any:
        out = self._scores(X)
        total = out.sum(axis=1, keepdims=True)
        out = np.divide(out, total, out=np.full_like(out, 1 / len(self.models)), where=total > 0)
        return X.with_targets(Pr(out), self._names()) if is_dataset(X) else out

    def _names(self) -> list[str]:
        return [str(label) for label in self.classes_]

    def __repr__(self) -> str:
        kinds = ", ".join(sorted({type(model).__name__ for model in self.models}))
        labels = self._names()
        named = ", ".join(labels) if len(labels) <= 10 else f"{', '.join(labels[:9])}, ..."
        return f"MultiClassModel({len(labels)} of {kinds}: {named})"
