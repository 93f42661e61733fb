# A cut of one column of a node at random, from its values. docs/kernels.md, "Trees".
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from clinfa._core.describe cimport deviations
from clinfa._core.nodes cimport Pending, Rules, Split, Work, value_t
from clinfa._core.scores cimport ABSOLUTE, of_classes, scalar, score_sums, side_classes, side_targets
from clinfa._core.search cimport allowed

cdef extern from "trees.h" nogil:
    const double NONE "NO_SCORE"
    uint64_t mixed "clinfa_mixed" (uint64_t)
    uint64_t seed_of_column(uint64_t, int32_t)
    enum:
        LANES "CLINFA_TREE_LANES"
    void gather_f32 "clinfa_gather_f32" (const float*, const int32_t*, int64_t, double*, double*, double*)
    void gather_f64 "clinfa_gather_f64" (const double*, const int32_t*, int64_t, double*, double*, double*)
    int64_t left_sums "clinfa_left_sums" (const double*, double, const double*, const double*, int64_t, double*, double*)

cdef inline double uniform(uint64_t seed) noexcept nogil:
    """In [0, 1)."""
    return <double> (seed >> 11) * (1.0 / 9007199254740992.0)


cdef inline int32_t draw(int32_t* numbers, int64_t d, int64_t seen, uint64_t* state) noexcept nogil:
    """The next of d numbers that has not been seen: those that have stand first; behind all d, what was swapped."""
    cdef int64_t at
    cdef int32_t out
    state[0] = mixed(state[0])
    at = seen + <int64_t> (uniform(state[0]) * <double> (d - seen))
    out = numbers[at]
    numbers[at] = numbers[seen]
    numbers[seen] = out
    numbers[d + seen] = <int32_t> at
    return out


cdef inline void put_back(int32_t* numbers, int64_t d, int64_t seen) noexcept nogil:
    """As they were, so that what a node draws depends on nothing but its seed."""
    cdef int64_t at
    cdef int32_t one
    while seen:
        seen -= 1
        at = numbers[d + seen]
        one = numbers[at]
        numbers[at] = numbers[seen]
        numbers[seen] = one


cdef inline double between(double least, double most, uint64_t seed) noexcept nogil:
    """A cut that leaves something on either side."""
    cdef double at = uniform(seed)
    at = least * (1 - at) + most * at
    return at if least <= at < most else least


cdef inline bint goes_right(uint64_t lot, double code) noexcept nogil:
    """To which side a category goes by lot; NaN is one."""
    return mixed(lot ^ (<uint64_t> code if code == code else <uint64_t> 1 << 32)) & 1


cdef inline uint64_t draw_sides(uint64_t seed, double* x, int64_t m, double* sides) noexcept nogil:
    """A division of categories x by lot that leaves none of the sides empty, each as likely as the others: the lot, and
    0 or 1 for each record. There have to be two categories, and one in 2**64 draws fails."""
    cdef int64_t i, right, draw
    for draw in range(64):
        seed = mixed(seed)
        right = 0
        for i in range(m):
            sides[i] = goes_right(seed, x[i])
            right += sides[i] > 0
        if 0 < right < m:
            break
    return seed


cdef inline void cut_between(
    const Pending* node, int32_t feature, double least, double most, int64_t lacking, double* at, bint* left_too
) noexcept nogil:
    """A threshold, and whether what is missing goes left of it."""
    cdef uint64_t seed = seed_of_column(node.seed, feature)
    at[0] = between(least, most, seed)
    left_too[0] = False
    if least == most:  # what is missing parts from what is not
        at[0] = INFINITY
    elif lacking:
        left_too[0] = (mixed(seed) & 1) != 0


cdef inline void offer(
    const Rules* p, int32_t feature, double at, bint left_too, int64_t n_left, int64_t m, double wl, double W,
    double score, double left, double right, uint64_t lot, Pending* node, Work* work, Split* best
) noexcept nogil:
    """Take a cut that is allowed if it is better than the best so far; the sides would predict `left` and `right`."""
    if n_left < p.min_leaf or m - n_left < p.min_leaf or wl < p.min_weight or W - wl < p.min_weight:
        return
    if p.monotonic != NULL and p.monotonic[feature] != 0 and not allowed(p, feature, left, right, node):
        return
    if not score > best.score + work.slack:
        return
    best.score = score
    best.feature = feature
    best.low = <uint32_t> lot  # (of categories)
    best.high = <uint32_t> (lot >> 32)
    best.threshold = at
    best.missing_left = left_too
    best.left = left
    best.right = right


cdef inline void search_random(
    const Rules* p, const value_t* column, int32_t feature, const int32_t* rows, const double* w, const double* y,
    const double* z, int64_t m, double W, double centre, Pending* node, Work* work, Split* best, bint* constant
) noexcept nogil:
    """A cut at random, uniform between the least and the greatest value that occur; of categories, sides by lot.

    `w` and `z` can be read to a multiple of LANES.
    """
    cdef int64_t i, k, o, q = p.outputs, lacking = 0, n_left = 0
    cdef int64_t padded = (m + LANES - 1) // LANES * LANES
    cdef uint64_t lot = 0
    cdef bint left_too = False, sorts = p.categories != NULL and p.categories[feature]
    cdef double at, wl = 0, sl = 0, S = 0, score = 0, ww = 1, side, vl = 0, vr = 0, least, most
    cdef double* sums = work.totals + p.width
    cdef double* x = work.sum
    if value_t is float:
        gather_f32(column, rows, m, x, &least, &most)
    else:
        gather_f64(column, rows, m, x, &least, &most)
    if p.missing[feature]:
        for i in range(m):
            lacking += x[i] != x[i]
    if lacking == m or (least == most and not lacking):
        constant[0] = True
        return
    cut_between(node, feature, least, most, lacking, &at, &left_too)
    if sorts:
        lot = draw_sides(seed_of_column(node.seed, feature), x, m, work.weight)
        for i in range(m):
            x[i] = work.weight[i]
        at, left_too = 0.5, False
    elif left_too:
        for i in range(m):
            x[i] = x[i] if x[i] == x[i] else least
    if scalar(p.measure):
        S = work.totals[0]
        n_left = left_sums(x, at, w, z, padded, &wl, &sl)
        score_sums(p.measure, &wl, &sl, 1, W, S, &score)
    elif p.measure == ABSOLUTE:
        for i in range(m):
            work.side[i] = x[i] <= at
            n_left += x[i] <= at
            wl += (w[i] if w != NULL else 1.0) if x[i] <= at else 0.0
        for o in range(q):
            score -= deviations(work.ordered + o * m, m, w, z + o, q, work.side, True, &vl)
            score -= deviations(work.ordered + o * m, m, w, z + o, q, work.side, False, &vr)
    else:
        for k in range(p.width):
            sums[k] = 0
        for i in range(m):
            if x[i] <= at:
                n_left += 1
                if w != NULL:
                    ww = w[i]
                wl += ww
                for o in range(q):
                    if of_classes(p):
                        sums[p.classes[o] + <int64_t> y[i * q + o]] += ww
                    else:
                        sums[o] += z[i * q + o]
        score = side_classes(p, sums, wl) if of_classes(p) else side_targets(p, sums, wl, work.totals)
        for k in range(p.width):
            sums[k] = max(work.totals[k] - sums[k], 0.0) if of_classes(p) else work.totals[k] - sums[k]
        side = side_classes(p, sums, W - wl) if of_classes(p) else side_targets(p, sums, W - wl, work.totals)
        score = score + side if score > NONE and side > NONE else NONE
    if scalar(p.measure):
        vl = sl / wl + centre
        vr = (S - sl) / (W - wl) + centre
    elif p.measure == ABSOLUTE:
        vl += centre
        vr += centre
    offer(p, feature, at, left_too, n_left, m, wl, W, score, vl, vr, lot, node, work, best)
