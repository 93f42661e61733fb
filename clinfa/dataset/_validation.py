"""Cross-validation: every fold fitted and measured in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clinfa.recipes import fit_copy, predict_on
from clinfa.threads import jobs

if TYPE_CHECKING:
    from clinfa.dataset._dataset import Dataset

__all__ = ["CrossValidation", "cross_validate", "fitted_folds"]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """What models scored on the parts of a dataset that they had not seen.

    Parameters
    ----------
    folds : ndarray of shape (n_models, k) or (n_models, k, n_targets)
        The score of each model on each fold.
    recipes : tuple
        What was fitted, in the order of the first axis.

    Examples
    --------
    >>> from clinfa.cluster import KMeans
    >>> from clinfa.datasets import load_iris
    >>> recipes = [KMeans.params(n_clusters=k, n_init=3, random_state=0) for k in (2, 3)]
    >>> scores = load_iris().cross_validate(
    ...     5, recipes, lambda pred, truth: len(set(pred.targets.tolist())), shuffled=True, random_state=0
    ... )
    >>> print(scores)
    2 +- 0  KMeans.params(n_clusters=2, n_init=3, random_state=0)
    3 +- 0  KMeans.params(n_clusters=3, n_init=3, random_state=0)
    >>> scores.mean.tolist()
    [2.0, 3.0]
    """

    folds: np.ndarray
    recipes: tuple

    @property
    def mean(self) -> np.ndarray:
        """The mean over folds: shape (n_models,) or (n_models, n_targets)."""
        return self.folds.mean(axis=1)

    @property
    def std(self) -> np.ndarray:
        """The standard deviation over folds, of the shape of `mean`."""
        return self.folds.std(axis=1)

    def best(self) -> Any:
        """The recipe with the greatest mean (of its targets); the first of equals."""
        return self.recipes[int(self.mean.reshape(len(self.recipes), -1).mean(axis=1).argmax())]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.mean, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.recipes)

    def __str__(self) -> str:
        rows = []
        for recipe, mean, std in zip(self.recipes, self.mean, self.std, strict=True):
            each = zip(np.ravel(mean), np.ravel(std), strict=True)
            rows.append(("  ".join(f"{m:.4g} +- {s:.2g}" for m, s in each), repr(recipe)))
        wide = max(len(figures) for figures, _ in rows)
        return "\n".join(f"{figures:{wide}}  {recipe}" for figures, recipe in rows)

    __repr__ = __str__


def fitted_folds(folds: Sequence[tuple[Dataset, Dataset]], fit: Any) -> Iterator[tuple[Any, Dataset]]:
    """The model of each fold with the part that it has not seen."""

    def work(at: int) -> tuple[Any, Dataset]:
        train, valid = folds[at]
        return (fit(train) if _is_function(fit) else fit_copy(fit, train)), valid

    return jobs(work, range(len(folds)))


def cross_validate(
    folds: Sequence[tuple[Dataset, Dataset]],
    recipes: Sequence[Any],
    evaluate: Callable[[Dataset, Dataset], Any],
) -> CrossValidation:
    """Fit every recipe on every fold and measure what it predicts."""

    def work(at: int) -> list[np.ndarray]:
        train, valid = folds[at]
        scores = []
        for recipe in recipes:
            score = np.asarray(evaluate(predict_on(fit_copy(recipe, train), valid), valid), float)
            if score.ndim > 1:
                raise ValueError(
                    f"evaluate must return a number, or one for each target, got an array of shape "
                    f"{score.shape}."
                )
            scores.append(score)
        return scores

    by_fold = np.array(list(jobs(work, range(len(folds)))))
    return CrossValidation(np.moveaxis(by_fold, 0, 1), tuple(recipes))


def _is_function(fit: Any) -> bool:
    return callable(fit) and not hasattr(fit, "fit")
