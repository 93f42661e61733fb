"""Well separated groups stay what they are when they are scaled or moved, however far."""

import numpy as np
import pytest
import scipy.sparse as sp

from tests.cases import in_cases
from tests.contract.discover import each, of_kind
from tests.contract.problems import groups, same_partition
from tests.contract.test_hostile_records import easy

# By name: factor and offset of all columns.
MOVES = {
    "float64": {
        "as they are": (1, 0),
        "times 1e300": (1e300, 0),
        "times -1e300": (-1e300, 0),
        "times 1e150": (1e150, 0),
        "times 1e-150": (1e-150, 0),
        "times 1e-300": (1e-300, 0),
        "times 1e-315 (denormal)": (1e-315, 0),
        "plus 1e8": (1, 1e8),
        "minus 1e8": (1, -1e8),
        "plus 1e12": (1, 1e12),
        "times 1e-150 plus 1e-142": (1e-150, 1e-142),
        "times 1e290 plus 1e298": (1e290, 1e298),
    },
    "float32": {
        "as they are": (1, 0),
        "times 1e36": (1e36, 0),
        "times 1e-36": (1e-36, 0),
        "times 1e-42 (denormal)": (1e-42, 0),
        "plus 1e4": (1, 1e4),
        "minus 1e6": (1, -1e6),
    },
}


by_move = in_cases("case", [(dtype, name) for dtype, moves in MOVES.items() for name in moves])


def moved(dtype, move, **size):
    X, which = groups(90, **size)
    factor, offset = MOVES[dtype][move]
    with np.errstate(under="ignore"):
        return (X * factor + offset).astype(dtype), which


@pytest.mark.parametrize("d", [2, 3, 40])
@by_move
@each(of_kind("clusterer"))
def test_groups_are_found(cls, case, d):
    dtype, move = case
    X, which = moved(dtype, move, d=d)
    model = easy(cls, MOVES[dtype][move][0]).fit(X)
    assert same_partition(model.labels_, which)
    if hasattr(model, "predict"):
        np.testing.assert_array_equal(model.predict(X), model.labels_)
        np.testing.assert_array_equal([model.predict(row[None])[0] for row in X[:9]], model.labels_[:9])


@by_move
@each([cls for cls in of_kind("clusterer") if cls._sparse])
def test_groups_are_found_in_csr(cls, case):
    dtype, move = case
    X, which = moved(dtype, move)
    model = easy(cls, MOVES[dtype][move][0]).fit(sp.csr_array(X))
    assert same_partition(model.labels_, which)
    if hasattr(model, "predict"):
        np.testing.assert_array_equal(model.predict(sp.csr_array(X)), model.labels_)


@by_move
@each(of_kind("clusterer"))
def test_centres_and_distances(cls, case):
    dtype, move = case
    """Centres lie within their groups; distances to them are those of extended precision."""
    X, which = moved(dtype, move)
    model = easy(cls).fit(X)
    if not hasattr(model, "cluster_centers_"):
        return
    exact, centres = X.astype(np.longdouble), model.cluster_centers_.astype(np.longdouble)
    slack = np.abs(exact).max() * 2 * np.finfo(dtype).eps + np.finfo(dtype).smallest_subnormal
    homes = [which[model.labels_ == j][0] for j in range(3)]
    for centre, home in zip(centres, homes, strict=True):
        assert (centre >= exact[which == home].min(axis=0) - slack).all()
        assert (centre <= exact[which == home].max(axis=0) + slack).all()
    if hasattr(model, "transform"):
        scale = np.abs(exact - exact.mean(axis=0)).max()
        far = np.sqrt((((exact[:, None] - centres) / scale) ** 2).sum(axis=2)) * scale
        wrong = np.abs(model.transform(X) - far).max()
        assert wrong <= 200 * np.finfo(dtype).eps * scale + 2 * np.finfo(dtype).smallest_subnormal


@pytest.mark.parametrize("factors", [(1, 1e-200), (1e-200, 1), (1e200, 1e-200), (1e-300, 1e-10), (1e8, 1e-8)])
@each(of_kind("clusterer"))
def test_columns_of_different_scale(cls, factors):
    """The widest columns decide."""
    X, which = groups()
    noise = np.random.RandomState(7).standard_normal(X.shape)
    big, small = max(factors), min(factors)
    both = [X * big, noise * small] if factors[0] == big else [noise * small, X * big]
    assert same_partition(easy(cls, big).fit(np.hstack(both)).labels_, which)


@pytest.mark.parametrize("constant", [1e8, -1e15, 1e300])
@each(of_kind("clusterer"))
def test_constant_columns_say_nothing(cls, constant):
    X, which = groups()
    X = np.hstack([np.full((len(X), 1), constant), X])
    model = easy(cls).fit(X)
    assert same_partition(model.labels_, which)
    if hasattr(model, "predict"):
        np.testing.assert_array_equal(model.predict(X), model.labels_)
