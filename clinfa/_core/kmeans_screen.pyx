# Assignment of long rows, screened in a few dimensions. A row x is replaced by (V'x, |x - VV'x|) with V
# orthonormal: distances between such short rows are never greater than between the long ones, so a
# centre whose short distance exceeds the distance to some other centre need not be looked at in full.
# Exact: what the screen cannot settle beyond rounding goes through the full tile. See docs/kernels.md.
from libc.math cimport fabs, sqrt
from libc.stdint cimport int32_t, int64_t

from clinfa._core.types cimport real, clinfa_take
from clinfa._core.tile cimport (
    MOST, PANEL, aligned, sq_distance, tile_above, tile_nearest, tile_pack, tile_size,
)

cdef enum:
    CANDIDATES = 32  # centres that a row may be compared with in full before the tile is cheaper


def tail_pass(
    const real[:, ::1] X,         # in     (n, d)
    const real[::1] shift,        # in     (d)
    double scale,                 # in
    real[:, ::1] short,           # inout  (n, m + 1)  V'x given; the length of the rest goes last
    real[::1] norms,              # out    (n)         squared norms of the long rows
    double noise,                 # in                 rounding of a squared length, relative
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
):
    """Finish the short rows."""
    cdef Py_ssize_t d = X.shape[1], m = short.shape[1] - 1, i, f
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double whole, front, y
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                whole = front = 0
                for f in range(d):
                    y = (<double> X[i, f] - <double> shift[f]) * scale
                    whole += y * y
                for f in range(m):
                    front += <double> short[i, f] * <double> short[i, f]
                norms[i] = <real> whole
                # (Never too short: a row that lies all but within the span has a rest made of rounding.)
                short[i, m] = <real> sqrt(max(whole - front, 0) + noise * whole)


def screen_pass(
    const real[:, ::1] X,         # in     (n, d)
    const real[::1] shift,        # in     (d)
    double scale,                 # in
    const real[:, ::1] centres,   # in     (k, d)
    const real[::1] panel,        # in     the centres, packed
    const real[::1] half_sq,      # in     half their squared norms, +inf in the padding
    const real[:, ::1] short,     # in     (n, m + 1)
    const real[::1] norms,        # in     (n)
    const real[::1] no_shift,     # in     (m + 1)     zeros
    const real[::1] short_panel,  # in     the short centres, packed
    double noise,                 # in                 rounding of a squared distance, relative
    double wider,                 # in                 look at centres up to so much beyond the nearest
    int32_t[::1] labels,          # inout  (n)         -1 where nothing is known yet
    float[::1] slack,             # inout  (n)         how far the centres may move before a new look
    const double[::1] own_moved,  # in     (k)         total path of each centre
    const double[::1] other_moved,# in     (k)         total of the longest step of the others
    const float[::1] room,        # in     (k)         their sum, rounded up
    real[::1] scratch,            # scratch (TILE * (m + 1 + d) + 48)
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    int64_t[:, ::1] counts,       # out    (stripes, 2)  labels changed, rows that took the full tile
):
    """Give every row its nearest centre."""
    cdef Py_ssize_t d = X.shape[1], width = short.shape[1], groups = half_sq.shape[0] // PANEL
    cdef Py_ssize_t k = centres.shape[0], size = tile_size(<real> 0), i, l, m, h, hits, waiting, r, lo
    cdef int64_t s, stripes = bounds.shape[0] - 1, changed, full
    cdef int32_t rows[2 * MOST]
    cdef int32_t at[MOST]
    cdef int32_t guess[MOST]
    cdef int32_t arg[MOST]
    cdef int32_t count[MOST]
    cdef int32_t lane[MOST * CANDIDATES]
    cdef int32_t centre[MOST * CANDIDATES]
    cdef real best[MOST]
    cdef real second[MOST]
    cdef real rest[MOST]
    cdef real threshold[MOST]
    cdef real sq
    cdef double error, far, most_cc = 0
    cdef real* xt
    cdef real* full_xt
    cdef bint known
    with nogil:
        xt = aligned(&scratch[0])
        full_xt = aligned(xt + size * width)
        for l in range(k):
            most_cc = max(most_cc, 2 * <double> half_sq[l])
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            changed = full = waiting = 0
            lo = i = bounds[s]
            while True:
                # A tile's worth of rows that may have a new centre.
                m = 0
                while i < bounds[s + 1] and m < size:
                    if labels[i] < 0 or slack[i] <= room[labels[i]]:
                        at[m] = <int32_t> (i - lo)
                        m += 1
                    i += 1
                if m == 0 and waiting == 0:
                    break
                if m > 0:
                    tile_pack(&short[lo, 0], width, at, 0, m, &no_shift[0], 1, xt, NULL)
                    known = labels[lo + at[0]] >= 0
                    for l in range(m):
                        guess[l] = labels[lo + at[l]]
                    if not known:
                        tile_nearest(xt, &short_panel[0], &half_sq[0], width, groups, best, <real*> NULL, guess)
                    for l in range(size):
                        threshold[l] = <real> 1e30  # lanes without a row never hit
                    for l in range(m):
                        r = lo + at[l]
                        best[l] = sq_distance(&X[r, 0], &shift[0], <real> scale, &centres[guess[l], 0], d)
                        rest[l] = best[l] * <real> wider  # what is not listed is at least so far away
                        second[l] = <real> 1e30
                        arg[l] = guess[l]
                        error = 2 * noise * (<double> norms[r] + most_cc)
                        threshold[l] = <real> ((<double> norms[r] - <double> rest[l] - error) / 2 - error)
                    hits = tile_above(
                        xt, &short_panel[0], &half_sq[0], width, groups, threshold, CANDIDATES, count, lane, centre,
                    )
                    for h in range(hits):
                        l = lane[h]
                        if centre[h] == guess[l] or count[l] > CANDIDATES:
                            continue
                        r = lo + at[l]
                        sq = sq_distance(&X[r, 0], &shift[0], <real> scale, &centres[centre[h], 0], d)
                        if sq < best[l]:
                            second[l] = best[l]
                            best[l] = sq
                            arg[l] = centre[h]
                        elif sq < second[l]:
                            second[l] = sq
                    for l in range(m):
                        r = lo + at[l]
                        error = 4 * noise * (<double> norms[r] + most_cc)
                        slack[r] = -1
                        if count[l] > CANDIDATES or second[l] - best[l] <= error:
                            rows[waiting] = at[l]
                            waiting += 1
                            continue
                        far = sqrt(max(<double> min(second[l], rest[l]) - error, 0)) - sqrt(<double> best[l] + error)
                        far += own_moved[arg[l]] + other_moved[arg[l]]
                        slack[r] = <float> (far - fabs(far) * 4e-7)
                        if arg[l] != labels[r]:
                            labels[r] = arg[l]
                            changed += 1
                # Too many candidates, or too close to call: the full tile decides, as it does elsewhere.
                if waiting >= size or (waiting and i >= bounds[s + 1]):
                    m = min(size, waiting)
                    tile_pack(&X[lo, 0], d, rows, 0, m, &shift[0], <real> scale, full_xt, NULL)
                    tile_nearest(full_xt, &panel[0], &half_sq[0], d, groups, best, <real*> NULL, arg)
                    for l in range(m):
                        r = lo + rows[l]
                        if arg[l] != labels[r]:
                            labels[r] = arg[l]
                            changed += 1
                    full += m
                    waiting -= m
                    for l in range(waiting):
                        rows[l] = rows[m + l]
            counts[s, 0] = changed
            counts[s, 1] = full
