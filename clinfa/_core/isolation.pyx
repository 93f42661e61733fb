# Isolation trees: samples are drawn, and divided at random until every record is alone. docs/kernels.md, "isolation.pyx".
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from clinfa._core.nodes cimport LACKING_LEFT, LEAF, Node
from clinfa._core.random cimport uniform
from clinfa._core.types cimport clinfa_take, real

cdef extern from "trees.h" nogil:
    uint64_t mixed "clinfa_mixed" (uint64_t)
    uint64_t high_of_product(uint64_t, uint64_t)
    uint64_t seed_of_side(uint64_t, int)

cdef extern from "float.h" nogil:
    const double DBL_MAX

cdef enum:
    DEEPEST = 64                # nodes that may wait at a time

ctypedef packed struct Waiting:
    uint64_t seed
    int64_t begin
    int64_t end
    int32_t depth
    int32_t parent        # of a right child; -1 for others

WAITING_BYTES = DEEPEST * sizeof(Waiting)


def draw_pass(
    const int64_t[::1] order,    # in       (k)         records that weigh anything, in an order not of theirs
    const double[::1] ends,      # in       (k) or (0)  their weights added up; empty where all weigh one
    int64_t total,               # in                   places to draw: k, or repetitions; 0 for draws by weight
    bint replace,                # in                   always where total is 0
    const uint64_t[::1] seeds,   # in       (trees)
    int32_t[:, ::1] rows,        # out      (trees, size)  what is drawn
    uint8_t[:, ::1] seen,        # scratch  (slots, total or 0)  zero between uses
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit, int64_t slot,
):
    """Without replacement by Floyd's method (Bentley and Floyd 1987)."""
    cdef int64_t s, t, j, place, low, high, middle, size = rows.shape[1], stripes = bounds.shape[0] - 1
    cdef int64_t k = order.shape[0]
    cdef bint weighted = ends.shape[0] > 0
    cdef uint64_t x
    cdef double at
    cdef uint8_t* taken
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for t in range(bounds[s], bounds[s + 1]):
                taken = NULL if replace else &seen[slot, 0]
                for j in range(size):
                    x = mixed(seeds[t] + <uint64_t> j)
                    if total == 0:
                        at = uniform(x) * ends[k - 1]
                    else:
                        place = <int64_t> high_of_product(x, <uint64_t> (total if replace else total - size + j + 1))
                        if not replace:
                            if taken[place]:
                                place = total - size + j
                            taken[place] = True
                        at = <double> place
                    if not weighted:
                        rows[t, j] = <int32_t> place
                        continue
                    low, high = 0, k - 1
                    while low < high:
                        middle = (low + high) // 2
                        if ends[middle] > at:
                            high = middle
                        else:
                            low = middle + 1
                    rows[t, j] = <int32_t> low
                if not replace:
                    # What was taken is found again by the same draws.
                    for j in range(size):
                        place = <int64_t> high_of_product(
                            mixed(seeds[t] + <uint64_t> j), <uint64_t> (total - size + j + 1))
                        taken[place] = False
                        taken[total - size + j] = False
                for j in range(size):  # (so far these are places in the order)
                    rows[t, j] = <int32_t> order[rows[t, j]]


cdef inline int32_t draw_column(
    const int32_t* columns, int32_t* drawn, int32_t* swapped, int64_t seen, int64_t d, uint64_t state
) noexcept nogil:
    """One more of the columns; `drawn` holds all, those that were drawn first."""
    cdef int64_t at = seen + <int64_t> high_of_product(state, <uint64_t> (d - seen))
    cdef int32_t f = drawn[at]
    drawn[at] = drawn[seen]
    drawn[seen] = f
    swapped[seen] = <int32_t> at
    return columns[f]


def grow_pass(
    const real[:, ::1] X,        # in     (n, d)
    const int32_t[:, ::1] columns,  # in  (trees, c)     those that each tree may look at
    int32_t[:, ::1] rows,        # inout  (trees, size)  the records of each
    const uint64_t[::1] seeds,   # in     (trees)
    int64_t deepest,             # in                    the depth at which nothing is divided any more
    Node[:, ::1] nodes,          # out    (trees, 2 size)
    int32_t[:, ::1] n,           # out    (trees, 2 size)  records of each node
    double[:, ::1] depths,       # out    (trees, 2 size)  of each node
    uint8_t[:, ::1] waiting,     # inout  (trees, WAITING_BYTES)
    int64_t[:, ::1] state,       # inout  (trees, 2)     nodes that wait, nodes there are; zeros at first
    double budget,               # in                    work of one call for a tree, in looks at a value
    int32_t[:, ::1] rooms,       # inout  (slots, 2 c)   first 0 to c - 1
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit, int64_t slot,
):
    cdef int64_t s, t, i, j, m, seen, missing, count, waits, stripes = bounds.shape[0] - 1
    cdef int64_t d = columns.shape[1], size = rows.shape[1]
    cdef int32_t f, r, place
    cdef int32_t* own
    cdef int32_t* drawn
    cdef int32_t* swapped
    cdef Waiting* stack
    cdef Waiting node
    cdef Node* out
    cdef uint64_t random
    cdef double least, most, value, at, left_over
    cdef bint lacking_left, found, goes
    with nogil:
        drawn = &rooms[slot, 0]
        swapped = drawn + d
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for t in range(bounds[s], bounds[s + 1]):
                stack = <Waiting*> &waiting[t, 0]
                out = &nodes[t, 0]
                waits, count = state[t, 0], state[t, 1]
                left_over = budget
                if count == 0:
                    stack[0].seed = mixed(seeds[t])
                    stack[0].begin, stack[0].end, stack[0].depth, stack[0].parent = 0, size, 0, -1
                    waits = 1
                while waits and left_over > 0:
                    waits -= 1
                    node = stack[waits]
                    place = <int32_t> count
                    count += 1
                    if node.parent >= 0:
                        out[node.parent].right = place
                    m = node.end - node.begin
                    own = &rows[t, node.begin]
                    out[place].threshold = 0
                    out[place].right = place
                    out[place].feature = LEAF
                    n[t, place] = <int32_t> m
                    depths[t, place] = node.depth
                    left_over -= 20
                    if m < 2 or node.depth >= deepest:
                        continue
                    found = False
                    seen = 0
                    random = node.seed
                    while seen < d and not found:
                        random = mixed(random)
                        f = draw_column(&columns[t, 0], drawn, swapped, seen, d, random)
                        seen += 1
                        least, most, missing = DBL_MAX, -DBL_MAX, 0
                        for i in range(m):
                            value = <double> X[own[i], f]
                            missing += value != value
                            least = value if value < least else least
                            most = value if value > most else most
                        # (Half-way between two values there has to be a number.)
                        least = max(least, -DBL_MAX)
                        most = min(most, DBL_MAX)
                        found = missing < m and (least < most or missing)
                        left_over -= <double> m
                    # Back to what it was, so that the draws of a node depend on nothing but its seed.
                    while seen:
                        seen -= 1
                        r = drawn[swapped[seen]]
                        drawn[swapped[seen]] = drawn[seen]
                        drawn[seen] = r
                    if not found:
                        continue
                    random = mixed(random)
                    at = uniform(random)
                    at = least * (1 - at) + most * at
                    if not (least <= at < most):
                        at = least
                    lacking_left = missing and (mixed(random) & 1) != 0
                    if least == most:  # what is missing parts from what is not
                        at, lacking_left = INFINITY, False
                    j = 0
                    for i in range(m):
                        r = own[i]
                        value = <double> X[r, f]
                        goes = value <= at or (lacking_left and value != value)
                        own[i] = own[j]
                        own[j] = r
                        j += goes
                    left_over -= <double> m
                    if not missing:  # what will be missing goes where most go
                        lacking_left = 2 * j > m
                    out[place].threshold = at
                    out[place].feature = <uint32_t> f | (LACKING_LEFT if lacking_left else 0)
                    stack[waits].seed = seed_of_side(node.seed, 1)
                    stack[waits].begin, stack[waits].end = node.begin + j, node.end
                    stack[waits + 1].seed = seed_of_side(node.seed, 0)
                    stack[waits + 1].begin, stack[waits + 1].end = node.begin, node.begin + j
                    stack[waits].depth = stack[waits + 1].depth = node.depth + 1
                    stack[waits].parent, stack[waits + 1].parent = place, -1
                    waits += 2
                state[t, 0], state[t, 1] = waits, count
