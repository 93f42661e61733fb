"""Sparse records in every format; those that contradict themselves must not crash anything."""

import numpy as np
import pytest
import scipy.sparse as sp

from clinfa.kinds import Transformer
from tests.cases import cases, in_cases
from tests.contract import hostile
from tests.contract.discover import CLASSES, each
from tests.contract.problems import (
    METHODS,
    bits,
    groups,
    in_child,
    outputs,
    same_partition,
    state,
    targets,
    whole,
)
from tests.contract.test_hostile_records import easy

SPARSE = [cls for cls in CLASSES if cls._sparse]
# Whose fit succeeds on one record.
REMEMBERING = [
    cls
    for cls in SPARSE
    if hasattr(cls, "kneighbors")
    or hasattr(cls, "radius_neighbors")
    or hasattr(cls, "decision_path")
    or cls.__name__ in ("DBSCAN", "KernelPCA", "LinearSVR", "NuSVR", "OneClassSVM", "SVR")
]
FORMATS = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]


def _records(dtype=np.float64):
    X, which = groups(60, 5, dtype=dtype)
    X[:, 1] = np.arange(60) % 4 == 0
    X[::7, 2:] = 0
    return X, which


def _long_indices(X):
    X = X.copy()
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def _mixed_indices(X):
    X = X.copy()
    X.indptr = X.indptr.astype(np.int64)
    return X


def _unsorted(X):
    X = X.copy()
    for lo, hi in zip(X.indptr, X.indptr[1:], strict=False):
        X.indices[lo:hi], X.data[lo:hi] = X.indices[lo:hi][::-1].copy(), X.data[lo:hi][::-1].copy()
    X.has_sorted_indices = False
    return X


def _lying(change):
    """What SciPy believes of a matrix that was changed in place."""

    def changed(X):
        X = change(X)
        X.has_sorted_indices = X.has_canonical_format = True
        return X

    return changed


def _twice(X):
    coo = X.tocoo()
    row, col = np.repeat(coo.row, 2), np.repeat(coo.col, 2)
    return _csr(X, np.repeat(coo.data / 2, 2), row, col)


def _csr(X, data, row, col):
    order = np.lexsort((col, row))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=X.shape[0]))]).astype(np.int32)
    out = type(X)((data[order], col[order].astype(np.int32), indptr), shape=X.shape)
    out.has_canonical_format = False
    return out


def _read_only(X):
    X = X.copy()
    for part in (X.data, X.indices, X.indptr):
        part.setflags(write=False)
    return X


def _too_long(X):
    """More room than values, which SciPy allows."""
    X = X.copy()
    X.data, X.indices = (
        np.append(X.data, [np.nan] * 3),
        np.append(X.indices, [99] * 3).astype(np.int32),
    )
    return X


SAME = {
    "array": lambda X: X,
    "matrix": sp.csr_matrix,
    "unsorted": _unsorted,
    "each value twice": _twice,
    "read-only": _read_only,
    "byte-swapped": lambda X: sp.csr_array((X.data.astype(">f8"), X.indices, X.indptr), X.shape),
    "room to spare": _too_long,
}
# Another order of summation, or other code: equal up to rounding.
CLOSE = {
    "int64 indices": _long_indices,
    "int64 indptr": _mixed_indices,
    "unsorted, believed sorted": _lying(_unsorted),
    "each value twice, believed single": _lying(_twice),
}


def _plainly(cls, dtype=np.float64):
    """Records, targets, a model of the records as a `csr_array`, and what comes out for them."""
    X, which = _records(dtype)
    model = easy(cls).fit(sp.csr_array(X), targets(cls, which))
    return X, targets(cls, which), model, outputs(model, sp.csr_array(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each(SPARSE)
def test_format_changes_no_bit(cls, dtype):
    X, y, plain, out = _plainly(cls, dtype)
    wanted, out = state(plain, X), bits(out)
    with cases() as case:
        for form in FORMATS:
            for kind in ("array", "matrix"):
                with case(form, kind):
                    given = getattr(sp, f"{form}_{kind}")(X)
                    model = easy(cls).fit(given, y)
                    assert state(model, X) == wanted
                    assert bits(outputs(model, given)) == out


@each(SPARSE)
def test_storage_changes_no_bit(cls):
    X, y, plain, out = _plainly(cls)
    wanted, out = state(plain, X), bits(out)
    with cases() as case:
        for way, make in SAME.items():
            with case(way):
                given = make(sp.csr_array(X))
                before = [part.tobytes() for part in (given.data, given.indices, given.indptr)]
                model = easy(cls).fit(given, y)
                assert state(model, X) == wanted
                assert bits(outputs(model, given)) == out
                assert [part.tobytes() for part in (given.data, given.indices, given.indptr)] == before


@each(SPARSE)
def test_storage_changes_no_answer(cls):
    X, y, plain, out = _plainly(cls)
    with cases() as case:
        for way, make in CLOSE.items():
            with case(way):
                given = make(sp.csr_array(X))
                model = easy(cls).fit(given, y)
                for name, value in outputs(model, given).items():
                    np.testing.assert_allclose(whole(value), whole(out[name]), rtol=1e-12, atol=1e-12)
                if hasattr(model, "inertia_"):
                    assert model.inertia_ == pytest.approx(plain.inertia_, rel=1e-12)


@each(SPARSE)
def test_explicit_zeros_say_nothing(cls):
    X, which = _records()
    explicit = sp.csr_array((X.ravel(), np.tile(np.arange(5), 60), np.arange(61) * 5), X.shape)
    assert explicit.nnz == X.size
    model = easy(cls).fit(explicit, targets(cls, which))
    plain = easy(cls).fit(sp.csr_array(X), targets(cls, which))
    for name, value in outputs(model, explicit).items():
        want = whole(outputs(plain, sp.csr_array(X))[name])
        np.testing.assert_allclose(whole(value), want, rtol=1e-12)


@each(SPARSE)
def test_other_dtypes_are_taken_as_float64(cls):
    X = (np.random.RandomState(0).random_sample((60, 5)) < 0.4).astype(float)
    y = targets(cls, np.arange(60) % 3)
    wanted = state(easy(cls).fit(sp.csr_array(X), y), X)
    with cases() as case:
        for dtype in (bool, np.int8, np.int64, np.uint64, np.longdouble):
            with case(dtype):
                assert state(easy(cls).fit(sp.csr_array(X.astype(dtype)), y), X) == wanted


@each(SPARSE)
def test_sparse_is_dense(cls):
    X, which = groups()
    dense, sparse = (
        easy(cls).fit(X, targets(cls, which)),
        easy(cls).fit(sp.csr_array(X), targets(cls, which)),
    )
    if hasattr(dense, "labels_"):
        assert same_partition(dense.labels_, sparse.labels_)
    for name, value in outputs(dense, X).items():
        got = whole(getattr(dense, name)(sp.csr_array(X)))
        np.testing.assert_allclose(got, value, rtol=1e-6, atol=1e-6)


@each(SPARSE)
def test_values_that_are_no_numbers_are_refused(cls):
    X, which = _records()
    model = easy(cls).fit(X, targets(cls, which))
    calls = [easy(cls).fit, *(getattr(model, name) for name in METHODS if hasattr(model, name))]
    with cases() as case:
        for bad in (np.nan, np.inf, -np.inf, 1j) if cls._finite else (1j,):
            X = X.astype(type(bad))
            X[5, 1] = bad
            for form in FORMATS:
                given = getattr(sp, f"{form}_array")(X)
                for call in calls:
                    with case(bad, form, call), pytest.raises(ValueError, match=r"NaN|infinity|Complex"):
                        call(given)


@in_cases("shape", [(0, 0), (0, 5), (5, 0), (1, 5), (2, 5)])
@in_cases("form", FORMATS)
@each(SPARSE)
def test_empty_or_nearly(cls, form, shape):
    if form == "bsr" and 0 in shape:
        given = sp.bsr_array(np.zeros(shape))
    else:
        given = getattr(sp, f"{form}_array")(shape)
    # (One record has directions, too; a graph of it has none.)
    turns = issubclass(cls, Transformer) and cls._kind is None and "n_neighbors" not in cls._rules
    if (
        all(shape)
        and (cls in REMEMBERING or turns)
        and (shape[0] > 1 or cls.__name__ != "LocalOutlierFactor")
    ):
        assert easy(cls).fit(given, targets(cls, np.zeros(shape[0], int))).n_features_in_ == 5
        return
    with pytest.raises(ValueError, match=r"sample|feature|class"):
        easy(cls).fit(given, targets(cls, np.zeros(shape[0], int)))


@each(SPARSE)
@pytest.mark.filterwarnings("ignore:Number of distinct clusters:sklearn.exceptions.ConvergenceWarning")
def test_all_zero(cls):
    given = sp.csr_array((50, 4))
    model = easy(cls).fit(given, targets(cls, np.arange(50) % 3))
    for value in map(whole, outputs(model, given).values()):
        assert np.isfinite(value).all()
        assert len(np.unique(value, axis=0)) == 1


@each(SPARSE)
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_what_contradicts_itself_is_refused(cls):
    X, which = groups(60, hostile.corrupt(hostile.CORRUPT[0]).shape[1])
    model = easy(cls).fit(X, targets(cls, which))
    calls = {name: getattr(model, name) for name in METHODS if hasattr(model, name)}
    calls["fit"] = lambda X: easy(cls).fit(X, targets(cls, np.arange(X.shape[0]) % 3))

    def work(kind):
        said = {}
        for name, call in calls.items():
            try:
                call(hostile.corrupt(kind))
                said[name] = "took it"
            except (ValueError, TypeError) as error:
                said[name] = str(error)
        return said

    # (One child for all kinds: a fork takes longer than all else here.)
    said = in_child(lambda: {kind: work(kind) for kind in hostile.CORRUPT}, limit=20)
    assert [
        (kind, name) for kind in said for name, text in said[kind].items() if text == "took it" or not text
    ] == []


@each(SPARSE)
def test_wide_and_almost_empty(cls):
    """Thirty thousand columns, a few values: memory goes with the values, not with the columns."""
    rng = np.random.RandomState(0)
    which = np.arange(90) % 3
    rows, columns = np.tile(np.arange(90), 2), np.r_[which, 3 + rng.randint(30_000, size=90)]
    given = sp.csr_array((np.repeat([30.0, 1.0], 90), (rows, columns)), (90, 30_003))
    model = easy(cls).fit(given, targets(cls, which))
    if hasattr(model, "labels_"):
        assert same_partition(model.labels_, which)
