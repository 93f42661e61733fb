"""The kernels of linear support vector machines against NumPy."""

import numpy as np
import pytest

from clinfa._core import linear_dual, linear_l1, linear_small, linear_svm
from tests.kernels.helpers import cut, run
from tests.kernels.problems import REALS, read_only


def problem(n, d, dtype, seed=5):
    rng = np.random.default_rng(seed + n + d)
    X = rng.normal(size=(n, d)).astype(dtype)
    low, high = rng.normal(size=(2, n))
    low, high = np.minimum(low, high), np.maximum(low, high)
    low[::3], high[1::3] = -np.inf, np.inf
    return X, low, high, rng.uniform(0.1, 2, n), rng


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize(("n", "d"), [(1, 1), (5, 7), (9, 8), (40, 33), (11, 130)])
def test_products(n, d, dtype):
    X, _, _, _, rng = problem(n, d, dtype)
    w, G, bounds = rng.normal(size=d), rng.normal(size=(3, n)), cut(n, 3)
    G[:, ::4] = 0
    read_only(X, w, G)
    u, sums = np.full(n, np.nan), np.zeros((len(bounds) - 1, 3, d + 17))
    run(lambda cursor, limit: linear_svm.values_pass(X, w, 0.25, bounds, cursor, limit, u), bounds)
    run(lambda cursor, limit: linear_svm.sums_pass(X, G, bounds, cursor, limit, sums), bounds)
    wide = X.astype(np.float64)
    np.testing.assert_allclose(u, wide @ w + 0.25, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(sums.sum(axis=0)[:, :d], G @ wide, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(sums.sum(axis=0)[:, d], G.sum(axis=1), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("move", [False, True])
def test_bands(move):
    _, low, high, cost, rng = problem(50, 1, np.float64)
    u, du, t, bounds = rng.normal(size=50), rng.normal(size=50), 0.7, cut(50, 4)
    at, g, h, sums = u.copy(), np.full(50, np.nan), np.full(50, np.nan), np.empty((len(bounds) - 1, 16))
    run(
        lambda cursor, limit: linear_svm.band_pass(
            at, du, t, move, low, high, cost, bounds, cursor, limit, g, h, sums
        ),
        bounds,
    )
    v = u + t * du
    e = np.minimum(v - low, 0) + np.maximum(v - high, 0)
    active = 2 * cost * (e != 0)
    want = [(cost * e**2).sum(), (active * e * du).sum(), (active * du**2).sum()]
    np.testing.assert_allclose(sums[:, :3].sum(axis=0), want, rtol=1e-13)
    np.testing.assert_allclose(at, v if move else u, rtol=1e-15, atol=1e-15)
    if move:
        np.testing.assert_allclose(g, active * e, rtol=1e-13, atol=1e-14)
        np.testing.assert_array_equal(h, active)
    else:
        assert np.isnan(g).all()
        assert np.isnan(h).all()


def inside(sides, n=23, seed=2):
    """A point well inside of everything."""
    rng = np.random.default_rng(seed)
    sign = np.stack([np.ones(n), -np.ones(n)])[:sides]
    goal, cost = rng.normal(size=(sides, n)), rng.uniform(0.5, 2, n)
    alpha = cost * rng.uniform(0.1, 0.9, (sides, n))
    room, slack = rng.uniform(0.1, 2, (2, sides, n))
    u, affine, du = rng.normal(size=(3, n))
    return u, affine, du, (sign, goal, cost, alpha, room, slack)


@pytest.mark.parametrize("sides", [1, 2])
def test_interior_pass(sides):
    u, _, _, state = inside(sides)
    sign, goal, cost, alpha, room, slack = state
    bounds = cut(len(u), 3)
    theta, right, sums = np.empty(len(u)), np.empty((3, len(u))), np.empty((len(bounds) - 1, 16))
    run(
        lambda cursor, limit: linear_svm.interior_pass(u, *state, bounds, cursor, limit, theta, right, sums),
        bounds,
    )
    beta, lack = cost - alpha, goal - sign * u
    weight = 1 / (room / alpha + slack / beta)
    np.testing.assert_allclose(theta, weight.sum(axis=0), rtol=1e-13)
    want = [(sign * a).sum(axis=0) for a in (alpha, weight * lack, weight * (1 / alpha - 1 / beta))]
    np.testing.assert_allclose(right, want, rtol=1e-12, atol=1e-13)
    want = [
        (cost * np.maximum(lack, 0)).sum(),
        (goal * alpha).sum(),
        (alpha * room + beta * slack).sum(),
    ]
    np.testing.assert_allclose(sums[:, :3].sum(axis=0), want, rtol=1e-12)


def far(alpha, beta, room, slack, da, dz, dx):
    """How far a step may go before something is 0."""
    pairs = [(alpha, da), (beta, -da), (room, dz), (slack, dx)]
    return min((-a[s < 0] / s[s < 0]).min(initial=1e300) for a, s in pairs)


@pytest.mark.parametrize("sides", [1, 2])
def test_interior_steps(sides):
    """The step solves the linearised conditions of optimality, the affine step's second order included."""
    u, affine, du, state = inside(sides)
    sign, goal, cost, alpha, room, slack = state
    n, target, beta = len(u), 0.03, cost - alpha
    bounds = cut(n, 3)
    over, sums = np.empty((1, n)), np.empty((len(bounds) - 1, 16))
    run(
        lambda cursor, limit: linear_svm.interior_probe(u, affine, *state, bounds, cursor, limit, over, sums),
        bounds,
    )
    weight = 1 / (room / alpha + slack / beta)
    da = weight * (goal - sign * (u + affine))
    dz, dx = -room - room * da / alpha, -slack + slack * da / beta
    assert sums[:, 0].min() == pytest.approx(far(alpha, beta, room, slack, da, dz, dx), rel=1e-12)
    assert sums[:, 1].sum() == pytest.approx((da * dz - da * dx).sum(), rel=1e-11)
    want = (sign * weight * (-da * dz / alpha - da * dx / beta)).sum(axis=0)
    np.testing.assert_allclose(over[0], want, rtol=1e-11, atol=1e-13)
    change = np.empty((3, sides, n))
    run(
        lambda cursor, limit: linear_svm.interior_step(
            u, affine, du, target, *state, bounds, cursor, limit, change, sums
        ),
        bounds,
    )
    a, z, x = change
    np.testing.assert_allclose(alpha * z + room * a, target - alpha * room - da * dz, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(beta * x - slack * a, target - beta * slack + da * dx, rtol=1e-9, atol=1e-11)
    left = goal - (sign * u + slack - room)
    np.testing.assert_allclose(sign * du + x - z, left, rtol=1e-9, atol=1e-11)
    assert sums[:, 0].min() == pytest.approx(far(alpha, beta, room, slack, a, z, x), rel=1e-12)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("constant", [0.0, 2.0])
def test_newton_of_few(dtype, constant):
    """In the end the gradient is 0; one step is Newton's."""
    X, low, high, cost, _ = problem(40, 3, dtype)
    A = np.column_stack([X, np.full(40, constant)])[:, : 3 + (constant > 0)].astype(np.float64)
    m = A.shape[1]
    first = (cost * (np.minimum(-low, 0) + np.maximum(-high, 0)) ** 2).sum()

    def go(steps, enough):
        w, u, state = np.zeros(m), np.zeros(40), np.zeros(2, np.int64)
        H, scratch = np.empty((m, m)), np.empty((2, 40 + 2 * m))
        linear_small.newton_steps(
            X, constant, low, high, cost, enough, steps, w, u, H, scratch, float(first), state
        )
        np.testing.assert_allclose(u, A @ w, rtol=1e-10, atol=1e-12)
        return w, state

    w, state = go(50, 1e-24)
    u = A @ w
    g = 2 * cost * (np.minimum(u - low, 0) + np.maximum(u - high, 0))
    assert np.abs(w + g @ A).max() < 1e-9
    assert state[1] == 1
    w, state = go(1, 1e-24)
    assert state.tolist() == [1, 0]
    active = 2 * cost * ((low > 0) | (high < 0))
    g = 2 * cost * (np.minimum(-low, 0) + np.maximum(-high, 0))
    newton = -np.linalg.solve(np.eye(m) + A.T * active @ A, g @ A)
    assert abs(w @ newton) == pytest.approx(np.linalg.norm(w) * np.linalg.norm(newton), rel=1e-10)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("sides", [1, 2])
def test_interior_of_few(dtype, sides):
    """Multipliers within their bounds, weights the sum of the rows by them, and no gap."""
    n, d, constant = 30, 4, 1.5
    X, _, _, cost, rng = problem(n, d, dtype)
    A = np.column_stack([X, np.full(n, constant)]).astype(np.float64)
    sign = np.stack([np.where(np.arange(n) % 2, 1.0, -1.0)] if sides == 1 else [np.ones(n), -np.ones(n)])
    goal = np.ones((1, n)) if sides == 1 else np.stack([rng.normal(size=n), np.zeros(n)])
    goal[-1] = 1.0 if sides == 1 else -goal[0] - 0.2
    alpha, slack, room = np.tile(cost / 2, (sides, 1)), np.maximum(goal, 0) + 1, np.maximum(-goal, 0) + 1
    w, u, m = np.zeros((2, d + 1)), np.zeros(n), d + 1
    first = float((cost * np.maximum(goal, 0)).sum())
    marks, state = np.array([np.inf, -np.inf, 1, np.inf, first, np.inf]), np.zeros(3, np.int64)
    linear_small.interior_steps(
        X, constant, sign, goal, cost, 1e-12, 100, alpha, room, slack, w, u, np.empty((m, m)),
        np.empty((5, m)), np.empty((2, n)), np.empty((3, sides, n)), marks, state,
    )  # fmt: skip
    assert state[1] == 1
    assert 3 < state[0] < 40
    assert (alpha > 0).all()
    assert (alpha < cost).all()
    np.testing.assert_allclose((sign * alpha).sum(axis=0) @ A, w[0], rtol=1e-6, atol=1e-6)
    loss = (cost * np.maximum(goal - sign * (A @ w[1]), 0)).sum() + w[1] @ w[1] / 2
    back = (sign * alpha).sum(axis=0) @ A
    dual = (goal * alpha).sum() - back @ back / 2
    assert -1e-9 < loss - dual < 1e-6 * loss


def csr(X):
    """Arrays of a sparse matrix that has a value where X is not 0."""
    rows, columns = np.nonzero(X)
    indptr = np.zeros(len(X) + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=len(X)), out=indptr[1:])
    return X[rows, columns], np.ascontiguousarray(columns), indptr


def in_stripes(n, kernel):
    """Three stripes, in two calls."""
    bounds, cursor = np.array([0, n // 3, n // 2, n]), np.zeros(1, np.int64)
    kernel(bounds, cursor, 2)
    assert cursor[0] == 2
    kernel(bounds, cursor, 2)


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("d", [6, 60])  # (up to and beyond what is taken at a time)
def test_one_sweep_over_bands(squared, dtype, index, d):
    """Against a loop in Python that takes rows in the order in which the kernel left them."""
    X, low, high, cost, rng = problem(20, d, dtype)
    X[rng.random(X.shape) < 0.4] = 0
    data, indices, indptr = csr(X)
    indices, indptr = indices.astype(index), indptr.astype(index)
    square = np.empty(20)
    in_stripes(20, lambda *cut: linear_dual.squares_pass(data, indptr, 0.5, *cut, square))
    A = np.column_stack([X.astype(np.float64), np.full(20, 0.5)])
    np.testing.assert_allclose(square, (A**2).sum(axis=1), rtol=1e-13)
    rows, place, terms = np.arange(20), np.array([0, 20, 99, 0]), np.stack([low, high, cost, square], axis=1)
    beta, w, found = np.zeros(20), np.zeros(d + 1), np.zeros(2)
    for _ in range(40):  # (little work in each call: a sweep takes several)
        linear_dual.band_descent(
            data, indices, indptr, False, 0.5, terms, squared, np.inf, 5 * d, rows, place,
            beta, w, found,
        )  # fmt: skip
        if place[3]:
            break
    assert place[3] == 1
    want, v, worst, total = np.zeros(20), np.zeros(d + 1), 0.0, 0.0
    for i in rows:
        pull = 0.5 / cost[i] if squared else 0.0
        cap = np.inf if squared else cost[i]
        u = A[i] @ v
        violation = max(low[i] - u, u - high[i], 0)
        worst, total = max(worst, violation), total + violation
        new = np.clip((low[i] - u if u < low[i] else min(high[i] - u, 0)) / (square[i] + pull), -cap, cap)
        v += (new - want[i]) * A[i]
        want[i] = new
    np.testing.assert_allclose(beta, want, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(w, v, rtol=1e-9, atol=1e-12)
    assert found == pytest.approx([worst, total], rel=1e-9)
    assert sorted(rows) == list(range(20))
    sums = np.zeros((3, 16))
    some = np.array([3, 4, 7, 11, 12, 19])
    in_stripes(
        6,
        lambda *cut: linear_dual.violations_pass(
            data, indices, indptr, False, 0.5, terms, squared, some, beta, w, *cut, sums
        ),
    )
    size = np.zeros(6)
    for t, i in enumerate(some):
        up, down = A[i] @ v - low[i], A[i] @ v - high[i]
        if want[i] == 0:
            size[t] = max(-up, down, 0)
            continue
        slope = (up if want[i] > 0 else down) + (0.5 / cost[i] * want[i] if squared else 0)
        bound = not squared and abs(want[i]) == cost[i]
        size[t] = max(slope * np.sign(want[i]), 0) if bound else abs(slope)
    np.testing.assert_allclose(sums[:, 0].max(), size.max(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(sums[:, 1].sum(), size.sum(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("squared", [False, True])
def test_classes_side_by_side_are_bands(squared, dtype):
    """Three classes in lanes, and each of them by itself, in the same order of the rows."""
    X, _, _, weight, rng = problem(25, 5, dtype)
    data, indices, indptr = csr(X)
    codes, square = np.arange(25) % 3 + 4, np.empty(25)
    in_stripes(25, lambda *cut: linear_dual.squares_pass(data, indptr, 1.0, *cut, square))
    near, other = np.ones(8), np.ones(8)
    near[:3], other[:3] = rng.uniform(0.5, 2, (2, 3))
    alpha, W, found = np.zeros((25, 8)), np.zeros((6, 8)), np.zeros((2, 8))
    rows, place = np.arange(25), np.array([0, 25, 77, 0])
    live = np.where(np.arange(8) < 3, -1, 0)
    for _ in range(3):
        place[0] = place[3] = 0
        linear_dual.class_descent(
            data, indices, indptr, False, 1.0, square, codes, 4, weight, near, other, squared,
            np.full(8, np.inf), live, 10**6, rows, place, alpha, W, found,
        )  # fmt: skip
    assert (W[:, 3:] == 0).all()
    for c in range(3):
        own = codes == 4 + c
        low, high = np.where(own, 1.0, -np.inf), np.where(own, np.inf, -1.0)
        cost = weight * np.where(own, near[c], other[c])
        terms = np.stack([low, high, cost, square], axis=1)
        beta, w, marks = np.zeros(25), np.zeros(6), np.zeros(2)
        order, at = np.arange(25), np.array([0, 25, 77, 0])
        for _ in range(3):
            at[0] = at[3] = 0
            linear_dual.band_descent(
                data, indices, indptr, False, 1.0, terms, squared, np.inf, 10**6, order, at,
                beta, w, marks,
            )  # fmt: skip
        np.testing.assert_array_equal(order, rows)
        np.testing.assert_allclose(W[:, c], w, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(np.where(own, 1, -1) * alpha[:, c], beta, rtol=1e-9, atol=1e-12)
        assert found[:, c] == pytest.approx(marks, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("k", [2, 3, 11])
def test_all_classes_at_once(k):
    """One row, whose best multipliers are the projection that sorting finds; here by bisection."""
    rng = np.random.default_rng(k)
    x, cost, own = rng.normal(size=(1, 4)), np.array([0.7]), k // 2
    data, indices, indptr = csr(x)
    square = np.array([(x**2).sum()])
    alpha, W = np.zeros((1, k)), rng.normal(size=(5, k))
    slope = 1 + x[0] @ W[:4] - (np.arange(k) == own)
    before = W.copy()
    place, found = np.array([0, 1, 5, 0, 0, 1]), np.array([0.0, 1.0])
    linear_dual.joint_descent(
        data, indices, indptr, False, 0.0, square, np.array([own]), cost, 1e-6, 1, 10**6, np.arange(1), place,
        alpha, W, np.empty(3 * k), found,
    )  # fmt: skip
    cap = np.where(np.arange(k) == own, cost[0], 0.0)
    low, high = -1e6, 1e6
    for _ in range(200):
        level = (low + high) / 2
        low, high = (level, high) if np.minimum(cap, level - slope / square).sum() < 0 else (low, level)
    np.testing.assert_allclose(alpha[0], np.minimum(cap, low - slope / square), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(W[:4], before[:4] + x.T * alpha, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(W[4], before[4])


@pytest.mark.parametrize("d", [1, 6])
def test_model_with_absolute_values(d):
    rng = np.random.default_rng(d)
    S = rng.normal(size=(30, d))
    H, w, g, found = S.T @ S, rng.normal(size=d), 20 * rng.normal(size=d), np.empty(1)
    slope, v = g.copy(), w.copy()
    linear_l1.model_descent(H, 1e-12, 10**6, 1e-9, slope, v, found)
    np.testing.assert_allclose(slope, g + H @ (v - w), rtol=1e-9, atol=1e-9)
    violation = np.where(v == 0, np.maximum(np.abs(slope) - 1, 0), np.abs(slope + np.sign(v)))
    assert violation.sum() < 1e-7
    assert found[0] <= 1e-9


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("dtype", REALS)
def test_columns_fall(dtype, dense):
    """Each sweep lowers the objective and keeps what rows lack up to date; in the end nothing is left."""
    X, _, _, cost, rng = problem(30, 5, dtype)
    if not dense:
        X[rng.random(X.shape) < 0.3] = 0
    sign = np.where(rng.random(30) < 0.5, 1.0, -1.0)
    data, indices, indptr = csr(np.ascontiguousarray(X.T))
    if dense:
        indices = np.arange(30)
    bound = (cost[:, None] * X.astype(np.float64) ** 2).sum(axis=0)
    columns, place = np.arange(5), np.array([0, 5, 3, 0])
    lack, w, found = np.ones(30), np.zeros(5), np.zeros(2)
    objective = [(cost * lack**2).sum()]
    for _ in range(300):
        place[0] = place[3] = 0
        linear_l1.column_descent(
            data, indices, indptr, dense, sign, cost, bound, np.inf, 10**6, columns, place, lack, w, found
        )
        np.testing.assert_allclose(lack, 1 - sign * (X.astype(np.float64) @ w), rtol=1e-7, atol=1e-9)
        objective.append((cost * np.maximum(lack, 0) ** 2).sum() + np.abs(w).sum())
    assert (np.diff(objective) <= 1e-12 * objective[0]).all()
    assert found[1] < 1e-6
