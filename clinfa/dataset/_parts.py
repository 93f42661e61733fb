"""Parts of a dataset: some rows, some features, splits, folds, bootstraps, one label against all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from clinfa.arrays import is_sparse
from clinfa.dataset._resampling import Parts, draw, fold_rows, permutation, split_rows, warn_of_rare
from clinfa.dataset._select import columns, is_frame, rows
from clinfa.dataset._validation import CrossValidation, cross_validate, fitted_folds
from clinfa.params import at_least, between, boolean, none
from clinfa.rng import generator
from clinfa.targets import kind_of, read_labels

if TYPE_CHECKING:
    from clinfa.dataset._dataset import Dataset

__all__ = ["Cuts"]


class Cuts:
    """The part of a `Dataset` that makes other datasets of its records and features."""

    records: Any
    targets: Any
    weights: Any
    feature_names: list[str] | None
    _column_names: list[str] | None
    n_samples: int
    n_features: int
    n_targets: int

    def take(self, which: Any) -> Dataset:
        """Some records, with their targets and weights.

        Parameters
        ----------
        which : slice, array-like of int or array-like of bool
            A slice shares memory with this dataset.
        """
        if isinstance(which, slice):
            low, high, step = which.indices(self.n_samples)
            which = slice(low, max(low, high)) if step == 1 else np.arange(low, high, step)
        else:
            which = np.asarray(which)
            if which.dtype == bool:
                if which.shape != (self.n_samples,):
                    raise ValueError(
                        f"which must have one entry for each of the {self.n_samples} records, got shape "
                        f"{which.shape}."
                    )
                which = np.flatnonzero(which)
            elif which.ndim != 1 or (which.size and which.dtype.kind not in "iu"):
                raise ValueError("which must be a slice, a column of row numbers, or of bools.")
            which = which.astype(np.int64)
            if which.size and not -self.n_samples <= which.min() <= which.max() < self.n_samples:
                raise ValueError(f"which has row numbers outside of the {self.n_samples} records.")
            which = np.where(which < 0, which + self.n_samples, which)  # (pyarrow counts from 0 only)
        return self._with(
            records=rows(self.records, which),
            targets=rows(self.targets, which),
            weights=rows(self.weights, which),
        )

    def take_features(self, which: Any) -> Dataset:
        """Some features: their numbers or names, in the order wanted.

        Raises
        ------
        ValueError
            If there is no such feature.
        """
        known = {name: i for i, name in enumerate(self.feature_names or ())}
        at = []
        for one in np.atleast_1d(np.asarray(which, dtype=object)):
            number = known.get(one) if isinstance(one, str) else int(one)
            if number is None or not 0 <= number < self.n_features:
                raise ValueError(f"There is no feature {one!r} among {self.n_features}: {list(known)}.")
            at.append(number)
        names = None if self.feature_names is None else [self.feature_names[i] for i in at]
        return self._with(records=columns(self.records, np.array(at, np.int64)), feature_names=names)

    def with_labels(self, labels: Any) -> Dataset:
        """The records that have one of some labels among their targets.

        Parameters
        ----------
        labels : array-like
        """
        targets = self._targets()
        keep = np.isin(targets, np.asarray(labels))
        return self.take(keep if keep.ndim == 1 else keep.any(axis=1))

    def sample_iter(self) -> Iterator[tuple[Any, Any]]:
        """Each record with its target."""
        targets = None if self.targets is None else np.asarray(self.targets)
        records = self.records
        if is_frame(records):
            records = records.to_numpy() if hasattr(records, "to_numpy") else np.column_stack(records.columns)
        elif is_sparse(records):
            records = records.tocsr()
        for i in range(self.n_samples):
            record = records[[i]].toarray()[0] if is_sparse(records) else records[i]
            yield record, None if targets is None else targets[i]

    def feature_iter(self) -> Iterator[Dataset]:
        """A dataset for each feature, with all targets."""
        return (self.take_features([j]) for j in range(self.n_features))

    def target_iter(self) -> Iterator[Dataset]:
        """A dataset for each target, with all features."""
        targets = self._targets()
        for j in range(self.n_targets):
            name = None if self._column_names is None else [self._column_names[j]]
            one = targets if targets.ndim == 1 else targets[:, j]
            yield self._with(targets=one, target_names=name)

    def sample_chunks(self, size: int, *, drop_last: bool = False) -> Parts[Dataset]:
        """Consecutive records, `size` at a time, the last chunk with what is left.

        Parameters
        ----------
        size : int
        drop_last : bool, default=False
            Leave a last chunk that is shorter out.
        """
        at_least(1).check("size", size, "Dataset.sample_chunks")
        count = self.n_samples // size if drop_last else -(-self.n_samples // size)
        return Parts(count, lambda i: self.take(slice(i * size, (i + 1) * size)), "chunks")

    def split_with_ratio(
        self,
        ratio: float,
        *,
        shuffled: bool = False,
        stratified: bool = False,
        random_state: Any = None,
    ) -> tuple[Dataset, Dataset]:
        """Two parts: the first ceil(n_samples * ratio) records, and the others.

        Parameters
        ----------
        ratio : float in [0, 1]
        shuffled : bool, default=False
            Choose the records of the first part at random.
        stratified : bool, default=False
            Give both parts the same share of each label.
        random_state : None, int, RandomState or Generator, default=None
            What `shuffled` draws from.

        Examples
        --------
        >>> from clinfa.datasets import load_iris
        >>> train, valid = load_iris().split_with_ratio(0.8, stratified=True)
        >>> train, valid.label_frequencies()
        (Dataset(120 samples, 4 features, 1 target), {0: 10.0, 1: 10.0, 2: 10.0})
        """
        owner = "Dataset.split_with_ratio"
        between(0, 1).check("ratio", ratio, owner)
        boolean().check("shuffled", shuffled, owner)
        boolean().check("stratified", stratified, owner)
        strata = self._strata() if stratified else None
        first, second = split_rows(self.n_samples, ratio, shuffled, strata, random_state)
        return self.take(first), self.take(second)

    def shuffle(self, random_state: Any = None) -> Dataset:
        """The same records in random order."""
        return self.take(permutation(self.n_samples, random_state))

    def bootstrap(
        self,
        n_samples: int | None = None,
        n_features: int | None = None,
        random_state: Any = None,
        *,
        times: int | None = None,
        indices: bool = False,
    ) -> Iterator[Any]:
        """Records and features drawn with replacement, again and again.

        Parameters
        ----------
        n_samples : int, optional
            How many records; None leaves them as they are.
        n_features : int, optional
            How many features; None leaves them as they are.
        random_state : None, int, RandomState or Generator, default=None
        times : int, optional
            How often; without end by default.
        indices : bool, default=False
            Yield ``(dataset, rows, features)`` with the numbers that were drawn (None where nothing was).

        Examples
        --------
        >>> from clinfa.datasets import load_iris
        >>> [len(ds) for ds in load_iris().bootstrap(10, 2, random_state=0, times=3)]
        [10, 10, 10]
        """
        owner = "Dataset.bootstrap"
        for name, count, of in (("n_samples", n_samples, self.n_samples), ("n_features", n_features, 1)):
            (at_least(1) | none()).check(name, count, owner)
            if count is not None and not of:
                raise ValueError("There are no records to draw from.")
        (at_least(0) | none()).check("times", times, owner)
        source = generator(random_state)

        def draws() -> Iterator[Any]:
            done = 0
            while times is None or done < times:
                done += 1
                which = None if n_samples is None else draw(self.n_samples, n_samples, source)
                features = None if n_features is None else draw(self.n_features, n_features, source)
                drawn = self if which is None else self.take(which)
                drawn = drawn if features is None else drawn.take_features(features)
                yield (drawn, which, features) if indices else drawn

        return draws()

    def bootstrap_samples(self, n_samples: int, random_state: Any = None, **how: Any) -> Iterator[Any]:
        """Records drawn with replacement, again and again: `bootstrap` of records alone."""
        return self.bootstrap(n_samples, None, random_state, **how)

    def bootstrap_features(self, n_features: int, random_state: Any = None, **how: Any) -> Iterator[Any]:
        """Features drawn with replacement, again and again: `bootstrap` of features alone."""
        return self.bootstrap(None, n_features, random_state, **how)

    # Folds

    def fold(
        self,
        k: int,
        *,
        shuffled: bool = False,
        stratified: bool = False,
        random_state: Any = None,
    ) -> Parts[tuple[Dataset, Dataset]]:
        """k pairs of a part to train on and a part to validate on; every record is validated once.

        Parameters
        ----------
        k : int
            From 2 to n_samples. The first ``n_samples % k`` validation parts have one record more.
        shuffled : bool, default=False
            Deal the records out at random; otherwise consecutive ones are validated together.
        stratified : bool, default=False
            Give every part the same share of each label.
        random_state : None, int, RandomState or Generator, default=None
            What `shuffled` draws from.

        Returns
        -------
        Parts of (Dataset, Dataset)
            A sequence whose pairs are made when they are asked for.

        Examples
        --------
        >>> from clinfa.datasets import load_iris
        >>> for train, valid in load_iris().fold(3, stratified=True):
        ...     print(len(train), valid.label_frequencies())
        100 {0: 17.0, 1: 17.0, 2: 16.0}
        100 {0: 17.0, 1: 16.0, 2: 17.0}
        100 {0: 16.0, 1: 17.0, 2: 17.0}
        """
        owner = "Dataset.fold"
        at_least(2).check("k", k, owner)
        boolean().check("shuffled", shuffled, owner)
        boolean().check("stratified", stratified, owner)
        if k > self.n_samples:
            raise ValueError(f"k={k} folds need as many records; there are {self.n_samples}.")
        strata = self._strata() if stratified else None
        if strata is not None:
            warn_of_rare(np.bincount(strata), k)
        parts = fold_rows(self.n_samples, k, shuffled, strata, random_state)
        return Parts(k, lambda i: (self.take(parts[i][0]), self.take(parts[i][1])), "folds (train, valid)")

    def iter_fold(self, k: int, fit: Any, **how: Any) -> Iterator[tuple[Any, Dataset]]:
        """The model of each fold with the part it has not seen; folds are fitted in parallel threads.

        Parameters
        ----------
        k : int
        fit : recipe, estimator or callable
            What to fit, as for `cross_validate`, or a function from a Dataset to a model.
        **how
            As for `fold`.

        Yields
        ------
        (model, Dataset)
            In the order of the folds.
        """
        return fitted_folds(self.fold(k, **how), fit)

    def cross_validate(
        self, k: int, recipes: Any, evaluate: Callable[[Dataset, Dataset], Any], **how: Any
    ) -> CrossValidation:
        """What models score on the parts of k folds that they have not seen; folds run in parallel threads.

        Parameters
        ----------
        k : int
        recipes : list of recipes or estimators, or one
            ``KMeans.params(n_clusters=3)``, or an estimator of clinfa or scikit-learn, of which a copy is
            fitted.
        evaluate : callable
            ``evaluate(prediction, truth)``, two datasets, returns a number, or one for each target.
        **how
            As for `fold`.

        Returns
        -------
        CrossValidation
            With `mean`, `std` and `folds`; as an array it is the mean, of shape (n_models,) or
            (n_models, n_targets).

        Raises
        ------
        Whatever `fit`, `predict` or `evaluate` raises first.

        Examples
        --------
        >>> from clinfa.datasets import load_iris
        >>> from clinfa.naive_bayes import GaussianNB
        >>> scores = load_iris().cross_validate(
        ...     5,
        ...     GaussianNB.params(),
        ...     lambda prediction, truth: prediction.confusion_matrix(truth).accuracy(),
        ...     stratified=True,
        ... )
        >>> bool(scores.mean > 0.9)
        True
        """
        several = recipes if isinstance(recipes, list | tuple) else [recipes]
        if not several:
            raise ValueError("recipes is empty: there is nothing to fit.")
        return cross_validate(self.fold(k, **how), several, evaluate)

    def one_vs_all(self) -> Parts[tuple[Dataset, Any]]:
        """A dataset for each label, whose targets say whether a record has it, with the label.

        The records are shared; labels come in ascending order.

        Raises
        ------
        ValueError
            If there is not exactly one target, or it is not made of labels.

        Examples
        --------
        >>> from clinfa.datasets import load_iris
        >>> for ds, label in load_iris().one_vs_all():
        ...     print(label, ds.label_frequencies())
        0 {False: 100.0, True: 50.0}
        1 {False: 100.0, True: 50.0}
        2 {False: 100.0, True: 50.0}
        """
        if self.n_targets != 1:
            raise ValueError(f"one_vs_all needs one target, got {self.n_targets}.")
        found = read_labels(self._targets(), "one_vs_all", "targets")

        def make(i: int) -> tuple[Dataset, Any]:
            return self.with_targets(found.codes == i), found.classes[i].item()

        return Parts(found.n_classes, make, "datasets (with label)")

    def _strata(self) -> np.ndarray:
        """A number for each combination of labels."""
        if "continuous" in kind_of(self._targets(), "targets"):
            raise ValueError("stratified needs labels as targets, got numbers that are not whole.")
        out = np.zeros(self.n_samples, np.int64)
        for codes in self._labels()[1]:
            out = np.unique(out * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1]
        return out
