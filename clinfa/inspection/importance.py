"""Permutation importance: how much worse a model gets when a column no longer says anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clinfa.arrays import is_dataset, read_weights
from clinfa.bunch import Bunch
from clinfa.inspection._columns import copied, names_of, reordered, tabular, taken
from clinfa.inspection._scoring import Scoring
from clinfa.many import share, side_by_side
from clinfa.params import at_least, between, none, seed, shown
from clinfa.rng import generator
from clinfa.targets import check_lengths

__all__ = ["Importances", "permutation_importance"]


class Importances(Bunch):
    """How much a model's score falls when the values of a column are shuffled.

    Parameters
    ----------
    *given, **values
        What it holds, as for a dict.

    Attributes
    ----------
    importances_mean, importances_std : ndarray of shape (n_features,)
        Over the repeats.
    importances : ndarray of shape (n_features, n_repeats)
    feature_names : list of str

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.inspection import permutation_importance
    >>> from clinfa.naive_bayes import GaussianNB
    >>> found = permutation_importance(GaussianNB().fit(load_iris()), load_iris(), random_state=0)
    >>> found.feature_names[found.importances_mean.argmax()]
    'petal width (cm)'
    """

    def plot(self, ax: Any = None, *, feature_names: Sequence[str] | None = None, most: int = 20) -> Any:
        """Draw the importances, the greatest on top: a box for each column, and its repeats as points.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        feature_names : sequence of str, optional
            What to call the columns, if not as they are.
        most : int, default 20
            How many columns to draw.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ImportError
            If matplotlib is not installed: ``pip install clinfa[plot]`` brings it.
        """
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError("Plots need matplotlib. Install it with: pip install clinfa[plot]") from error
        names = list(self.feature_names if feature_names is None else feature_names)
        if len(names) != len(self.importances):
            raise ValueError(f"feature_names has {len(names)} names for {len(self.importances)} importances.")
        order = np.argsort(-self.importances_mean, kind="stable")[:most][::-1]
        if ax is None:
            height = 1.3 + 0.32 * len(order)
            _, ax = plt.subplots(figsize=(6.5, height), layout="constrained")
        values = self.importances[order]
        ax.axvline(0, color="0.6", linewidth=1, linestyle="--", zorder=0)
        ax.barh(
            *(range(len(order)), self.importances_mean[order]),
            xerr=self.importances_std[order],
            height=0.62,
            color="#a9c4e4",
            error_kw={"ecolor": "0.35", "elinewidth": 1, "capsize": 2.5},
        )
        at = np.repeat(np.arange(len(order)), values.shape[1])
        ax.scatter(values.ravel(), at, s=9, color="#20508a", alpha=0.55, linewidths=0, zorder=3)
        ax.set_yticks(range(len(order)), [str(names[j]) for j in order])
        ax.set(xlabel="fall of the score when the column is shuffled", ylim=(-0.6, len(order) - 0.4))
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
        return ax


def permutation_importance(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    scoring: Any = None,
    n_repeats: int = 5,
    n_jobs: int | None = None,
    random_state: Any = None,
    sample_weight: Any = None,
    max_samples: int | float = 1.0,
) -> Any:
    """How much worse a fitted model scores when the values of one column are shuffled.

    Parameters
    ----------
    estimator : fitted model
        Of clinfa or scikit-learn.
    X : array-like, dataframe or Dataset of shape (n_samples, n_features)
        Best records that the model was not fitted on. A Dataset's targets and weights are used unless others
        are given.
    y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
    scoring : str, callable, list of str, dict or None, default None
        What is measured: the model's own `score` (None); a score by the name that scikit-learn has for it; a
        function of (model, X, y) that returns a number, or a dict of some; several of these by name.
    n_repeats : int, default 5
        How often each column is shuffled.
    n_jobs : int, optional
        Threads; all there are by default and below 1. Results do not depend on it.
    random_state : int, RandomState or Generator, optional
    sample_weight : array-like of shape (n_samples,), optional
        For the scores.
    max_samples : int or float, default 1.0
        How many rows to draw, without replacement, or their share: the same for all columns.

    Returns
    -------
    importances : Importances or dict of Importances
        By the name of the score, where there are several.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed.

    References
    ----------
    L. Breiman (2001). Random forests. Machine Learning 45(1), 5-32.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.inspection import permutation_importance
    >>> from clinfa.naive_bayes import GaussianNB
    >>> iris = load_iris()
    >>> permutation_importance(GaussianNB().fit(iris), iris, random_state=0).importances.shape
    (4, 5)
    """
    owner = "permutation_importance"
    at_least(1).check("n_repeats", n_repeats, owner)
    seed().check("random_state", random_state, owner)
    (at_least(-(2**31)) | none()).check("n_jobs", n_jobs, owner)
    (at_least(1) | between(0, 1, closed="right")).check("max_samples", max_samples, owner)
    records = tabular(X)
    if is_dataset(X):
        y = X.targets if y is None else y
        sample_weight = X.weights if sample_weight is None else sample_weight
    n, d = records.shape
    y = None if y is None else np.asarray(y)
    check_lengths(records, y)
    weights = None if sample_weight is None else read_weights(sample_weight, n, owner, signed=True)
    names = _names(records, X)
    source = generator(random_state)
    start = int(source.random() * 2.0**53)
    whole = isinstance(max_samples, int | np.integer)
    size = int(max_samples) if whole else max(1, int(max_samples * n))
    if size > n:
        raise ValueError(f"max_samples must be <= n_samples, got {shown(max_samples)} of {n}.")
    if size < n:
        which = np.sort(np.random.Generator(np.random.PCG64(start)).permutation(n)[:size])
        records, y = taken(records, which), None if y is None else y[which]
        weights = None if weights is None else weights[which]

    score = Scoring(estimator, scoring)
    before = score(records, y, weights)

    spare: list[Any] = []  # copies of the records that nobody is at work on

    def work(j: int) -> list[dict[str, float]]:
        rng, out = np.random.Generator(np.random.PCG64((start, j))), []
        changed = spare.pop() if spare else copied(records)
        for _ in range(int(n_repeats)):
            reordered(records, changed, j, rng.permutation(size))
            out.append(score(changed, y, weights))
        reordered(records, changed, j, np.arange(size))
        spare.append(changed)
        return out

    with share(n_jobs):
        after = list(side_by_side(work, range(d), records.size, [estimator]))
    out = {}
    for name, best in before.items():
        fall = best - np.array([[one[name] for one in repeats] for repeats in after])
        out[name] = Importances(
            importances_mean=fall.mean(axis=1),
            importances_std=fall.std(axis=1),
            importances=fall,
            feature_names=names,
        )
    return out[""] if list(out) == [""] else out


def _names(records: Any, source: Any) -> list[str]:
    try:
        return names_of(records, source)
    except ValueError:  # two columns of one name are no matter here
        return [str(name) for name in records.columns]
