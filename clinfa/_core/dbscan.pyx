# Clustering by density on the tree: who is a core point, which core points hang together, who borders on them.
# The mathematics and the costs stand in docs/kernels.md. A place is where the tree has a point: leaf * LEAF + lane.
#
# What a point costs depends on the data, from a look at its own leaf to one at every other. So stripes are small (a few leaves,
# or some lanes of one leaf where there are many points), and a pass returns once it has done MOST_WORK.
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from clinfa._core.density cimport (
    EIGHT, MOST_WORK, NONE, boxes_apart, cost_of, count_bits, flag_seen, flag_set, leaf_within, root_of, unite, wait,
)
from clinfa._core.lanes cimport FAN, LEAF, MOST_STACK, lanes_boxes, lowest_bit
from clinfa._core.types cimport clinfa_take


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


cdef inline uint32_t _set_of(const uint8_t* flags, int64_t leaf, int64_t begin, int64_t end) noexcept nogil:
    """The lanes of a leaf whose place is from `begin` to `end` and whose flag is set."""
    cdef uint32_t out = 0
    cdef int64_t place
    for place in range(max(begin, leaf * LEAF), min(end, leaf * LEAF + LEAF)):
        out |= <uint32_t> flags[place] << (place - leaf * LEAF)
    return out


cdef inline double _weight_of(uint32_t lanes, const double[:, ::1] weights, int64_t leaf) noexcept nogil:
    """The weight of some points of a leaf."""
    cdef double total = 0
    if weights.shape[0] == 0:
        return count_bits(lanes)
    while lanes:
        total += weights[leaf, lowest_bit(lanes)]
        lanes &= lanes - 1
    return total


def core_pass(
    const double[:, :, ::1] points,   # in     (leaves, d, LEAF)
    const double[:, :, :, ::1] boxes, # in     (nodes, d, 2, FAN)
    const int64_t[::1] levels,        # in     (depth + 1)
    int metric, double p,             # in
    const double[::1] reach,          # in     (3)            see leaf_within
    const double[:, ::1] weights,     # in     (leaves, LEAF) or (0, LEAF) where every point counts one
    const double[::1] below,          # in     (nodes + leaves)  the weight of all points below each
    bint rising,                      # in                    whether no weight is negative: what is enough remains so
    double need,                      # in                    core points have at least so much around them
    const int64_t[::1] bounds,        # in     (stripes + 1)  of places
    int64_t[::1] cursor,              # inout  (1)
    int64_t limit,                    # in
    double[:, ::1] scratch,           # scratch (slots, (LEAF + 2) d)
    int64_t slot,                     # in
    uint8_t[::1] core,                # inout  (leaves LEAF)  1 where there is a point, before; 1 where it is core, after
):
    cdef Py_ssize_t d = points.shape[1], depth = levels.shape[0] - 1, waiting, begin, level, l, c
    cdef int64_t s, leaf, node, child, stripes = bounds.shape[0] - 1, work = 0, cost = cost_of(d, metric)
    cdef double* q = &scratch[slot, 0]
    cdef const double* low = q + LEAF * d
    cdef double near[EIGHT]
    cdef double far[EIGHT]
    cdef double lanes[EIGHT]
    cdef double count[2 * EIGHT]
    cdef double stack_near[MOST_STACK]
    cdef int64_t stack_node[MOST_STACK]
    cdef int32_t stack_level[MOST_STACK]
    cdef uint32_t all_own, open, left, leaves, tried
    with nogil:
        while limit > 0 and work < MOST_WORK:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for leaf in range(bounds[s] // LEAF, (bounds[s + 1] + LEAF - 1) // LEAF):
                all_own = _set_of(&core[0], leaf, bounds[s], bounds[s + 1])
                if not all_own:
                    continue
                work += cost
                _gather(&points[leaf, 0, 0], d, all_own, q)
                # The own leaf first: it is often enough.
                open = left = all_own
                while left:
                    l = lowest_bit(left)
                    left &= left - 1
                    work += cost
                    count[l] = _weight_of(
                        leaf_within(q + l * d, &points[leaf, 0, 0], d, metric, p, &reach[0]), weights, leaf)
                    if rising and count[l] >= need:
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
                    work += cost
                    boxes_apart(low, low + d, &boxes[levels[level] + node, 0, 0, 0], d, metric, p, near, far)
                    begin = waiting
                    tried = 0
                    for c in range(FAN):
                        child = node * FAN + c
                        if near[c] > reach[2]:
                            continue
                        # (What the own leaf is part of is not counted whole, since that leaf has been counted.)
                        if far[c] <= reach[0] and leaf >> (3 * (depth - level - 1)) != child:
                            left = open
                            while left:
                                l = lowest_bit(left)
                                left &= left - 1
                                count[l] += below[levels[level + 1] + child]
                                if rising and count[l] >= need:
                                    open &= ~(<uint32_t> 1 << l)
                        elif level + 1 < depth:
                            wait(stack_near, stack_node, stack_level, begin, waiting, near[c], child, level + 1)
                            waiting += 1
                        elif child != leaf:
                            tried |= <uint32_t> 1 << c
                    left = open if tried else 0
                    while left:
                        l = lowest_bit(left)
                        left &= left - 1
                        work += cost
                        leaves = tried & lanes_boxes(
                            <const double*> (q + l * d), &boxes[levels[level] + node, 0, 0, 0], d, metric, p, reach[2], lanes)
                        while leaves:
                            child = node * FAN + lowest_bit(leaves)
                            leaves &= leaves - 1
                            work += cost
                            count[l] += _weight_of(
                                leaf_within(q + l * d, &points[child, 0, 0], d, metric, p, &reach[0]), weights, child)
                            if rising and count[l] >= need:
                                open &= ~(<uint32_t> 1 << l)
                                break
                while all_own:
                    l = lowest_bit(all_own)
                    all_own &= all_own - 1
                    core[leaf * LEAF + l] = count[l] >= need


def prepare_pass(
    double[:, :, ::1] points,         # inout  (leaves, d, LEAF)  points that are not core go to infinity
    const int32_t[:, ::1] names,      # in     (leaves, LEAF)
    int metric, double p,             # in
    const double[::1] reach,          # in     (3)
    const uint8_t[::1] core,          # in     (leaves LEAF)
    const int64_t[::1] bounds,        # in     (stripes + 1)  of leaves
    int64_t[::1] cursor,              # inout  (1)
    int64_t limit,                    # in
    double[:, ::1] scratch,           # scratch (slots, (LEAF + 2) d)
    int64_t slot,                     # in
    int32_t[::1] parent,              # out    (leaves LEAF)  core points of one leaf that are neighbours, united
    int32_t[::1] place,               # out    (n)              where each row is
    int32_t[::1] heads,               # out    (leaves)         the first core point of each leaf, or NONE
    uint8_t[::1] whole,               # out    (leaves)         whether its core points are one set
):
    cdef Py_ssize_t d = points.shape[1], f, l, first
    cdef int64_t s, leaf, stripes = bounds.shape[0] - 1
    cdef int32_t home
    cdef double* q = &scratch[slot, 0]
    cdef uint32_t left, waiting, found, bits
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for leaf in range(bounds[s], bounds[s + 1]):
                home = <int32_t> (leaf * LEAF)
                left = _set_of(&core[0], leaf, home, home + LEAF)
                for l in range(LEAF):
                    parent[home + l] = <int32_t> (home + l)
                    if names[leaf, l] != NONE:
                        place[names[leaf, l]] = <int32_t> (home + l)
                    if not core[home + l]:
                        for f in range(d):
                            points[leaf, f, l] = INFINITY
                heads[leaf] = NONE
                whole[leaf] = 1
                if not left:
                    continue
                heads[leaf] = <int32_t> (home + lowest_bit(left))
                _gather(&points[leaf, 0, 0], d, left, q)
                while left:
                    # From the first one that is left, to all that can be reached from it.
                    first = lowest_bit(left)
                    found = waiting = <uint32_t> 1 << first
                    while waiting and found != left:
                        l = lowest_bit(waiting)
                        bits = left & leaf_within(q + l * d, &points[leaf, 0, 0], d, metric, p, &reach[0])
                        waiting = (waiting | (bits & ~found)) & ~(<uint32_t> 1 << l)
                        found |= bits
                    left &= ~found
                    while found:
                        parent[home + lowest_bit(found)] = <int32_t> (home + first)
                        found &= found - 1
                    if left:
                        whole[leaf] = 0


cdef int32_t _one_set(
    int32_t* parent, const int32_t* heads, uint8_t* whole, int64_t node, int64_t first, int64_t last
) noexcept nogil:
    """The root of all core points below a node, or NONE if they are not known to be one set."""
    cdef int32_t root = NONE, other
    cdef int64_t child
    if flag_seen(whole + node):
        return root_of(parent, heads[node])
    for child in range(first, last):
        if heads[child] == NONE:
            continue
        if not flag_seen(whole + child):
            return NONE
        other = root_of(parent, heads[child])
        if root != NONE and other != root:
            return NONE
        root = other
    flag_set(whole + node)
    return root


def join_pass(
    const double[:, :, ::1] points,   # in     (leaves, d, LEAF)  core points only
    const double[:, :, :, ::1] boxes, # in     (nodes, d, 2, FAN)
    const int64_t[::1] levels,        # in     (depth + 1)
    int metric, double p,             # in
    const double[::1] reach,          # in     (3)
    const uint8_t[::1] core,          # in     (leaves LEAF)
    const int32_t[::1] heads,         # in     (nodes + leaves)   the first core point below each, or NONE
    const int64_t[::1] bounds,        # in     (stripes + 1)      of places
    int64_t[::1] cursor,              # inout  (1)
    int64_t limit,                    # in
    double[:, ::1] scratch,           # scratch (slots, (LEAF + 2) d)
    int64_t slot,                     # in
    int32_t[::1] parent,              # inout  (leaves LEAF)
    uint8_t[::1] whole,               # inout  (nodes + leaves)   whether all core points below are known to be one set
):
    cdef Py_ssize_t d = points.shape[1], depth = levels.shape[0] - 1, waiting, begin, level, l, c
    cdef int64_t s, leaf, node, child, below, first, last, i, own, work = 0, cost = cost_of(d, metric)
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
    cdef uint32_t all_own, left, leaves, bits, tried
    with nogil:
        while limit > 0 and work < MOST_WORK:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for leaf in range(bounds[s] // LEAF, (bounds[s + 1] + LEAF - 1) // LEAF):
                home = <int32_t> (leaf * LEAF)
                all_own = _set_of(&core[0], leaf, bounds[s], bounds[s + 1])
                if not all_own or depth == 0:
                    continue
                own = levels[depth] + leaf
                head = <int32_t> (home + lowest_bit(all_own))
                work += cost
                _gather(&points[leaf, 0, 0], d, all_own, q)
                waiting = 1
                stack_node[0] = 0
                stack_level[0] = 0
                while waiting > 0:
                    waiting -= 1
                    node = stack_node[waiting]
                    level = stack_level[waiting]
                    work += cost
                    first = levels[level + 1] + node * FAN
                    last = min(first + FAN, levels[level + 2] if level + 1 < depth else heads.shape[0])
                    if flag_seen(&whole[own]) and root_of(&parent[0], head) == _one_set(
                        &parent[0], &heads[0], &whole[0], levels[level] + node, first, last
                    ):
                        continue
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
                            left = all_own
                            while left:
                                unite(&parent[0], <int32_t> (home + lowest_bit(left)), heads[below])
                                left &= left - 1
                            if not flag_seen(&whole[below]):
                                work += (last - first) * LEAF
                                for i in range(first * LEAF, last * LEAF):
                                    if core[i]:
                                        unite(&parent[0], <int32_t> i, head)
                                for i in range(first, last):
                                    flag_set(&whole[levels[depth] + i])
                                flag_set(&whole[below])
                        elif level + 1 < depth:
                            wait(stack_near, stack_node, stack_level, begin, waiting, near[c], child, level + 1)
                            waiting += 1
                        else:
                            tried |= <uint32_t> 1 << c
                    left = all_own if tried else 0
                    while left:
                        l = lowest_bit(left)
                        left &= left - 1
                        work += cost
                        leaves = tried & lanes_boxes(
                            <const double*> (q + l * d), &boxes[levels[level] + node, 0, 0, 0], d, metric, p, reach[2], lanes)
                        while leaves:
                            c = lowest_bit(leaves)
                            leaves &= leaves - 1
                            child = node * FAN + c
                            below = levels[depth] + child
                            work += cost
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
