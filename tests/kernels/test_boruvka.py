"""The kernels of spanning trees, against NumPy."""

import numpy as np
import pytest

from clinfa._core import boruvka
from tests.kernels.helpers import cut, run

RNG = np.random.default_rng


def order(weight, far, a, b):
    """Edges in the order of the spanning tree."""
    return weight, far, min(a, b), max(a, b)


@pytest.mark.parametrize("n", [2, 3, 17, 60])
@pytest.mark.parametrize("stripes", [1, 3])
def test_choose_join_flatten(n, stripes):
    """A round of Borůvka's on a graph in which each place has one edge to another group, or none."""
    rng = RNG(n)
    rows, group = rng.permutation(n).astype(np.int32), rng.integers(0, n, n).astype(np.int32)
    group = np.unique(group, return_index=True)[1][np.unique(group, return_inverse=True)[1]].astype(np.int32)
    to = rng.integers(-1, n, n).astype(np.int32)
    weight, far = rng.integers(0, 3, (2, n)).astype(float)
    roots = np.unique(group)
    best = np.full(n, -1, np.int32)
    bounds = cut(n, stripes)
    run(
        lambda cursor, limit: boruvka.choose_pass(rows, group, weight, far, to, bounds, cursor, limit, best),
        bounds,
    )
    for g in roots:
        leads = [i for i in range(n) if group[i] == g and to[i] >= 0 and group[to[i]] != g]
        if not leads:
            assert best[g] == -1
            continue
        least = min(leads, key=lambda i: order(weight[i], far[i], rows[i], rows[to[i]]))
        assert order(weight[best[g]], far[best[g]], rows[best[g]], rows[to[best[g]]]) == order(
            weight[least], far[least], rows[least], rows[to[least]]
        )
    active = (rng.random(n) < 0.7).astype(np.uint8)
    parent, size = np.arange(n, dtype=np.int32), np.bincount(group, minlength=n)
    edges, found = np.full((n - 1, 2), -1, np.int32), np.zeros(1, np.int64)
    weights, fars = np.empty((2, n - 1))
    bounds = cut(len(roots), min(stripes, len(roots)))
    run(
        lambda cursor, limit: boruvka.join_pass(
            *(rows, roots, group, to, best, active, weight, far, bounds, cursor, limit),
            *(parent, size, edges, weights, fars, found),
        ),
        bounds,
    )
    run(lambda cursor, limit: boruvka.flatten_pass(roots, bounds, cursor, limit, parent), bounds)
    joined = {int(g): {int(g)} for g in roots}
    edges_seen = 0
    for g in roots:
        if active[g] and best[g] >= 0:
            a, b = joined[int(g)], joined[int(group[to[best[g]]])]
            if a is not b:
                assert edges[edges_seen].tolist() == [rows[best[g]], rows[to[best[g]]]]
                assert [weights[edges_seen], fars[edges_seen]] == [weight[best[g]], far[best[g]]]
                edges_seen += 1
                a |= b
                joined.update(dict.fromkeys(a, a))
    assert found[0] == edges_seen
    for g in roots:
        assert {int(h) for h in roots if parent[h] == parent[g]} == joined[int(g)]
        assert parent[parent[g]] == parent[g]
        assert size[parent[g]] == sum((group == h).sum() for h in joined[int(g)])
    now, bound, bounds = np.empty(n, np.int32), np.full(n, np.inf), cut(n, stripes)
    run(
        lambda cursor, limit: boruvka.regroup_pass(
            parent, weight, to, group, bounds, cursor, limit, now, bound
        ),
        bounds,
    )
    np.testing.assert_array_equal(now, parent[group])
    for g in np.unique(now):
        out = [i for i in range(n) if to[i] >= 0 and (now[i] == g) != (now[to[i]] == g)]
        assert bound[g] == min(weight[out], default=np.inf)


@pytest.mark.parametrize("m", [1, 3, 5])
@pytest.mark.parametrize("n", [5, 17, 40])
def test_places_pass(n, m):
    rng = RNG(n)
    near, place = rng.integers(0, n, (n, 5)), rng.permutation(n).astype(np.int32)
    out, bounds = np.empty((n, m), np.int32), cut(n, 3)
    run(lambda cursor, limit: boruvka.places_pass(near, place, bounds, cursor, limit, out), bounds)
    np.testing.assert_array_equal(out, place[near[:, :m]])


@pytest.mark.parametrize("stripes", [1, 3])
@pytest.mark.parametrize(("n", "weights"), [(2, 1), (60, 5), (200, 40), (500, 500), (500, 2)])
def test_settle_pass(n, weights, stripes):
    """Those of equal weight by distance, then rows; or it says that there are too many."""
    rng = RNG(n)
    weight = rng.integers(0, weights, n).astype(float)
    far, edges = rng.integers(0, 3, n).astype(float), rng.integers(0, 9, (n, 2)).astype(np.int32)
    edges[:, 1] += 9 * np.arange(n)  # (no two are alike)
    order, crowded, bounds = np.argsort(weight).astype(np.int32), np.zeros(1, np.uint8), cut(n, stripes)
    run(
        lambda cursor, limit: boruvka.settle_pass(weight, far, edges, bounds, cursor, limit, order, crowded),
        bounds,
    )
    right = np.lexsort((edges.max(axis=1), edges.min(axis=1), far, weight))
    assert crowded[0] == (weights == 2)
    if not crowded[0]:
        np.testing.assert_array_equal(order, right)


@pytest.mark.parametrize("stripes", [1, 4])
@pytest.mark.parametrize("n", [2, 3, 17, 50])
def test_prim_pass(n, stripes):
    """Kruskal's tree: edges in order, those that close a circle left out."""
    rng = RNG(n)
    D = rng.integers(1, 6, (n, n)).astype(float)
    D = np.triu(D, 1) + np.triu(D, 1).T
    core = rng.integers(0, 4, n).astype(float)
    waiting = np.arange(n, dtype=np.int32)
    weight, far, to = np.full(n, np.inf), np.full(n, np.inf), np.full(n, -1, np.int32)
    edges, bounds = np.empty((n - 1, 2), np.int32), cut(n - 1, stripes)
    run(
        lambda cursor, limit: boruvka.prim_pass(
            D, core, bounds, cursor, limit, waiting, weight, far, to, edges
        ),
        bounds,
    )
    group, kept = list(range(n)), set()
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    for a, b in sorted(pairs, key=lambda e: order(max(core[e[0]], core[e[1]], D[e]), D[e], *e)):
        if group[a] != group[b]:
            kept.add((a, b))
            group = [group[a] if g == group[b] else g for g in group]
    assert {(min(e), max(e)) for e in edges.tolist()} == kept
