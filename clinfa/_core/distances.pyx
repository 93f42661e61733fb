# Distances by differences: free of cancellation, for what users see. Rows are taken as (x - shift) * scale.
# Mathematics and cost: docs/kernels.md.
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t

from clinfa._core.types cimport real, clinfa_take
from clinfa._core.tile cimport PANEL, aligned, sq_distance, tile_pack, tile_size, tile_sqdist


def distances_pass(
    const real[:, ::1] X,         # in     (n, d)
    const real[::1] shift,        # in     (d)
    double scale,                 # in
    const real[:, ::1] centres,   # in     (k, d)
    const double[::1] weights,    # in     (n), or (0) for ones
    const int32_t[::1] labels,    # in     (n)
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    double[::1] inertia,          # out    (stripes)  weighted sum of the squared distances
    real[::1] out,                # out    (n) or (0) squared distance of each point to its centre
):
    """Squared distances to the points' own centres, by differences."""
    cdef Py_ssize_t d = X.shape[1], i
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef bint weighted = weights.shape[0] > 0, keep = out.shape[0] > 0
    cdef double total
    cdef real sq
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            total = 0
            for i in range(bounds[s], bounds[s + 1]):
                sq = sq_distance(&X[i, 0], &shift[0], <real> scale, &centres[labels[i], 0], d)
                total += weights[i] * sq if weighted else sq
                if keep:
                    out[i] = sq
            inertia[s] = total


def transform_pass(
    const real[:, ::1] X,         # in     (n, d)
    const real[::1] shift,        # in     (d)
    double scale,                 # in
    const real[:, ::1] centres,   # in     (k, d)
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    real[::1] scratch,            # scratch (TILE * d + 16 + PANEL * (d + TILE))
    real[:, ::1] out,             # out    (n, k)    distances, in the units of X
):
    """Distances to every centre, by differences."""
    cdef Py_ssize_t d = X.shape[1], k = centres.shape[0], size = tile_size(<real> 0)
    cdef Py_ssize_t i, l, m, b, g, r, f, j
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef real* xt
    cdef real* panel
    cdef real* sq
    with nogil:
        xt = aligned(&scratch[0])
        panel = xt + size * d
        sq = panel + PANEL * d
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            i = bounds[s]
            while i < bounds[s + 1]:
                m = min(size, bounds[s + 1] - i)
                tile_pack(&X[0, 0], d, NULL, i, m, &shift[0], <real> scale, xt, NULL)
                for b in range((k + PANEL - 1) // PANEL):
                    g = b * PANEL
                    for r in range(PANEL):
                        j = min(g + r, k - 1)
                        for f in range(d):
                            panel[f * PANEL + r] = centres[j, f]
                    tile_sqdist(xt, panel, d, sq)
                    for l in range(m):
                        for r in range(min(PANEL, k - g)):
                            out[i + l, g + r] = <real> (sqrt(<double> sq[r * size + l]) / scale)
                i += m
