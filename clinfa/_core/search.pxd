# The best cut of one column of a node, and what a node is before it is cut.
from libc.math cimport fabs
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from clinfa._core.nodes cimport Pending, Record, Rules, Split, Work, code_t
from clinfa._core.orders cimport FEW, SMALL_CODE, clinfa_ctz, order_few, order_rows
from clinfa._core.scores cimport (
    ABSOLUTE, ANY, ENTROPY, ENTROPY_ALL, GINI_ALL, POISSON, POISSON_ALL, VARIANCE, VARIANCE_ALL, first_greatest,
    ratio_log, score_classes, score_deviations, score_sums, score_targets, side_classes, side_targets, whole_sums, xlogx,
)

cdef extern from "trees.h" nogil:
    const double NONE "NO_SCORE"
    const double LN2
    const double SLACK
    uint64_t mixed "clinfa_mixed" (uint64_t)
    uint64_t seed_of_column(uint64_t, int32_t)


cdef inline bint scalar(int measure) noexcept nogil:
    return measure <= POISSON


cdef inline bint of_classes(const Rules* p) noexcept nogil:
    return p.classes != NULL


cdef inline double deviations(
    const int32_t* order, int64_t m, const double* w, const double* y, int64_t stride, const uint8_t* side,
    uint8_t which, double* median
) noexcept nogil:
    """The sum of absolute deviations from the median; of one side only unless `side` is NULL. `order` is by y."""
    cdef int64_t j
    cdef int32_t i
    cdef double W = 0, passed = 0, ww = 1, out = 0
    for j in range(m):
        i = order[j]
        if side == NULL or side[i] == which:
            W += w[i] if w != NULL else 1.0
    median[0] = 0
    for j in range(m):
        i = order[j]
        if side != NULL and side[i] != which:
            continue
        if passed == W / 2 and passed > 0:  # half of the weight lies on either side
            median[0] = median[0] / 2 + y[i * stride] / 2
            break
        median[0] = y[i * stride]
        passed += w[i] if w != NULL else 1.0
        if passed > W / 2:
            break
    for j in range(m):
        i = order[j]
        if side == NULL or side[i] == which:
            if w != NULL:
                ww = w[i]
            out += ww * fabs(y[i * stride] - median[0])
    return out


cdef inline bint describe(
    const Rules* p, const code_t* codes, int64_t n, const int32_t* rows, const double* w, const double* y, int64_t m,
    Pending* node, Record* out, double* value, double* z, double* base, double* centre, Work* work
) noexcept nogil:
    """Weight, impurity and value of a node, and what its columns are searched with; whether it may be divided.

    `z` gets the weighted targets, less their `centre` where that helps (for absolute errors, unweighted); `base` the
    score undivided. work.totals are the sums of each class or target.
    """
    cdef int64_t i, j, o, k, q = p.outputs
    cdef double W = 0, S = 0, Q = 0, mean, ww = 1, least, most, impurity = 0, score = 0
    cdef double* totals = work.totals
    cdef bint pure = True, bounded = p.monotonic != NULL
    out.left = out.right = out.feature = out.low = out.high = -1
    out.n = <int32_t> m
    out.depth = node.depth
    out.missing_left = 0
    out.threshold = 0
    if w == NULL:
        W = <double> m
    else:
        for i in range(m):
            W += w[i]
    out.weight = W
    centre[0] = 0
    if of_classes(p):
        if p.measure == VARIANCE or p.measure == ENTROPY:  # two classes
            for i in range(m):
                z[i] = y[i] * (w[i] if w != NULL else 1.0)
                S += z[i]
                pure = pure and y[i] == y[0]
            totals[0] = S
            mean = min(S / W, 1.0)
            if p.measure == VARIANCE:
                impurity = 1 - mean * mean - (1 - mean) * (1 - mean)
            else:
                impurity = (xlogx(W) - xlogx(S) - xlogx(max(W - S, 0.0))) / W / LN2
            if bounded:
                mean = min(max(mean, node.lower), node.upper)
            value[0] = (W - S) / W if not bounded else 1 - mean
            value[1] = mean
            base[0] = whole_sums(p.measure, W, S)
        else:
            for k in range(p.width):
                totals[k] = 0
            for i in range(m):
                if w != NULL:
                    ww = w[i]
                for o in range(q):
                    totals[p.classes[o] + <int64_t> y[i * q + o]] += ww
            for o in range(q):
                score = 0
                for k in range(p.classes[o], p.classes[o + 1]):
                    value[k] = totals[k] / W
                    pure = pure and (totals[k] == 0 or totals[k] == W)
                    score += value[k] * value[k] if p.measure != ENTROPY_ALL else xlogx(value[k])
                impurity += 1 - score if p.measure != ENTROPY_ALL else -score / LN2
            impurity /= <double> q
            base[0] = 0 if p.measure == ANY else side_classes(p, totals, W)
            if not pure and w != NULL and m > 0:  # rounding may keep a class from being all of the weight
                pure = True
                for i in range(m):
                    for o in range(q):
                        pure = pure and y[i * q + o] == y[o]
    else:
        base[0] = 0
        for o in range(q):
            S = 0
            least = most = y[o]
            for i in range(m):
                S += y[i * q + o] * (w[i] if w != NULL else 1.0)
                least = y[i * q + o] if y[i * q + o] < least else least
                most = y[i * q + o] if y[i * q + o] > most else most
            mean = least if least == most else S / W
            pure = pure and least == most
            if p.measure == ABSOLUTE:
                order_rows[code_t](
                    codes + (p.d + o) * n, rows, m, p.n_values[p.d + o], work, work.ordered + o * m, work.codes)
                score = deviations(work.ordered + o * m, m, w, y + o, q, NULL, 0, &mean)
                impurity += score / W
                base[0] -= score
                for j in range(m):
                    i = work.ordered[o * m + j]
                    work.rank[o * m + i] = <int32_t> j
                    z[i * q + o] = y[i * q + o] - mean
                    work.sorted[o * m + j] = z[i * q + o]
            elif p.measure == POISSON or p.measure == POISSON_ALL:
                Q = 0
                for i in range(m):
                    z[i * q + o] = y[i * q + o] * (w[i] if w != NULL else 1.0)
                    if y[i * q + o] > 0 and mean > 0:
                        Q += ratio_log(z[i * q + o], mean * (w[i] if w != NULL else 1.0))
                impurity += max(Q, 0.0) / W
                totals[o] = S
                base[0] += ratio_log(S, W) if S > 0 else 0
                pure = pure or not S > 0
            else:
                S = 0
                if least != most:  # a second look takes away what rounding left in the mean
                    for i in range(m):
                        S += (y[i * q + o] - mean) * (w[i] if w != NULL else 1.0)
                    mean += S / W
                S = Q = 0
                for i in range(m):
                    ww = (y[i * q + o] - mean) * (w[i] if w != NULL else 1.0)
                    S += ww
                    Q += ww * (y[i * q + o] - mean)
                    z[i * q + o] = ww
                impurity += Q / W
                totals[o] = S
                if p.measure == VARIANCE_ALL:
                    base[0] += S * S / W
            value[o] = min(max(mean, node.lower), node.upper) if bounded else mean
            if p.measure == VARIANCE or p.measure == ABSOLUTE:
                centre[0] = mean
        impurity /= <double> q
        if p.measure == VARIANCE:
            base[0] = 0
    out.impurity = impurity
    # Gains that differ by less of what there is to be gained differ by rounding.
    work.slack = SLACK * impurity * W * (W if p.measure == VARIANCE else <double> q)
    if p.measure == ANY:
        pure = False
    return not (
        pure or m < p.min_split or m < 2 * p.min_leaf or W < 2 * p.min_weight or node.depth >= p.max_depth)


cdef inline int64_t gather_sums(
    const code_t* code, int64_t n_values, const int32_t* rows, const double* w, const double* z, int64_t m,
    bint counted, Work* work
) noexcept nogil:
    """Weights and targets of each value that occurs, in order, summed up from the first: the number of values."""
    cdef int64_t i, j, t, word, last, k = 0
    cdef uint32_t c, most = 0
    cdef uint64_t top, found
    cdef double wl = 0, sl = 0, nl = 0
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
    last = (most >> 12) + 1
    if counted:
        for i in range(m):
            counts[code[rows[i]]] += 1
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
    cdef int64_t k = gather_sums(code, n_values, rows, w, z, m, counted, work), j
    cdef double wm, sm, nm, S = work.sum[k - 1]
    cdef const double* count = work.count if counted or m <= FEW and n_values < SMALL_CODE - 1 else work.weight
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
            work.weight, work.score)
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
    memcpy(work.order, work.order + valid, lacking * sizeof(int32_t))
    memcpy(work.order + lacking, work.moved_rows, valid * sizeof(int32_t))
    for j in range(valid - 1, -1, -1):
        work.codes[lacking + j] = work.codes[j]
    score_order(p, w, y, z, m, W, centre, work)
    for j in range(m - 1):
        if j < lacking or work.codes[j] == work.codes[j + 1]:
            work.score[j] = NONE
    choose(p, feature, count, m - 1, m, W, 0, True, <uint32_t> 0xFFFFFFFF, node, work, best)


cdef inline double uniform(uint64_t seed) noexcept nogil:
    """In [0, 1)."""
    return <double> (seed >> 11) * (1.0 / 9007199254740992.0)


cdef inline void search_random(
    const Rules* p, const code_t* code, int32_t feature, int64_t n_values, const int32_t* rows, const double* w,
    const double* y, const double* z, int64_t m, double W, double centre, Pending* node, Work* work,
    Split* best, bint* constant
) noexcept nogil:
    """A cut at random, uniform between the least and the greatest value that occur."""
    cdef int64_t i, k, o, q = p.outputs, lacking = 0, n_left = 0, low, high, middle
    cdef uint32_t c, least = 0xFFFFFFFF, most = 0
    cdef uint64_t seed
    cdef bint left_too = False, left
    cdef double at, wl = 0, sl = 0, S = 0, score = 0, ww = 1, part, side, vl = 0, vr = 0
    cdef uint32_t* codes = work.codes
    cdef double* sums = work.totals + p.width
    cdef const double* values = p.values + p.first_value[feature]
    cdef uint32_t greatest = <uint32_t> n_values
    for i in range(m):
        c = code[rows[i]]
        codes[i] = c
        least = c if c < least else least
        most = c if c > most else most
    if p.missing[feature] and most == greatest:
        most = 0
        for i in range(m):
            lacking += codes[i] == greatest
            most = codes[i] if (codes[i] > most) & (codes[i] != greatest) else most
    if lacking == m or (least == most and not lacking):
        constant[0] = True
        return
    seed = seed_of_column(node.seed, feature)
    at = uniform(seed)
    at = values[least] * (1 - at) + values[most] * at
    if lacking:
        left_too = (mixed(seed) & 1) != 0
        if least == most and left_too:
            return
    low = least
    high = most
    while high - low > 1:  # the last value that is not above
        middle = (low + high) // 2
        if values[middle] <= at:
            low = middle
        else:
            high = middle
    c = <uint32_t> low
    if at >= values[most]:
        at = values[c]
    # (What is missing goes left as if it were least.)
    if left_too:
        for i in range(m):
            codes[i] = codes[i] if codes[i] != greatest else 0
    if p.measure == ANY:
        for i in range(m):
            n_left += codes[i] <= c
        wl = <double> n_left
    elif scalar(p.measure):
        S = work.totals[0]
        for i in range(m):
            left = codes[i] <= c
            n_left += left
            part = <double> left
            wl += part * w[i] if w != NULL else part
            sl += part * z[i]
        score_sums(p.measure, &wl, &sl, 1, W, S, &score)
    elif p.measure == ABSOLUTE:
        for i in range(m):
            left = codes[i] <= c
            work.side[i] = left
            n_left += left
            wl += (w[i] if w != NULL else 1.0) if left else 0.0
        for o in range(q):
            score -= deviations(work.ordered + o * m, m, w, z + o, q, work.side, True, &vl)
            score -= deviations(work.ordered + o * m, m, w, z + o, q, work.side, False, &vr)
    else:
        for k in range(p.width):
            sums[k] = 0
        for i in range(m):
            if codes[i] <= c:
                n_left += 1
                if w != NULL:
                    ww = w[i]
                wl += ww
                for o in range(q):
                    if of_classes(p):
                        sums[p.classes[o] + <int64_t> y[i * q + o]] += ww
                    else:
                        sums[o] += z[i * q + o]
        score = side_classes(p, sums, wl) if of_classes(p) else side_targets(p, sums, wl)
        for k in range(p.width):
            sums[k] = max(work.totals[k] - sums[k], 0.0) if of_classes(p) else work.totals[k] - sums[k]
        side = side_classes(p, sums, W - wl) if of_classes(p) else side_targets(p, sums, W - wl)
        score = score + side if score > NONE and side > NONE else NONE
    if n_left < p.min_leaf or m - n_left < p.min_leaf or wl < p.min_weight or W - wl < p.min_weight:
        return
    if scalar(p.measure):
        vl = sl / wl + centre
        vr = (S - sl) / (W - wl) + centre
    elif p.measure == ABSOLUTE:
        vl += centre
        vr += centre
    if p.monotonic != NULL and p.monotonic[feature] != 0 and not allowed(p, feature, vl, vr, node):
        return
    if not score > best.score + work.slack:
        return
    best.score = score
    best.feature = feature
    best.low = c
    best.high = c + 1
    best.threshold = at
    best.missing_left = left_too
    best.left = vl
    best.right = vr
