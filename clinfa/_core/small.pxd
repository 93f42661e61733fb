# Small nodes of two classes whose records weigh one each, cut at random: who is of the second class and who goes left
# are bits of a word. The same trees as by `describe`, `search_random` and `divide`. docs/kernels.md, "Trees".
from libc.stdint cimport int32_t, int64_t, uint64_t

from clinfa._core.describe cimport slack_of
from clinfa._core.nodes cimport Job, Pending, Record, Rules, Work, value_t
from clinfa._core.random cimport between, draw, gather_f32, gather_f64, put_back, seed_of_column
from clinfa._core.scores cimport VARIANCE, score_sums

cdef extern from "trees.h" nogil:
    const double NONE "NO_SCORE"
    uint64_t seed_of_side(uint64_t, int)
    int64_t ones_of "__builtin_popcountll" (uint64_t)
    uint64_t left_bits "clinfa_left_bits" (const double*, double, int64_t)
    uint64_t some_bits "clinfa_some_bits" (uint64_t, uint64_t)
    void part_bits "clinfa_part_bits" (uint64_t, int64_t, int32_t*)

cdef enum:
    FEWEST = 64  # records of such a node at most; with more a table of its own pays

cdef struct Spot:     # a node that waits
    uint64_t seed
    uint64_t second   # which of its records are of the second class
    int32_t begin, m, parent, side, depth


cdef inline bint goes_by_bits(const Rules* p) noexcept nogil:
    """Whether the rules are such that bits say all."""
    cdef int64_t f, missing = 0
    for f in range(p.d):
        missing += p.missing[f]
    return (
        p.measure == VARIANCE and p.classes != NULL and p.monotonic == NULL and p.categories == NULL and missing == 0
        and not p.min_decrease > 0)


cdef inline void grow_small(
    const Rules* p, const value_t* columns, int64_t n, Job* job, const Pending* root, Work* work
) noexcept nogil:
    """Grow all that is below a node of at most FEWEST records, which lie as they come out."""
    cdef Spot[FEWEST] waiting
    cdef Spot spot
    cdef int64_t i, m = root.end - root.begin, waits = 1, ones, left, seen, constants, n_left
    cdef int32_t f, feature
    cdef uint64_t state, side, best_side
    cdef double W, S, wl, sl, mean, least, most, at, threshold, score, best
    cdef double* x = work.sum
    cdef double* value
    cdef const double* y = job.y + root.begin
    cdef int32_t* rows
    cdef Record* out
    spot.seed, spot.second, spot.begin, spot.m = root.seed, 0, 0, <int32_t> m
    spot.parent, spot.side, spot.depth = root.parent, root.side, root.depth
    for i in range(m):
        spot.second |= <uint64_t> (y[i] > 0) << i
    waiting[0] = spot
    while waits:
        waits -= 1
        spot = waiting[waits]
        m = spot.m
        rows = job.rows + root.begin + spot.begin
        ones = ones_of(spot.second)
        out = job.nodes + job.count
        value = job.values + 2 * job.count
        if spot.parent >= 0:
            if spot.side:
                job.nodes[spot.parent].right = <int32_t> job.count
            else:
                job.nodes[spot.parent].left = <int32_t> job.count
        spot.parent = <int32_t> job.count
        job.count += 1
        job.budget -= <double> (200 + m * (4 + min(p.tried, p.d)))
        W = <double> m
        S = <double> ones
        mean = S / W
        value[0] = (W - S) / W
        value[1] = mean
        out.left = out.right = out.feature = out.low = out.high = -1
        out.n = spot.m
        out.depth = spot.depth
        out.missing_left = 0
        out.threshold = 0
        out.weight = W
        out.impurity = 0
        if ones == 0 or ones == m:
            continue
        out.impurity = max(1 - mean * mean - (1 - mean) * (1 - mean), 0.0)
        if m < p.min_split or m < 2 * p.min_leaf or W < 2 * p.min_weight or spot.depth >= p.max_depth:
            continue
        work.slack = slack_of(p, out)
        best = NONE
        seen = constants = 0
        state = spot.seed
        feature = 0
        best_side = 0
        threshold = 0
        while seen < p.d and (seen < p.tried or seen == constants):
            f = draw(work.permutation, p.d, seen, &state) if p.tried < p.d else <int32_t> seen
            seen += 1
            if value_t is float:
                gather_f32(columns + f * n, rows, m, x, &least, &most)
            else:
                gather_f64(columns + f * n, rows, m, x, &least, &most)
            if least == most:
                constants += 1
                continue
            at = between(least, most, seed_of_column(spot.seed, f))
            side = left_bits(x, at, m)
            n_left = ones_of(side)
            wl = <double> n_left
            sl = <double> ones_of(side & spot.second)
            if n_left < p.min_leaf or m - n_left < p.min_leaf or wl < p.min_weight or W - wl < p.min_weight:
                continue
            score_sums(VARIANCE, &wl, &sl, 1, W, S, &score)
            if score > best + work.slack:
                best, feature, threshold, best_side = score, f, at, side
        if p.tried < p.d:
            put_back(work.permutation, p.d, seen)
        if not best > NONE:
            continue
        n_left = ones_of(best_side)
        out.feature = feature
        out.threshold = threshold
        out.missing_left = n_left > m - n_left
        part_bits(best_side, m, rows)
        waiting[waits].seed = seed_of_side(spot.seed, 1)
        waiting[waits].second = some_bits(spot.second, ~best_side)
        waiting[waits].begin = spot.begin + <int32_t> n_left
        waiting[waits].m = spot.m - <int32_t> n_left
        waiting[waits + 1].seed = seed_of_side(spot.seed, 0)
        waiting[waits + 1].second = some_bits(spot.second, best_side)
        waiting[waits + 1].begin = spot.begin
        waiting[waits + 1].m = <int32_t> n_left
        for i in range(2):
            waiting[waits].parent, waiting[waits].side = spot.parent, <int32_t> (1 - i)
            waiting[waits].depth = spot.depth + 1
            waits += 1
