# Clustering by density on the tree: who is a core point, which core points hang together, who borders on them.
# The mathematics and the costs stand in docs/kernels.md. Places are FAN * 2 = LEAF to a leaf: place = leaf * LEAF + lane.
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from clinfa._core.types cimport clinfa_take

from clinfa._core.lanes cimport FAN, LEAF, MOST_STACK, lanes_boxes, lowest_bit

cdef extern from "density.h" nogil:
    uint32_t leaf_within(const double*, const double*, Py_ssize_t, int, double, const double*)
    double plain_distance(const double*, const double*, Py_ssize_t, int, double)
    void boxes_apart(
        const double*, const double*, const double*, Py_ssize_t, int, double, double*, double*)
    int32_t root_of(int32_t*, int32_t)
    void unite(int32_t*, int32_t, int32_t)
    void flag_set(uint8_t*)
    uint8_t flag_seen(uint8_t*)

cdef enum:
    NONE = 2147483647  # no point there
    EIGHT = 8          # FAN; arrays on the stack are made for it


cdef void _gather(
    const double* points, Py_ssize_t d, uint32_t lanes, double* q
) noexcept nogil:
    """Some lanes of a leaf as queries, rows of d values; behind the LEAF rows, their least and greatest values."""
    cdef double* low = q + LEAF * d
    cdef double* high = low + d
    cdef Py_ssize_t f, l
    cdef uint32_t bits
    cdef double value
    for f in range(d):
        low[f] = INFINITY
        high[f] = -INFINITY
        bits = lanes
        while bits:
            l = lowest_bit(bits)
            bits &= bits - 1
            value = points[f * LEAF + l]
            q[l * d + f] = value
            low[f] = min(low[f], value)
            high[f] = max(high[f], value)


cdef inline int _count_bits(uint32_t bits) noexcept nogil:
    cdef int count = 0
    while bits:
        bits &= bits - 1
        count += 1
    return count


cdef inline void _wait(
    double* stack_near, int64_t* stack_node, int32_t* stack_level, Py_ssize_t begin, Py_ssize_t waiting,
    double near, int64_t node, int32_t level
) noexcept nogil:
    """Add to those of one node that wait, the nearest last, so that it is taken next."""
    cdef Py_ssize_t at = waiting
    while at > begin and stack_near[at - 1] < near:
        stack_near[at] = stack_near[at - 1]
        stack_node[at] = stack_node[at - 1]
        at -= 1
    stack_near[at] = near
    stack_node[at] = node
    stack_level[waiting] = level


def core_pass(
    const double[:, :, ::1] points,   # in     (leaves, d, LEAF)
    const double[:, :, :, ::1] boxes, # in     (nodes, d, 2, FAN)
    const int64_t[::1] levels,        # in     (depth + 1)
    int64_t n, int64_t height,        # in                    leaf j of 2^height holds j n >> height to (j + 1) n >> height
    int metric, double p,             # in
    const double[::1] reach,          # in     (3)            see leaf_within
    const double[:, ::1] weights,     # in     (leaves, LEAF) or (0, LEAF) where every point counts one
    double need,                      # in                    core points have at least so much around them
    const int64_t[::1] bounds,        # in     (stripes + 1)  of leaves
    int64_t[::1] cursor,              # inout  (1)
    int64_t limit,                    # in
    double[:, ::1] scratch,           # scratch (slots, (LEAF + 2) d)
    int64_t slot,                     # in
    uint8_t[:, ::1] core,             # out    (leaves, LEAF)
):
    cdef Py_ssize_t d = points.shape[1], depth = levels.shape[0] - 1, waiting, begin, level, l, c, size
    cdef int64_t s, leaf, node, child, first, last, stripes = bounds.shape[0] - 1
    cdef bint weighted = weights.shape[0] > 0
    cdef double* q = &scratch[slot, 0]
    cdef const double* low = q + LEAF * d
    cdef double near[EIGHT]
    cdef double far[EIGHT]
    cdef double lanes[EIGHT]
    cdef double count[2 * EIGHT]
    cdef double whole
    cdef double stack_near[MOST_STACK]
    cdef int64_t stack_node[MOST_STACK]
    cdef int32_t stack_level[MOST_STACK]
    cdef uint32_t open, left, leaves, bits, tried
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for leaf in range(bounds[s], bounds[s + 1]):
                size = (((leaf + 1) * n) >> height) - ((leaf * n) >> height)
                open = (<uint32_t> 1 << size) - 1
                _gather(&points[leaf, 0, 0], d, open, q)
                for l in range(LEAF):
                    count[l] = 0
                # The own leaf first: it is often enough.
                left = open
                while left:
                    l = lowest_bit(left)
                    left &= left - 1
                    bits = leaf_within(q + l * d, &points[leaf, 0, 0], d, metric, p, &reach[0])
                    if weighted:
                        while bits:
                            c = lowest_bit(bits)
                            bits &= bits - 1
                            count[l] += weights[leaf, c]
                    else:
                        count[l] = _count_bits(bits)
                        if count[l] >= need:
                            open &= ~(<uint32_t> 1 << l)
                waiting = 0
                if depth > 0:
                    waiting = 1
                    stack_node[0] = 0
                    stack_level[0] = 0
                while waiting > 0 and open:
                    waiting -= 1
                    node = stack_node[waiting]
                    level = stack_level[waiting]
                    boxes_apart(low, low + d, &boxes[levels[level] + node, 0, 0, 0], d, metric, p, near, far)
                    begin = waiting
                    tried = 0
                    for c in range(FAN):
                        if near[c] > reach[2]:
                            continue
                        child = node * FAN + c
                        first = child << (3 * (depth - level - 1))
                        last = (child + 1) << (3 * (depth - level - 1))
                        if far[c] <= reach[0] and not weighted:
                            whole = ((last * n) >> height) - ((first * n) >> height)
                            if first <= leaf < last:
                                whole -= size
                            left = open
                            while left:
                                l = lowest_bit(left)
                                left &= left - 1
                                count[l] += whole
                                if count[l] >= need:
                                    open &= ~(<uint32_t> 1 << l)
                        elif level + 1 < depth:
                            _wait(stack_near, stack_node, stack_level, begin, waiting, near[c], child, level + 1)
                            waiting += 1
                        elif child != leaf:
                            tried |= <uint32_t> 1 << c
                    left = open if tried else 0
                    while left:
                        l = lowest_bit(left)
                        left &= left - 1
                        leaves = tried & lanes_boxes(
                            <const double*> (q + l * d), &boxes[levels[level] + node, 0, 0, 0], d, metric, p, reach[2], lanes)
                        while leaves:
                            c = lowest_bit(leaves)
                            leaves &= leaves - 1
                            child = node * FAN + c
                            bits = leaf_within(q + l * d, &points[child, 0, 0], d, metric, p, &reach[0])
                            if weighted:
                                while bits:
                                    c = lowest_bit(bits)
                                    bits &= bits - 1
                                    count[l] += weights[child, c]
                            else:
                                count[l] += _count_bits(bits)
                                if count[l] >= need:
                                    open &= ~(<uint32_t> 1 << l)
                                    break
                for l in range(LEAF):
                    core[leaf, l] = l < size and count[l] >= need


def prepare_pass(
    double[:, :, ::1] points,         # inout  (leaves, d, LEAF)  points that are not core go to infinity
    const int32_t[:, ::1] names,      # in     (leaves, LEAF)
    int metric, double p,             # in
    const double[::1] reach,          # in     (3)
    const uint8_t[:, ::1] core,       # in     (leaves, LEAF)
    const int64_t[::1] bounds,        # in     (stripes + 1)  of leaves
    int64_t[::1] cursor,              # inout  (1)
    int64_t limit,                    # in
    double[:, ::1] scratch,           # scratch (slots, (LEAF + 2) d)
    int64_t slot,                     # in
    int32_t[::1] parent,              # out    (leaves * LEAF)  core points of one leaf that are neighbours, united
    int32_t[::1] place,               # out    (n)              where each row is
    int32_t[::1] heads,               # out    (leaves)         the first core point of each leaf, or NONE
    uint8_t[::1] whole,               # out    (leaves)         whether its core points are one set
):
    cdef Py_ssize_t d = points.shape[1], f, l
    cdef int64_t s, leaf, stripes = bounds.shape[0] - 1
    cdef int32_t home
    cdef double* q = &scratch[slot, 0]
    cdef uint32_t all_core, left, bits
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for leaf in range(bounds[s], bounds[s + 1]):
                home = <int32_t> (leaf * LEAF)
                all_core = 0
                for l in range(LEAF):
                    parent[home + l] = <int32_t> (home + l)
                    if names[leaf, l] != NONE:
                        place[names[leaf, l]] = <int32_t> (home + l)
                    if core[leaf, l]:
                        all_core |= <uint32_t> 1 << l
                    else:
                        for f in range(d):
                            points[leaf, f, l] = INFINITY
                heads[leaf] = NONE
                whole[leaf] = 1
                if not all_core:
                    continue
                heads[leaf] = <int32_t> (home + lowest_bit(all_core))
                _gather(&points[leaf, 0, 0], d, all_core, q)
                left = all_core
                while left:
                    l = lowest_bit(left)
                    left &= left - 1
                    bits = leaf_within(q + l * d, &points[leaf, 0, 0], d, metric, p, &reach[0])
                    while bits:
                        unite(&parent[0], <int32_t> (home + l), <int32_t> (home + lowest_bit(bits)))
                        bits &= bits - 1
                left = all_core
                while left:
                    if root_of(&parent[0], <int32_t> (home + lowest_bit(left))) != heads[leaf]:
                        whole[leaf] = 0
                    left &= left - 1


cdef void _unite_leaf(
    int32_t* parent, const uint8_t* core, int64_t leaf, int32_t with_whom
) noexcept nogil:
    cdef Py_ssize_t l
    for l in range(LEAF):
        if core[leaf * LEAF + l]:
            unite(parent, <int32_t> (leaf * LEAF + l), with_whom)


def join_pass(
    const double[:, :, ::1] points,   # in     (leaves, d, LEAF)  core points only
    const double[:, :, :, ::1] boxes, # in     (nodes, d, 2, FAN)
    const int64_t[::1] levels,        # in     (depth + 1)
    int metric, double p,             # in
    const double[::1] reach,          # in     (3)
    const uint8_t[:, ::1] core,       # in     (leaves, LEAF)
    const int32_t[::1] heads,         # in     (nodes + leaves)   the first core point below each, or NONE
    const int64_t[::1] bounds,        # in     (stripes + 1)      of leaves
    int64_t[::1] cursor,              # inout  (1)
    int64_t limit,                    # in
    double[:, ::1] scratch,           # scratch (slots, (LEAF + 2) d)
    int64_t slot,                     # in
    int32_t[::1] parent,              # inout  (leaves * LEAF)
    uint8_t[::1] whole,               # inout  (nodes + leaves)   whether all core points below are known to be one set
):
    cdef Py_ssize_t d = points.shape[1], depth = levels.shape[0] - 1, waiting, begin, level, l, c
    cdef int64_t s, leaf, node, child, below, first, last, i, own, count = points.shape[0]
    cdef int64_t stripes = bounds.shape[0] - 1
    cdef int32_t home, head
    cdef double* q = &scratch[slot, 0]
    cdef const double* low = q + LEAF * d
    cdef double near[EIGHT]
    cdef double far[EIGHT]
    cdef double lanes[EIGHT]
    cdef double stack_near[MOST_STACK]
    cdef int64_t stack_node[MOST_STACK]
    cdef int32_t stack_level[MOST_STACK]
    cdef uint32_t all_core, left, leaves, bits, tried
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for leaf in range(bounds[s], bounds[s + 1]):
                own = levels[depth] + leaf
                head = heads[own]
                if head == NONE or depth == 0:
                    continue
                home = <int32_t> (leaf * LEAF)
                all_core = 0
                for l in range(LEAF):
                    all_core |= <uint32_t> core[leaf, l] << l
                _gather(&points[leaf, 0, 0], d, all_core, q)
                waiting = 1
                stack_node[0] = 0
                stack_level[0] = 0
                while waiting > 0:
                    waiting -= 1
                    node = stack_node[waiting]
                    level = stack_level[waiting]
                    boxes_apart(low, low + d, &boxes[levels[level] + node, 0, 0, 0], d, metric, p, near, far)
                    begin = waiting
                    tried = 0
                    for c in range(FAN):
                        if near[c] > reach[2]:
                            continue
                        child = node * FAN + c
                        first = child << (3 * (depth - level - 1))
                        last = (child + 1) << (3 * (depth - level - 1))
                        below = levels[level + 1] + child
                        # Pairs of leaves are looked at from the one that comes first.
                        if last <= leaf or below == own or heads[below] == NONE:
                            continue
                        if flag_seen(&whole[own]) and flag_seen(&whole[below]) and (
                            root_of(&parent[0], head) == root_of(&parent[0], heads[below])
                        ):
                            continue
                        if far[c] <= reach[0]:
                            if not flag_seen(&whole[own]):
                                _unite_leaf(&parent[0], &core[0, 0], leaf, heads[below])
                                flag_set(&whole[own])
                            unite(&parent[0], head, heads[below])
                            if not flag_seen(&whole[below]):
                                for i in range(first, last):
                                    _unite_leaf(&parent[0], &core[0, 0], i, head)
                                    flag_set(&whole[levels[depth] + i])
                                flag_set(&whole[below])
                        elif level + 1 < depth:
                            _wait(stack_near, stack_node, stack_level, begin, waiting, near[c], child, level + 1)
                            waiting += 1
                        else:
                            tried |= <uint32_t> 1 << c
                    left = all_core if tried else 0
                    while left:
                        l = lowest_bit(left)
                        left &= left - 1
                        leaves = tried & lanes_boxes(
                            <const double*> (q + l * d), &boxes[levels[level] + node, 0, 0, 0], d, metric, p, reach[2], lanes)
                        while leaves:
                            c = lowest_bit(leaves)
                            leaves &= leaves - 1
                            child = node * FAN + c
                            below = levels[depth] + child
                            bits = leaf_within(q + l * d, &points[child, 0, 0], d, metric, p, &reach[0])
                            if not bits:
                                continue
                            if flag_seen(&whole[below]):
                                unite(&parent[0], <int32_t> (home + l), heads[below])
                                if flag_seen(&whole[own]):
                                    tried &= ~(<uint32_t> 1 << c)
                                continue
                            while bits:
                                unite(&parent[0], <int32_t> (home + l),
                                      <int32_t> (child * LEAF + lowest_bit(bits)))
                                bits &= bits - 1


def number_pass(
    const int32_t[::1] place,         # in     (n)
    const uint8_t[:, ::1] core,       # in     (leaves, LEAF)
    int64_t begin, int64_t end,       # in                         rows, taken in order
    int64_t clusters,                 # in                         numbers given so far
    int32_t[::1] parent,              # inout  (leaves * LEAF)
    int32_t[:, ::1] number,           # inout  (leaves, LEAF)      of the cluster of each core point; -1 elsewhere
    int64_t[::1] labels,              # out    (n)                 of core points
):
    """The number of clusters after these rows: they are numbered in the order of their first core points."""
    cdef int64_t row
    cdef int32_t at, root
    cdef const uint8_t* is_core = &core[0, 0]
    cdef int32_t* own = &number[0, 0]
    with nogil:
        for row in range(begin, end):
            at = place[row]
            if is_core[at]:
                root = root_of(&parent[0], at)
                if own[root] < 0:
                    own[root] = <int32_t> clusters
                    clusters += 1
                own[at] = own[root]
                labels[row] = own[root]
    return clusters


def border_pass(
    const double[:, :, ::1] points,   # in     (leaves, d, LEAF)  core points only
    const double[:, :, :, ::1] boxes, # in     (nodes, d, 2, FAN)
    const int64_t[::1] levels,        # in     (depth + 1)
    int metric, double p,             # in
    const double[::1] reach,          # in     (3)
    const int32_t[::1] heads,         # in     (nodes + leaves)
    const int32_t[:, ::1] number,     # in     (leaves, LEAF)
    const double[:, ::1] X,           # in     (n, d)
    const int32_t[::1] rest,          # in     (m)                rows that are not core points
    const int64_t[::1] bounds,        # in     (stripes + 1)      of `rest`
    int64_t[::1] cursor,              # inout  (1)
    int64_t limit,                    # in
    int64_t[::1] labels,              # inout  (n)                -1 unless a core point is near: the least of their numbers
):
    cdef Py_ssize_t d = X.shape[1], depth = levels.shape[0] - 1, waiting, level, c
    cdef int64_t s, i, node, child, stripes = bounds.shape[0] - 1
    cdef int32_t best
    cdef const double* q
    cdef double lanes[EIGHT]
    cdef int64_t stack_node[MOST_STACK]
    cdef int32_t stack_level[MOST_STACK]
    cdef uint32_t bits
    with nogil:
        while limit > 0:
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
                    node = stack_node[waiting]
                    level = stack_level[waiting]
                    if level == depth:
                        bits = leaf_within(q, &points[node, 0, 0], d, metric, p, &reach[0])
                        while bits:
                            best = min(best, number[node, lowest_bit(bits)])
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
    cdef int64_t s, i, node, stripes = bounds.shape[0] - 1
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
        while limit > 0:
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
                        _wait(stack_near, stack_node, stack_level, begin, waiting, lanes[c], node * FAN + c, level + 1)
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
