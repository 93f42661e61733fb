"""Rows of kernel matrices against NumPy, in long double."""

import numpy as np
import pytest

from clinfa._core import kernel_rows
from clinfa.arrays import Table
from clinfa.spatial import Function, KernelRows, finished

HIGH, PANEL = kernel_rows.HIGH_ROWS, kernel_rows.PANEL_SIZE
# Around the edges of tiles, panels and blocks; columns around where distances become mended products.
SHAPES = [(1, 1, 1), (5, 7, 3), (HIGH + 2, 33, 15), (2 * HIGH + 1, 131, 16), (PANEL, 64, 40), (9, 7, 1030)]
FUNCTIONS = [
    Function("inner"),
    Function("inner", "plain", 0.5, 2.0),
    Function("squared"),
    Function("squared", "root"),
    Function("squared", "decay", 0.3),
    Function("city"),
    Function("city", "decay", 0.2),
    Function("chi", "plain", -1.0),
    Function("known"),
    Function("inner", "power", 0.5, 1.0, 3.0),
    Function("inner", "power", 0.5, 1.0, -2.0),
    Function("inner", "power", 0.5, 1.0, 2.5),
    Function("inner", "tangent", 0.01, 0.01),
    Function("inner", "angle", 1.0),
]
DTYPES = [np.float64, np.float32]


def noise(n, d):
    return np.random.default_rng([n, d]).standard_normal((n, d))


def twin(X, Y, function):
    """The same by broadcasting, in long double."""
    a, b = X.astype(np.longdouble)[:, None], Y.astype(np.longdouble)
    t, s = a - b, a + b
    terms = {
        "inner": lambda: a * b,
        "squared": lambda: t * t,
        "city": lambda: abs(t),
        "chi": lambda: t * t / np.where(s == 0, 1, s),
        "known": lambda: np.where(np.isnan(t), 0, t * t),
    }
    s = terms[function.measure]().sum(axis=-1)
    line = function.gamma * s + function.coef
    made = {
        "plain": lambda: line,
        "decay": lambda: np.exp(-function.gamma * s),
        "power": lambda: line**function.degree,
        "tangent": lambda: np.tanh(line),
        "root": lambda: np.sqrt(s),
        "angle": lambda: np.clip(1 - s, 0, 2),
    }
    return made[function.shape]()


def problem(n, m, d, dtype, function):
    scale = d**-0.5 if function.shape == "decay" else 1  # (what is added to an exponent is a factor)
    X, Y = (abs(v * scale).astype(dtype) for v in (noise(n, d), noise(m, d) + 0.1))
    if function.measure == "known":
        X[::3, ::2] = np.nan
    if function.measure == "chi":
        X[:, ::2] = Y[:, ::2] = 0
    return X, Y


def near(got, wanted, dtype, d):
    slack = (d**0.5 + 12) * np.finfo(dtype).eps
    return np.abs(got - wanted).max() <= slack * np.abs(wanted).max()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_entries_and_products_are_those_of_numpy(shape, dtype):
    n, m, d = shape
    for function in FUNCTIONS:
        X, Y = problem(n, m, d, dtype, function)
        rows, wanted = KernelRows(Table(Y), function), twin(X, Y, function)
        got = rows.rows(X)
        assert got.dtype == dtype
        assert near(got, wanted, dtype, d), function
        indptr, indices = np.arange(n + 1) * m, np.tile(np.arange(m), n)
        assert near(rows.entries(indptr, indices, X).reshape(n, m), wanted, dtype, d), function
        block = np.abs(noise(m, 3)).astype(dtype)
        assert near(rows.dot(block, X), wanted @ block.astype(np.longdouble), dtype, d), function


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [3, 20, 100])
def test_a_value_is_the_same_to_the_bit_when_records_change_places(d, dtype):
    for function in FUNCTIONS:
        X, _ = problem(131, 1, d, dtype, function)
        rows = KernelRows(Table(X), function)
        K = rows.rows()
        assert np.array_equal(K, K.T)
        assert np.array_equal(K, rows.rows(X))  # nothing is copied from above the diagonal there
        some = np.array([130, 3, 77, 3])
        assert np.array_equal(rows.rows(which=some), K[some])


@pytest.mark.parametrize("dtype", DTYPES)
def test_columns_beyond_one_call_are_added(dtype, monkeypatch):
    from clinfa.spatial import _kernel_rows

    X = noise(400, 5).astype(dtype)
    rows = KernelRows(Table(X), Function("squared", "decay"))
    K, P = rows.rows(), rows.dot(X)
    monkeypatch.setattr(_kernel_rows, "_CALL_NS", 1)
    assert np.array_equal(rows.rows(), K)
    assert np.array_equal(rows.dot(X), P)


@pytest.mark.parametrize("d", [2, 17, 300])
@pytest.mark.parametrize("dtype", DTYPES)
def test_distances_of_near_records_far_from_the_origin_keep_their_digits(d, dtype):
    eps = np.finfo(dtype).eps
    steps = np.ldexp(np.round(noise(70, d) * 8), -3)  # exact beside the offset
    X = (steps + 2.0**11).astype(dtype)
    X[5] = X[9]
    wanted = twin(X, X, Function("squared"))
    got = KernelRows(Table(X), Function("squared")).rows()
    assert got[5, 9] == 0
    assert (np.diag(got) == 0).all()
    assert (np.abs(got - wanted) <= 40 * eps * wanted).all()
    # One far cluster, so that no shift helps: differences must.
    far = np.concatenate([X, X[:3] + dtype(2.0**12)])
    got, wanted = (
        KernelRows(Table(far), Function("squared")).rows(),
        twin(far, far, Function("squared")),
    )
    assert (np.abs(got - wanted) <= (d**0.5 + 40) * eps * wanted).all()


@pytest.mark.parametrize(
    ("dtype", "lowest", "wide"), [(np.float64, -760, np.longdouble), (np.float32, -110, np.float64)]
)
def test_exp_over_its_whole_range(dtype, lowest, wide):
    x = np.concatenate(
        [np.linspace(lowest, 0, 40001), -np.logspace(-40, 2, 2001), [-np.inf, -1e30, 0.0, -0.0]]
    ).astype(dtype)
    got, wanted = finished(-x, Function("squared", "decay")), np.exp(x.astype(wide))
    last_place = np.spacing(np.maximum(wanted.astype(dtype), np.finfo(dtype).smallest_subnormal))
    assert (np.abs(got - wanted) <= 1.05 * last_place).all()
    assert (got[-2:] == 1).all() and (got[-4:-2] == 0).all()
    assert np.isinf(finished(np.array([-1000], dtype), Function("squared", "decay"))).all()
    assert np.isnan(finished(np.array([np.nan], dtype), Function("squared", "decay"))).all()


@pytest.mark.parametrize(("dtype", "wide"), [(np.float64, np.longdouble), (np.float32, np.float64)])
def test_tanh_about_zero_and_far_out(dtype, wide):
    x = np.concatenate([np.linspace(-30, 30, 20001), np.logspace(-30, 1, 2001)]).astype(dtype)
    got, wanted = finished(x.copy(), Function("inner", "tangent")), np.tanh(x.astype(wide))
    assert (np.abs(got - wanted) <= 2 * np.finfo(dtype).eps * np.abs(wanted)).all()
    ends = np.array([np.inf, -np.inf, 0.0, np.nan], dtype)
    assert np.array_equal(finished(ends, Function("inner", "tangent")), [1, -1, 0, np.nan], equal_nan=True)


def test_merged_rows_of_csr_matrices():
    from scipy.sparse import csr_array

    from clinfa.threads import stripes

    X, Y = np.round(noise(30, 40)), np.round(noise(20, 40))
    X[3] = Y[4] = 0
    wanted = np.abs(X[:, None] - Y).sum(axis=-1)
    for dtype in DTYPES:
        a, b = csr_array(X.astype(dtype)), csr_array(Y.astype(dtype))
        out, cut = np.empty((30, 20), dtype), stripes(30, 1e5)
        parts = [v for m in (a, b) for v in (m.data, m.indices, m.indptr)]
        cut.run(
            lambda cursor, limit, slot, cut=cut, parts=parts, out=out: kernel_rows.city_pass_csr(
                *parts, cut.bounds, cursor, limit, out
            )
        )
        assert np.array_equal(out, wanted)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_bits_on_any_number_of_threads(threads):
    import clinfa

    X = noise(700, 70)
    for function in (Function("squared", "decay", 0.01), Function("inner", "tangent", 0.01)):
        rows = KernelRows(Table(X), function)
        with clinfa.config_context(n_threads=1):
            K, P = rows.rows(), rows.dot(X[:, :5])
        with clinfa.config_context(n_threads=threads):
            assert np.array_equal(rows.rows(), K)
            assert np.array_equal(rows.dot(X[:, :5]), P)
