# What follows from core points that hang together: numbers, borders, predictions. Places are as in dbscan.pyx.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from clinfa._core.density cimport EIGHT, MOST_WORK, NONE, cost_of, leaf_within, plain_distance, root_of, unite, wait
from clinfa._core.lanes cimport FAN, LEAF, MOST_STACK, lanes_boxes, lowest_bit
from clinfa._core.types cimport clinfa_take


def number_pass(
    const int32_t[::1] place,         # in     (n)
    const uint8_t[::1] core,          # in     (leaves LEAF)
    int64_t begin, int64_t end,       # in                         rows, taken in order
    int64_t clusters,                 # in                         numbers given so far
    int32_t[::1] parent,              # inout  (leaves LEAF)
    int32_t[::1] number,              # inout  (leaves LEAF)       of the cluster of each core point; -1 before
    int64_t[::1] labels,              # out    (n)                 of core points
):
    """The number of clusters after these rows: they are numbered in the order of their first core points."""
    cdef int64_t row
    cdef int32_t at, root
    with nogil:
        for row in range(begin, end):
            at = place[row]
            if core[at]:
                root = root_of(&parent[0], at)
                if number[root] < 0:
                    number[root] = <int32_t> clusters
                    clusters += 1
                labels[row] = number[at] = number[root]
    return clusters


def border_pass(
    const double[:, :, ::1] points,   # in     (leaves, d, LEAF)  core points only
    const double[:, :, :, ::1] boxes, # in     (nodes, d, 2, FAN)
    const int64_t[::1] levels,        # in     (depth + 1)
    int metric, double p,             # in
    const double[::1] reach,          # in     (3)
    const int32_t[::1] heads,         # in     (nodes + leaves)
    const int32_t[::1] number,        # in     (leaves LEAF)
    const double[:, ::1] X,           # in     (n, d)
    const int32_t[::1] rest,          # in     (m)                rows that are not core points
    const int64_t[::1] bounds,        # in     (stripes + 1)      of `rest`
    int64_t[::1] cursor,              # inout  (1)
    int64_t limit,                    # in
    int64_t[::1] labels,              # inout  (n)                -1 unless a core point is near: the least of their numbers
):
    cdef Py_ssize_t d = X.shape[1], depth = levels.shape[0] - 1, waiting, level, c
    cdef int64_t s, i, node, child, stripes = bounds.shape[0] - 1, work = 0, cost = cost_of(d, metric)
    cdef int32_t best
    cdef const double* q
    cdef double lanes[EIGHT]
    cdef int64_t stack_node[MOST_STACK]
    cdef int32_t stack_level[MOST_STACK]
    cdef uint32_t bits
    with nogil:
        while limit > 0 and work < MOST_WORK:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                q = &X[rest[i], 0]
                best = NONE
                waiting = 1
                stack_node[0] = 0
                stack_level[0] = 0
                while waiting > 0 and best > 0:
                    waiting -= 1
                    work += cost
                    node = stack_node[waiting]
                    level = stack_level[waiting]
                    if level == depth:
                        bits = leaf_within(q, &points[node, 0, 0], d, metric, p, &reach[0])
                        while bits:
                            best = min(best, number[node * LEAF + lowest_bit(bits)])
                            bits &= bits - 1
                        continue
                    bits = lanes_boxes(q, &boxes[levels[level] + node, 0, 0, 0], d, metric, p, reach[2], lanes)
                    while bits:
                        c = lowest_bit(bits)
                        bits &= bits - 1
                        child = node * FAN + c
                        if heads[levels[level + 1] + child] != NONE:
                            stack_node[waiting] = child
                            stack_level[waiting] = level + 1
                            waiting += 1
                labels[rest[i]] = -1 if best == NONE else best


def nearest_core_pass(
    const double[:, :, ::1] points,   # in     (leaves, d, LEAF)  core points only
    const int32_t[:, ::1] names,      # in     (leaves, LEAF)
    const double[:, :, :, ::1] boxes, # in     (nodes, d, 2, FAN)
    const int64_t[::1] levels,        # in     (depth + 1)
    int metric, double p,             # in
    const double[::1] reach,          # in     (3)
    const double[:, ::1] Q,           # in     (m, d)
    const int64_t[::1] bounds,        # in     (stripes + 1)
    int64_t[::1] cursor,              # inout  (1)
    int64_t limit,                    # in
    int64_t[::1] nearest,             # out    (m)                the row of the nearest core point within reach, or -1
):
    cdef Py_ssize_t d = Q.shape[1], depth = levels.shape[0] - 1, waiting, begin, level, l, c
    cdef int64_t s, i, node, stripes = bounds.shape[0] - 1, work = 0, cost = cost_of(d, metric)
    cdef int32_t best
    cdef double distance, slack = reach[2] / reach[1] if reach[1] > 0 else 1
    cdef double around[3]
    cdef const double* q
    cdef double lanes[EIGHT]
    cdef double stack_near[MOST_STACK]
    cdef int64_t stack_node[MOST_STACK]
    cdef int32_t stack_level[MOST_STACK]
    cdef uint32_t bits
    with nogil:
        while limit > 0 and work < MOST_WORK:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                q = &Q[i, 0]
                best = NONE
                for c in range(3):
                    around[c] = reach[c]
                waiting = 1
                stack_near[0] = 0
                stack_node[0] = 0
                stack_level[0] = 0
                while waiting > 0:
                    waiting -= 1
                    if stack_near[waiting] > around[2]:
                        continue
                    work += cost
                    node = stack_node[waiting]
                    level = stack_level[waiting]
                    if level == depth:
                        bits = leaf_within(q, &points[node, 0, 0], d, metric, p, around)
                        while bits:
                            l = lowest_bit(bits)
                            bits &= bits - 1
                            distance = plain_distance(q, &points[node, 0, l], d, metric, p)
                            if best == NONE or distance < around[1] or (
                                distance == around[1] and names[node, l] < best
                            ):
                                best = names[node, l]
                                around[0] = distance * (2 - slack) - 1e-300
                                around[1] = distance
                                around[2] = min(distance * slack + 1e-300, reach[2])
                        continue
                    bits = lanes_boxes(q, &boxes[levels[level] + node, 0, 0, 0], d, metric, p, around[2], lanes)
                    begin = waiting
                    while bits:
                        c = lowest_bit(bits)
                        bits &= bits - 1
                        wait(stack_near, stack_node, stack_level, begin, waiting, lanes[c], node * FAN + c, level + 1)
                        waiting += 1
                nearest[i] = -1 if best == NONE else best


def unite_block(
    const uint8_t[:, ::1] within,     # in     (m, n)   which rows are neighbours of which core points
    const int32_t[::1] which,         # in     (m)      the rows of those core points
    const uint8_t[::1] core,          # in     (n)
    int32_t[::1] parent,              # inout  (n)
):
    cdef Py_ssize_t i, j
    with nogil:
        for i in range(within.shape[0]):
            for j in range(within.shape[1]):
                if within[i, j] and core[j]:
                    unite(&parent[0], which[i], <int32_t> j)
