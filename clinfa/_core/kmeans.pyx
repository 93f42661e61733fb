# The passes of k-means over dense rows: assignment, sums, centres. Mathematics, layout and cost:
# docs/kernels.md. All distances are between (x - shift) * scale and centres in those same units, which
# keeps them clear of cancellation and overflow.
from libc.math cimport fabs, sqrt, sqrtf, INFINITY
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memset

from clinfa._core.types cimport real, value, clinfa_take, float_below, prefetch
from clinfa._core.tile cimport (
    MOST, NARROWER, PANEL, add_row, aligned, lowest_bit, sq_distance, tile_nearest, tile_pack,
    tile_pack_narrow, tile_size, unsettled,
)


def panel_size():
    """Centres in one group of a panel at this ISA level."""
    return PANEL


cdef inline void _move(
    const real* x, const real* shift, double scale, double w, double* row, Py_ssize_t d
) noexcept nogil:
    """Add a point of weight w (negative to take it away) to a row of sums."""
    add_row(row, x, shift, scale, w, d)
    row[d] += w
    row[d + 1] += 1 if w > 0 else -1


cdef inline void _swap(
    int32_t* rows, int32_t* arg, real* best, real* second, real* norms, Py_ssize_t i, Py_ssize_t j
) noexcept nogil:
    rows[i], rows[j] = rows[j], rows[i]
    arg[i], arg[j] = arg[j], arg[i]
    best[i], best[j] = best[j], best[i]
    second[i], second[j] = second[j], second[i]
    norms[i], norms[j] = norms[j], norms[i]


cdef inline int64_t _record(
    const value[:, ::1] X, Py_ssize_t lo, const value[::1] shift, double scale, const double[::1] weights,
    const int32_t* rows, Py_ssize_t m, const int32_t* arg, const real* best, const real* second,
    const real* norms, real wide, double noise, int32_t[::1] labels, float[::1] slack, float[::1] lower,
    const double[::1] own_moved, const double[::1] other_moved, double* total,
) noexcept nogil:
    """Write down what a tile found: labels, sums, and bounds where `second` is given."""
    cdef Py_ssize_t d = X.shape[1], l, r
    cdef int32_t was[MOST]
    cdef int32_t other = 0
    cdef float own[MOST]
    cdef float others[MOST]
    cdef float reach[MOST]
    cdef float gap[MOST]
    cdef float near_f, far_f
    cdef real near, far, error
    cdef double w = 1
    for l in range(m):
        was[l] = labels[lo + rows[l]]
    for l in range(m):
        other += arg[l] != was[l]
    if other:
        for l in range(m):
            if arg[l] == was[l]:
                continue
            r = lo + rows[l]
            labels[r] = arg[l]
            if total == NULL:
                continue
            if weights.shape[0] > 0:
                w = weights[r]
            if w > 0:
                if was[l] >= 0:
                    _move(&X[r, 0], &shift[0], scale, -w, total + was[l] * (d + 2), d)
                _move(&X[r, 0], &shift[0], scale, w, total + arg[l] * (d + 2), d)
    if second != NULL:
        for l in range(m):
            own[l] = <float> own_moved[arg[l]]
            others[l] = <float> other_moved[arg[l]]
        for l in range(m):
            # Distances from scores, each pushed to its safe side by what rounding can do.
            error = wide + 2 * <real> noise * norms[l]
            near = norms[l] - 2 * best[l]
            far = norms[l] - 2 * second[l] - error
            # (Squares below the least float count as its root, so never as a certain gap.)
            near_f = sqrtf(<float> ((near if near > 0 else 0) + error) + <float> 1e-36)
            far_f = sqrtf(<float> (far if far > 0 else 0))
            reach[l] = (far_f + others[l]) * <float> (1 - 4e-7)
            gap[l] = (far_f - near_f) + (own[l] + others[l]) - (far_f + near_f + own[l] + others[l]) * <float> 4e-7
        for l in range(m):
            lower[lo + rows[l]] = reach[l]
            slack[lo + rows[l]] = gap[l]
    return other


cdef int64_t _assign_rows(
    const value[:, ::1] X, Py_ssize_t lo, Py_ssize_t hi, const value[::1] shift, double scale,
    const value[:, ::1] centres, const value[::1] panel, const value[::1] half_sq,
    const real[::1] fast_panel, const real[::1] fast_half_sq, const double[::1] weights,
    int32_t[::1] labels, int32_t mode, float[::1] slack, float[::1] lower, const double[::1] own_moved,
    const double[::1] other_moved, const float[::1] room, double noise, double* total, value* scratch,
    int64_t* looked_at,
) noexcept nogil:
    """`assign_pass` for the rows [lo, hi); returns how many labels changed.

    Tiles are of type `real`. Where that is narrower than the data's, rows that it cannot settle beyond its
    rounding are put together to tiles of the data's own type.
    """
    cdef Py_ssize_t d = X.shape[1], k = centres.shape[0], groups = half_sq.shape[0] // PANEL
    cdef Py_ssize_t size = tile_size(<real> 0), full_size = tile_size(<value> 0), i, l, m, r, waiting, doubtful, kept
    cdef int64_t changed = 0, looked = 0
    cdef int32_t a
    cdef int32_t rows[2 * MOST]
    cdef int32_t doubts[2 * MOST]
    cdef int32_t arg[MOST]
    cdef uint64_t bits
    cdef real best[MOST]
    cdef real second[MOST]
    cdef real norms[MOST]
    cdef value best_full[MOST]
    cdef value second_full[MOST]
    cdef value norms_full[MOST]
    cdef bint narrow = sizeof(real) < sizeof(value), bounded = mode != 0
    # A look at one's own centre first pays when there are many others.
    cdef bint tighten = mode == 2 and k > 24
    cdef double u, low, most_cc = 0, fast_noise = noise * (NARROWER if narrow else 1)
    cdef real wide
    cdef value* full_xt = aligned(scratch)
    cdef real* xt = <real*> aligned(full_xt + full_size * d)
    cdef const value* base = &X[lo, 0]
    for l in range(k):
        most_cc = max(most_cc, 2 * <double> half_sq[l])
    # (The constant: products too small for a float's exponent round to anything.)
    wide = <real> (2 * fast_noise * most_cc + (1e-36 if narrow else 0))
    i = lo
    waiting = doubtful = 0
    while True:
        if mode == 2:
            # Look for a tile's worth of points that the bounds do not settle.
            while waiting < size and i < hi:
                m = min(MOST, hi - i)
                bits = unsettled(&slack[i], &labels[i], &room[0], k, m)
                while bits:
                    r = i + lowest_bit(bits)
                    bits &= bits - 1
                    if tighten:
                        a = labels[r]
                        u = sqrt(sq_distance(&X[r, 0], &shift[0], <value> scale, &centres[a, 0], d) * (1 + noise))
                        low = lower[r] - other_moved[a]
                        if u < low - (low + u) * noise:
                            slack[r] = float_below(low - u + own_moved[a] + other_moved[a])
                            continue
                    else:
                        prefetch(&X[r, 0], d * sizeof(value))
                    rows[waiting] = <int32_t> (r - lo)
                    waiting += 1
                i += m
            m = min(waiting, size)
        else:
            m = min(size, hi - i)
            for l in range(m):
                rows[l] = <int32_t> (i - lo + l)
            i += max(m, 0)
            if i + size <= hi:
                prefetch(&X[i, 0], size * d * sizeof(value))
        if m > 0:
            looked += m
            if narrow:
                tile_pack_narrow(base, d, rows, m, &shift[0], scale, full_xt, xt, norms)
            else:
                tile_pack(<const real*> base, d, rows, 0, m, <const real*> &shift[0], <real> scale, xt, norms)
            tile_nearest(
                xt, &fast_panel[0], &fast_half_sq[0], d, groups, best, second if bounded or narrow else NULL, arg
            )
            kept = m
            if narrow:
                # Keep what is settled at the front, in order; queue the others.
                kept = 0
                for l in range(m):
                    if best[l] - second[l] > wide + 2 * <real> fast_noise * norms[l]:
                        if kept < l:
                            _swap(rows, arg, best, second, norms, kept, l)
                        kept += 1
                for l in range(kept, m):
                    doubts[doubtful] = rows[l]
                    doubtful += 1
            changed += _record(
                X, lo, shift, scale, weights, rows, kept, arg, best, second if bounded else NULL, norms, wide,
                fast_noise, labels, slack, lower, own_moved, other_moved, total,
            )
            if mode == 2:
                waiting -= m
                for l in range(waiting):
                    rows[l] = rows[m + l]
        while doubtful >= full_size or (doubtful > 0 and m <= 0):
            kept = min(doubtful, full_size)
            tile_pack(base, d, doubts, 0, kept, &shift[0], <value> scale, full_xt, norms_full)
            tile_nearest(
                full_xt, &panel[0], &half_sq[0], d, groups, best_full, second_full if bounded else NULL, arg
            )
            changed += _record(
                X, lo, shift, scale, weights, doubts, kept, arg, best_full, second_full if bounded else NULL,
                norms_full, <value> (2 * noise * most_cc), noise, labels, slack, lower, own_moved, other_moved,
                total,
            )
            doubtful -= kept
            for l in range(doubtful):
                doubts[l] = doubts[kept + l]
        if m <= 0:
            break
    looked_at[0] = looked
    return changed


def assign_pass(
    const value[:, ::1] X,        # in     (n, d)
    const value[::1] shift,       # in     (d)
    double scale,                 # in
    const value[:, ::1] centres,  # in     (k, d)
    const value[::1] panel,       # in     (groups * d * PANEL)   the centres, packed
    const value[::1] half_sq,     # in     (groups * PANEL)       |c|^2 / 2, +inf in the padding
    const real[::1] fast_panel,   # in     the same in the precision to try first: the data's, or float
    const real[::1] fast_half_sq, # in
    const double[::1] weights,    # in     (n), or (0) for ones
    int32_t[::1] labels,          # inout  (n)                    nearest centre; -1 before the first pass
    int32_t mode,                 # in     0: no bounds; 1: set them; 2: use them
    float[::1] slack,             # inout  (n), or (0)            how far the centres may move
    float[::1] lower,             # inout  (n), or (0)            second distance + other_moved then
    const double[::1] own_moved,  # in     (k)                    total path of each centre
    const double[::1] other_moved,# in     (k)                    total of the longest step of the others
    const float[::1] room,        # in     (k)                    their sum, rounded up
    double noise,                 # in                            rounding of a squared distance, relative
    bint sum_up,                  # in                            keep `sums`
    double[:, ::1] sums,          # inout  (stripes, k * (d + 2)) sum, weight, members by centre
    value[::1] scratch,           # scratch (2 * 64 * d + 64)
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)                    next stripe to take
    int64_t limit,                # in
    int64_t[:, ::1] counts,       # out    (stripes, 2)           labels changed, points looked at
):
    """Give every point its nearest centre, skipping those whose bounds prove that nothing changed."""
    cdef int64_t s, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            counts[s, 0] = _assign_rows(
                X, bounds[s], bounds[s + 1], shift, scale, centres, panel, half_sq, fast_panel, fast_half_sq,
                weights, labels, mode, slack, lower, own_moved, other_moved, room, noise,
                &sums[s, 0] if sum_up else NULL, &scratch[0], &counts[s, 1],
            )


def sums_pass(
    const real[:, ::1] X,         # in     (n, d)
    const real[::1] shift,        # in     (d)
    double scale,                 # in
    const double[::1] weights,    # in     (n), or (0) for ones
    const int32_t[::1] before,    # in     (n)      labels that `sums` stand for, or -1
    const int32_t[::1] labels,    # in     (n)
    Py_ssize_t lo, Py_ssize_t hi, # in              rows
    const int64_t[::1] slabs,     # in     (slabs + 1) columns of each slab, which one thread adds up
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    double[:, ::1] sums,          # inout  (k, d + 2)
):
    """Move the points whose label changed: for centres too many or too long to sum up by stripes."""
    cdef Py_ssize_t d = X.shape[1], i, f, f0, f1
    cdef int64_t s, n_slabs = slabs.shape[0] - 1
    cdef int32_t a, old
    cdef bint weighted = weights.shape[0] > 0
    cdef double w = 1, y
    cdef double* gain
    cdef double* loss
    cdef const real* x
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= n_slabs:
                break
            f0, f1 = slabs[s], slabs[s + 1]
            for i in range(lo, hi):
                a, old = labels[i], before[i]
                if a == old:
                    continue
                if weighted:
                    w = weights[i]
                if not w > 0:
                    continue
                x = &X[i, 0]
                gain = &sums[a, 0]
                loss = &sums[old, 0] if old >= 0 else NULL
                for f in range(f0, f1):
                    gain[f] += w * ((<double> x[f] - <double> shift[f]) * scale)
                if loss != NULL:
                    for f in range(f0, f1):
                        loss[f] -= w * ((<double> x[f] - <double> shift[f]) * scale)
                if f0 == 0:
                    gain[d] += w
                    gain[d + 1] += 1
                    if loss != NULL:
                        loss[d] -= w
                        loss[d + 1] -= 1


def stripe_sums_pass(
    const real[:, ::1] X,         # in     (n, d)
    const real[::1] shift,        # in     (d)
    double scale,                 # in
    const double[::1] weights,    # in     (n), or (0) for ones
    const int32_t[::1] labels,    # in     (n)
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    double[:, ::1] sums,          # inout  (stripes, k * (d + 2))   zero at first
):
    """Sum all points up by label."""
    cdef Py_ssize_t d = X.shape[1], i
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef bint weighted = weights.shape[0] > 0
    cdef double w = 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                if weighted:
                    w = weights[i]
                if w > 0:
                    _move(&X[i, 0], &shift[0], scale, w, &sums[s, labels[i] * (d + 2)], d)


cdef void _reduce(double[:, ::1] sums, double[:, ::1] total) noexcept nogil:
    cdef Py_ssize_t stripes = sums.shape[0], k = total.shape[0], width = total.shape[1], s, j, f
    cdef double* row
    cdef double* part
    for j in range(k):
        row = &total[j, 0]
        memset(row, 0, width * sizeof(double))
        for s in range(stripes):
            part = &sums[s, j * width]
            if part[width - 1] == 0:
                memset(part, 0, width * sizeof(double))
            else:
                for f in range(width):
                    row[f] += part[f]


cdef double _step(
    double[:, ::1] total, real[:, ::1] centres, double[:, ::1] track, double[::1] own_moved,
    double[::1] other_moved, double* worn,
) noexcept nogil:
    cdef Py_ssize_t k = centres.shape[0], d = centres.shape[1], j, f, heaviest = 0, farthest = 0, source
    cdef double step, whole = 0, length, most = 0, next_most = 0, size
    cdef double* peak = &track[0, 0]
    cdef double* moved = &track[1, 0]
    cdef real c
    worn[0] = 0
    for j in range(k):
        if total[j, d] > total[heaviest, d]:
            heaviest = j
    for j in range(k):
        source = j if total[j, d + 1] > 0 and total[j, d] > 0 else heaviest
        length = size = 0
        for f in range(d):
            size = max(size, fabs(total[j, f]))
            c = <real> (total[source, f] / total[source, d])
            step = <double> c - <double> centres[j, f]
            centres[j, f] = c
            length += step * step
        peak[j] = max(peak[j], size)
        if size > 0:
            worn[0] = max(worn[0], peak[j] / size)
        whole += length
        moved[j] = sqrt(length) * (1 + 1e-12)
        own_moved[j] += moved[j]
        if moved[j] > most:
            next_most = most
            most = moved[j]
            farthest = j
        elif moved[j] > next_most:
            next_most = moved[j]
    for j in range(k):
        other_moved[j] += next_most if j == farthest else most
    return whole


cdef void _pack(const real[:, ::1] centres, real[::1] panel, real[::1] half_sq) noexcept nogil:
    cdef Py_ssize_t k = centres.shape[0], d = centres.shape[1], j, f, g, r
    cdef double total
    for j in range(half_sq.shape[0]):
        g = j // PANEL
        r = j - g * PANEL
        if j >= k:
            half_sq[j] = INFINITY
            for f in range(d):
                panel[(g * d + f) * PANEL + r] = 0
            continue
        total = 0
        for f in range(d):
            panel[(g * d + f) * PANEL + r] = centres[j, f]
            total += <double> centres[j, f] * <double> centres[j, f]
        half_sq[j] = <real> (total / 2)


def reduce_sums(
    double[:, ::1] sums,          # inout  (stripes, k * (d + 2))
    double[:, ::1] total,         # out    (k, d + 2)
):
    """Add the stripes up in their order. What has no members sums to exactly nothing."""
    with nogil:
        _reduce(sums, total)


def step_centres(
    double[:, ::1] total,         # in     (k, d + 2)   sum, weight, members
    real[:, ::1] centres,         # inout  (k, d)
    double[:, ::1] track,         # inout  (2, k)       greatest sum so far; length of the last step
    double[::1] own_moved,        # inout  (k)          path of each centre so far
    double[::1] other_moved,      # inout  (k)          sum of the longest steps of the others so far
):
    """Set every centre to its mean; returns the sum of the squared steps, and how worn the sums are.

    A centre without weight goes where the heaviest one is, as in scikit-learn. Moving points from sum to
    sum leaves rounding behind of the size of the greatest sum: worn is how much greater that was.
    """
    cdef double whole, worn
    with nogil:
        whole = _step(total, centres, track, own_moved, other_moved, &worn)
    return whole, worn


def pack_centres(
    const real[:, ::1] centres,   # in     (k, d)
    real[::1] panel,              # out    (groups * d * PANEL)
    real[::1] half_sq,            # out    (groups * PANEL)
):
    """Lay the centres out for the tile."""
    with nogil:
        _pack(centres, panel, half_sq)


def lloyd_steps(
    const real[:, ::1] X,         # in     (n, d)
    const real[::1] shift,        # in     (d)
    double scale,                 # in
    real[:, ::1] centres,         # inout  (k, d)
    real[::1] panel,              # scratch
    real[::1] half_sq,            # scratch
    const double[::1] weights,    # in     (n), or (0) for ones
    int32_t[::1] labels,          # inout  (n)
    double[:, ::1] track,         # inout  (2, k)
    double[::1] own_moved,        # inout  (k)
    double[::1] other_moved,      # inout  (k)
    float[::1] no_bounds,         # in     (0)
    double[:, ::1] sums,          # inout  (1, k * (d + 2))
    double[:, ::1] total,         # inout  (k, d + 2)
    real[::1] scratch,            # scratch (TILE * d + 16)
    double tol,                   # in     stop at this sum of squared steps
    int64_t most,                 # in     steps at most
):
    """Several steps of Lloyd's iteration on one stripe, for fits too small to come back to Python for
    each; returns steps made, labels changed by the last, by all but the first, its squared step, worn, and
    whether a cluster got empty, in which case its centres have not been moved yet."""
    cdef Py_ssize_t k = centres.shape[0], d = X.shape[1], j
    cdef int64_t steps = 0, changed = 0, moves = 0, looked
    cdef double whole = 0, worn = 0
    cdef bint empty = False
    with nogil:
        while steps < most:
            _pack(centres, panel, half_sq)
            changed = _assign_rows(
                X, 0, X.shape[0], shift, scale, centres, panel, half_sq, panel, half_sq, weights, labels, 0,
                no_bounds, no_bounds, own_moved, other_moved, no_bounds, 0, &sums[0, 0], &scratch[0], &looked,
            )
            steps += 1
            moves += changed
            _reduce(sums, total)
            for j in range(k):
                if not (total[j, d + 1] > 0 and total[j, d] > 0):
                    empty = True
            if empty:
                break
            whole = _step(total, centres, track, own_moved, other_moved, &worn)
            if changed == 0 or whole <= tol:
                break
    return steps, changed, moves, whole, worn, empty


def batch_step(
    const real[:, ::1] X,         # in     (n, d)
    const real[::1] shift,        # in     (d)
    double scale,                 # in
    const int64_t[::1] rows,      # in     (m)       the batch
    const double[::1] weights,    # in     (m), or (0) for ones
    real[:, ::1] centres,         # inout  (k, d)
    double[::1] mass,             # inout  (k)       weight that each centre has seen
    real[::1] panel,              # scratch (groups * d * PANEL)
    real[::1] half_sq,            # scratch (groups * PANEL)
    real[::1] scratch,            # scratch (TILE * d + 16)
    double[:, ::1] sums,          # scratch (k, d + 1)
    int32_t[::1] labels,          # out    (m)
):
    """One mini-batch (Sculley 2010): running means; returns inertia before, and the squared step."""
    cdef Py_ssize_t d = X.shape[1], k = centres.shape[0], groups = half_sq.shape[0] // PANEL
    cdef Py_ssize_t size = tile_size(<real> 0), i, l, m, j, f, t
    cdef int32_t arg[MOST]
    cdef int32_t near[MOST]
    cdef real best[MOST]
    cdef real norms[MOST]
    cdef double inertia = 0, step, whole = 0, w = 1, sq
    cdef bint weighted = weights.shape[0] > 0
    cdef real* xt = aligned(&scratch[0])
    cdef double* row
    cdef const real* x
    cdef real c
    pack_centres(centres, panel, half_sq)
    with nogil:
        for j in range(k):
            for f in range(d + 1):
                sums[j, f] = 0
        t = 0
        while t < rows.shape[0]:
            m = min(size, rows.shape[0] - t)
            for l in range(m):
                near[l] = <int32_t> l
            # Rows of a batch lie anywhere, beyond 32 bits too: copy them together first.
            for l in range(m):
                x = &X[rows[t + l], 0]
                for f in range(d):
                    xt[size * d + l * d + f] = x[f]
            tile_pack(xt + size * d, d, near, 0, m, &shift[0], <real> scale, xt, norms)
            tile_nearest(xt, &panel[0], &half_sq[0], d, groups, best, <real*> NULL, arg)
            for l in range(m):
                j = arg[l]
                labels[t + l] = arg[l]
                if weighted:
                    w = weights[t + l]
                sq = <double> norms[l] - 2 * <double> best[l]
                inertia += w * max(sq, 0)
                row = &sums[j, 0]
                x = xt + size * d + l * d
                for f in range(d):
                    row[f] += w * ((<double> x[f] - <double> shift[f]) * scale)
                row[d] += w
            t += m
        for j in range(k):
            row = &sums[j, 0]
            if row[d] > 0:
                for f in range(d):
                    c = <real> ((<double> centres[j, f] * mass[j] + row[f]) / (mass[j] + row[d]))
                    step = <double> c - <double> centres[j, f]
                    centres[j, f] = c
                    whole += step * step
                mass[j] += row[d]
    return inertia, whole
