# Down trees: which leaf a record reaches, and what the leaves say together. docs/kernels.md, "Trees".
from libc.stdint cimport int32_t, int64_t, uint64_t

from clinfa._core.leaves cimport add, kept_t
from clinfa._core.nodes cimport Node
from clinfa._core.types cimport clinfa_take, real

cdef enum:
    HELD = 655360    # bytes of records that meet all trees before the next come: with a tree they stay in the cache


cdef inline int64_t block(int64_t record) noexcept nogil:
    """Records of so many bytes that are held: a multiple of GROUP."""
    return max(HELD // record // GROUP, 1) * GROUP


cdef inline const uint64_t* sets_of(const uint64_t[::1] sets, const int64_t[::1] starts, int64_t t) noexcept nogil:
    return &sets[0] + starts[t] if sets.shape[0] else NULL


def leaf_pass(
    const real[:, ::1] X,        # in     (n, d)
    const Node[::1] nodes,       # in     (nodes of all trees)
    const int64_t[::1] starts,   # in     (trees + 1)  where those of a tree begin
    const int64_t[::1] depths,   # in     (trees)      of the deepest leaf
    const uint64_t[::1] sets,    # in     (words)      bits of the categories that go left
    const int64_t[::1] set_starts,  # in  (trees + 1)  where those of a tree begin; of no use without sets
    int32_t[:, ::1] out,         # out    (n, trees)   the number of the leaf in its tree
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit,
):
    cdef int64_t s, i, t, l, m, d = X.shape[1], trees = starts.shape[0] - 1, stripes = bounds.shape[0] - 1, b, e
    cdef int64_t held = block(d * <int64_t> sizeof(real))
    cdef int32_t[GROUP] place
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            b = bounds[s]
            while b < bounds[s + 1]:
                e = min(b + held, bounds[s + 1])
                for t in range(trees):
                    i = b
                    while i < e:
                        m = min(GROUP, e - i)
                        down(
                            &X[i, 0], d, m, &nodes[starts[t]], starts[t + 1] - starts[t], sets_of(sets, set_starts, t),
                            depths[t], place)
                        for l in range(m):
                            out[i + l, t] = place[l]
                        i += m
                b = e


def sum_pass(
    const real[:, ::1] X,        # in     (n, d)
    const Node[::1] nodes,       # in     (nodes of all trees)
    const int64_t[::1] starts,   # in     (trees + 1)
    const int64_t[::1] depths,   # in     (trees)
    const uint64_t[::1] sets,    # in     (words)
    const int64_t[::1] set_starts,  # in  (trees + 1)
    const kept_t[:, ::1] values, # in     (nodes of all trees, width)
    int64_t classes,             # in                  how many of the first values sum to what a node weighs, if these are counts
    bint last,                   # in                  whether the last value is all that is asked for
    double[:, ::1] out,          # inout  (n, width or 1)  plus the values of the leaves, tree by tree
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit,
):
    cdef int64_t s, i, t, l, k, m, d = X.shape[1], trees = starts.shape[0] - 1, stripes = bounds.shape[0] - 1
    cdef int64_t b, e, width = values.shape[1], held = block(d * <int64_t> sizeof(real))
    cdef int32_t[GROUP] place
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            b = bounds[s]
            while b < bounds[s + 1]:
                e = min(b + held, bounds[s + 1])
                for t in range(trees):
                    i = b
                    while i < e:
                        m = min(GROUP, e - i)
                        down(
                            &X[i, 0], d, m, &nodes[starts[t]], starts[t + 1] - starts[t], sets_of(sets, set_starts, t),
                            depths[t], place)
                        if last:
                            for l in range(m):
                                out[i + l, 0] += nodes[starts[t] + place[l]].threshold
                        else:
                            for l in range(m):
                                add(&values[starts[t] + place[l], 0], width, classes, &out[i + l, 0])
                        i += m
                b = e
