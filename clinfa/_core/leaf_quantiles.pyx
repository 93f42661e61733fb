# What a forest knows of the distribution of targets: quantiles of those that leaves hold. docs/kernels.md, "Trees".
from libc.math cimport NAN
from libc.stdint cimport int32_t, int64_t, uint64_t

from clinfa._core.orders cimport clinfa_ctz
from clinfa._core.types cimport clinfa_take

cdef enum:
    ROUNDING = 100_000_000_000  # shares that differ by less than one in so many differ by rounding


def quantile_pass(
    const int32_t[:, ::1] leaves,    # in     (n, trees)        the leaf in each tree; negative where it is not asked
    const int64_t[::1] starts,       # in     (trees + 1)       where the nodes of a tree begin
    const int64_t[::1] ends,         # in     (nodes)           where the members of a node end, in its tree's
    const int32_t[:, ::1] members,   # in     (trees, size)     records node by node, as often as they were drawn
    const double[::1] weights,       # in     (records) or (0)  empty where all weigh one
    const int32_t[::1] ranks,        # in     (records)         the place of the target among the levels
    const double[::1] levels,        # in     (distinct)        targets, rising
    const double[::1] quantiles,     # in     (k)               rising
    double[:, ::1] out,              # out    (n, k)            NaN where no tree is asked
    double[:, ::1] shares,           # inout  (slots, distinct)             zeros, and left so
    uint64_t[:, ::1] bits,           # inout  (slots, distinct // 64 + 1)   zeros, and left so
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit, int64_t slot,
):
    cdef int64_t s, i, t, j, b, e, q, word, low, high, trees = starts.shape[0] - 1, stripes = bounds.shape[0] - 1
    cdef int64_t k = quantiles.shape[0]
    cdef int32_t r, leaf
    cdef bint weighted = weights.shape[0] > 0
    cdef double mass, share, asked, sum
    cdef double* own
    cdef uint64_t* marks
    cdef uint64_t found
    with nogil:
        own = &shares[slot, 0]
        marks = &bits[slot, 0]
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                asked = 0
                low = bits.shape[1]
                high = -1
                for t in range(trees):
                    leaf = leaves[i, t]
                    if leaf < 0:
                        continue
                    b = ends[starts[t] + leaf - 1] if leaf else 0
                    e = ends[starts[t] + leaf]
                    mass = <double> (e - b)
                    if weighted:
                        mass = 0
                        for j in range(b, e):
                            mass += weights[members[t, j]]
                    if mass <= 0:
                        continue
                    asked += 1
                    share = 1 / mass
                    for j in range(b, e):
                        r = ranks[members[t, j]]
                        own[r] += weights[members[t, j]] / mass if weighted else share
                        word = r >> 6
                        marks[word] |= <uint64_t> 1 << (r & 63)
                        low = min(low, word)
                        high = max(high, word)
                q = 0
                sum = 0
                r = -1
                for word in range(low, high + 1):
                    found = marks[word]
                    marks[word] = 0
                    while found:
                        r = <int32_t> (64 * word + clinfa_ctz(found))
                        found &= found - 1
                        sum += own[r]
                        own[r] = 0
                        while q < k and quantiles[q] < 1 and sum >= asked * (quantiles[q] - 1.0 / ROUNDING):
                            out[i, q] = levels[r]
                            q += 1
                while q < k:
                    out[i, q] = levels[r] if r >= 0 else NAN
                    q += 1
