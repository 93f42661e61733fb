"""What bags of classifiers and of regressors share: models fitted on rows and columns drawn at random."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa.arrays import CSR, Table, is_dataset, read_table, read_weights
from clinfa.base import Estimator
from clinfa.ensemble._collection import Collection
from clinfa.ensemble._draws import Draws
from clinfa.ensemble._named import estimator_rule, fit_on, seeded, with_columns
from clinfa.errors import outside
from clinfa.growing.bags import Bags
from clinfa.many import share, side_by_side
from clinfa.params import (
    Rule,
    at_least,
    between,
    boolean,
    fitted,
    function,
    none,
    param,
    seed,
    shown,
    verbosity,
)
from clinfa.recipes import Recipe, kind_of_model, takes, takes_weights, unfitted_copy
from clinfa.reports import reporter
from clinfa.rng import generator

__all__ = ["Bagging", "Fitted"]


def _share() -> Rule:
    return at_least(1) | Rule(
        between(0, 1, closed="right").words,
        lambda v: not isinstance(v, int | np.integer) and between(0, 1, closed="right").allows(v),
    )


@dataclass(frozen=True)
class Fitted:
    """What a fit leaves: the models, and what they were fitted on."""

    estimators: list[Any]
    estimators_features: list[np.ndarray]
    estimator: Any
    _draws: Draws
    _start: int
    _oob: tuple[float, np.ndarray] | None = None


class Bagging(Collection, Estimator):
    """Parameters and attributes of both kinds; a concrete class names its `_tree`."""

    estimator: Any = param(None, estimator_rule() | none(), positional=True)
    n_estimators: int = param(10, at_least(1), positional=True)
    max_samples: int | float | None = param(None, _share() | none())
    max_features: int | float = param(1.0, _share())
    bootstrap: bool = param(True, boolean())
    bootstrap_features: bool = param(False, boolean())
    oob_score: bool | Callable = param(False, boolean() | function())
    warm_start: bool = param(False, boolean())
    n_jobs: int | None = param(None, at_least(-(2**31)) | none())
    random_state: Any = param(None, seed())
    verbose: int = param(0, verbosity())

    estimators_: list[Any] = fitted()
    estimators_features_: list[np.ndarray] = fitted()
    estimator_: Any = fitted()

    def _read_fit(self, X: Any, sample_weight: Any) -> tuple[Table, np.ndarray]:
        sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
        table = self._read(X)
        return table, read_weights(sample_weight, table.n, type(self).__name__)

    def _read_new(self, X: Any) -> Table:
        self._check_fitted()
        return self._read(X, names=self.__dict__.get("feature_names_in_"), width=self.n_features_in_)

    def _read(self, X: Any, **expected: Any) -> Table:
        """Records; whether they may be sparse or have gaps is for the models to say.

        (A model that does not say sees for itself, but not the columns that it does not get.)
        """
        given, base = is_dataset(X), self._tree() if self.estimator is None else self.estimator
        sparse, gaps = takes(base) or (True, True)
        names = X.feature_names if given else None
        records, owner = X.records if given else X, type(self).__name__
        return read_table(records, owner, sparse=sparse, finite=not gaps, given_names=names, **expected)

    def _base(self) -> Any:
        """What is fitted again and again."""
        base = self._tree() if self.estimator is None else self.estimator
        if kind_of_model(base) not in (self._kind, None) and not isinstance(base, Recipe):
            raise ValueError(
                f"The 'estimator' parameter of {type(self).__name__} must be a {self._kind}, got {base}."
            )
        return base

    def _fit_bag(self, table: Table, y: np.ndarray, weights: np.ndarray) -> Fitted:
        base = self._base()
        whole = isinstance(self.max_features, int | np.integer)
        columns = int(self.max_features) if whole else max(1, int(self.max_features * table.d))
        if columns > table.d:
            raise ValueError(f"max_features must be <= n_features, got {shown(columns)} of {table.d}.")
        if self.oob_score and not self.bootstrap:
            raise ValueError("Out of bag estimation only available if bootstrap=True (oob_score)")
        if self.oob_score and self.warm_start:
            raise ValueError("Out of bag estimate only available if warm_start=False (oob_score)")
        draws = Draws(
            Bags.of(table, y, weights, self.max_samples),
            weights,
            bool(self.bootstrap),
            table.d,
            columns,
            bool(self.bootstrap_features),
        )
        before = self._before(table)
        # (Every model has a seed of its own, whichever fit it is from.)
        start = self._start if before else int(generator(self.random_state).random() * 2.0**53)
        items = range(len(before), self.n_estimators)
        report, weighted = reporter(self.verbose), takes_weights(unfitted_copy(base))

        def work(at: int) -> tuple[Any, np.ndarray]:
            counts, which, own = draws.of((start, at))
            model = with_columns(seeded(unfitted_copy(base), own), table, which)
            out = _fit_rows(model, _columns(table, which), y, counts, weighted)
            report("%s: model %d of %d is fitted", type(self).__name__, at + 1, self.n_estimators)
            return out, which

        with share(self.n_jobs):
            done = list(side_by_side(work, items, table.n * table.d, [base]))
        return Fitted(
            before + [model for model, _ in done],
            (self.estimators_features_[:] if before else []) + [which for _, which in done],
            base if isinstance(base, Recipe) else unfitted_copy(base),
            draws,
            start,
        )

    def _before(self, table: Table) -> list[Any]:
        """Models to keep."""
        if not (self.warm_start and self.__sklearn_is_fitted__()):
            return []
        have = len(self.estimators_)
        if table.d != self.n_features_in_:
            raise ValueError(
                f"warm_start goes on with records of {self.n_features_in_} features, these have {table.d}."
            )
        if self.n_estimators < have:
            raise ValueError(
                f"n_estimators={self.n_estimators} must be larger or equal to len(estimators_)={have} when "
                f"warm_start==True"
            )
        if self.n_estimators == have:
            warnings.warn(
                "Warm-start fitting without increasing n_estimators does not fit new trees.",
                UserWarning,
                stacklevel=outside(),
            )
        return list(self.estimators_)

    @property
    def estimators_samples_(self) -> list[np.ndarray]:
        """The rows that each model was fitted on, ascending, each as often as it was drawn."""
        self._check_fitted()
        every = (self._draws.of((self._start, at))[0] for at in range(len(self.estimators_)))
        if self._draws.along:
            return [np.flatnonzero(counts) for counts in every]
        rows = np.arange(self._draws.bags.n)
        return [np.repeat(rows, counts.astype(np.int64)) for counts in every]

    def _said(self, table: Table, ask: Callable[[Any, Any], np.ndarray]) -> Iterator[np.ndarray]:
        """What each model says, in their order."""

        def work(at: int) -> np.ndarray:
            return ask(self.estimators_[at], _columns(table, self.estimators_features_[at]))

        return side_by_side(work, range(len(self.estimators_)), table.n * table.d, self.estimators_[:1])

    def _mean(self, table: Table, ask: Callable[[Any, Any], np.ndarray]) -> np.ndarray:
        total, dtype = 0.0, np.dtype(np.float32)
        with share(self.n_jobs):
            for out in self._said(table, ask):
                dtype = np.result_type(dtype, out)
                total = total + out.astype(np.float64, copy=False)
        return (total / len(self.estimators_)).astype(dtype, copy=False)

    def _out_of_bag(
        self, fit: Fitted, table: Table, ask: Callable[[Any, Any], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The sum of what models say of rows that they have not seen, and how many say something."""

        def work(at: int) -> tuple[np.ndarray, np.ndarray]:
            counts, which, _ = fit._draws.of((fit._start, at))
            rest = np.flatnonzero(counts == 0)
            some = _columns(table.part(rest), which) if len(rest) else None
            return rest, ask(fit.estimators[at], some) if len(rest) else np.empty(0)

        total, times = np.zeros(0), np.zeros(table.n)
        with share(self.n_jobs):
            for rest, out in side_by_side(
                work, range(len(fit.estimators)), table.n * table.d, [fit.estimator]
            ):
                if not len(rest):
                    continue
                if not len(total):
                    total = np.zeros((table.n, *out.shape[1:]))
                total[rest] += out
                times[rest] += 1
        if not times.all():
            warnings.warn(
                "Some inputs do not have OOB scores. This probably means too few estimators were used to "
                "compute any reliable oob estimates.",
                UserWarning,
                stacklevel=outside(),
            )
        return total if len(total) else np.zeros((table.n, 1)), times

    def _takes(self) -> tuple[bool, bool]:
        return takes(self._tree() if self.estimator is None else self.estimator) or (False, False)


def _fit_rows(model: Any, X: Any, y: np.ndarray, counts: np.ndarray, weighted: bool) -> Any:
    """Fit on rows as often as `counts` says: by weights, where `fit` takes them."""
    which = np.flatnonzero(counts)
    own = counts[which]
    if (own == 1).all():
        return fit_on(model, _rows(X, which), y[which])
    if weighted:
        return fit_on(model, _rows(X, which), y[which], sample_weight=own)
    if (own != np.rint(own)).any():
        raise TypeError(
            f"The data have sample weights, but {type(model).__name__}.fit takes no sample_weight."
        )
    which = np.repeat(which, own.astype(np.int64))
    return fit_on(model, _rows(X, which), y[which])


def _rows(X: Any, which: np.ndarray) -> Any:
    return X if len(which) == X.shape[0] and (np.diff(which) == 1).all() else X[which]


def _columns(table: Table, which: np.ndarray) -> Any:
    """The records, or some of their columns, as models take them."""
    X = table.X
    if isinstance(X, CSR):
        import scipy.sparse as sp

        count = X.indptr[-1]
        X = sp.csr_matrix((X.data[:count], X.indices[:count], X.indptr), shape=X.shape)
    if len(which) == table.d and (which == np.arange(table.d)).all():
        return X
    return X[:, which]
