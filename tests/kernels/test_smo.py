"""Sequential minimal optimisation: each step against its rule in NumPy, and what must be true at the end."""

import numpy as np
import pytest

from clinfa._core import smo
from clinfa.arrays import Table
from clinfa.spatial import Function, KernelRows

DTYPES = [np.float32, np.float64]
SIZES = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33]
LEAST = 1e-12  # a curvature that is not positive
GRADIENT, UP, DOWN, B, LOW, HIGH, DIAGONAL = range(7)
EVER = 1_000_000


def padded(n):
    return -(-n // smo.LANES) * smo.LANES


class Made:
    """A problem: maximise v'b - b'K b / 2 with low <= b <= high and the sum of b fixed in each group."""

    def __init__(self, first, second, dtype, seed=0):
        m = first + second
        rng = np.random.default_rng([seed, first, second])
        self.m, self.split, self.dtype = m, first if second else m, dtype
        self.n = m + 3
        self.A = rng.standard_normal((self.n, 4)).astype(dtype)
        self.K = np.ascontiguousarray((self.A @ self.A.T + np.eye(self.n)).astype(dtype))
        self.records = rng.permutation(self.n)[:m].astype(np.int64)
        self.v = rng.standard_normal(m)
        self.low, self.high = -rng.random(m), rng.random(m)
        # Some at a bound, some between.
        self.b = np.clip(self.low + rng.random(m) * 1.5 * (self.high - self.low), self.low, self.high)
        self.own = self.K[np.ix_(self.records, self.records)].astype(float)
        self.groups = [np.arange(m) < self.split] + ([np.arange(m) >= self.split] if second else [])
        self.width = padded(self.split) + padded(m - self.split)
        self.at = np.arange(m)
        self.at[self.split :] += padded(self.split) - self.split

    def objective(self, b):
        return self.v @ b - b @ self.own @ b / 2

    def gradient(self, b):
        return self.v - self.own @ b

    def gap(self, b):
        g = self.gradient(b)
        return max(
            g[group & (b < self.high)].max(initial=-np.inf) - g[group & (b > self.low)].min(initial=np.inf)
            for group in self.groups
        )

    def sums(self, b):
        return np.array([b[group].sum() for group in self.groups])

    def block(self):
        """K and the state as `steps_pass` takes them."""
        K = np.zeros((self.width, self.width), self.dtype)
        K[np.ix_(self.at, self.at)] = self.own
        state = np.zeros((7, self.width))
        state[UP], state[DOWN] = -np.inf, np.inf
        values = {
            GRADIENT: self.gradient(self.b),
            UP: np.where(self.b < self.high, 0, -np.inf),
            DOWN: np.where(self.b > self.low, 0, np.inf),
            B: self.b,
            LOW: self.low,
            HIGH: self.high,
            DIAGONAL: self.own.diagonal(),
        }
        for row, value in values.items():
            state[row, self.at] = value
        # The second group begins at whole vectors; with one group there is no split.
        return K, padded(self.split) if self.split < self.m else self.width, state

    def steps(self, tolerance=1e-9, most=EVER):
        K, split, state = self.block()
        done, gap = smo.steps_pass(K, split, state, tolerance, most)
        return done, gap, state

    def whole(self, tolerance=1e-9, most=EVER, budget=EVER):
        """b, what was found, and how many steps there were after each call."""
        (b,), (found,), taken = together([self], stored(self.K), tolerance, most, budget)
        return b, found, [int(steps) for (steps,) in taken]


def stored(K):
    """A matrix as `problems_pass` takes it."""
    n = len(K)
    nothing = np.empty((1, 1), K.dtype), np.empty(16, K.dtype), False, 0, 1.0, 0.0, 1.0
    return *nothing, K.diagonal().astype(float), np.arange(n, dtype=np.int32), np.array([n]), K


def made(A, function):
    """Records whose rows it makes itself."""
    n, rows = len(A), KernelRows(Table(A), function)
    X = np.ascontiguousarray(rows.Y - rows.shift)
    how = rows.tiles, function.measure == "squared", *function.codes[1:], np.full(n, np.nan)
    return X, *how, np.full(n, -1, np.int32), np.zeros(1, np.int64), np.full((n, n), np.nan, A.dtype)


def together(problems, rows, tolerance=1e-9, most=EVER, budget=EVER):
    """Problems of one kernel by `problems_pass`: each one's b and what was found; steps after each call."""
    sizes = [p.m for p in problems]
    last = np.cumsum(sizes)
    ends = np.stack([last - sizes, last - sizes + [p.split for p in problems], last], axis=1)
    records = np.concatenate([p.records for p in problems])
    limits = np.concatenate([np.stack([p.v, p.low, p.high]) for p in problems], axis=1)
    b, w = np.concatenate([p.b for p in problems]), max(p.width for p in problems)
    place, steps = np.zeros(3, np.int64), np.zeros(len(problems), np.int64)
    scratch = (
        np.empty(w * w, problems[0].dtype),
        np.empty(w, np.int32),
        np.empty(w, np.int64),
        np.empty(7 * w),
    )
    found, taken = np.empty((len(problems), 4)), []
    while place[0] < len(problems):
        smo.problems_pass(
            *(*rows, ends, records, limits, b, tolerance, most, budget, place, *scratch, found, steps)
        )
        taken.append(steps.copy())
    return np.split(b, last[:-1]), found, taken


def gains(p, b, i, group):
    """What the second-order rule [Fan, Chen and Lin 2005] says of each that may shrink while i grows."""
    g = p.gradient(b)
    curve = np.maximum(p.own[i, i] + p.own.diagonal() - 2 * p.own[i], LEAST)
    return np.where(group & (b > p.low) & (g < g[i]), (g[i] - g) ** 2 / curve, -1.0)


def check_step(p, b, after, near=1e-9):
    """That a step is the one the rule asks for: of those within rounding of the best, any will do."""
    g = p.gradient(b)
    (i,), (j,) = np.flatnonzero(after > b), np.flatnonzero(after < b)
    least_other = -1.0
    for group in p.groups:
        top = g[group & (b < p.high)].max(initial=-np.inf)
        tops = np.flatnonzero(group & (b < p.high) & (g >= top - near))
        if group[i]:
            assert group[j]
            assert i in tops
            own = gains(p, b, i, group)
            assert own[j] >= own.max() * (1 - near)
        elif len(tops):
            least_other = min(gains(p, b, other, group).max() for other in tops)
    assert own[j] >= least_other * (1 - near)
    curve = max(p.own[i, i] + p.own[j, j] - 2 * p.own[i, j], LEAST)
    step = min((g[i] - g[j]) / curve, p.high[i] - b[i], b[j] - p.low[j])
    expected = b.copy()
    expected[i] += step
    expected[j] -= step
    np.testing.assert_allclose(after, expected, rtol=0, atol=1e-11)


CASES = [(n, 0) for n in SIZES] + [(n, m) for n in (1, 7, 8, 9, 33) for m in (1, 8, 15, 32)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("first", "second"), CASES)
def test_steps_are_those_of_the_rule(first, second, dtype):
    p = Made(first, second, dtype)
    K, split, state = p.block()
    b, gap = p.b, p.gap(p.b)
    for _ in range(20):
        done, left = smo.steps_pass(K, split, state, 1e-6, 1)
        assert done == (gap > 1e-6)
        if not done:
            break
        check_step(p, b, state[B, p.at])
        b, gap = state[B, p.at], left
        np.testing.assert_allclose(state[GRADIENT, p.at], p.gradient(b), rtol=0, atol=1e-11)
        assert gap == pytest.approx(p.gap(b), abs=1e-11)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("first", "second"), CASES)
def test_what_the_end_must_be(first, second, dtype):
    p = Made(first, second, dtype)
    b, (gap, *thresholds, objective), _ = p.whole()
    assert gap <= 1e-9
    # Feasible: the box to the bit, the sums to rounding.
    assert (b >= p.low).all()
    assert (b <= p.high).all()
    np.testing.assert_allclose(p.sums(b), p.sums(p.b), rtol=0, atol=1e-13 * p.m)
    # What it says is so.
    if np.isfinite(gap):
        assert p.gap(b) == pytest.approx(gap, abs=1e-11)
    assert objective == pytest.approx(p.objective(b), rel=1e-11, abs=1e-11)
    for group, threshold in zip(p.groups, thresholds, strict=False):
        g = p.gradient(b)
        free = group & (b > p.low) & (b < p.high)
        if free.any():
            assert threshold == pytest.approx(g[free].mean(), abs=1e-10)
        else:
            most = g[group & (b < p.high)].max(initial=-np.inf)
            least = g[group & (b > p.low)].min(initial=np.inf)
            ends = [end for end in (most, least) if np.isfinite(end)]
            assert threshold == pytest.approx(np.mean(ends), abs=1e-10)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("first", "second"), [(9, 0), (33, 0), (9, 8), (7, 33)])
def test_every_step_gains_and_stays_inside(first, second, dtype):
    p = Made(first, second, dtype)
    K, split, state = p.block()
    before, sums = p.objective(p.b), p.sums(p.b)
    gap = np.inf
    while gap > 1e-9:
        _, gap = smo.steps_pass(K, split, state, 1e-9, 1)
        b = state[B, p.at]
        assert (b >= p.low).all()
        assert (b <= p.high).all()
        np.testing.assert_allclose(p.sums(b), sums, rtol=0, atol=1e-13 * p.m)
        assert np.array_equal(state[UP, p.at] == 0, b < p.high)
        assert np.array_equal(state[DOWN, p.at] == 0, b > p.low)
        now = p.objective(b)
        assert now > before - 1e-12
        before = now


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("first", "second"), [(1, 0), (8, 0), (33, 0), (9, 15)])
def test_both_passes_agree(first, second, dtype):
    p = Made(first, second, dtype)
    _, gap, state = p.steps()
    b, found, _ = p.whole()
    # (The first gradient is summed in another order, so steps may differ; no curvature is below 2.)
    np.testing.assert_allclose(b, state[B, p.at], rtol=0, atol=1e-8)
    assert max(gap, found[0]) <= 1e-9


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("first", "second"), [(9, 0), (33, 0), (9, 8), (17, 33)])
@pytest.mark.parametrize("most", [1, 2, 7])
def test_calls_that_go_on_give_the_same_bits(first, second, dtype, most):
    p = Made(first, second, dtype)
    b, found, (done,) = p.whole()
    again, same, taken = p.whole(budget=most * p.width)
    assert len(taken) > 1
    assert taken[-1] == done
    assert (np.diff([0, *taken]) <= most + 1).all()
    assert again.tobytes() == b.tobytes()
    assert same.tobytes() == found.tobytes()
    # What a first part leaves is feasible and no better than the whole.
    part, _, taken = p.whole(most=most)
    assert taken == [most]
    np.testing.assert_allclose(p.sums(part), p.sums(p.b), rtol=0, atol=1e-13 * p.m)
    assert p.objective(p.b) < p.objective(part) < p.objective(b) + 1e-12


@pytest.mark.parametrize("first", [9, 33])
def test_padding_takes_no_part(first):
    p = Made(first, 0, np.float64)
    K, split, state = p.block()
    outside = np.setdiff1d(np.arange(p.width), p.at)
    K[outside], K[:, outside] = 1e3, -1e3  # whatever stands there
    _, expected = p.steps()[1:]
    smo.steps_pass(K, split, state, 1e-9, EVER)
    assert np.array_equal(state[B, p.at], expected[B, p.at])
    assert not state[B, outside].any()
    assert np.isneginf(state[UP, outside]).all()
    assert np.isposinf(state[DOWN, outside]).all()


def two(K, v, b, low, high):
    """A problem of two variables, by itself in a block."""
    block = np.zeros((smo.LANES, smo.LANES))
    block[:2, :2] = K
    state = np.zeros((7, smo.LANES))
    state[UP], state[DOWN] = -np.inf, np.inf
    b, low, high = (np.array(x, float) for x in (b, low, high))
    state[GRADIENT, :2] = np.array(v) - np.array(K) @ b
    state[UP, :2] = np.where(b < high, 0, -np.inf)
    state[DOWN, :2] = np.where(b > low, 0, np.inf)
    state[B, :2], state[LOW, :2], state[HIGH, :2], state[DIAGONAL, :2] = b, low, high, np.diag(K)
    return block, state


def test_two_by_hand():
    """K is the identity, v = (1, -1), both begin at 0: a step t gains 2t - t², most at t = 1."""
    block, state = two(np.eye(2), [1, -1], [0, 0], [-3, -3], [3, 3])
    assert smo.steps_pass(block, smo.LANES, state, 1e-12, EVER) == (1, 0.0)
    assert state[B, :2].tolist() == [1, -1]
    assert state[GRADIENT, :2].tolist() == [0, 0]
    # A bound at 1/4 stops it there: what is left is g = (3/4, -3/4), of which neither may go on.
    block, state = two(np.eye(2), [1, -1], [0, 0], [-3, -0.25], [3, 3])
    done, gap = smo.steps_pass(block, smo.LANES, state, 1e-12, EVER)
    assert done == 1
    assert state[B, :2].tolist() == [0.25, -0.25]
    assert state[GRADIENT, :2].tolist() == [0.75, -0.75]
    assert state[DOWN, 1] == np.inf
    assert gap <= 0


@pytest.mark.parametrize(
    "K", [np.ones((2, 2)), [[1, 2], [2, 1]], np.zeros((2, 2))], ids=["equal", "not", "0"]
)
def test_curvature_that_is_not_positive_goes_to_the_bound(K):
    block, state = two(K, [1, -1], [0, 0], [-0.5, -2], [3, 4])
    done, gap = smo.steps_pass(block, smo.LANES, state, 1e-3, EVER)
    assert done == 1
    assert state[B, :2].tolist() == [2, -2]
    assert gap <= 0


def test_steps_that_rounding_swallows_end():
    """A gap of 1, a curvature of 2e20: a step of 5e-21 is nothing beside b = 1."""
    block, state = two(np.eye(2) * 1e20, [0, 0], [1, 1], [0, 0], [2, 2])
    state[GRADIENT, :2] = 0.5, -0.5
    before = state.copy()
    done, gap = smo.steps_pass(block, smo.LANES, state, 1e-9, EVER)
    assert done == 0
    assert gap == 1
    assert np.array_equal(state, before)


def test_nothing_can_move():
    """All at the bound that their gradient presses them to, or alone in their group."""
    block, state = two(np.eye(2), [5, -5], [1, -1], [-1, -1], [1, 1])
    done, gap = smo.steps_pass(block, smo.LANES, state, 1e-9, EVER)
    assert done == 0
    assert gap <= 0
    p = Made(1, 1, np.float64)
    b, _, taken = p.whole()
    assert taken == [0]
    assert np.array_equal(b, p.b)


FUNCTIONS = [
    Function("squared", "decay", 0.4),
    Function("inner"),
    Function("inner", "power", 0.3, 1.0, 2.0),
    Function("inner", "tangent", 0.02, 0.0),
]


def lazily(p, function, slots, tolerance=1e-9, most=EVER):
    """`lazy_pass` on the records of a problem, whose K becomes that of the function; and the rows it kept."""
    place = np.zeros(p.width, np.int64)
    place[p.at] = np.arange(p.m)
    rows = KernelRows(Table(p.A[p.records][place]), function)
    p.own = KernelRows(Table(p.A[p.records]), function).rows().astype(float)
    _, split, state = p.block()
    slot, used = np.full(p.width, -1, np.int32), np.zeros(1, np.int64)
    kept = np.empty((slots, p.width), p.dtype)
    X = np.ascontiguousarray(rows.Y - rows.shift)
    args = X, rows.tiles, function.measure == "squared", *function.codes[1:], split, state
    taken = []
    while True:
        done, gap = smo.lazy_pass(*args, tolerance, most, slot, used, kept)
        taken.append(done)
        if done < most or gap <= tolerance:
            return taken, gap, state, slot, int(used[0]), kept


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f"{f.measure}-{f.shape}")
@pytest.mark.parametrize(("first", "second"), [(1, 0), (7, 0), (8, 0), (33, 0), (9, 8), (17, 33)])
def test_rows_computed_as_they_are_needed(first, second, function, dtype):
    p = Made(first, second, dtype)
    _, gap, state, slot, used, kept = lazily(p, function, p.width, 1e-6)
    b, near = state[B, p.at], 1e-12 if dtype == np.float64 else 1e-5
    assert gap <= 1e-6
    assert p.gap(b) <= 1e-6 + 100 * near
    np.testing.assert_allclose(p.sums(b), p.sums(p.b), rtol=0, atol=1e-12 * p.m)
    np.testing.assert_allclose(state[GRADIENT, p.at], p.gradient(b), rtol=0, atol=100 * near)
    # Each row that was needed is kept once, and is right.
    have = np.flatnonzero(slot >= 0)
    assert sorted(slot[have].tolist()) == list(range(used))
    inverse = np.full(p.width, -1)
    inverse[p.at] = np.arange(p.m)
    for at in have:
        np.testing.assert_allclose(kept[slot[at], p.at], p.own[inverse[at]], rtol=10 * near, atol=10 * near)
    # Who changed needed a row.
    assert (slot[p.at[b != p.b]] >= 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_lazy_calls_that_go_on_give_the_same_bits(dtype):
    p, function = Made(33, 0, dtype), FUNCTIONS[0]
    taken, _, whole, *_ = lazily(p, function, p.width, 1e-6)
    parts, _, state, *_ = lazily(p, function, p.width, 1e-6, most=3)
    assert sum(parts) == taken[0] > 3
    assert state.tobytes() == whole.tobytes()


@pytest.mark.parametrize("slots", [2, 5])
def test_no_room_for_another_row(slots):
    """It ends there with a state that is consistent, and rows of a matrix take over."""
    p = Made(33, 0, np.float64)
    _, gap, state, slot, used, _ = lazily(p, FUNCTIONS[0], slots)
    assert used == slots == (slot >= 0).sum()
    assert gap > 1e-9
    b = state[B, p.at]
    np.testing.assert_allclose(state[GRADIENT, p.at], p.gradient(b), rtol=0, atol=1e-12)
    assert p.objective(b) >= p.objective(p.b)
    K = np.zeros((p.width, p.width))
    K[np.ix_(p.at, p.at)] = p.own
    _, left = smo.steps_pass(K, p.width, state, 1e-9, EVER)
    assert left <= 1e-9
    assert p.gap(state[B, p.at]) <= 1e-9 + 1e-12


def several(dtype):
    """Problems of different sizes and groups, some of whose records are the same."""
    problems = [
        Made(33, 0, dtype),
        Made(9, 8, dtype),
        Made(1, 0, dtype),
        Made(17, 33, dtype),
        Made(8, 0, dtype),
    ]
    whole = max(problems, key=lambda p: p.n)
    for p in problems:
        p.K, p.A = whole.K, whole.A
        p.own = p.K[np.ix_(p.records, p.records)].astype(float)
    return problems, whole


@pytest.mark.parametrize("dtype", DTYPES)
def test_each_problem_of_several_is_as_if_alone(dtype):
    problems, whole = several(dtype)
    b, found, (steps,) = together(problems, stored(whole.K))
    for each, mine, other, n_steps in zip(problems, b, found, steps, strict=True):
        alone, same, taken = each.whole()
        assert alone.tobytes() == mine.tobytes()
        assert same[: 2 + len(each.groups) - 1].tobytes() == other[: 2 + len(each.groups) - 1].tobytes()
        assert taken == [n_steps]
    again, same, taken = together(problems, stored(whole.K), budget=100)
    assert len(taken) > len(problems)
    assert [part.tobytes() for part in again] == [part.tobytes() for part in b]
    assert same.tobytes() == found.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f"{f.measure}-{f.shape}")
def test_rows_of_several_problems_are_made_once(function, dtype):
    problems, whole = several(dtype)
    near = 1e-12 if dtype == np.float64 else 1e-5
    K = KernelRows(Table(whole.A), function).rows()
    rows = made(whole.A, function)
    diagonal, slot, used, kept = rows[-4:]
    b, found, (steps,) = together(problems, rows, 1e-6)
    np.testing.assert_allclose(diagonal, K.diagonal(), rtol=10 * near)
    # Each row that was asked for is kept once, and is right; who changed had asked.
    have = np.flatnonzero(slot >= 0)
    assert sorted(slot[have].tolist()) == list(range(used[0]))
    np.testing.assert_allclose(kept[slot[have]], K[have], rtol=10 * near, atol=10 * near)
    for p, mine, other in zip(problems, b, found, strict=True):
        p.own = K[np.ix_(p.records, p.records)].astype(float)
        assert other[0] <= 1e-6
        assert p.gap(mine) <= 1e-6 + 100 * near
        assert (slot[p.records[mine != p.b]] >= 0).all()
    # Calls that go on give the same bits.
    again, _, taken = together(problems, made(whole.A, function), 1e-6, budget=100)
    assert len(taken) > len(problems)
    assert np.array_equal(taken[-1], steps)
    assert [part.tobytes() for part in again] == [part.tobytes() for part in b]


def test_gradients_that_are_no_numbers_are_seen_at_once():
    block, state = two(np.eye(2), [1, -1], [0, 0], [-3, -3], [3, 3])
    state[GRADIENT, 1] = np.nan
    done, gap = smo.steps_pass(block, smo.LANES, state, 1e-9, EVER)
    assert done == 0
    assert np.isnan(gap)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 7, 8, 511, 512, 513, 1300])
@pytest.mark.parametrize("m", [0, 1, 3, 4, 5, 9])
def test_add_rows(n, m, dtype):
    rng = np.random.default_rng([n, m])
    rows = rng.standard_normal((12, n)).astype(dtype)
    which, coefficients = rng.integers(0, 12, m), rng.standard_normal(m)
    start = rng.standard_normal(n)
    expected = start + coefficients @ rows[which].astype(float)
    outcomes = []
    for stripes in (1, 2, 5):
        bounds = np.linspace(0, n, stripes + 1).astype(np.int64)
        total = start.copy()
        smo.add_rows_pass(rows, which, coefficients, bounds, np.zeros(1, np.int64), stripes, total)
        np.testing.assert_allclose(total, expected, rtol=0, atol=1e-13)
        outcomes.append(total.tobytes())
    assert len(set(outcomes)) == 1


def test_add_rows_takes_so_many_stripes():
    rows, total, cursor = np.ones((1, 10)), np.zeros(10), np.zeros(1, np.int64)
    args = rows, np.zeros(1, np.int64), np.ones(1), np.array([0, 3, 5, 10], np.int64), cursor
    smo.add_rows_pass(*args, 2, total)
    assert total.tolist() == [1] * 5 + [0] * 5
    smo.add_rows_pass(*args, 2, total)
    assert total.tolist() == [1] * 10
