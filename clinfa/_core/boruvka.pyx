# distutils: extra_compile_args = -ffp-contract=off -DLANES_ARE_EXACT
# Borůvka's spanning tree of mutual reachability on the tree of clinfa.spatial, and Prim's on a matrix.
#
# An edge's weight is max(core of a, core of b, distance). Edges are ordered by weight, then distance, then the
# lesser row, then the greater: so no two are alike and the tree is the same however it is found.
# Points are called by their place in the tree's leaves. docs/kernels.md has the argument.
from libc.math cimport INFINITY, pow
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from clinfa._core.types cimport real, clinfa_take

from clinfa._core.lanes cimport (
    CHEBYSHEV, EUCLIDEAN, FAN, MANHATTAN, MOST_LANES, MOST_STACK, exact_distance, lanes_boxes,
    lanes_points, lanes_slack, lanes_tiny, lowest_bit,
)

cdef extern from *:
    """
    /* Bounds of a component that all threads lower. Any value read is a bound, so the order does not matter.
     * (Doubles not below zero are ordered as their bits are.) */
    static inline double clinfa_peek(double *at)
    {
        double out;
        __atomic_load(at, &out, __ATOMIC_RELAXED);
        return out;
    }
    static inline void clinfa_lower(double *at, double value)
    {
        double old = clinfa_peek(at);
        while (value < old && !__atomic_compare_exchange(at, &old, &value, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
    }
    """
    double clinfa_peek(double*) noexcept nogil
    void clinfa_lower(double*, double) noexcept nogil


cdef enum:
    MOST_WORK = 4000000  # features of leaves: after that many a pass returns, some 10 ms later
    FAN_OUT = 8          # FAN; arrays on the stack are made for it
    MOST_AROUND = 64     # leaves around a leaf that its points look at without a search
    MOST_EQUAL = 64      # edges of one weight that are put in order by insertion


cdef inline bint _lower_pair(int64_t a, int64_t b, int64_t c, int64_t d) noexcept nogil:
    """Whether the pair (a, b) comes before (c, d): the lesser rows first, then the greater."""
    cdef int64_t least = min(a, b), other = min(c, d)
    return least < other or (least == other and max(a, b) < max(c, d))


cdef inline uint32_t _boxes_within(
    const real* box, const real* boxes, Py_ssize_t d, int metric, double p, double reach, real* out
) noexcept nogil:
    """Which children of a node are at most so far from a box, that of another node's child, as bits."""
    cdef real low, high, t
    cdef Py_ssize_t f, c
    cdef uint32_t bits = 0
    for c in range(FAN_OUT):
        out[c] = 0
    for f in range(d):
        low = box[f * 2 * FAN]
        high = box[f * 2 * FAN + FAN]
        for c in range(FAN_OUT):
            t = max(boxes[f * 2 * FAN + c] - high, low - boxes[f * 2 * FAN + FAN + c])
            t = max(t, <real> 0)
            if metric == EUCLIDEAN:
                out[c] += t * t
            elif metric == MANHATTAN:
                out[c] += t
            elif metric == CHEBYSHEV:
                out[c] = max(out[c], t)
            else:
                out[c] += <real> pow(<double> t, p)
    for c in range(FAN_OUT):
        bits |= <uint32_t> (out[c] <= reach) << c
    return bits


cdef inline Py_ssize_t _around(
    const real[:, :, :, ::1] boxes, const int64_t[::1] levels, int64_t leaf, int metric, double p,
    double slack, double tiny, double most, const double[:, ::1] child_core, const int32_t[:, ::1] child_group,
    int32_t own, int64_t* work, double* far, int64_t* found
) noexcept nogil:
    """Leaves that hold other components than a leaf's own and are within reach of it, farthest first.

    Returns how many, or -1 where there are more than MOST_AROUND.
    """
    cdef Py_ssize_t depth = levels.shape[0] - 1, d = boxes.shape[1], waiting = 1, count = 0, at, c, place
    cdef int64_t stack_node[MOST_STACK]
    cdef int32_t stack_level[MOST_STACK]
    cdef real lanes[FAN_OUT]
    cdef int64_t node
    cdef int32_t level
    cdef uint32_t bits
    cdef double low
    cdef const real* box = &boxes[levels[depth - 1] + leaf // FAN, 0, 0, leaf % FAN]
    stack_node[0] = 0
    stack_level[0] = 0
    while waiting > 0:
        waiting -= 1
        node = stack_node[waiting]
        level = stack_level[waiting]
        at = levels[level] + node
        work[0] += d
        bits = _boxes_within(box, &boxes[at, 0, 0, 0], d, metric, p, most * slack + tiny, lanes)
        while bits:
            c = lowest_bit(bits)
            bits &= bits - 1
            if child_group[at, c] == own or child_core[at, c] > most:
                continue
            if level + 1 < depth:
                stack_node[waiting] = node * FAN + c
                stack_level[waiting] = level + 1
                waiting += 1
                continue
            if count == MOST_AROUND:
                return -1
            low = max(<double> lanes[c] / slack - tiny, 0.0)
            place = count
            while place > 0 and far[place - 1] < low:
                far[place] = far[place - 1]
                found[place] = found[place - 1]
                place -= 1
            far[place] = low
            found[place] = node * FAN + c
            count += 1
    return count


def cheapest_pass(
    const real[:, ::1] X,             # in     (n, d)              by place
    const real[:, :, ::1] points,     # in     (leaves, d, LEAF)   the tree, as in clinfa.spatial
    const real[:, :, :, ::1] boxes,   # in     (nodes, d, 2, FAN)
    const int64_t[::1] levels,        # in     (depth + 1)
    const int32_t[::1] rows,          # in     (n)
    int64_t height,                   # in                         there are 2^height leaves
    int metric, double p,             # in
    const double[::1] core,           # in     (n)                 reduced core distances, by place
    const double[:, ::1] child_core,  # in     (nodes, FAN)        the least of each child
    const int32_t[::1] group,         # in     (n)                 component of each place
    const int32_t[:, ::1] child_group,  # in   (nodes, FAN)        of each child, -1 where it has several
    const int32_t[:, ::1] near,       # in     (n, m)              the nearest places, nearest first
    const double[:, ::1] near_far,    # in     (n, k)              and how far they are, k >= m
    const uint8_t[::1] active,        # in     (n)                 by component: whether it is looked at
    double[::1] bound,                # inout  (n)                 by component: no cheapest edge weighs more
    const int64_t[::1] bounds,        # in     (stripes + 1)       of places
    int64_t[::1] cursor,              # inout  (1)
    int64_t limit,                    # in
    double[::1] weight,               # inout  (n)  of the edge to `to`; where that is -1, no edge weighs less
    double[::1] far,                  # inout  (n)  its distance
    int32_t[::1] to,                  # inout  (n)  the place at its other end
):
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], depth = levels.shape[0] - 1, m = near.shape[1]
    cdef Py_ssize_t i, l, at, c, u, waiting, level, begin, first
    cdef int64_t s, stripes = bounds.shape[0] - 1, node, work = 0
    cdef int32_t own, row, to_best, other
    cdef real lanes[MOST_LANES]
    cdef double stack_far[MOST_STACK]
    cdef int64_t stack_node[MOST_STACK]
    cdef int32_t stack_level[MOST_STACK]
    cdef int64_t leaf, leaf_end
    cdef Py_ssize_t others = -1
    cdef double around_far[MOST_AROUND]
    cdef int64_t around[MOST_AROUND]
    cdef double mine, most, best, best_far, distance, w, low, reach = 0
    cdef double slack = lanes_slack(<real> 0, d, p), tiny = lanes_tiny(<real> 0)
    cdef const real* q
    cdef uint32_t bits
    with nogil:
        while limit > 0 and work < MOST_WORK:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            leaf_end = 0
            for i in range(bounds[s], bounds[s + 1]):
                own = group[i]
                if not active[own]:
                    continue
                if to[i] >= 0:
                    if group[to[i]] != own:
                        continue  # still the cheapest, for edges only ever drop out
                    to[i] = -1
                most = clinfa_peek(&bound[own])
                if weight[i] > most:
                    continue
                if i >= leaf_end and depth > 0:
                    leaf = (((i + 1) << height) - 1) // n
                    leaf_end = ((leaf + 1) * n) >> height
                    others = -1
                    if most < INFINITY and child_group[levels[depth - 1] + leaf // FAN, leaf % FAN] == own:
                        reach = most
                        others = _around(
                            boxes, levels, leaf, metric, p, slack, tiny, most, child_core, child_group, own, &work,
                            around_far, around)
                if others == 0:
                    weight[i] = reach  # that of each of the leaf's edges is greater
                    continue
                mine = core[i]
                row = rows[i]
                best = INFINITY
                best_far = INFINITY
                to_best = -1
                for l in range(m):
                    other = near[i, l]
                    if group[other] != own:
                        distance = near_far[i, l]
                        w = max(distance, mine, core[other])
                        if w < best:
                            best = w
                            best_far = distance
                            to_best = other
                            if w == mine:
                                break  # none weighs less, and the nearest come first
                if best == mine:
                    waiting = 0
                else:
                    # (From scratch, so that one rule settles ties; the neighbours have given a bound.)
                    most = min(most, best)
                    best = INFINITY
                    best_far = INFINITY
                    to_best = -1
                    waiting = 1
                q = &X[i, 0]
                stack_far[0] = 0
                stack_node[0] = 0
                stack_level[0] = 0
                if waiting and others > 0:
                    waiting = others
                    for l in range(others):
                        stack_far[l] = around_far[l]
                        stack_node[l] = around[l]
                        stack_level[l] = depth
                while waiting > 0:
                    waiting -= 1
                    low = stack_far[waiting]
                    w = max(low, mine)
                    if w > most or (w == best and low > best_far):
                        continue
                    node = stack_node[waiting]
                    level = stack_level[waiting]
                    if level == depth:
                        first = (node * n) >> height
                        work += d
                        bits = lanes_points(
                            q, &points[node, 0, 0], d, metric, p, <real> (most * slack + tiny), lanes)
                        while bits:
                            l = lowest_bit(bits)
                            bits &= bits - 1
                            u = first + l
                            if u >= n or group[u] == own or core[u] > most:
                                continue
                            if real is double:
                                distance = lanes[l]
                            else:
                                distance = exact_distance(q, &points[node, 0, l], d, metric, p)
                            w = max(distance, mine, core[u])
                            if w < best or (w == best and w <= most and (distance < best_far or (
                                distance == best_far and _lower_pair(row, rows[u], row, rows[to_best])
                            ))):
                                if w <= most:
                                    best = w
                                    most = w
                                    best_far = distance
                                    to_best = u
                        continue
                    bits = lanes_boxes(
                        q, &boxes[levels[level] + node, 0, 0, 0], d, metric, p, <real> (most * slack + tiny), lanes)
                    begin = waiting
                    while bits:
                        c = lowest_bit(bits)
                        bits &= bits - 1
                        at = levels[level] + node
                        if not lanes[c] < INFINITY or child_group[at, c] == own or child_core[at, c] > most:
                            continue
                        low = max(<double> lanes[c] / slack - tiny, 0.0)
                        # Farthest first, so that the nearest is taken next.
                        at = waiting
                        while at > begin and stack_far[at - 1] < low:
                            stack_far[at] = stack_far[at - 1]
                            stack_node[at] = stack_node[at - 1]
                            at -= 1
                        stack_far[at] = low
                        stack_node[at] = node * FAN + c
                        stack_level[waiting] = level + 1
                        waiting += 1
                if to_best >= 0:
                    to[i] = to_best
                    weight[i] = best
                    far[i] = best_far
                    clinfa_lower(&bound[own], best)
                    clinfa_lower(&bound[group[to_best]], best)
                else:
                    weight[i] = most


def places_pass(
    const int64_t[:, ::1] near,   # in     (n, k)  rows
    const int32_t[::1] place,     # in     (n)     of each row
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    int32_t[:, ::1] out,          # out    (n, m)  places of the first m <= k
):
    cdef Py_ssize_t i, l
    cdef int64_t s, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                for l in range(out.shape[1]):
                    out[i, l] = place[near[i, l]]


def regroup_pass(
    const int32_t[::1] parent,  # in     (n)   by component: the one that it has become part of
    const double[::1] weight,   # in     (n)
    const int32_t[::1] to,      # in     (n)
    const int32_t[::1] before,  # in     (n)   component of each place
    const int64_t[::1] bounds,  # in     (stripes + 1)  of places
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    int32_t[::1] group,         # out    (n)   component of each place now
    double[::1] bound,          # inout  (n)   by component: the least weight of an edge known to lead out of it
):
    cdef Py_ssize_t i
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef int32_t own, other
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                own = parent[before[i]]
                group[i] = own
                if to[i] >= 0:
                    other = parent[before[to[i]]]
                    if other != own:
                        clinfa_lower(&bound[own], weight[i])
                        clinfa_lower(&bound[other], weight[i])


def choose_pass(
    const int32_t[::1] rows,    # in     (n)
    const int32_t[::1] group,   # in     (n)
    const double[::1] weight,   # in     (n)
    const double[::1] far,      # in     (n)
    const int32_t[::1] to,      # in     (n)
    const int64_t[::1] bounds,  # in     (stripes + 1)  of places
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    int32_t[::1] best,          # inout  (n)    by component: the place at its own end, -1 for none yet
):
    """Each component's cheapest edge, of those that still lead out of it. On one thread."""
    cdef Py_ssize_t i, b
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef int32_t own
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                own = group[i]
                if to[i] < 0 or group[to[i]] == own:
                    continue
                b = best[own]
                if b >= 0:
                    if weight[i] > weight[b]:
                        continue
                    if weight[i] == weight[b]:
                        if far[i] > far[b]:
                            continue
                        if far[i] == far[b] and not _lower_pair(rows[i], rows[to[i]], rows[b], rows[to[b]]):
                            continue
                best[own] = <int32_t> i


cdef inline int32_t _find(int32_t* parent, int32_t node) noexcept nogil:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


def join_pass(
    const int32_t[::1] rows,    # in     (n)
    const int32_t[::1] roots,   # in     (components)
    const int32_t[::1] group,   # in     (n)
    const int32_t[::1] to,      # in     (n)
    const int32_t[::1] best,    # in     (n)   by component: the place at its own end of its cheapest edge
    const uint8_t[::1] active,  # in     (n)   by component
    const double[::1] weight,   # in     (n)
    const double[::1] far,      # in     (n)
    const int64_t[::1] bounds,  # in     (stripes + 1)  of roots
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    int32_t[::1] parent,        # inout  (n)
    int64_t[::1] size,          # inout  (n)   by component
    int32_t[:, ::1] edges,      # out    (n - 1, 2)   rows
    double[::1] weights,        # out    (n - 1)
    double[::1] fars,           # out    (n - 1)
    int64_t[::1] found,         # inout  (1)   edges so far
):
    """Join components by their cheapest edges. On one thread."""
    cdef Py_ssize_t r, b
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef int32_t left, right
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for r in range(bounds[s], bounds[s + 1]):
                b = best[roots[r]]
                if not active[roots[r]] or b < 0:
                    continue
                left = _find(&parent[0], group[b])
                right = _find(&parent[0], group[to[b]])
                if left == right:
                    continue  # the other chose the same edge
                if size[left] < size[right]:
                    left, right = right, left
                parent[right] = left
                size[left] += size[right]
                edges[found[0], 0] = rows[b]
                edges[found[0], 1] = rows[to[b]]
                weights[found[0]] = weight[b]
                fars[found[0]] = far[b]
                found[0] += 1


def flatten_pass(
    const int32_t[::1] roots,   # in     (components)
    const int64_t[::1] bounds,  # in     (stripes + 1)  of roots
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    int32_t[::1] parent,        # inout  (n)   afterwards each former root points to its root
):
    """On one thread."""
    cdef Py_ssize_t r
    cdef int64_t s, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for r in range(bounds[s], bounds[s + 1]):
                parent[roots[r]] = _find(&parent[0], roots[r])


cdef inline bint _before(
    int32_t a, int32_t b, const double* weight, const double* far, const int32_t[:, ::1] edges
) noexcept nogil:
    """Whether edge a comes before edge b."""
    if weight[a] != weight[b]:
        return weight[a] < weight[b]
    if far[a] != far[b]:
        return far[a] < far[b]
    return _lower_pair(edges[a, 0], edges[a, 1], edges[b, 0], edges[b, 1])


def settle_pass(
    const double[::1] weight,     # in     (m)
    const double[::1] far,        # in     (m)
    const int32_t[:, ::1] edges,  # in     (m, 2)  rows
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    int32_t[::1] order,           # inout  (m)     edges by weight; afterwards those of equal weight in order, too
    uint8_t[::1] crowded,         # out    (1)     1 where so many are equal that it was not done
):
    """By insertion. On one thread."""
    cdef Py_ssize_t i, at, least
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef int32_t edge
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                edge = order[i]
                at, least = i, max(i - MOST_EQUAL, 0)
                while at > least and _before(edge, order[at - 1], &weight[0], &far[0], edges):
                    order[at] = order[at - 1]
                    at -= 1
                order[at] = edge
                if at == least and at > 0:
                    crowded[0] = 1
                    cursor[0] = stripes
                    break


cdef inline void _choose(
    Py_ssize_t* chosen, Py_ssize_t t, const int32_t* waiting, const double* weight, const double* far,
    const int32_t* to
) noexcept nogil:
    """Choose the point at t where its edge comes before that of the chosen one."""
    cdef int32_t a = waiting[t], b = waiting[chosen[0]]
    if weight[a] < weight[b] or (weight[a] == weight[b] and (far[a] < far[b] or (
        far[a] == far[b] and _lower_pair(a, to[a], b, to[b])
    ))):
        chosen[0] = t


def prim_pass(
    const double[:, ::1] D,     # in     (n, n)   distances
    const double[::1] core,     # in     (n)
    const int64_t[::1] bounds,  # in     (stripes + 1)  of edges
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    int32_t[::1] waiting,       # inout  (n)      points; those not yet in the tree come first, the newest last
    double[::1] weight,         # inout  (n)      of the cheapest edge of each to the tree
    double[::1] far,            # inout  (n)
    int32_t[::1] to,            # inout  (n)      its end in the tree, -1 for none yet
    int32_t[:, ::1] edges,      # out    (n - 1, 2)
):
    """Prim's tree of mutual reachability, with the order of edges above. On one thread."""
    cdef Py_ssize_t n = D.shape[0], i, t, j, last, chosen
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef int32_t newest
    cdef double w, distance, mine
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                last = n - 1 - i  # so many wait
                newest = waiting[last]
                mine = core[newest]
                chosen = 0
                for t in range(last):
                    j = waiting[t]
                    distance = D[newest, j]
                    w = max(distance, mine, core[j])
                    if to[j] < 0 or w < weight[j] or (w == weight[j] and (distance < far[j] or (
                        distance == far[j] and _lower_pair(newest, j, to[j], j)
                    ))):
                        weight[j] = w
                        far[j] = distance
                        to[j] = newest
                    _choose(&chosen, t, &waiting[0], &weight[0], &far[0], &to[0])
                j = waiting[chosen]
                edges[i, 0] = to[j]
                edges[i, 1] = <int32_t> j
                waiting[chosen] = waiting[last - 1]
                waiting[last - 1] = <int32_t> j
