# The best cut of one column of a node, from the ranks of its values. docs/kernels.md, "Trees".
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

from clinfa._core.nodes cimport Pending, Rules, Split, Work, code_t
from clinfa._core.orders cimport FEW, SMALL_CODE, clinfa_ctz, order_few, order_rows
from clinfa._core.scores cimport (
    ABSOLUTE, ENTROPY_ALL, GINI_ALL, first_greatest, score_classes, score_deviations, score_sums, score_targets,
)

cdef extern from "trees.h" nogil:
    const double NONE "NO_SCORE"


cdef inline int64_t read_sums(int64_t last, bint counted, Work* work) noexcept nogil:
    """Read off what each code has, in order, summed up from the first: the number of codes."""
    cdef int64_t t, word, k = 0
    cdef uint32_t c
    cdef uint64_t top, found
    cdef double wl = 0, sl = 0, nl = 0
    cdef double* sums = work.sums
    cdef double* counts = work.counts
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
                wl += sums[2 * c]
                sl += sums[2 * c + 1]
                sums[2 * c] = 0
                sums[2 * c + 1] = 0
                work.weight[k] = wl
                work.sum[k] = sl
                work.codes[k] = c
                if counted:
                    nl += counts[c]
                    counts[c] = 0
                    work.count[k] = nl
                k += 1
    return k


cdef inline int64_t gather_sums(
    const code_t* code, int64_t n_values, const int32_t* rows, const double* w, const double* z, int64_t m,
    bint counted, Work* work
) noexcept nogil:
    """Weights and targets of each value that occurs, in order, summed up from the first: the number of values."""
    cdef int64_t i, j, k = 0
    cdef uint32_t c, most = 0
    cdef double wl = 0, sl = 0
    cdef double* sums = work.sums
    cdef double* counts = work.counts
    cdef uint64_t* bits = work.bits
    cdef uint64_t* tops = work.tops
    cdef int32_t* order = work.order
    if m <= FEW and n_values < SMALL_CODE - 1:
        order_few(code, rows, m, order, work.few)
        work.few[m] = 0xFFFFFFFF
        for j in range(m):
            i = order[j]
            wl += w[i] if w != NULL else 1.0
            sl += z[i]
            work.weight[k] = wl
            work.sum[k] = sl
            work.count[k] = <double> (j + 1)
            work.codes[k] = work.few[j]
            k += work.few[j] != work.few[j + 1]
        return k
    for i in range(m):
        c = code[rows[i]]
        bits[c >> 6] |= <uint64_t> 1 << (c & 63)
        tops[c >> 12] |= <uint64_t> 1 << ((c >> 6) & 63)
        sums[2 * c] += w[i] if w != NULL else 1.0
        sums[2 * c + 1] += z[i]
        most = c if c > most else most
    if counted:
        for i in range(m):
            counts[code[rows[i]]] += 1
    return read_sums((most >> 12) + 1, counted, work)


cdef inline bint allowed(const Rules* p, int32_t feature, double left, double right, Pending* node) noexcept nogil:
    """Whether the sides may predict that."""
    return (left - right) * p.monotonic[feature] <= 0 and (
        node.lower <= left <= node.upper and node.lower <= right <= node.upper)


cdef inline void choose(
    const Rules* p, int32_t feature, const double* count, int64_t n_cuts, int64_t m, double W, double lacking,
    bint missing_left, uint32_t missing_code, Pending* node, Work* work, Split* best
) noexcept nogil:
    """Take the best of scored cuts that are allowed if it is better than the best so far.

    `lacking` records go left before all that `count` counts; right of the last cut are those of `missing_code`.
    """
    cdef int64_t first = 0, last = n_cuts, j
    cdef bint bounded = p.monotonic != NULL and p.monotonic[feature] != 0
    if p.min_leaf > 1:
        while first < last and count[first] + lacking < p.min_leaf:
            first += 1
        while first < last and <double> m - (count[last - 1] + lacking) < p.min_leaf:
            last -= 1
    if p.min_weight > 0:
        while first < last and work.weight[first] < p.min_weight:
            first += 1
        while first < last and W - work.weight[last - 1] < p.min_weight:
            last -= 1
    if first >= last:
        return
    if bounded:
        for j in range(first, last):
            if not allowed(p, feature, work.left[j], work.right[j], node):
                work.score[j] = NONE
    j = first + first_greatest(work.score + first, last - first, work.slack)
    if not work.score[j] > best.score + work.slack:
        return
    best.score = work.score[j]
    best.feature = feature
    best.low = work.codes[j]
    best.high = work.codes[j + 1]
    if best.high == missing_code:
        best.high = 0xFFFFFFFF
    best.missing_left = missing_left
    if bounded:
        best.left = work.left[j]
        best.right = work.right[j]


cdef inline void side_means(Work* work, int64_t n_cuts, double W, double S, double mean) noexcept nogil:
    """What both sides of every cut would predict."""
    cdef int64_t j
    for j in range(n_cuts):
        work.left[j] = work.sum[j] / work.weight[j] + mean
        work.right[j] = (S - work.sum[j]) / (W - work.weight[j]) + mean


cdef inline void search_sums(
    const Rules* p, const code_t* code, int32_t feature, int64_t n_values, const int32_t* rows, const double* w,
    const double* z, int64_t m, double W, double centre, Pending* node, Work* work, Split* best, bint* constant
) noexcept nogil:
    """The best cut of a column where there is one target, or two classes."""
    cdef bint counted = p.min_leaf > 1 and w != NULL
    cdef int64_t k = gather_sums(code, n_values, rows, w, z, m, counted, work)
    cdef const double* count = work.count if counted or m <= FEW and n_values < SMALL_CODE - 1 else work.weight
    cut_sums(p, feature, n_values, k, count, m, W, centre, node, work, best, constant)


cdef inline void cut_sums(
    const Rules* p, int32_t feature, int64_t n_values, int64_t k, const double* count, int64_t m, double W, double centre,
    Pending* node, Work* work, Split* best, bint* constant
) noexcept nogil:
    """The best cut between k values, of which there are sums and, in `count`, how many records have them."""
    cdef int64_t j
    cdef double wm, sm, nm, S = work.sum[k - 1]
    cdef bint lacking = p.missing[feature] and work.codes[k - 1] == n_values
    cdef int64_t valid = k - 1 if lacking else k
    if valid == 0 or (valid == 1 and not lacking):
        constant[0] = True
        return
    # Whatever is missing stands last: the cut before it is one of these.
    score_sums(p.measure, work.weight, work.sum, k - 1, W, S, work.score)
    if p.monotonic != NULL:
        side_means(work, k - 1, W, S, centre)
    choose(
        p, feature, count, k - 1, m, W, 0, False, <uint32_t> n_values if lacking else <uint32_t> 0xFFFFFFFF,
        node, work, best)
    if not lacking or valid == 1:
        return
    wm = W - work.weight[valid - 1]
    sm = S - work.sum[valid - 1]
    nm = <double> m - count[valid - 1]
    for j in range(valid):
        work.weight[j] += wm
        work.sum[j] += sm
    score_sums(p.measure, work.weight, work.sum, valid - 1, W, S, work.score)
    if p.monotonic != NULL:
        side_means(work, valid - 1, W, S, centre)
    # (Where weights count the records, what is missing is counted by now.)
    choose(
        p, feature, count, valid - 1, m, W, 0 if count == work.weight else nm, True, <uint32_t> 0xFFFFFFFF,
        node, work, best)


cdef inline void score_order(
    const Rules* p, const double* w, const double* y, const double* z, int64_t m, double W, double centre, Work* work
) noexcept nogil:
    """Scores of all cuts of work.order, by criteria of many classes or targets."""
    cdef int64_t j, o, q = p.outputs
    cdef double wl = 0
    if p.measure == GINI_ALL or p.measure == ENTROPY_ALL:
        score_classes(
            p, work.order, m, w, y, work.totals, W, work.totals + p.width, work.totals + 2 * p.width,
            work.table, work.weight, work.sum, work.score)
    elif p.measure != ABSOLUTE:
        score_targets(
            p, work.order, m, w, z, work.totals, W, work.totals + p.width, work.totals + 2 * p.width,
            work.weight, work.score)
    else:
        for j in range(m):
            wl += w[work.order[j]] if w != NULL else 1.0
            work.weight[j] = wl
            work.score[j] = 0
        for o in range(q):
            score_deviations(
                work.order, m, w, z + o, q, work.rank + o * m, work.sorted + o * m, work.tree, False, work.score,
                work.left)
            score_deviations(
                work.order, m, w, z + o, q, work.rank + o * m, work.sorted + o * m, work.tree, True, work.score,
                work.right)
        if p.monotonic != NULL:
            for j in range(m - 1):
                work.left[j] += centre
                work.right[j] += centre


cdef inline void search_order(
    const Rules* p, const code_t* code, int32_t feature, int64_t n_values, const int32_t* rows, const double* w,
    const double* y, const double* z, int64_t m, double W, double centre, Pending* node, Work* work, Split* best,
    bint* constant
) noexcept nogil:
    """The same by the order of records, for whatever other criterion."""
    cdef int64_t j, valid = m, lacking
    cdef double* count = work.count
    order_rows(code, rows, m, n_values, work, work.order, work.codes)
    if p.missing[feature]:
        while valid > 0 and work.codes[valid - 1] == n_values:
            valid -= 1
    lacking = m - valid
    if valid == 0 or (work.codes[0] == work.codes[valid - 1] and not lacking):
        constant[0] = True
        return
    for j in range(m):
        count[j] = <double> (j + 1)
    score_order(p, w, y, z, m, W, centre, work)
    for j in range(m - 1):
        if work.codes[j] == work.codes[j + 1]:
            work.score[j] = NONE
    choose(
        p, feature, count, m - 1, m, W, 0, False, <uint32_t> n_values if lacking else <uint32_t> 0xFFFFFFFF,
        node, work, best)
    if not lacking or work.codes[0] == work.codes[valid - 1]:
        return
    # Once more with what is missing in front.
    memcpy(work.moved_rows, work.order, valid * sizeof(int32_t))
    memmove(work.order, work.order + valid, lacking * sizeof(int32_t))
    memcpy(work.order + lacking, work.moved_rows, valid * sizeof(int32_t))
    for j in range(valid - 1, -1, -1):
        work.codes[lacking + j] = work.codes[j]
    score_order(p, w, y, z, m, W, centre, work)
    for j in range(m - 1):
        if j < lacking or work.codes[j] == work.codes[j + 1]:
            work.score[j] = NONE
    choose(p, feature, count, m - 1, m, W, 0, True, <uint32_t> 0xFFFFFFFF, node, work, best)
