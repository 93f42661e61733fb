# What a node is before it is cut: its weight, impurity and value. docs/kernels.md, "Trees".
from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from clinfa._core.nodes cimport Pending, Record, Rules, Work
from clinfa._core.orders cimport order_rows
from clinfa._core.scores cimport (
    ABSOLUTE, ENTROPY, ENTROPY_ALL, POISSON, POISSON_ALL, VARIANCE, VARIANCE_ALL, of_classes, ratio_log,
    side_classes, whole_sums, xlogx,
)

cdef extern from "trees.h" nogil:
    const double LN2
    const double SLACK
    double two_classes "clinfa_two_classes" (const double*, const double*, int64_t, double*, int*)
    double sum_of "clinfa_sum" (const double*, int64_t)


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


cdef inline double slack_of(const Rules* p, const Record* node) noexcept nogil:
    """Scores that differ by less differ by rounding: a share of what there is to be gained."""
    return SLACK * node.impurity * node.weight * (node.weight if p.measure == VARIANCE else <double> p.outputs)


cdef inline bint describe(
    const Rules* p, const int32_t* rows, const int32_t* home, const double* w, const double* y, int64_t m, Pending* node,
    Record* out, double* value, double* z, double* base, double* centre, Work* work
) noexcept nogil:
    """Weight, impurity and value of a node, and what its columns are searched with; whether it may be divided.

    `z` gets the weighted targets, less their `centre` where that helps (for absolute errors, unweighted); `base` the
    score undivided. work.totals are the sums of each class or target. `home` says which records `rows` are, where they
    have numbers of their own.
    """
    cdef int64_t i, j, o, k, q = p.outputs
    cdef double W = 0, S = 0, Q = 0, mean, ww = 1, least, most, impurity = 0, score = 0
    cdef double* totals = work.totals
    cdef bint pure = True, stuck = False, bounded = p.monotonic != NULL
    cdef int both
    out.left = out.right = out.feature = out.low = out.high = -1
    out.n = <int32_t> m
    out.depth = node.depth
    out.missing_left = 0
    out.threshold = 0
    if w == NULL:
        W = <double> m
    else:
        W = sum_of(w, m)
    out.weight = W
    centre[0] = 0
    if of_classes(p):
        if p.measure == VARIANCE or p.measure == ENTROPY:  # two classes
            S = two_classes(y, w, m, z, &both)
            pure = not both
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
            base[0] = side_classes(p, totals, W)
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
                if home != NULL:
                    for i in range(m):
                        work.moved_rows[i] = home[rows[i]]
                order_rows[uint32_t](
                    p.target_ranks + o * p.n, rows if home == NULL else work.moved_rows, m, p.n_target_values[o], work,
                    work.ordered + o * m, work.codes)
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
                stuck = stuck or not S > 0  # (neither side may have none)
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
    out.impurity = 0 if pure else max(impurity, 0.0)  # (but for rounding)
    work.slack = slack_of(p, out)
    return not (
        pure or stuck or m < p.min_split or m < 2 * p.min_leaf or W < 2 * p.min_weight or node.depth >= p.max_depth)
