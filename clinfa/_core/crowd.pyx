# Down trees with many records: values and thresholds as floats, and exactly where these do not tell.
# docs/kernels.md, "Trees".
from libc.stdint cimport int32_t, int64_t, uint64_t

from clinfa._core.descent cimport down as few_down
from clinfa._core.leaves cimport add, kept_t
from clinfa._core.nodes cimport LACKING_LEFT, LEAF, Node
from clinfa._core.types cimport clinfa_take, real

cdef extern from "crowd.h" nogil:
    enum:
        GROUP "CROWD_GROUP"
        FEW "DESCENT_GROUP"
        NODE_COLUMN
    ctypedef struct Slim "clinfa_slim":
        pass
    ctypedef struct Crowd "clinfa_crowd":
        float* codes
        int64_t stride
        int64_t m
        int lacking
        int32_t* who
        int32_t* at
        int32_t* doubtful
        int64_t doubts
    void slimmed "clinfa_slimmed" (const Node*, int64_t, int, Slim*)
    int64_t crowd_down "clinfa_crowd_down" (const Crowd*, const Slim*, int64_t, int64_t, int)

cdef enum:
    HELD = 704512    # bytes of records that meet all trees before the next come


def room(int64_t n, int64_t d):
    """How many records are held, and floats of scratch that each thread needs for them."""
    cdef int64_t held = min(max(HELD // (4 * (d + 1)) // GROUP, 1) * GROUP, (n + GROUP - 1) // GROUP * GROUP)
    return held, held * (d + 1) + 3 * (held + GROUP)


cdef void begin(float[::1] scratch, int64_t held, int64_t d, Crowd* crowd) noexcept nogil:
    crowd.codes = &scratch[0]
    crowd.stride = d + 1
    crowd.who = <int32_t*> (crowd.codes + held * crowd.stride)
    crowd.at = crowd.who + held + GROUP
    crowd.doubtful = crowd.at + held + GROUP


cdef void take(const real* x, int64_t d, int64_t m, Crowd* crowd) noexcept nogil:
    """These records are the next."""
    cdef int64_t i, j
    cdef float* codes
    cdef int lacking = 0
    crowd.m = m
    for i in range(m):
        codes = crowd.codes + i * crowd.stride
        for j in range(d):
            codes[j] = <float> x[i * d + j]
            lacking |= codes[j] != codes[j]
    crowd.lacking = lacking
    crowd.doubts = 0


cdef inline int32_t alone(const real* x, const Node* tree) noexcept nogil:
    """Where a record ends."""
    cdef int32_t at = 0
    cdef double value
    while tree[at].feature < LEAF:
        value = x[tree[at].feature & NODE_COLUMN]
        if value <= tree[at].threshold or (value != value and tree[at].feature & LACKING_LEFT):
            at += 1
        else:
            at = tree[at].right
    return at


cdef void down(
    const real* x, int64_t d, Crowd* crowd, const Node* nodes, const Slim* slim, int64_t count, int64_t deepest, int shift
) noexcept nogil:
    """Where all of them end, in the last column of the values."""
    cdef int64_t i, k, l, m
    cdef int32_t[FEW] found
    cdef int32_t* place = <int32_t*> crowd.codes + d
    if deepest == 0:
        for i in range(crowd.m):
            place[i * crowd.stride] = 0
    elif crowd.doubts > crowd.m // 16:  # (floats hardly tell these records apart)
        i = 0
        while i < crowd.m:
            m = min(FEW, crowd.m - i)
            few_down(x + i * d, d, m, nodes, count, NULL, deepest, found)
            for l in range(m):
                place[(i + l) * crowd.stride] = found[l]
            i += m
    else:
        crowd.doubts = crowd_down(crowd, slim, count, deepest, shift)
        for k in range(crowd.doubts):
            i = crowd.doubtful[k] // crowd.stride
            place[i * crowd.stride] = alone(x + i * d, nodes)


def slim_pass(
    const Node[::1] nodes,       # in     (nodes of all trees)
    const int64_t[::1] starts,   # in     (trees + 1)  where those of a tree begin
    int shift,                   # in                  the bit where the right child begins
    uint64_t[::1] out,           # out    (nodes of all trees)
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit,
):
    cdef int64_t s, t, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for t in range(bounds[s], bounds[s + 1]):
                slimmed(&nodes[starts[t]], starts[t + 1] - starts[t], shift, <Slim*> &out[starts[t]])


def leaf_pass(
    const real[:, ::1] X,        # in     (n, d)
    const Node[::1] nodes,       # in     (nodes of all trees)
    const uint64_t[::1] slim,    # in     (nodes of all trees)
    int shift,
    const int64_t[::1] starts,   # in     (trees + 1)
    const int64_t[::1] depths,   # in     (trees)      of the deepest leaf
    int64_t held,
    float[::1] scratch,          # scratch, as `room` says
    int32_t[:, ::1] out,         # out    (n, trees)   the number of the leaf in its tree
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit,
):
    cdef int64_t s, i, t, b, m, d = X.shape[1], trees = starts.shape[0] - 1, stripes = bounds.shape[0] - 1
    cdef Crowd crowd
    cdef const int32_t* place
    with nogil:
        begin(scratch, held, d, &crowd)
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            b = bounds[s]
            while b < bounds[s + 1]:
                m = min(held, bounds[s + 1] - b)
                take(&X[b, 0], d, m, &crowd)
                for t in range(trees):
                    down(
                        &X[b, 0], d, &crowd, &nodes[starts[t]], <const Slim*> &slim[starts[t]],
                        starts[t + 1] - starts[t], depths[t], shift)
                    place = <const int32_t*> crowd.codes + d
                    for i in range(m):
                        out[b + i, t] = place[i * (d + 1)]
                b += m


def sum_pass(
    const real[:, ::1] X,        # in     (n, d)
    const Node[::1] nodes,       # in     (nodes of all trees)
    const uint64_t[::1] slim,    # in     (nodes of all trees)
    int shift,
    const int64_t[::1] starts,   # in     (trees + 1)
    const int64_t[::1] depths,   # in     (trees)
    int64_t held,
    float[::1] scratch,          # scratch, as `room` says
    const kept_t[:, ::1] values, # in     (nodes of all trees, width)
    int64_t classes,             # in                  how many of the first values sum to what a node weighs, if these are counts
    bint last,                   # in                  whether the last value is all that is asked for
    double[:, ::1] out,          # inout  (n, width or 1)  plus the values of the leaves, tree by tree
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit,
):
    cdef int64_t s, i, t, b, m, d = X.shape[1], trees = starts.shape[0] - 1, stripes = bounds.shape[0] - 1
    cdef int64_t width = values.shape[1]
    cdef Crowd crowd
    cdef const int32_t* place
    cdef const double* value
    with nogil:
        begin(scratch, held, d, &crowd)
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            b = bounds[s]
            while b < bounds[s + 1]:
                m = min(held, bounds[s + 1] - b)
                take(&X[b, 0], d, m, &crowd)
                for t in range(trees):
                    down(
                        &X[b, 0], d, &crowd, &nodes[starts[t]], <const Slim*> &slim[starts[t]],
                        starts[t + 1] - starts[t], depths[t], shift)
                    place = <const int32_t*> crowd.codes + d
                    if last:
                        value = <const double*> &slim[starts[t]]
                        for i in range(m):
                            out[b + i, 0] += value[place[i * (d + 1)]]
                    else:
                        for i in range(m):
                            add(&values[starts[t] + place[i * (d + 1)], 0], width, classes, &out[b + i, 0])
                b += m
