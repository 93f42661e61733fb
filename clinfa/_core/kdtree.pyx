# distutils: extra_compile_args = -ffp-contract=off -DLANES_ARE_EXACT
# A k-d tree of wide nodes: built level by level, searched by many queries at a time.
# The mathematics and the costs stand in docs/kernels.md.
from libc.math cimport INFINITY, fabs, sqrt
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

from clinfa._core.select cimport select
from clinfa._core.types cimport clinfa_take, float_below, real

from clinfa._core.lanes cimport (
    CHEBYSHEV, EUCLIDEAN, FAN, LEAF, MANHATTAN, MOST_LANES, MOST_STACK, exact_distance, lanes_boxes, lanes_keep,
    lanes_points, lanes_slack, lanes_tiny, lowest_bit,
)

LEAF_SIZE = LEAF
FAN_OUT = FAN

cdef enum:
    NOBODY = 2147483647   # the row of a place where there is no point
    MOST_WORK = 4000000   # features of leaves: after that many a pass returns, some 10 ms later


cdef inline uint64_t _waiting(double far, int64_t node, Py_ssize_t level) noexcept nogil:
    """A node to be looked into as one number, so that the nearest is the least: a bound, the level, the node."""
    cdef float low = <float> 3e38
    if far < 3e38:
        low = float_below(far) if far > 1e-36 else <float> 0  # (smaller ones might be rounded up)
    cdef uint32_t bits
    memcpy(&bits, &low, 4)
    return <uint64_t> bits << 32 | <uint64_t> level << 28 | <uint64_t> node


cdef inline double _bound(uint64_t waiting) noexcept nogil:
    cdef uint32_t bits = waiting >> 32
    cdef float low
    memcpy(&low, &bits, 4)
    return low


cdef inline void _split(
    const real* X, Py_ssize_t d, int32_t* rows, real* keys, Py_ssize_t begin, Py_ssize_t middle, Py_ssize_t end,
    real* low, real* high,
) noexcept nogil:
    """Put the rows at places [begin, end) in the order of their widest column, as far as `middle` parts them."""
    cdef Py_ssize_t f, i, widest = 0
    cdef const real* x = X + rows[begin] * d
    for f in range(d):
        low[f] = high[f] = x[f]
    for i in range(begin + 1, end):
        x = X + rows[i] * d
        for f in range(d):
            low[f] = x[f] if x[f] < low[f] else low[f]
            high[f] = x[f] if x[f] > high[f] else high[f]
    for f in range(1, d):
        # (Halves: the difference of two finite numbers may overflow.)
        if high[f] / 2 - low[f] / 2 > high[widest] / 2 - low[widest] / 2:
            widest = f
    for i in range(begin, end):
        keys[i] = X[rows[i] * d + widest]
    if middle > begin:
        select(keys, rows, begin, end - 1, middle)


def split_level(
    const real[:, ::1] X,       # in     (n, d)
    int32_t[::1] rows,          # inout  (n)           rows in the order of the tree
    real[::1] keys,             # scratch (n)
    int64_t level,              # in                   node j of 2^level holds places [j n >> level, (j + 1) n >> level)
    const int64_t[::1] bounds,  # in     (stripes + 1) of nodes
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    real[:, :, ::1] spread,     # scratch (slots, 2, d)
    int64_t slot,               # in
):
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1]
    cdef int64_t s, node, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for node in range(bounds[s], bounds[s + 1]):
                _split(
                    &X[0, 0], d, &rows[0], &keys[0], (node * n) >> level, ((2 * node + 1) * n) >> (level + 1),
                    ((node + 1) * n) >> level, &spread[slot, 0, 0], &spread[slot, 1, 0])


def split_below(
    const real[:, ::1] X,       # in     (n, d)
    int32_t[::1] rows,          # inout  (n)
    real[::1] keys,             # scratch (n)
    int64_t level,              # in                   as for split_level
    int64_t height,             # in                   split until there are 2^height parts
    const int64_t[::1] bounds,  # in     (stripes + 1) of nodes
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    real[:, :, ::1] spread,     # scratch (slots, 2, d)
    real[:, ::1] near,          # scratch (slots, records of a node)
    int32_t[:, ::1] names,      # scratch (slots, 2, rows of a node)
    int64_t slot,               # in
):
    """All levels below some nodes, whose records are first brought together where the cache holds them."""
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], most = names.shape[1] // 2, begin, end, i, f
    cdef int64_t s, node, part, down, stripes = bounds.shape[0] - 1
    cdef real* records = &near[slot, 0]
    cdef int32_t* own = &names[slot, 0]    # rows of X
    cdef int32_t* turn = &names[slot, most]  # their order
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for node in range(bounds[s], bounds[s + 1]):
                begin = (node * n) >> level
                end = ((node + 1) * n) >> level
                for i in range(begin, end):
                    own[i - begin] = rows[i]
                    turn[i - begin] = <int32_t> (i - begin)
                    for f in range(d):
                        records[(i - begin) * d + f] = X[rows[i], f]
                for down in range(level, height):
                    for part in range(node << (down - level), (node + 1) << (down - level)):
                        _split(
                            records, d, turn, &keys[begin], ((part * n) >> down) - begin,
                            (((2 * part + 1) * n) >> (down + 1)) - begin, (((part + 1) * n) >> down) - begin,
                            &spread[slot, 0, 0], &spread[slot, 1, 0])
                for i in range(begin, end):
                    rows[i] = own[turn[i - begin]]


def fill_leaves(
    const real[:, ::1] X,         # in     (n, d)
    const int32_t[::1] rows,      # in     (n)
    int64_t level,                # in                  there are 2^level leaves
    const int64_t[::1] bounds,    # in     (stripes + 1) of leaves
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    real[:, :, ::1] points,       # out    (leaves, d, LEAF)  +inf where there is no point
    int32_t[:, ::1] names,        # out    (leaves, LEAF)     rows of X
    real[:, :, ::1] boxes,        # out    (leaves, d, 2)
    int32_t[::1] first,           # out    (leaves)           the least row
):
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], f, i, begin, end
    cdef int64_t s, leaf, stripes = bounds.shape[0] - 1
    cdef real value
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for leaf in range(bounds[s], bounds[s + 1]):
                begin = (leaf * n) >> level
                end = ((leaf + 1) * n) >> level
                first[leaf] = NOBODY
                for i in range(begin, end):
                    names[leaf, i - begin] = rows[i]
                    first[leaf] = min(first[leaf], rows[i])
                for i in range(end - begin, LEAF):
                    names[leaf, i] = NOBODY
                for f in range(d):
                    boxes[leaf, f, 0] = <real> INFINITY
                    boxes[leaf, f, 1] = <real> -INFINITY
                    for i in range(begin, end):
                        value = X[rows[i], f] + <real> 0  # (of two zeros only one)
                        points[leaf, f, i - begin] = value
                        boxes[leaf, f, 0] = min(boxes[leaf, f, 0], value)
                        boxes[leaf, f, 1] = max(boxes[leaf, f, 1], value)
                    for i in range(end - begin, LEAF):
                        points[leaf, f, i] = <real> INFINITY


cdef inline double _beyond(
    double far, const real* q, const real* before, Py_ssize_t d, int metric
) noexcept nogil:
    """How far the k-th nearest of q is at most, from how far that of another query is."""
    cdef double gap = 0, t
    cdef Py_ssize_t f
    if metric != EUCLIDEAN and metric != MANHATTAN and metric != CHEBYSHEV:
        return INFINITY
    for f in range(d):
        t = fabs(<double> q[f] - <double> before[f])
        gap = max(gap, t) if metric == CHEBYSHEV else gap + (t * t if metric == EUCLIDEAN else t)
    if metric == EUCLIDEAN:
        t = sqrt(far) + sqrt(gap)
        return t * t * (1 + 1e-9) + 1e-300
    return (far + gap) * (1 + 1e-9) + 1e-300


def nearest_pass(
    const real[:, :, ::1] points,   # in     (leaves, d, LEAF)
    const int32_t[:, ::1] names,    # in     (leaves, LEAF)
    const real[:, :, :, ::1] boxes, # in     (nodes, d, 2, FAN)  level by level
    const int32_t[:, ::1] first,    # in     (nodes, FAN)        the least row of each child
    const int64_t[::1] levels,      # in     (depth + 1)         where each level of nodes begins; then their number
    const real[:, ::1] Q,           # in     (m, d)
    const int32_t[::1] turn,        # in     (m)                 the order in which queries are answered
    int metric, double p,           # in
    const int64_t[::1] bounds,      # in     (stripes + 1)
    int64_t[::1] cursor,            # inout  (1)
    int64_t limit,                  # in
    double[:, ::1] far,             # out    (m, k)   reduced distances, ascending
    int64_t[:, ::1] nearest,        # out    (m, k)   rows
):
    cdef Py_ssize_t d = Q.shape[1], k = far.shape[1], depth = levels.shape[0] - 1, i, l, at, c, waiting, level
    cdef int64_t s, stripes = bounds.shape[0] - 1, node
    cdef real lanes[MOST_LANES]
    cdef uint64_t stack[MOST_STACK]
    cdef uint64_t child
    cdef double bound, distance, reach, slack = lanes_slack(<real> 0, d, p), tiny = lanes_tiny(<real> 0)
    cdef int64_t work = 0
    cdef double* best
    cdef int64_t* who
    cdef const real* q
    cdef Py_ssize_t begin
    cdef uint32_t bits
    with nogil:
        while limit > 0 and work < MOST_WORK:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                q = &Q[turn[i], 0]
                best = &far[turn[i], 0]
                who = &nearest[turn[i], 0]
                reach = INFINITY
                if i > bounds[s]:
                    # As far as the query before was from its k-th, and this one is from it, there are k.
                    reach = _beyond(far[turn[i - 1], k - 1], q, &Q[turn[i - 1], 0], d, metric) * slack + tiny
                for l in range(k):
                    best[l] = INFINITY
                    who[l] = NOBODY
                waiting = 1
                stack[0] = 0
                while waiting > 0:
                    waiting -= 1
                    bound = _bound(stack[waiting])
                    if bound > reach:
                        continue
                    node = stack[waiting] & 0xFFFFFFF
                    level = stack[waiting] >> 28 & 15
                    if bound == 0 and best[k - 1] == 0 and level > 0:
                        if first[levels[level - 1] + node // FAN, node % FAN] > who[k - 1]:
                            continue  # nothing there comes before, of many equal points
                    if level == depth:
                        work += d
                        bits = lanes_points(q, &points[node, 0, 0], d, metric, p, <real> reach, lanes)
                        while bits:
                            l = lowest_bit(bits)
                            bits &= bits - 1
                            if lanes[l] > reach:
                                continue
                            if real is double:
                                distance = lanes[l]
                            else:
                                distance = exact_distance(q, &points[node, 0, l], d, metric, p)
                            if distance < best[k - 1] or (distance == best[k - 1] and names[node, l] < who[k - 1]):
                                lanes_keep(best, who, k, distance, names[node, l])
                                reach = min(reach, best[k - 1] * slack + tiny)
                        continue
                    bits = lanes_boxes(
                        q, &boxes[levels[level] + node, 0, 0, 0], d, metric, p, <real> reach, lanes)
                    begin = waiting
                    while bits:
                        c = lowest_bit(bits)
                        bits &= bits - 1
                        if lanes[c] < INFINITY:
                            # Farthest first, so that the nearest is taken next.
                            child = _waiting(lanes[c], node * FAN + c, level + 1)
                            at = waiting
                            while at > begin and stack[at - 1] < child:
                                stack[at] = stack[at - 1]
                                at -= 1
                            stack[at] = child
                            waiting += 1


def within_pass(
    const real[:, :, ::1] points,   # in     (leaves, d, LEAF)
    const int32_t[:, ::1] names,    # in     (leaves, LEAF)
    const real[:, :, :, ::1] boxes, # in     (nodes, d, 2, FAN)  level by level
    const int64_t[::1] levels,      # in     (depth + 1)         where each level of nodes begins; then their number
    const real[:, ::1] Q,           # in     (m, d)
    const int32_t[::1] turn,        # in     (m)                 the order in which queries are answered
    int metric, double p,           # in
    const double[::1] radius,       # in     (m)                 reduced
    const int64_t[::1] bounds,      # in     (stripes + 1)
    int64_t[::1] cursor,            # inout  (1)
    int64_t limit,                  # in
    int64_t[::1] counts,            # out    (m)       if nothing is filled
    const int64_t[::1] begin,       # in     (m + 1)   where the points of each query go
    double[::1] far,                # out    (begin[m])
    int64_t[::1] rows,              # out    (begin[m])  empty: only count
):
    cdef Py_ssize_t d = Q.shape[1], depth = levels.shape[0] - 1, i, l, waiting, level
    cdef int64_t s, stripes = bounds.shape[0] - 1, node, found, work = 0
    cdef real lanes[MOST_LANES]
    cdef int64_t stack_node[MOST_STACK]
    cdef int32_t stack_level[MOST_STACK]
    cdef double distance, reach, most, slack = lanes_slack(<real> 0, d, p), tiny = lanes_tiny(<real> 0)
    cdef bint fill = rows.shape[0] > 0
    cdef const real* q
    cdef uint32_t bits
    with nogil:
        while limit > 0 and work < MOST_WORK:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                q = &Q[turn[i], 0]
                most = radius[turn[i]]
                reach = most * slack + tiny
                found = begin[turn[i]] if fill else 0
                waiting = 1
                stack_node[0] = 0
                stack_level[0] = 0
                while waiting > 0:
                    waiting -= 1
                    node = stack_node[waiting]
                    level = stack_level[waiting]
                    if level < depth:
                        bits = lanes_boxes(
                            q, &boxes[levels[level] + node, 0, 0, 0], d, metric, p, <real> reach, lanes)
                        while bits:
                            l = lowest_bit(bits)
                            bits &= bits - 1
                            if lanes[l] < INFINITY:
                                stack_node[waiting] = node * FAN + l
                                stack_level[waiting] = level + 1
                                waiting += 1
                        continue
                    work += d
                    bits = lanes_points(q, &points[node, 0, 0], d, metric, p, <real> reach, lanes)
                    while bits:
                        l = lowest_bit(bits)
                        bits &= bits - 1
                        if names[node, l] == NOBODY:
                            continue
                        if real is double:
                            distance = lanes[l]
                        else:
                            if not fill and lanes[l] * slack + tiny < most:
                                found += 1
                                continue
                            distance = exact_distance(q, &points[node, 0, l], d, metric, p)
                        if distance <= most:
                            if fill:
                                far[found] = distance
                                rows[found] = names[node, l]
                            found += 1
                if not fill:
                    counts[turn[i]] = found
