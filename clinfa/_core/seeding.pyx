# The passes of k-means++ over dense rows. Mathematics and cost: docs/kernels.md. Distances are between
# (x - shift) * scale and centres in those same units.
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset

from clinfa._core.types cimport real, clinfa_take, prefetch
from clinfa._core.tile cimport MOST, PANEL, aligned, sq_distance, tile_pack, tile_size, tile_sqdist


def tile_rows(const real[::1] like):
    """Points in a tile of this type."""
    return tile_size(<real> 0)


cdef inline int32_t _within_reach(
    const real* closest, const int32_t* owner, const real* safe, Py_ssize_t count, int32_t* hit
) noexcept nogil:
    """Which of up to MOST points a candidate may come closer to; returns how many."""
    cdef Py_ssize_t l
    cdef int32_t hits = 0
    for l in range(count):
        hit[l] = closest[l] > safe[owner[l]]
        hits += hit[l]
    return hits


def trial_pass(
    const real[:, ::1] X,         # in     (n, d)
    const real[::1] shift,        # in     (d)
    double scale,                 # in
    const real[::1] panel,        # in     (groups * d * PANEL)   candidates, packed
    const double[::1] weights,    # in     (n), or (0) for ones
    const real[::1] closest,      # in     (n)       squared distance to the nearest chosen centre
    const int32_t[::1] owner,     # in     (n)       which centre that is
    const real[::1] safe,         # in     (chosen)  at or below this no candidate can come closer
    real[::1] scratch,            # scratch (TILE * (d + PANEL) + 32)
    double[::1] lanes,            # scratch (groups * PANEL * MOST)
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    double[:, ::1] gain,          # out    (stripes, groups * PANEL)
    float[:, ::1] kept,           # out    (tiles, groups * PANEL * TILE) squared distances, tile by tile
    int32_t[:, ::1] kept_rows,    # out    (tiles, TILE)       their rows, from the stripe's first on
    int64_t[::1] kept_count,      # out    (stripes)           how many
):
    """k-means++: by how much each candidate would lower the potential.

    Keeps the squared distances of the rows that it looked at, so that `follow_pass` need not.
    """
    cdef Py_ssize_t d = X.shape[1], groups = gain.shape[1] // PANEL, size = tile_size(<real> 0)
    cdef Py_ssize_t i, l, m, r, g, lo, hi, waiting, tile
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef int32_t rows[2 * MOST]
    cdef int32_t hit[MOST]
    cdef real w[MOST]
    cdef real near[MOST]
    cdef real one
    cdef double total
    cdef bint weighted = weights.shape[0] > 0
    cdef real* xt
    cdef real* sq
    cdef double* sums
    cdef double* row
    cdef float* keep
    with nogil:
        xt = aligned(&scratch[0])
        sq = xt + size * d
        sums = &lanes[0]
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            lo, hi = bounds[s], bounds[s + 1]
            memset(sums, 0, groups * PANEL * MOST * sizeof(double))
            i = lo
            waiting = 0
            tile = lo // size + s
            kept_count[s] = 0
            while True:
                while waiting < size and i < hi:
                    m = min(MOST, hi - i)
                    if _within_reach(&closest[i], &owner[i], &safe[0], m, hit):
                        for l in range(m):
                            if hit[l]:
                                rows[waiting] = <int32_t> (i + l - lo)
                                prefetch(&X[i + l, 0], d * sizeof(real))
                                waiting += 1
                    i += m
                m = min(waiting, size)
                if m == 0:
                    break
                tile_pack(&X[lo, 0], d, rows, 0, m, &shift[0], <real> scale, xt, NULL)
                for l in range(size):
                    w[l] = near[l] = 0
                for l in range(m):
                    w[l] = <real> weights[lo + rows[l]] if weighted else 1
                    near[l] = closest[lo + rows[l]]
                    kept_rows[tile, l] = rows[l]
                kept_count[s] += m
                for g in range(groups):
                    tile_sqdist(xt, &panel[g * d * PANEL], d, sq)
                    for r in range(PANEL):
                        row = sums + (g * PANEL + r) * MOST
                        keep = &kept[tile, (g * PANEL + r) * size]
                        for l in range(size):
                            keep[l] = <float> sq[r * size + l]
                            one = near[l] - sq[r * size + l]
                            row[l] += <double> (w[l] * (one if one > 0 else 0))
                tile += 1
                waiting -= m
                for l in range(waiting):
                    rows[l] = rows[m + l]
            for r in range(groups * PANEL):
                total = 0
                for l in range(MOST):
                    total += sums[r * MOST + l]
                gain[s, r] = total


def follow_pass(
    const float[:, ::1] kept,     # in     as `trial_pass` left them
    const int32_t[:, ::1] kept_rows,
    const int64_t[::1] kept_count,
    Py_ssize_t candidate,         # in               which of the candidates was taken
    int32_t number,               # in               its number among the centres
    const double[::1] weights,    # in     (n), or (0) for ones
    real[::1] closest,            # inout  (n)
    int32_t[::1] owner,           # inout  (n)
    const int32_t[::1] bucket,    # in     (n)       see rng.WeightedRows
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    double[:, ::1] loss,          # out    (stripes, buckets + 16) by how much each bucket gets lighter
):
    """k-means++: let the points that the new centre comes closer to follow it."""
    cdef Py_ssize_t size = kept_rows.shape[1], b, l, tile, i, lo
    cdef int64_t s, stripes = bounds.shape[0] - 1, left
    cdef bint weighted = weights.shape[0] > 0
    cdef const float* sq
    cdef double less
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for b in range(loss.shape[1]):
                loss[s, b] = 0
            lo = bounds[s]
            tile = lo // size + s
            left = kept_count[s]
            while left > 0:
                sq = &kept[tile, candidate * size]
                for l in range(min(left, size)):
                    i = lo + kept_rows[tile, l]
                    if sq[l] < closest[i]:
                        less = <double> closest[i] - <double> sq[l]
                        loss[s, bucket[i]] += weights[i] * less if weighted else less
                        closest[i] = sq[l]
                        owner[i] = number
                left -= size
                tile += 1


def mass_pass(
    const real[::1] closest,      # in     (n)
    const double[::1] weights,    # in     (n), or (0) for ones
    const int32_t[::1] bucket,    # in     (n)
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    double[:, ::1] mass,          # out    (stripes, buckets + 16) weight times squared distance by bucket
):
    """k-means++: the potential, bucket by bucket, from nothing."""
    cdef Py_ssize_t i, b
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef bint weighted = weights.shape[0] > 0
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for b in range(mass.shape[1]):
                mass[s, b] = 0
            for i in range(bounds[s], bounds[s + 1]):
                mass[s, bucket[i]] += weights[i] * closest[i] if weighted else closest[i]


def draw_rows(
    const int64_t[::1] order,     # in     (n)       rows in canonical order
    Py_ssize_t size,              # in               rows in a bucket
    const double[::1] ends,       # in     (buckets) cumulative mass
    const double[::1] goals,      # in     (m)       below ends[-1]
    const double[::1] weights,    # in     (n), or (0) for ones
    const real[::1] factor,       # in     (n), or (0) for ones
    int64_t[::1] out,             # out    (m)       rows
):
    """Rows by cumulative weight: see `rng.WeightedRows`."""
    cdef Py_ssize_t n = order.shape[0], t, lo, hi, mid, r, first
    cdef bint weighted = weights.shape[0] > 0, scaled = factor.shape[0] > 0
    cdef double left, w
    cdef int64_t row, last
    with nogil:
        for t in range(goals.shape[0]):
            lo, hi = 0, ends.shape[0] - 1
            while lo < hi:
                mid = (lo + hi) // 2
                if ends[mid] > goals[t]:
                    hi = mid
                else:
                    lo = mid + 1
            left = goals[t] - (ends[lo - 1] if lo else 0)
            first = lo * size
            last = -1
            for r in range(first, min(first + size, n)):
                row = order[r]
                w = (weights[row] if weighted else 1) * (<double> factor[row] if scaled else 1)
                if w > 0:
                    last = row  # rounding may carry the goal past the end: the last that weighs anything
                    if left < w:
                        break
                    left -= w
            out[t] = last if last >= 0 else order[first]


def safe_radii(
    const double[:, ::1] centres, # in     (k, d)    centres chosen so far
    Py_ssize_t count,             # in               how many of them there are
    const real[:, ::1] candidates,# in     (m, d)
    double noise,                 # in
    real[::1] out,                # out    (count)
):
    """For each centre the squared distance up to which its points cannot be won over: a quarter of the
    squared distance to the nearest candidate, less what rounding may do."""
    cdef Py_ssize_t d = centres.shape[1], j, t, f
    cdef double gap, y, least, size
    with nogil:
        for j in range(count):
            least = INFINITY
            for t in range(candidates.shape[0]):
                gap = size = 0
                for f in range(d):
                    y = centres[j, f] - <double> candidates[t, f]
                    gap += y * y
                    size += centres[j, f] * centres[j, f] + <double> candidates[t, f] * <double> candidates[t, f]
                least = min(least, gap - 4 * noise * size)
            out[j] = <real> (max(least, 0) * (0.25 * (1 - 1e-5)))


def plus_plus_small(
    const real[:, ::1] X,         # in     (n, d)
    const real[::1] shift,        # in     (d)
    double scale,                 # in
    const int64_t[::1] order,     # in     (n)       canonical order of the rows
    const double[::1] weights,    # in     (n), or (0) for ones
    const double[::1] uniforms,   # in     (1 + (k - 1) * trials)
    Py_ssize_t trials,            # in
    real[:, ::1] centres,         # out    (k, d)    in the frame's units
    real[:, ::1] closest,         # scratch (trials + 1, n)
    double[::1] ends,             # scratch (n)
    int64_t[::1] chosen,          # out    (k)
):
    """Greedy k-means++ all at once, for inputs too small to come back to Python for each centre."""
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], k = chosen.shape[0], c, t, i, r, lo, hi, mid, tries, f
    cdef Py_ssize_t best
    cdef bint weighted = weights.shape[0] > 0
    cdef double total, goal, left, least
    cdef int64_t row
    cdef real sq
    cdef real* candidate
    with nogil:
        for c in range(k):
            # Cumulative weight times squared distance along the canonical order.
            total = 0
            if c:
                for r in range(n):
                    i = order[r]
                    total += weights[i] * closest[0, i] if weighted else closest[0, i]
                    ends[r] = total
            tries = trials if c and total > 0 else 1
            if not total > 0:
                for r in range(n):
                    total += weights[order[r]] if weighted else 1
                    ends[r] = total
            best = 0
            least = INFINITY
            chosen[c] = order[0]
            for t in range(tries):
                goal = uniforms[0 if c == 0 else 1 + (c - 1) * trials + t] * total
                lo, hi = 0, n - 1
                while lo < hi:
                    mid = (lo + hi) // 2
                    if ends[mid] > goal:
                        hi = mid
                    else:
                        lo = mid + 1
                while lo > 0 and ends[lo] == ends[lo - 1]:  # rounding reached past the last of any weight
                    lo -= 1
                row = order[lo]
                candidate = &centres[c, 0]
                for f in range(d):
                    candidate[f] = (X[row, f] - shift[f]) * <real> scale
                left = 0
                for i in range(n):
                    sq = sq_distance(&X[i, 0], &shift[0], <real> scale, candidate, d)
                    if c and closest[0, i] < sq:
                        sq = closest[0, i]
                    closest[1 + t, i] = sq
                    left += weights[i] * sq if weighted else sq
                if left < least:
                    least = left
                    best = t
                    chosen[c] = row
            for f in range(d):
                centres[c, f] = (X[chosen[c], f] - shift[f]) * <real> scale
            for i in range(n):
                closest[0, i] = closest[1 + best, i]
