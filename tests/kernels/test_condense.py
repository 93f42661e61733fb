"""The kernels of single-linkage and condensed trees, against slow ones that follow the definition."""

from itertools import chain, combinations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from clinfa._core import condense as kernels
from clinfa.cluster._condensed import condense
from clinfa.hierarchy import SingleLinkage, SpanningTree, single_linkage
from tests.contract.problems import same_partition
from tests.kernels.helpers import cut, run

SIZES = [2, 3, 16, 17, 64, 200]
WAYS = ["random", "whole numbers", "equal", "chain"]


def hierarchy(n, way):
    """A single-linkage tree of points on a line or in a plane, by SciPy."""
    rng = np.random.default_rng(n)
    X = {
        "random": lambda: rng.standard_normal((n, 2)),
        "whole numbers": lambda: rng.integers(0, 6, (n, 2)).astype(float),
        "equal": lambda: np.ones((n, 2)),
        "chain": lambda: (np.arange(n) ** 2.0)[:, None],
    }[way]()
    Z = linkage(X, "single")
    return SingleLinkage(
        np.sort(Z[:, :2], axis=1).astype(np.int64), Z[:, 2].copy(), Z[:, 3].astype(np.int64)
    ), Z


def members(tree, node):
    n = len(tree.heights) + 1
    if node < n:
        return [node]
    return members(tree, tree.children[node - n, 0]) + members(tree, tree.children[node - n, 1])


def slow_condensed(tree, least):
    """By recursion: the points of each cluster, its birth, its parent, and the density at which each left."""
    n = len(tree.heights) + 1
    clusters, left, last = [], np.zeros(n), np.zeros(n, int)

    def grow(node, birth, parent):
        me = len(clusters)
        clusters.append([parent, birth, members(tree, node), 0.0])
        while True:
            if node < n:  # (only the root of a tree of one point)
                return
            height, parts = tree.heights[node - n], tree.children[node - n]
            density = 1 / height if height > 0 else np.inf
            large = [c for c in parts if len(members(tree, c)) >= least and height > 0]
            clusters[me][3] = density
            for c in parts:
                if c not in large:
                    gone = members(tree, c)
                    left[gone], last[gone] = density, me
            if len(large) == 2:
                for c in large:
                    grow(c, density, me)
                return
            if not large:
                return
            node = large[0]

    grow(2 * n - 2, 0.0, 0)
    return clusters, left, last


@pytest.mark.parametrize("least", [2, 3, 7])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", SIZES)
def test_condense_pass(n, way, least):
    tree, _ = hierarchy(n, way)
    found = condense(tree, tree.heights, least)
    clusters, left, last = slow_condensed(tree, least)
    np.testing.assert_array_equal(found.leaves, left)
    assert same_partition(found.cluster, last)
    assert len(found.parent) == len(clusters)
    mine = {}
    for c in range(len(found.parent)):
        points = np.flatnonzero([c in _above(found.parent, at) for at in found.cluster])
        mine[tuple(points)] = (found.birth[c], found.members[c], found.death[c], found.stability[c])
    for _, birth, points, death in clusters:
        seen = mine.pop(tuple(sorted(points)))
        ends = np.minimum(left[points], death)
        with np.errstate(invalid="ignore"):
            assert seen[:3] == (birth, len(points), death)
            np.testing.assert_allclose(seen[3], (ends - birth).sum(), rtol=1e-12)


def _above(parent, c):
    out = {int(c)}
    while c:
        c = parent[c]
        out.add(int(c))
    return out


@pytest.mark.parametrize("stripes", [1, 3])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", SIZES)
def test_cut_pass(n, way, stripes):
    tree, Z = hierarchy(n, way)
    for height in np.unique(np.r_[tree.heights, 0.5, np.inf]):
        below = np.nextafter(height, -np.inf)
        assert same_partition(tree.cut(height), fcluster(Z, below, "distance"))
    kept = n - 1
    group, bounds = np.arange(n + kept), cut(kept, stripes)
    run(lambda cursor, limit: kernels.cut_pass(tree.children, bounds, cursor, limit, group), bounds)
    assert (group == 2 * n - 2).all()


@pytest.mark.parametrize("stripes", [1, 4])
@pytest.mark.parametrize("n", SIZES)
def test_linkage_pass(n, stripes):
    rng = np.random.default_rng(n)
    edges = np.array([[i, rng.integers(i)] for i in range(1, n)], np.int32)[rng.permutation(n - 1)]
    sets = [{i} for i in range(n)]
    parent = np.arange(2 * n - 1)
    children, sizes = np.empty((n - 1, 2), np.int64), np.empty(n - 1, np.int64)
    bounds = cut(n - 1, stripes)
    run(
        lambda cursor, limit: kernels.linkage_pass(edges, bounds, cursor, limit, parent, children, sizes),
        bounds,
    )
    for (a, b), (left, right), size in zip(edges, children, sizes, strict=True):
        assert left < right and {frozenset(sets[left]), frozenset(sets[right])} == {
            frozenset(next(s for s in reversed(sets) if e in s)) for e in (a, b)
        }
        sets.append(sets[left] | sets[right])
        assert size == len(sets[-1])
    tree = single_linkage(SpanningTree(edges, np.arange(n - 1.0)), np.arange(n - 1.0))
    np.testing.assert_array_equal(tree.children, children)


def forest(m, seed):
    """Parents of m clusters, before their children; each has two or none."""
    rng = np.random.default_rng(seed)
    parent, open_ = [0], [0]
    while len(parent) + 2 <= m:
        at = open_.pop(rng.integers(len(open_)))
        open_ += [len(parent), len(parent) + 1]
        parent += [at, at]
    return np.array(parent), rng.integers(1, 100, len(parent)).astype(float), rng


def antichains(parent, free):
    every = chain.from_iterable(combinations(free, r) for r in range(len(free) + 1))
    return [c for c in every if all(not (_above(parent, a) - {a}) & set(c) for a in c)]


@pytest.mark.parametrize("root_too", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_excess_of_mass_is_the_best_choice(seed, root_too):
    parent, stability, _ = forest(11, seed)
    m = len(parent)
    chosen, label = np.zeros(m, np.uint8), np.empty(m, np.int64)
    kernels.excess_of_mass(
        parent, np.ones(m, np.int64), stability, 10**6, 0 if root_too else 1, np.zeros(m), chosen
    )
    kernels.name_clusters(parent, chosen, label)
    most = max(stability[list(c)].sum() for c in antichains(parent, range(0 if root_too else 1, m)))
    assert stability[chosen > 0].sum() == most
    kept = np.flatnonzero(chosen)
    assert tuple(kept) in antichains(parent, kept)
    for c in range(m):
        over = [j for j, k in enumerate(kept) if k in _above(parent, c)]
        assert label[c] == (over[0] if over else -1)


@pytest.mark.parametrize("seed", range(4))
def test_the_greatest_size_is_kept_to(seed):
    parent, stability, _ = forest(31, seed)
    members = np.zeros(31, np.int64)
    for c in range(30, -1, -1):
        members[c] = max(members[c], 1)
        if c:
            members[parent[c]] += members[c]
    chosen = np.zeros(31, np.uint8)
    kernels.excess_of_mass(parent, members, stability, 3, 0, np.zeros(31), chosen)
    assert members[chosen > 0].max() <= 3


@pytest.mark.parametrize("root_too", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_merge_below(seed, root_too):
    parent, _, rng = forest(31, seed)
    birth = np.zeros(31)
    for c in range(1, 31):
        birth[c] = birth[parent[c]] + rng.random()
    density, up = 1.2, np.empty(31, np.int64)
    kernels.merge_below(parent, birth, density, root_too, up)
    for c in np.flatnonzero(birth > density):
        at = c
        while parent[at] and birth[parent[at]] >= density:
            at = parent[at]
        # (The first above it that was born before; its last one below the root where only that was.)
        above = parent[at]
        assert up[c] == (above if above or root_too else at)
