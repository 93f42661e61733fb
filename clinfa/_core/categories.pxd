# The best division of the categories of a column into two sides. docs/kernels.md, "Trees".
#
# Of all partitions the best is one of those that cut the categories in the order of their mean targets, for one number
# by any criterion of a mean, and for two classes (Breiman and others, Classification and Regression Trees, 1984, 9.4).
# Means of several numbers, or shares of several classes, are ordered along the direction in which they differ most: then
# the best is close to it (Coppersmith, Hong and Hosking, Data Mining and Knowledge Discovery 3, 1999).
from libc.stdint cimport int64_t, int32_t, uint32_t, uint64_t

from clinfa._core.nodes cimport Pending, Rules, Split, Work, code_t
from clinfa._core.orders cimport clinfa_ctz, mark
from clinfa._core.scores cimport NONE, scalar, score_sums
from clinfa._core.search cimport choose, score_order, side_means

cdef extern from "trees.h" nogil:
    void project "clinfa_project" (
        const int32_t*, const double*, const double*, int64_t, int64_t, const int64_t*, int64_t, int64_t, double*, double*,
        double*, double*)


cdef inline bint above(const double* mean, const uint32_t* code, int64_t a, int64_t b) noexcept nogil:
    return mean[a] > mean[b] or (mean[a] == mean[b] and code[a] > code[b])


cdef inline void sink(double* mean, uint32_t* code, int64_t at, int64_t n) noexcept nogil:
    """Put a heap of n, the greatest on top, in order below `at`."""
    cdef int64_t child
    while 2 * at + 1 < n:
        child = 2 * at + 1
        if child + 1 < n and above(mean, code, child + 1, child):
            child += 1
        if not above(mean, code, child, at):
            return
        mean[at], mean[child] = mean[child], mean[at]
        code[at], code[child] = code[child], code[at]
        at = child


cdef inline void sort(double* mean, uint32_t* code, int64_t n) noexcept nogil:
    cdef int64_t j
    for j in range(n // 2 - 1, -1, -1):
        sink(mean, code, j, n)
    for j in range(n - 1, 0, -1):
        mean[0], mean[j] = mean[j], mean[0]
        code[0], code[j] = code[j], code[0]
        sink(mean, code, 0, j)


cdef inline int64_t order_categories(
    const code_t* code, const int32_t* rows, const double* w, const double* z, int64_t m, Work* work
) noexcept nogil:
    """The categories that occur by their mean targets, with sums up to each of them: how many there are."""
    cdef int64_t i, j, t, word, last, k = 0
    cdef uint32_t c, most = 0
    cdef uint64_t top, found
    cdef double wl = 0, sl = 0, nl = 0
    cdef double* sums = work.sums
    cdef double* mean = work.means
    for i in range(m):
        c = code[rows[i]]
        work.bits[c >> 6] |= <uint64_t> 1 << (c & 63)
        work.tops[c >> 12] |= <uint64_t> 1 << ((c >> 6) & 63)
        sums[2 * c] += w[i] if w != NULL else 1.0
        sums[2 * c + 1] += z[i]
        work.counts[c] += 1
        most = c if c > most else most
    last = (most >> 12) + 1
    for t in range(last):
        top = work.tops[t]
        work.tops[t] = 0
        while top:
            word = t * 64 + clinfa_ctz(top)
            top &= top - 1
            found = work.bits[word]
            work.bits[word] = 0
            while found:
                c = <uint32_t> (word * 64 + clinfa_ctz(found))
                found &= found - 1
                work.codes[k] = c
                mean[k] = sums[2 * c + 1] / sums[2 * c]
                k += 1
    sort(mean, work.codes, k)
    for j in range(k):
        c = work.codes[j]
        wl += sums[2 * c]
        sl += sums[2 * c + 1]
        nl += work.counts[c]
        sums[2 * c] = sums[2 * c + 1] = work.counts[c] = 0
        work.weight[j], work.sum[j], work.count[j] = wl, sl, nl
    return k


cdef inline void search_categories(
    const Rules* p, const code_t* code, int32_t feature, const int32_t* rows, const double* w, const double* z,
    int64_t m, double W, double centre, Pending* node, Work* work, Split* best, bint* constant
) noexcept nogil:
    """The best division of a column's categories; what is missing is one of them."""
    cdef int64_t k = order_categories(code, rows, w, z, m, work), j
    cdef double before = best.score
    if k < 2:
        constant[0] = True
        return
    score_sums(p.measure, work.weight, work.sum, k - 1, W, work.sum[k - 1], work.score)
    if p.monotonic != NULL:
        side_means(work, k - 1, W, work.sum[k - 1], centre)
    for j in range(k):
        work.codes[j] = <uint32_t> j  # (which categories those are is found again when the node is divided)
    choose(p, feature, work.count, k - 1, m, W, 0, False, 0xFFFFFFFF, node, work, best)
    if best.score > before:
        best.threshold = centre


cdef inline int64_t project_categories(
    const Rules* p, const code_t* code, const int32_t* rows, const double* w, const double* y, int64_t m, Work* work
) noexcept nogil:
    """The categories that occur in order, for several classes or targets: how many. work.chain says a record's place."""
    cdef int64_t i, t, word, last, k = 0, most = min(m, work.most_codes)
    cdef uint32_t c
    cdef uint64_t top, found
    cdef double* weight = work.means + most
    last = mark(code, rows, m, work.bits, work.tops, work.codes)
    for t in range(last):
        top = work.tops[t]
        work.tops[t] = 0
        while top:
            word = t * 64 + clinfa_ctz(top)
            top &= top - 1
            found = work.bits[word]
            work.bits[word] = 0
            while found:
                c = <uint32_t> (word * 64 + clinfa_ctz(found))
                found &= found - 1
                work.codes[k] = c
                work.slot[c] = <int32_t> k
                k += 1
    for i in range(m):
        work.chain[i] = work.slot[code[rows[i]]]
    project(
        work.chain, w, y, m, p.outputs, p.classes, p.width, k, weight, weight + most + 2 * p.width, weight + most,
        work.means)
    sort(work.means, work.codes, k)
    for i in range(k):
        work.slot[work.codes[i]] = <int32_t> i
    for i in range(m):
        work.chain[i] = work.slot[code[rows[i]]]
    for i in range(k):
        work.slot[work.codes[i]] = -1
    return k


cdef inline void search_projected(
    const Rules* p, const code_t* code, int32_t feature, const int32_t* rows, const double* w, const double* y,
    const double* z, int64_t m, double W, double centre, Pending* node, Work* work, Split* best, bint* constant
) noexcept nogil:
    """The same for several classes or targets."""
    cdef int64_t k = project_categories(p, code, rows, w, y, m, work), i, j
    cdef int32_t* start = work.moved_rows
    if k < 2:
        constant[0] = True
        return
    for j in range(k + 1):
        start[j] = 0
    for i in range(m):
        start[work.chain[i] + 1] += 1
    for j in range(k):
        start[j + 1] += start[j]
    for i in range(m):
        j = start[work.chain[i]]
        start[work.chain[i]] += 1
        work.order[j] = <int32_t> i
        work.codes[j] = <uint32_t> work.chain[i]
    for j in range(m):
        work.count[j] = <double> (j + 1)
    score_order(p, w, y, z, m, W, centre, work)
    for j in range(m - 1):
        if work.codes[j] == work.codes[j + 1]:
            work.score[j] = NONE
    choose(p, feature, work.count, m - 1, m, W, 0, False, 0xFFFFFFFF, node, work, best)


cdef inline void sides_of_categories(
    const Rules* p, const code_t* code, const Split* split, const int32_t* rows, const double* w, const double* y,
    int64_t m, Work* work
) noexcept nogil:
    """Which categories of a node go left, in work.goes: in the order of the search."""
    cdef int64_t i, j, k
    if scalar(p.measure):
        for i in range(m):
            work.z[i] = (y[i] - split.threshold) * (w[i] if w != NULL else 1.0)
        k = order_categories(code, rows, w, work.z, m, work)
    else:
        k = project_categories(p, code, rows, w, y, m, work)
    for j in range(k):
        work.goes[work.codes[j]] = j <= split.low
