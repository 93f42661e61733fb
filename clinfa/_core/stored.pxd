# Columns of sparse records: only what a node's records store is looked at. All else is zero, one value whose sums are
# those of the node less the others. docs/kernels.md, "Trees".
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from clinfa._core.nodes cimport Pending, Rules, Split, Work, code_t, column_t, value_t
from clinfa._core.orders cimport clinfa_ctz, order_rows
from clinfa._core.random cimport cut_between, offer, search_random
from clinfa._core.scores cimport (
    ENTROPY, ENTROPY_ALL, GINI_ALL, NONE, VARIANCE, of_classes, scalar, score_sums, side_classes, whole_scores, xlogx,
)
from clinfa._core.search cimport choose, cut_sums, read_sums, search_order, search_sums


cdef inline bint summed(int measure) noexcept nogil:
    """Whether sums over what is stored will do: the others want a column whole."""
    return measure == VARIANCE or measure == ENTROPY or measure == GINI_ALL or measure == ENTROPY_ALL


cdef inline double grown(bint squares, double before, double by) noexcept nogil:
    """By how much a square, or x log x, grows when so much is added to `before`, or taken away."""
    if squares:
        return by * (2 * before + by)
    return xlogx(max(before + by, 0.0)) - xlogx(before)


cdef inline void settle(const int32_t* rows, int64_t begin, int64_t end, Work* work) noexcept nogil:
    """Remember where records stand; of one that stands there several times, the first place."""
    cdef int64_t i
    for i in range(end - 1, begin - 1, -1):
        work.where[rows[i]] = <int32_t> i


cdef inline void take_place(const int32_t* rows, int64_t begin, int64_t end, Work* work) noexcept nogil:
    """Begin with the records of a job; one that is there several times stands side by side."""
    cdef int64_t i
    work.n_touched = 0
    work.repeats = False
    for i in range(begin + 1, end):
        work.repeats |= rows[i] == rows[i - 1]
    settle(rows, begin, end, work)


cdef inline void forget(Work* work) noexcept nogil:
    """Let go of what was sorted by column."""
    cdef int64_t j
    for j in range(work.n_touched):
        work.held[work.touched[j]] = 0
    work.n_touched = 0


cdef inline void leave_place(const int32_t* rows, int64_t begin, int64_t end, Work* work) noexcept nogil:
    """Put back what the next job expects."""
    cdef int64_t i
    forget(work)
    for i in range(begin, end):
        work.where[rows[i]] = -1


cdef inline void sort_by_column(
    const Rules* p, const column_t* columns, const int32_t* rows, int64_t m, Work* work
) noexcept nogil:
    """Sort what the records of a node store by column, in the order of the records."""
    cdef const column_t* values = <const column_t*> p.row_values
    cdef column_t* entries = <column_t*> work.entries
    cdef int64_t i, e, j, t, word, k = 0, count = 0, size
    cdef int32_t f
    cdef uint64_t top, found
    for i in range(m):
        for e in range(p.row_starts[rows[i]], p.row_starts[rows[i] + 1]):
            f = p.row_columns[e]
            work.held[f] += 1
            work.columns[f >> 6] |= <uint64_t> 1 << (f & 63)
            work.column_tops[f >> 12] |= <uint64_t> 1 << ((f >> 6) & 63)
    for t in range((p.d >> 12) + 1):
        top = work.column_tops[t]
        work.column_tops[t] = 0
        while top:
            word = t * 64 + clinfa_ctz(top)
            top &= top - 1
            found = work.columns[word]
            work.columns[word] = 0
            while found:
                f = <int32_t> (word * 64 + clinfa_ctz(found))
                found &= found - 1
                size = work.held[f]
                work.held[f] = <int32_t> count
                count += size
                work.touched[k] = f
                k += 1
    for i in range(m):
        for e in range(p.row_starts[rows[i]], p.row_starts[rows[i] + 1]):
            f = p.row_columns[e]
            j = work.held[f]
            work.held[f] = <int32_t> (j + 1)
            work.entry_at[j] = <int32_t> i
            entries[j] = values[e]
    work.ends[0] = 0
    for j in range(k):
        work.ends[j + 1] = work.held[work.touched[j]]
        work.held[work.touched[j]] = <int32_t> (j + 1)
    work.n_touched = k


cdef inline void look_at(
    const Rules* p, const column_t* columns, const int32_t* rows, int64_t begin, int64_t m, Work* work
) noexcept nogil:
    """Before a node's columns are searched: its records one by one, or the columns one by one, whatever is less."""
    cdef int64_t i, total = 0
    forget(work)
    work.begin = begin
    work.whole = 0
    if of_classes(p):
        for i in range(p.width):
            work.whole += grown(p.measure == GINI_ALL, 0, work.totals[i])
    for i in range(m):
        total += p.row_starts[rows[i] + 1] - p.row_starts[rows[i]]
    work.sorted_by_column = total <= p.most_entries and 4 * total <= p.starts[p.d] // p.d * p.tried
    if work.sorted_by_column:
        sort_by_column(p, columns, rows, m, work)


cdef inline int64_t find(
    const Rules* p, const column_t* columns, int32_t f, const int32_t* rows, int64_t m, Work* work
) noexcept nogil:
    """How many records of a node store something in a column; work.at are their places, work.found what it is."""
    cdef int64_t e, i, j, k = 0
    cdef column_t* found = <column_t*> work.room_found
    if work.sorted_by_column:
        j = work.held[f]
        if j == 0:
            return 0
        work.at = work.entry_at + work.ends[j - 1]
        work.found = <column_t*> work.entries + work.ends[j - 1]
        return work.ends[j] - work.ends[j - 1]
    work.at = work.room_at
    work.found = work.room_found
    for e in range(p.starts[f], p.starts[f + 1]):
        i = work.where[p.records_of[e]] - work.begin
        work.room_at[k] = <int32_t> i
        found[k] = columns[e]
        k += <uint64_t> i < <uint64_t> m
        if work.repeats and <uint64_t> i < <uint64_t> m:
            while i + 1 < m and rows[i + 1] == rows[i]:
                i += 1
                work.room_at[k] = <int32_t> i
                found[k] = columns[e]
                k += 1
    return k


cdef inline const column_t* spread(
    const Rules* p, const column_t* columns, int32_t f, const int32_t* rows, int64_t m, Work* work
) noexcept nogil:
    """A column as if it were dense, right at the records of a node."""
    cdef column_t* out = <column_t*> work.spread
    cdef const column_t* values = <const column_t*> p.row_values
    cdef column_t zero = 0
    cdef int64_t i, e, low, high, middle
    if not (column_t is float or column_t is double):
        zero = <column_t> p.zeros[f]
    for i in range(m):
        out[rows[i]] = zero
    if 8 * m > p.starts[f + 1] - p.starts[f]:
        for e in range(p.starts[f], p.starts[f + 1]):
            out[p.records_of[e]] = columns[e]
        return out
    for i in range(m):
        low, high = p.row_starts[rows[i]], p.row_starts[rows[i] + 1]
        while low < high:
            middle = (low + high) >> 1
            if p.row_columns[middle] < f:
                low = middle + 1
            else:
                high = middle
        if low < p.row_starts[rows[i] + 1] and p.row_columns[low] == f:
            out[rows[i]] = values[low]
    return out


cdef inline int64_t gather_stored(
    const code_t* code, int64_t k, uint32_t zero, const double* w, const double* z, int64_t m, double W, bint counted,
    Work* work
) noexcept nogil:
    """As `gather_sums` has it."""
    cdef int64_t i, j
    cdef uint32_t c, most = zero if k < m else 0
    cdef double ww = 1, weight = W, sum = work.totals[0]
    for j in range(k):
        i = work.at[j]
        c = code[j]
        work.bits[c >> 6] |= <uint64_t> 1 << (c & 63)
        work.tops[c >> 12] |= <uint64_t> 1 << ((c >> 6) & 63)
        if w != NULL:
            ww = w[i]
        work.sums[2 * c] += ww
        work.sums[2 * c + 1] += z[i]
        weight -= ww
        sum -= z[i]
        most = c if c > most else most
    if counted:
        for j in range(k):
            work.counts[code[j]] += 1
    if k < m:
        work.bits[zero >> 6] |= <uint64_t> 1 << (zero & 63)
        work.tops[zero >> 12] |= <uint64_t> 1 << ((zero >> 6) & 63)
        work.sums[2 * zero] = weight
        work.sums[2 * zero + 1] = sum
        if counted:
            work.counts[zero] = <double> (m - k)
    return read_sums((most >> 12) + 1, counted, work)


cdef inline int64_t score_stored(
    const Rules* p, const code_t* code, int64_t k, int64_t in_front, uint32_t zero, const double* w, const double* y,
    int64_t m, double W, Work* work
) noexcept nogil:
    """Scores of all cuts for classes, value by value of work.order: how many values. `in_front` records are missing.

    It takes time by what is stored, not by how many classes there are: of a class `own` has what stands on the left until
    the zeros are passed, and then what stands on the right.
    """
    cdef int64_t c, i, j, e, o, v = 0, q = p.outputs
    cdef double ww = 1, wl = 0, a = 0, b = work.whole, n = 0, weight = W
    cdef const double* totals = work.totals
    cdef double* own = work.totals + p.width
    cdef bint squares = p.measure == GINI_ALL, passed = k == m, turned = False
    cdef uint32_t value
    for j in range(k):
        i = work.at[j]
        weight -= w[i] if w != NULL else 1.0
        for o in range(q):
            own[p.classes[o] + <int64_t> y[i * q + o]] = 0
    j = 0
    while j < k or not passed:
        if not passed and j >= in_front and (j == k or code[work.order[j]] > zero):
            passed = turned = True
            value = zero
            wl += weight
            n += <double> (m - k)
            a, b = work.whole, 0
            for e in range(j, k):
                i = work.at[work.order[e]]
                for o in range(q):
                    own[p.classes[o] + <int64_t> y[i * q + o]] = 0
            for e in range(j, k):
                i = work.at[work.order[e]]
                if w != NULL:
                    ww = w[i]
                for o in range(q):
                    c = p.classes[o] + <int64_t> y[i * q + o]
                    a += grown(squares, max(totals[c] - own[c], 0.0), -ww)
                    b += grown(squares, own[c], ww)
                    own[c] += ww
        else:
            value = code[work.order[j]]
            while j < k and code[work.order[j]] == value:
                i = work.at[work.order[j]]
                if w != NULL:
                    ww = w[i]
                wl += ww
                for o in range(q):
                    c = p.classes[o] + <int64_t> y[i * q + o]
                    if turned:
                        a += grown(squares, max(totals[c] - own[c], 0.0), ww)
                        b += grown(squares, own[c], -ww)
                        own[c] = max(own[c] - ww, 0.0)
                    else:
                        a += grown(squares, own[c], ww)
                        b += grown(squares, max(totals[c] - own[c], 0.0), -ww)
                        own[c] += ww
                n += 1
                j += 1
        work.weight[v] = wl
        work.sum[v] = a
        work.score[v] = b
        work.count[v] = n
        work.codes[v] = value
        v += 1
    whole_scores(p, v, W, work.table, work.weight, work.sum, work.score)
    return v


cdef inline void search_stored_classes(
    const Rules* p, const code_t* code, int64_t k, int32_t feature, int64_t n_values, const double* w, const double* y,
    int64_t m, double W, Pending* node, Work* work, Split* best, bint* constant
) noexcept nogil:
    """As `search_order` has it, for classes."""
    cdef int64_t j, v, lacking = 0
    cdef uint32_t zero = p.zeros[feature]
    order_rows(code, work.identity, k, n_values, work, work.order, work.codes)
    if p.missing[feature]:
        while lacking < k and code[work.order[k - 1 - lacking]] == n_values:
            lacking += 1
    v = score_stored(p, code, k, 0, zero, w, y, m, W, work)
    if v < 2:
        constant[0] = True
        return
    choose(
        p, feature, work.count, v - 1, m, W, 0, False, <uint32_t> n_values if lacking else <uint32_t> 0xFFFFFFFF,
        node, work, best)
    if not lacking or v == 2:
        return
    # Once more with what is missing in front.
    for j in range(k - lacking):
        work.moved_rows[j] = work.order[j]
    for j in range(lacking):
        work.order[j] = work.order[k - lacking + j]
    for j in range(k - lacking):
        work.order[lacking + j] = work.moved_rows[j]
    v = score_stored(p, code, k, lacking, zero, w, y, m, W, work)
    work.score[0] = NONE
    choose(p, feature, work.count, v - 1, m, W, 0, True, <uint32_t> 0xFFFFFFFF, node, work, best)


cdef inline void search_stored_random(
    const Rules* p, const value_t* value, int64_t k, int32_t feature, const double* w, const double* y, const double* z,
    int64_t m, double W, double centre, Pending* node, Work* work, Split* best, bint* constant
) noexcept nogil:
    """As `search_random` has it."""
    cdef double least = 0, most = 0, at, ww = 1, wl = 0, sl = 0, score = 0, S = work.totals[0]
    cdef double weight = W, sum = S  # of zeros
    cdef double* x = work.sum
    cdef double* sums = work.totals + p.width
    cdef double* rest = sums + 2 * p.width
    cdef int64_t i, j, o, c, q = p.outputs, lacking = 0, n_left = 0
    cdef bint left_too = False, known = k < m, classes = not scalar(p.measure), left
    for j in range(k):
        x[j] = value[j]
        lacking += x[j] != x[j]
        if x[j] == x[j]:
            least = x[j] if not known or x[j] < least else least
            most = x[j] if not known or x[j] > most else most
            known = True
    if lacking == m or (least == most and not lacking):
        constant[0] = True
        return
    cut_between(node, feature, least, most, lacking, &at, &left_too)
    if classes:
        for c in range(p.width):
            sums[c] = 0
            rest[c] = work.totals[c]
    for j in range(k):
        i = work.at[j]
        left = x[j] <= at or (left_too and x[j] != x[j])
        if w != NULL:
            ww = w[i]
        weight -= ww
        n_left += left
        wl += ww if left else 0.0
        if classes:
            for o in range(q):
                c = p.classes[o] + <int64_t> y[i * q + o]
                rest[c] = max(rest[c] - ww, 0.0)
                sums[c] += ww if left else 0.0
        else:
            sum -= z[i]
            sl += z[i] if left else 0.0
    if k < m and 0 <= at:
        n_left += m - k
        wl += weight
        sl += sum
        if classes:
            for c in range(p.width):
                sums[c] += rest[c]
    if classes:
        score = side_classes(p, sums, wl)
        for c in range(p.width):
            sums[c] = max(work.totals[c] - sums[c], 0.0)
        score += side_classes(p, sums, W - wl)
    else:
        score_sums(p.measure, &wl, &sl, 1, W, S, &score)
    offer(
        p, feature, at, left_too, n_left, m, wl, W, score, sl / wl + centre, (S - sl) / (W - wl) + centre, 0, node, work,
        best)


cdef inline void search_stored(
    const Rules* p, const column_t* columns, const int64_t* n_values, int32_t f, const int32_t* rows, const double* w,
    const double* y, const double* z, int64_t m, double W, double centre, Pending* node, Work* work, Split* best,
    bint* constant
) noexcept nogil:
    """The best split of a node by one column, where it is better than the best so far."""
    cdef int64_t values, k = find(p, columns, f, rows, m, work)
    cdef const column_t* found = <const column_t*> work.found
    cdef bint counted = p.min_leaf > 1 and w != NULL
    constant[0] = k == 0
    if k == 0:
        return
    if column_t is float or column_t is double:
        if summed(p.measure):
            search_stored_random(p, found, k, f, w, y, z, m, W, centre, node, work, best, constant)
        else:
            search_random(
                p, spread(p, columns, f, rows, m, work), f, rows, w, y, z, m, W, centre, node, work, best, constant)
    elif not summed(p.measure):
        found = spread(p, columns, f, rows, m, work)
        if scalar(p.measure):
            search_sums(p, found, f, n_values[f], rows, w, z, m, W, centre, node, work, best, constant)
        else:
            search_order(p, found, f, n_values[f], rows, w, y, z, m, W, centre, node, work, best, constant)
    elif scalar(p.measure):
        values = gather_stored(found, k, p.zeros[f], w, z, m, W, counted, work)
        cut_sums(
            p, f, n_values[f], values, work.count if counted else work.weight, m, W, centre, node, work, best, constant)
    else:
        search_stored_classes(p, found, k, f, n_values[f], w, y, m, W, node, work, best, constant)
