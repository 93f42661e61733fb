# Grown trees, put as they are kept: from parent to left child to right, in one row. docs/kernels.md, "Trees".
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from clinfa._core.nodes cimport CATEGORY, LACKING_LEFT, LEAF, Node, Record, column_t
from clinfa._core.types cimport clinfa_take, real

# What nodes say as it is kept: numbers, or how often each class is there.
ctypedef fused kept_t:
    uint32_t
    double

cdef extern from "math.h" nogil:
    const double INFINITY


cdef inline double half_way(double low, double high) noexcept nogil:
    """Between two values, on the side of the lower one."""
    cdef double middle = low / 2 + high / 2
    return middle if low <= middle < high else low


def half_ways(
    const double[::1] low,        # in     (k)
    const double[::1] high,       # in     (k)
    double[::1] out,              # out    (k)      between them
):
    cdef int64_t i
    with nogil:
        for i in range(out.shape[0]):
            out[i] = half_way(low[i], high[i])


def pack_pass(
    const real[:, ::1] X,         # in     (n, d)
    const uint8_t[::1] found,     # in     (room Record)  nodes as they were grown, children after their parents
    const double[:, ::1] given,   # in     (room, width)
    const int64_t[::1] firsts,    # in     (trees)  where those of a tree begin
    bint random,                  # in              whether thresholds are there, or lie half-way between two records
    const int64_t[::1] n_values,  # in     (d)
    const uint8_t[::1] categories,  # in   (d) or (0)  which columns are of categories
    const int64_t[::1] starts,    # in     (trees + 1)
    uint8_t[::1] nodes,           # out    (Node for each of all trees)
    int32_t[::1] n,               # out    (nodes)
    kept_t[:, ::1] values,        # out    (nodes, width)
    double[::1] impurity,         # out    (nodes) or (0)  not told where it is not wanted
    double[::1] weight,           # out    (nodes) or (0)
    int64_t[::1] depths,          # out    (trees)  of the deepest node
    int64_t[::1] words,           # out    (trees)  of sets of categories
    int32_t[:, ::1] rooms,        # scratch  (2, nodes)
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit, int64_t slot,
):
    cdef int64_t s, t, i, k, count, at, deepest, used, stripes = bounds.shape[0] - 1, width = given.shape[1]
    cdef int32_t* size
    cdef int32_t* place
    cdef const Record* record
    cdef Node* node
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for t in range(bounds[s], bounds[s + 1]):
                count = starts[t + 1] - starts[t]
                size = &rooms[0, starts[t]]
                place = &rooms[1, starts[t]]
                for i in range(count - 1, -1, -1):
                    record = <const Record*> &found[0] + firsts[t] + i
                    size[i] = 1
                    if record.left >= 0:
                        size[i] += size[record.left] + size[record.right]
                place[0] = 0
                deepest = used = 0
                for i in range(count):
                    record = <const Record*> &found[0] + firsts[t] + i
                    at = starts[t] + place[i]
                    node = <Node*> &nodes[0] + at
                    deepest = max(deepest, record.depth)
                    n[at] = record.n
                    if impurity.shape[0]:
                        impurity[at] = record.impurity
                    if weight.shape[0]:
                        weight[at] = record.weight
                    if kept_t is double:
                        memcpy(&values[at, 0], &given[firsts[t] + i, 0], width * sizeof(double))
                    else:  # (shares of a whole number below 2**32, but for rounding)
                        for k in range(width):
                            values[at, k] = <uint32_t> (given[firsts[t] + i, k] * record.weight + 0.5)
                    if record.left < 0:
                        node.threshold = given[firsts[t] + i, width - 1]
                        node.right = place[i]
                        node.feature = LEAF
                        continue
                    place[record.left] = place[i] + 1
                    place[record.right] = node.right = place[i] + 1 + size[record.left]
                    node.feature = <uint32_t> record.feature | (LACKING_LEFT if record.missing_left else 0)
                    if categories.shape[0] and categories[record.feature]:
                        node.feature |= CATEGORY
                        node.threshold = <double> used
                        used += (n_values[record.feature] + 63) // 64
                    elif random:
                        node.threshold = record.threshold
                    elif record.high < 0:  # all that is not missing goes left
                        node.threshold = INFINITY
                    else:
                        node.threshold = half_way(X[record.low, record.feature], X[record.high, record.feature])
                depths[t] = deepest
                words[t] = used


def sets_pass(
    const column_t[:, ::1] columns,  # in  (d, n)         codes, or codes as numbers with NaN
    const int64_t[::1] n_values,  # in     (d)
    const int32_t[::1] rows,      # in     (m)            records by leaf, as they are after growth
    const Node[::1] nodes,        # in     (nodes)
    const int64_t[::1] which,     # in     (k)            those that divide categories
    const int64_t[::1] begins,    # in     (k)            their first record: of `known` or the other side
    const int64_t[::1] counts,    # in     (k)            and how many those are
    const int64_t[::1] firsts,    # in     (k)            where their sets begin
    uint64_t[::1] sets,           # out    (words)        bits of the categories that go left
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit,
):
    """Of the side where what is missing does not go the categories are known: all others go with what is missing."""
    cdef int64_t s, j, i, k, f, stripes = bounds.shape[0] - 1
    cdef uint64_t turned
    cdef uint64_t* words
    cdef const column_t* code
    cdef column_t c
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for j in range(bounds[s], bounds[s + 1]):
                f = nodes[which[j]].feature & ~(CATEGORY | LACKING_LEFT)
                turned = <uint64_t> 0 - <uint64_t> (nodes[which[j]].feature & LACKING_LEFT != 0)
                words = &sets[firsts[j]]
                k = (n_values[f] + 63) // 64
                for i in range(k):
                    words[i] = 0
                code = &columns[f, 0]
                for i in range(begins[j], begins[j] + counts[j]):
                    c = code[rows[i]]
                    if c < n_values[f]:  # (what is missing is not)
                        words[<uint32_t> c >> 6] |= <uint64_t> 1 << (<uint32_t> c & 63)
                for i in range(k):
                    words[i] ^= turned
