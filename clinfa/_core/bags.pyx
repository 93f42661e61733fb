# Bootstrap samples: how often each record is drawn with replacement.
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

cdef extern from "trees.h" nogil:
    uint64_t mixed "clinfa_mixed" (uint64_t)
    uint64_t high_of_product(uint64_t, uint64_t)


def draw(
    const int64_t[::1] order,    # in     (k)        records that weigh anything, in an order that does not depend on theirs
    const double[::1] ends,      # in     (k) or (0)  their weights added up in that order; empty where all weigh one
    int64_t begin, int64_t end,  # in                which draws: each is of its own number
    uint64_t seed,               # in
    uint32_t[::1] counts,        # inout  (n)        zeros at first
):
    cdef int64_t j, low, high, middle, k = order.shape[0]
    cdef bint weighted = ends.shape[0] > 0
    cdef uint64_t x
    cdef double at
    with nogil:
        for j in range(begin, end):
            x = mixed(seed + <uint64_t> j)
            if not weighted:
                low = <int64_t> high_of_product(x, <uint64_t> k)
            else:
                at = <double> (x >> 11) * (1.0 / 9007199254740992.0) * ends[k - 1]
                low = 0
                high = k - 1
                while low < high:
                    middle = (low + high) // 2
                    if ends[middle] > at:
                        high = middle
                    else:
                        low = middle + 1
            counts[order[low]] += 1


def gather(
    const uint32_t[::1] counts,  # in     (n)
    int32_t[::1] rows,           # out    (n)        the records that were drawn
    uint32_t[::1] weights,       # out    (n)        and how often
):
    """How many there are."""
    cdef int64_t i, k = 0, n = counts.shape[0]
    with nogil:
        for i in range(n):
            rows[k] = <int32_t> i
            weights[k] = counts[i]
            k += counts[i] != 0
    return k
