# Down trees: which leaf a record reaches, and what the leaves say together. docs/kernels.md, "Trees".
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from clinfa._core.types cimport clinfa_take, real

cdef enum:
    SIDE_BY_SIDE = 8      # records that go down together, so that none waits for memory alone
    BLOCK = 256           # records that meet all trees before the next come
    COLUMN = 0x3FFFFFFF   # the part of `feature` that is the column
    LACKING_LEFT = 0x40000000  # the bit of `feature` that says where NaN goes

# Records whose value is at most the threshold go left; a leaf leads to itself.
ctypedef packed struct Node:
    double threshold
    int32_t left
    int32_t right
    int32_t feature
    int32_t n


cdef inline void down(
    const real* x, int64_t d, int64_t m, const Node* tree, int32_t* place
) noexcept nogil:
    """The leaves of at most SIDE_BY_SIDE records."""
    cdef int64_t l
    cdef int32_t moving = 1, next
    cdef const Node* node
    cdef real value
    cdef int left
    for l in range(m):
        place[l] = 0
    while moving:
        moving = 0
        for l in range(m):
            node = tree + place[l]
            value = x[l * d + (node.feature & COLUMN)]
            left = (value <= node.threshold) | ((value != value) & ((node.feature & LACKING_LEFT) != 0))
            next = node.left if left else node.right
            moving |= next ^ place[l]
            place[l] = next


def leaf_pass(
    const real[:, ::1] X,        # in     (n, d)
    const Node[::1] nodes,       # in     (nodes of all trees)
    const int64_t[::1] starts,   # in     (trees + 1)  where those of a tree begin
    int32_t[:, ::1] out,         # out    (n, trees)   the number of the leaf in its tree
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit,
):
    cdef int64_t s, i, t, l, m, d = X.shape[1], trees = starts.shape[0] - 1, stripes = bounds.shape[0] - 1, b, e
    cdef int32_t[SIDE_BY_SIDE] place
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            b = bounds[s]
            while b < bounds[s + 1]:
                e = min(b + BLOCK, bounds[s + 1])
                for t in range(trees):
                    i = b
                    while i < e:
                        m = min(SIDE_BY_SIDE, e - i)
                        if m == SIDE_BY_SIDE:
                            down(&X[i, 0], d, SIDE_BY_SIDE, &nodes[starts[t]], place)
                        else:
                            down(&X[i, 0], d, m, &nodes[starts[t]], place)
                        for l in range(m):
                            out[i + l, t] = place[l]
                        i += m
                b = e


def sum_pass(
    const real[:, ::1] X,        # in     (n, d)
    const Node[::1] nodes,       # in     (nodes of all trees)
    const int64_t[::1] starts,   # in     (trees + 1)
    const double[:, ::1] values, # in     (nodes of all trees, width)
    double[:, ::1] out,          # inout  (n, width)   plus the values of the leaves, tree by tree
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit,
):
    cdef int64_t s, i, t, l, k, m, d = X.shape[1], trees = starts.shape[0] - 1, stripes = bounds.shape[0] - 1
    cdef int64_t b, e, width = values.shape[1]
    cdef int32_t[SIDE_BY_SIDE] place
    cdef const double* value
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            b = bounds[s]
            while b < bounds[s + 1]:
                e = min(b + BLOCK, bounds[s + 1])
                for t in range(trees):
                    i = b
                    while i < e:
                        m = min(SIDE_BY_SIDE, e - i)
                        if m == SIDE_BY_SIDE:
                            down(&X[i, 0], d, SIDE_BY_SIDE, &nodes[starts[t]], place)
                        else:
                            down(&X[i, 0], d, m, &nodes[starts[t]], place)
                        for l in range(m):
                            value = &values[starts[t] + place[l], 0]
                            for k in range(width):
                                out[i + l, k] += value[k]
                        i += m
                b = e
