# The union of a graph of neighbours with its transpose: i and j are joined where either is a neighbour of the other.
# Layout and cost: docs/kernels.md, "Unions of neighbours".
from libc.stdint cimport int32_t, int64_t

from clinfa._core.types cimport clinfa_take


def count_pass(
    const int32_t[:, ::1] nearest,  # in     (n, k)    neighbours of each row
    Py_ssize_t begin, Py_ssize_t end,  # in
    int64_t[::1] counts,            # inout  (n + 1)   how often each row is a neighbour, one place on
):
    cdef Py_ssize_t k = nearest.shape[1], i, t
    with nogil:
        for i in range(begin, end):
            for t in range(k):
                counts[nearest[i, t] + 1] += 1


def turn_pass(
    const int32_t[:, ::1] nearest,  # in     (n, k)
    Py_ssize_t begin, Py_ssize_t end,  # in
    int64_t[::1] place,             # inout  (n)       where the next entry of each row goes
    int32_t[::1] back,              # out    (n k)     whose neighbour each row is, ascending
):
    cdef Py_ssize_t k = nearest.shape[1], i, j, t
    with nogil:
        for i in range(begin, end):
            for t in range(k):
                j = nearest[i, t]
                back[place[j]] = <int32_t> i
                place[j] += 1


def union_pass(
    const int32_t[:, ::1] nearest,  # in     (n, k)       ascending in each row
    const int64_t[::1] starts,      # in     (n + 1)      where each row begins in `back`
    const int32_t[::1] back,        # in     (n k)        ascending in each row
    const int64_t[::1] bounds,      # in     (stripes + 1)
    int64_t[::1] cursor,            # inout  (1)
    int64_t limit,                  # in
    int64_t[::1] counts,            # out    (n + 1)      entries of each row, one place on, where `indptr` is empty
    const int32_t[::1] indptr,      # in     (n + 1) or (0) where each row begins
    int32_t[::1] indices,           # out    (nnz) or (0) ascending in each row, the row itself among them
):
    cdef Py_ssize_t k = nearest.shape[1], i, a, b, count
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef int32_t last, x
    cdef bint fill = indptr.shape[0] > 0, met
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                a = 0
                b = starts[i]
                count = 0
                last = -1
                met = False
                while True:
                    # The least that is left of three lists: neighbours, whose neighbour it is, itself.
                    x = 2147483647
                    if a < k:
                        x = nearest[i, a]
                    if b < starts[i + 1] and back[b] < x:
                        x = back[b]
                    if not met and i <= x:
                        x = <int32_t> i
                        met = True
                    if x == 2147483647:
                        break
                    if a < k and nearest[i, a] == x:
                        a += 1
                    if b < starts[i + 1] and back[b] == x:
                        b += 1
                    if x == last:
                        continue
                    last = x
                    if fill:
                        indices[indptr[i] + count] = x
                    count += 1
                if not fill:
                    counts[i + 1] = count
