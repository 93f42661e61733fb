# What a split of a node gains, by every criterion, for all cuts of an ordered column at once.
#
# The gain is a score less that of the node undivided. Scores are sums over both sides, of which the greatest is the
# best: s^2 / w for the variance (with targets less their mean), sums of squared class weights over w for Gini's,
# c log c for entropy, s log(s / w) for Poisson's, minus the sum of deviations from the median for absolute errors.
from libc.stdint cimport int32_t, int64_t

from clinfa._core.nodes cimport Rules

cdef extern from "logarithm.h" nogil:
    double log_normal(double)
    const double LEAST_NORMAL

cdef enum:
    VARIANCE = 0      # one target: numbers, or two classes as 0 and 1 (Gini)
    ENTROPY = 1       # two classes as 0 and 1
    POISSON = 2       # one target of counts
    GINI_ALL = 3      # any number of outputs and classes
    ENTROPY_ALL = 4
    VARIANCE_ALL = 5  # several targets
    POISSON_ALL = 6
    ABSOLUTE = 7

    ALIKE = 16        # how many times the least of some weights the greatest may be

cdef extern from "trees.h" nogil:
    const double NONE "NO_SCORE"
    const double SCARCE


cdef inline bint scalar(int measure) noexcept nogil:
    return measure <= POISSON


cdef inline bint of_classes(const Rules* p) noexcept nogil:
    return p.classes != NULL


cdef inline double xlogx(double x) noexcept nogil:
    return x * log_normal(x if x > LEAST_NORMAL else LEAST_NORMAL)


cdef inline double ratio_log(double s, double w) noexcept nogil:
    """s log(s / w) for s > 0."""
    return s * log_normal(max(s / w, LEAST_NORMAL))


cdef inline int64_t first_greatest(const double* score, int64_t n, double slack) noexcept nogil:
    """The place of the first of the greatest, but for rounding; `n` is at least 1."""
    cdef double best[8]
    cdef double most = NONE
    cdef int64_t i = 0, j
    for j in range(8):
        best[j] = NONE
    while i + 8 <= n:
        for j in range(8):
            best[j] = score[i + j] if score[i + j] > best[j] else best[j]
        i += 8
    while i < n:
        most = score[i] if score[i] > most else most
        i += 1
    for j in range(8):
        most = best[j] if best[j] > most else most
    i = 0
    while i < n - 1 and score[i] < most - slack:
        i += 1
    return i


cdef inline void score_sums(
    int measure, const double* weight, const double* sum, int64_t n, double W, double S, double* score
) noexcept nogil:
    """Scores of the first n cuts from the sums on their left, where there is one target."""
    cdef int64_t i
    cdef double wl, wr, sl, sr, t, g
    if measure == VARIANCE:
        # With integers all but the quotient and its product are exact; what those round is within the slack.
        for i in range(n):
            wl = weight[i]
            wr = W - wl
            t = sum[i] * W - wl * S
            g = t * (t / (wl * wr))  # (t * t is out of range much sooner)
            score[i] = g if wl > 0 and wr > 0 else NONE
    elif measure == ENTROPY:
        for i in range(n):
            wl = weight[i]
            wr = W - wl
            sl = sum[i]
            sr = max(S - sl, 0.0)
            g = xlogx(sl) + xlogx(max(wl - sl, 0.0)) - xlogx(wl) + xlogx(sr) + xlogx(max(wr - sr, 0.0)) - xlogx(wr)
            score[i] = g if wl > 0 and wr > 0 else NONE
    else:
        for i in range(n):
            wl = weight[i]
            wr = W - wl
            sl = sum[i]
            sr = S - sl
            g = ratio_log(sl, wl) + ratio_log(sr, wr)
            score[i] = g if wl > 0 and wr > 0 and sl > SCARCE * S and sr > SCARCE * S else NONE


cdef inline double whole_sums(int measure, double W, double S) noexcept nogil:
    """The score of a node undivided."""
    if measure == VARIANCE:
        return 0
    if measure == ENTROPY:
        return xlogx(S) + xlogx(max(W - S, 0.0)) - xlogx(W)
    return ratio_log(S, W) if S > 0 else 0


cdef inline double side_classes(const Rules* p, const double* counts, double w) noexcept nogil:
    """The score of one side from its class weights."""
    cdef int64_t k
    cdef double out = 0
    if p.measure == GINI_ALL:
        for k in range(p.width):
            out += counts[k] * counts[k]
        return out / w
    for k in range(p.width):
        out += xlogx(counts[k])
    return out - <double> p.outputs * xlogx(w)


cdef inline double side_targets(const Rules* p, const double* sums, double w, const double* totals) noexcept nogil:
    """The score of one side from the sums of several targets, and those of the node."""
    cdef int64_t o
    cdef double out = 0
    if p.measure == VARIANCE_ALL:
        for o in range(p.outputs):
            out += sums[o] * sums[o]
        return out / w
    for o in range(p.outputs):
        if not sums[o] > SCARCE * totals[o]:
            return NONE
        out += ratio_log(sums[o], w)
    return out


cdef inline void whole_scores(
    const Rules* p, int64_t n, double W, const double* table, const double* weight, const double* sum, double* score
) noexcept nogil:
    """Scores for classes from both sides' sums of squares (or of x log x): the left ones' in `sum`, the right ones' in `score`.

    (In loops of their own, which run in vectors.)
    """
    cdef int64_t j
    cdef double a, wr
    if p.measure == GINI_ALL:
        for j in range(n):
            wr = W - weight[j]
            a = sum[j] / weight[j] + score[j] / wr
            score[j] = a if weight[j] > 0 and wr > 0 else NONE
    elif table != NULL:
        for j in range(n):
            wr = W - weight[j]
            a = sum[j] + score[j] - <double> p.outputs * (table[<int64_t> weight[j]] + table[<int64_t> wr])
            score[j] = a if wr > 0 else NONE
    else:
        for j in range(n):
            wr = W - weight[j]
            a = sum[j] + score[j] - <double> p.outputs * (xlogx(weight[j]) + xlogx(wr))
            score[j] = a if weight[j] > 0 and wr > 0 else NONE


cdef inline void score_classes(
    const Rules* p, const int32_t* order, int64_t m, const double* w, const double* y, const double* totals, double W,
    double* left, double* right, const double* table, double* weight, double* sum, double* score
) noexcept nogil:
    """Scores of all cuts of an ordered column, for classes. `left` and `right` have room for `width` each, `sum` for m.

    `table` has x log x of whole numbers, where weights are such; else it is NULL.
    """
    cdef int64_t j, o, k, l, r, step = 1, q = p.outputs
    cdef int32_t i
    cdef double ww = 1, wl = 0, a = 0, b = 0
    for k in range(p.width):
        left[k] = 0
        right[k] = totals[k]
        b += totals[k] * totals[k] if p.measure == GINI_ALL else xlogx(totals[k])
    for j in range(m):
        i = order[j]
        if w != NULL:
            ww = w[i]
        wl += ww
        for o in range(q):
            k = p.classes[o] + <int64_t> y[i * q + o]
            if p.measure == GINI_ALL:
                a += ww * (2 * left[k] + ww)
                b += ww * (2 * left[k] + ww - 2 * totals[k])
                left[k] += ww
            elif table != NULL:
                l, r, step = <int64_t> left[k], <int64_t> right[k], <int64_t> ww
                a += table[l + step] - table[l]
                b += table[r - step] - table[r]
                left[k] += ww
                right[k] -= ww
            else:
                a += xlogx(left[k] + ww) - xlogx(left[k])
                b += xlogx(max(right[k] - ww, 0.0)) - xlogx(right[k])
                left[k] += ww
                right[k] = max(right[k] - ww, 0.0)
        weight[j] = wl
        sum[j] = a
        score[j] = b
    whole_scores(p, m, W, table, weight, sum, score)


cdef inline void score_targets(
    const Rules* p, const int32_t* order, int64_t m, const double* w, const double* z, const double* totals, double W,
    double* left, double* right, double* weight, double* score
) noexcept nogil:
    """The same for several targets; `z` are weighted already."""
    cdef int64_t j, o, q = p.outputs
    cdef int32_t i
    cdef double wl = 0, wr, a, b
    for o in range(q):
        left[o] = 0
    for j in range(m):
        i = order[j]
        wl += w[i] if w != NULL else 1.0
        wr = W - wl
        weight[j] = wl
        for o in range(q):
            left[o] += z[i * q + o]
            right[o] = totals[o] - left[o]
        if not (wl > 0 and wr > 0):
            score[j] = NONE
            continue
        a = side_targets(p, left, wl, totals)
        b = side_targets(p, right, wr, totals)
        score[j] = a + b if a > NONE and b > NONE else NONE


cdef inline bint alike(const double* w, int64_t m) noexcept nogil:
    """Whether weights are of one size, so that a median moves by few places when one of them goes."""
    cdef int64_t i
    cdef double least, most
    if w == NULL:
        return True
    least = most = w[0]
    for i in range(m):
        least = w[i] if w[i] < least else least
        most = w[i] if w[i] > most else most
    return most <= ALIKE * least


cdef inline void unlink_deviations(
    const int32_t* order, int64_t m, const double* w, const double* y, int64_t stride, const int32_t* rank,
    const double* ordered, double* room, bint backwards, double* score, double* medians
) noexcept nogil:
    """What `score_deviations` does, for weights that are `alike`.

    Records leave a list in the order of targets one by one, and the median moves with them. `room` (2, m + 1) is
    made their weights by place, and the links of the list.
    """
    cdef int64_t j, cut, median = 0, place
    cdef int32_t* after = <int32_t*> (room + m + 1)
    cdef int32_t* before = after + m + 1  # (one on, so that the head has a place: before[t + 1] is that of t)
    cdef double* mass = room
    cdef double ww = 1, W = 0, S = 0, below = 0, sum_below = 0, v
    for j in range(m):
        if w != NULL:
            ww = w[j]
        mass[rank[j]] = ww
        W += ww
        S += ww * y[j * stride]
        after[j] = <int32_t> (j + 1)
        before[j + 1] = <int32_t> (j - 1)
    for j in range(m - 1, -1, -1):
        while below + mass[median] < W / 2 and after[median] < m:
            below += mass[median]
            sum_below += mass[median] * ordered[median]
            median = after[median]
        while below >= W / 2 and before[median + 1] >= 0:
            median = before[median + 1]
            below -= mass[median]
            sum_below -= mass[median] * ordered[median]
        cut = m - 2 - j if backwards else j  # (of the cut between j and j + 1, from either side)
        v = ordered[median]
        if cut >= 0:
            medians[cut] = v
            score[cut] -= v * below - sum_below + (S - sum_below) - v * (W - below)
        place = rank[order[m - 1 - j] if backwards else order[j]]
        W -= mass[place]
        S -= mass[place] * ordered[place]
        if place < median:
            below -= mass[place]
            sum_below -= mass[place] * ordered[place]
        if before[place + 1] >= 0:
            after[before[place + 1]] = after[place]
        before[after[place] + 1] = before[place + 1]
        if place == median:
            if after[median] < m:
                median = after[median]
            elif before[median + 1] >= 0:
                median = before[median + 1]
                below -= mass[median]
                sum_below -= mass[median] * ordered[median]


cdef inline void score_deviations(
    const int32_t* order, int64_t m, const double* w, const double* y, int64_t stride, const int32_t* rank,
    const double* ordered, double* tree, bint backwards, double* score, double* medians
) noexcept nogil:
    """Subtract from every cut's score the sum of absolute deviations from the median on one side of it.

    `rank` is the place of a record by its target, `ordered` the targets in that order; `tree` (2, m + 1) is made
    a Fenwick tree of weights and weighted targets.
    """
    if alike(w, m):
        unlink_deviations(order, m, w, y, stride, rank, ordered, tree, backwards, score, medians)
        return
    cdef int64_t j, at, step, top = 1
    cdef int32_t i
    cdef double ww = 1, W = 0, S = 0, below, sum_below, median, half
    cdef double* mass = tree
    cdef double* moment = tree + m + 1
    for j in range(m + 1):
        mass[j] = 0
        moment[j] = 0
    while 2 * top <= m:
        top *= 2
    for j in range(m):
        i = order[m - 1 - j] if backwards else order[j]
        if w != NULL:
            ww = w[i]
        W += ww
        S += ww * y[i * stride]
        at = rank[i] + 1
        while at <= m:
            mass[at] += ww
            moment[at] += ww * y[i * stride]
            at += at & -at
        # Down to the last place where no more than half of the weight is passed: the next is a median.
        half = W / 2
        at = below = sum_below = 0
        step = top
        while step:
            if at + step <= m and below + mass[at + step] < half:
                at += step
                below += mass[at]
                sum_below += moment[at]
            step >>= 1
        median = ordered[min(at, m - 1)]
        # (Of the cut between j and j + 1, from either side.)
        if not backwards:
            medians[j] = median
            score[j] -= median * below - sum_below + (S - sum_below) - median * (W - below)
        elif j < m - 1:
            medians[m - 2 - j] = median
            score[m - 2 - j] -= median * below - sum_below + (S - sum_below) - median * (W - below)
