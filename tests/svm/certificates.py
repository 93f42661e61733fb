"""What proves that a kernel machine is optimal, from its published attributes and NumPy alone.

Each problem is: maximise v'b - b'K b / 2 with low <= b <= high, the sum of b fixed in each group. With the
gradient g = v - K b the optimum is where in each group no g of a variable that may grow is above that of one
that may shrink; by how much it is, is the violation. It bounds the duality gap: primal less dual is at most
the violation times the sum of C, because each record's term of it is.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from clinfa.datasets import make_blobs
from clinfa.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

MACHINES = {"SVC": SVC, "NuSVC": NuSVC, "SVR": SVR, "NuSVR": NuSVR, "OneClassSVM": OneClassSVM}
NAMES = list(MACHINES)


def dense(values):
    return values.toarray() if hasattr(values, "toarray") else np.asarray(values)


def gram(X, Y=None, kernel="rbf", gamma=1.0, coef0=0.0, degree=3):
    """The kernel in double precision, by SciPy."""
    X = np.asarray(X, float)
    Y = X if Y is None else np.asarray(Y, float)
    if kernel == "rbf":
        return np.exp(-gamma * cdist(X, Y, "sqeuclidean"))
    if kernel == "linear":
        return X @ Y.T
    if kernel == "poly":
        return (gamma * (X @ Y.T) + coef0) ** degree
    return np.tanh(gamma * (X @ Y.T) + coef0)


def scale(X):
    """What gamma="scale" means."""
    return 1 / (X.shape[1] * np.asarray(X, float).var())


def data(name, n, d=3, *, noise=0.3, seed=0):
    """Records and targets for a machine: overlapping groups, or a rough curve."""
    X, labels = make_blobs(n, d, centers=2, cluster_std=4.0, random_state=seed)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    if name in ("SVC", "NuSVC"):
        labels[:2] = 0, 1
        return X, labels
    curve = np.sin(2 * X[:, 0]) + X[:, -1] + noise * np.random.default_rng(seed).standard_normal(n)
    return X, curve if name != "OneClassSVM" else None


def fitted(name, X, y=None, weights=None, **params):
    return MACHINES[name](**params).fit(X, y, sample_weight=weights)


def coefficients(model, pair=(0, 1)):
    """Signed coefficients of all records, for the function that is above zero for +1."""
    n, dual = model.shape_fit_[0], dense(model.dual_coef_).astype(float)
    b = np.zeros(n)
    if len(dual) == 1 and len(getattr(model, "classes_", "??")) == 2:
        b[model.support_] = dual[0]
        return b
    ends = np.concatenate([[0], np.cumsum(model.n_support_)])
    i, j = pair
    one, other = slice(ends[i], ends[i + 1]), slice(ends[j], ends[j + 1])
    b[model.support_[one]], b[model.support_[other]] = dual[j - 1, one], dual[i, other]
    return b


@dataclass
class Certificate:
    violation: float
    outside: float  # of the box and of the sums, relative to C and to the sums
    gap: float  # primal less dual
    dual: float
    mass: float  # sum of C
    error: float = 0.0  # share of weight beyond what nu allows: margin errors, or support vectors too few
    known: bool = True  # whether the violation is that of the solver's variables

    def check(self, tol, rounding=1e-10):
        """`rounding`: relative, what kernel values and coefficients may be off by."""
        assert self.outside <= rounding
        assert self.violation <= tol + rounding
        # Weak duality, and how far the violation can be from it.
        slack = rounding * (abs(self.dual) + self.mass)
        assert -slack <= self.gap <= max(self.violation, 0) * self.mass + slack
        assert self.error <= 1e-6


def _violation(g, b, low, high, groups):
    # (Bounds of zero are kept exactly, others are rounded where coefficients are float32.)
    may_grow, may_shrink = b < high - 1e-6 * np.abs(high), b > low + 1e-6 * np.abs(low)
    apart = [
        g[own & may_grow].max(initial=-np.inf) - g[own & may_shrink].min(initial=np.inf) for own in groups
    ]
    return max(apart)


def _sure(violation, level):
    """How far from a margin a record is surely on that side of it."""
    return max(violation, 0) + 1e-6 * abs(level) + 1e-9


def _outside(b, low, high, sums):
    over = np.maximum(low - b, b - high) / np.maximum(high - low, 1e-300)
    return max(over.max(), max(abs(found - due) / size for found, due, size in sums))


def classification(b, intercept, K, y, C):
    """Of SVC: minimise |w|²/2 + sum of C max(0, 1 - y f); y of -1 and +1."""
    low, high = np.where(y > 0, 0, -C), np.where(y > 0, C, 0)
    Kb = K @ b
    norm, primal = b @ Kb, (C * np.maximum(0, 1 - y * (Kb + intercept))).sum()
    every = np.ones(len(b), bool)
    return Certificate(
        _violation(y - Kb, b, low, high, [every]),
        _outside(b, low, high, [(b.sum(), 0.0, C.sum())]),
        norm / 2 + primal - (y @ b - norm / 2),
        y @ b - norm / 2,
        C.sum(),
    )


def nu_classification(b, intercept, K, y, W, nu):
    """Of NuSVC: minimise |w|²/2 - rho nu sum(W) + sum of W max(0, rho - y f), then all divided by rho."""
    total = nu * W.sum() / 2
    rho = total / b[y > 0].sum()
    b, intercept = b * rho, intercept * rho
    low, high = np.where(y > 0, 0, -W), np.where(y > 0, W, 0)
    Kb = K @ b
    f, norm = Kb + intercept, b @ Kb
    primal = norm / 2 - rho * nu * W.sum() + (W * np.maximum(0, rho - y * f)).sum()
    violation = _violation(-Kb, b, low, high, [y > 0, y < 0])
    inside = W[y * f < rho - _sure(violation, rho)].sum()
    return Certificate(
        violation,
        _outside(b, low, high, [(b[y < 0].sum(), -total, total)]),
        primal + norm / 2,
        -norm / 2,
        W.sum(),
        max(inside - nu * W.sum(), nu * W.sum() - W[b != 0].sum()) / W.sum(),
    )


def regression(b, intercept, K, y, C, epsilon):
    """Of SVR: minimise |w|²/2 + sum of C max(0, |y - f| - epsilon)."""
    n = len(y)
    Kb = K @ b
    norm, primal = b @ Kb, (C * np.maximum(0, np.abs(y - Kb - intercept) - epsilon)).sum()
    dual = y @ b - epsilon * np.abs(b).sum() - norm / 2
    none = np.zeros(n)
    return Certificate(
        _violation(
            np.concatenate([y - epsilon - Kb, y + epsilon - Kb]),
            np.concatenate([np.maximum(b, 0), np.minimum(b, 0)]),
            np.concatenate([none, -C]),
            np.concatenate([C, none]),
            [np.ones(2 * n, bool)],
        ),
        _outside(b, -C, C, [(b.sum(), 0.0, C.sum())]),
        norm / 2 + primal - dual,
        dual,
        C.sum(),
    )


def nu_regression(b, intercept, K, y, C, nu):
    """Of NuSVR: minimise |w|²/2 + nu epsilon sum(C) + sum of C max(0, |y - f| - epsilon), epsilon free."""
    n, none, W = len(y), np.zeros(len(y)), C.sum()
    Kb = K @ b
    norm, off = b @ Kb, np.abs(y - Kb - intercept)
    # The best epsilon is one of the residuals (or 0): the cost is convex and bends only there.
    order = np.argsort(off)
    above = np.concatenate([[W], W - np.cumsum(C[order])])  # weight of residuals beyond each candidate
    candidates = np.concatenate([[0.0], off[order]])
    beyond = ((C * off).sum() - np.concatenate([[0.0], np.cumsum((C * off)[order])])) - above * candidates
    cost = nu * W * candidates + beyond
    epsilon, dual = candidates[cost.argmin()], y @ b - norm / 2
    up, down, half = np.maximum(b, 0), np.minimum(b, 0), nu * W / 2
    # What both sides of a record share is published in neither, and tells that the tube has no width.
    known = up.sum() > half * (1 - 1e-6)
    gap = norm / 2 + cost.min() - dual
    if known:
        sides = [np.arange(2 * n) < n, np.arange(2 * n) >= n]
        violation = _violation(
            np.tile(y - Kb, 2),
            np.concatenate([up, down]),
            np.concatenate([none, -C]),
            np.concatenate([C, none]),
            sides,
        )
    else:  # of two variables for each record, so much at least
        violation = gap / (2 * W)
    outside = C[off > epsilon + 2 * _sure(violation, epsilon)].sum()
    over = max(up.sum(), -down.sum(), half)
    return Certificate(
        violation,
        _outside(b, -C, C, [(b.sum(), 0.0, half), (over, half, half)]),
        gap,
        dual,
        W if known else 2 * W,
        max(outside - nu * W, nu * W - C[b != 0].sum() if known else 0) / W,
        known,
    )


def novelty(b, offset, K, W, nu):
    """Of OneClassSVM: minimise |w|²/2 - rho nu sum(W) + sum of W max(0, rho - w·x)."""
    Kb = K @ b
    norm, total, every = b @ Kb, nu * W.sum(), np.ones(len(b), bool)
    primal = norm / 2 - offset * total + (W * np.maximum(0, offset - Kb)).sum()
    violation = _violation(-Kb, b, 0 * W, W, [every])
    outside = W[Kb < offset - _sure(violation, offset)].sum()
    return Certificate(
        violation,
        _outside(b, 0 * W, W, [(b.sum(), total, total)]),
        primal + norm / 2,
        -norm / 2,
        W.sum(),
        max(outside - total, total - W[b != 0].sum()) / W.sum(),
    )


def certificate(name, model, K, y, weights=None, unit=1.0):
    """Of a fitted machine of two classes, of numbers or of one class.

    `unit` is what different records weigh on average: the problem of NuSVC is in such units.
    """
    weights = np.ones(len(K)) if weights is None else np.asarray(weights, float)
    used = weights > 0
    K, b, intercept = K[np.ix_(used, used)], coefficients(model), float(model.intercept_[0])
    assert not b[~used].any()
    b, W = b[used], weights[used]
    if name == "OneClassSVM":
        return novelty(b, float(model.offset_[0]), K, W, model.nu)
    y = np.asarray(y)[used]
    if name in ("SVC", "NuSVC"):
        W = W * model.class_weight_[np.searchsorted(model.classes_, y)]
        y = np.where(y == model.classes_[1], 1.0, -1.0)
    if name == "SVC":
        return classification(b, intercept, K, y, model.C * W)
    if name == "NuSVC":
        return nu_classification(b, intercept, K, y, W / unit, model.nu)
    if name == "SVR":
        return regression(b, intercept, K, y, model.C * W, model.epsilon)
    return nu_regression(b, intercept, K, y, model.C * W, model.nu)
