# Grown trees, put as they are kept: from parent to left child to right, in one row. docs/kernels.md, "Trees".
from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.string cimport memcpy

from clinfa._core.nodes cimport LACKING_LEFT, LEAF, Node, Record
from clinfa._core.types cimport clinfa_take, real

cdef extern from "math.h" nogil:
    const double INFINITY


cdef inline double half_way(double low, double high) noexcept nogil:
    """Between two values, on the side of the lower one."""
    cdef double middle = low / 2 + high / 2
    return middle if low <= middle < high else low


def pack_pass(
    const real[:, ::1] X,         # in     (n, d)
    const Record[::1] found,      # in     (room)   nodes as they were grown, children after their parents
    const double[:, ::1] given,   # in     (room, width)
    const int64_t[::1] firsts,    # in     (trees)  where those of a tree begin
    bint random,                  # in              whether thresholds are there, or lie half-way between two records
    const int64_t[::1] starts,    # in     (trees + 1)
    Node[::1] nodes,              # out    (nodes of all trees)
    int32_t[::1] n,               # out    (nodes)
    double[:, ::1] values,        # out    (nodes, width)
    double[::1] impurity,         # out    (nodes)
    double[::1] weight,           # out    (nodes)
    int64_t[::1] depths,          # out    (trees)  of the deepest node
    int32_t[:, ::1] rooms,        # scratch  (slots, 2 nodes of a tree)
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit, int64_t slot,
):
    cdef int64_t s, t, i, count, at, deepest, stripes = bounds.shape[0] - 1, width = given.shape[1]
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
                size = &rooms[slot, 0]
                place = size + count
                for i in range(count - 1, -1, -1):
                    record = &found[firsts[t] + i]
                    size[i] = 1
                    if record.left >= 0:
                        size[i] += size[record.left] + size[record.right]
                place[0] = 0
                deepest = 0
                for i in range(count):
                    record = &found[firsts[t] + i]
                    at = starts[t] + place[i]
                    node = &nodes[at]
                    deepest = max(deepest, record.depth)
                    n[at] = record.n
                    impurity[at] = record.impurity
                    weight[at] = record.weight
                    memcpy(&values[at, 0], &given[firsts[t] + i, 0], width * sizeof(double))
                    if record.left < 0:
                        node.threshold = values[at, width - 1]
                        node.right = place[i]
                        node.feature = LEAF
                        continue
                    place[record.left] = place[i] + 1
                    place[record.right] = node.right = place[i] + 1 + size[record.left]
                    node.feature = <uint32_t> record.feature | (LACKING_LEFT if record.missing_left else 0)
                    if random:
                        node.threshold = record.threshold
                    elif record.high < 0:  # all that is not missing goes left
                        node.threshold = INFINITY
                    else:
                        node.threshold = half_way(X[record.low, record.feature], X[record.high, record.feature])
                depths[t] = deepest
