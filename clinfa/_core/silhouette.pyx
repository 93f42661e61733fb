# Mean distances from rows to clusters, and the silhouettes made of them. Mathematics and cost: docs/kernels.md.
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t

from clinfa._core.tile cimport PANEL, aligned, tile_pack, tile_size, tile_sqdist
from clinfa._core.types cimport real, clinfa_take

cdef extern from "<math.h>" nogil:
    float sqrtf(float)


def tile_rows(int itemsize):
    """How many rows a tile holds of values of so many bytes."""
    return tile_size(<float> 0) if itemsize == 4 else tile_size(<double> 0)


cdef inline void _add_distances(const real* sq, double* to, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t l
    for l in range(size):
        if real is float:
            to[l] += sqrtf(sq[l])
        else:
            to[l] += sqrt(sq[l])


cdef inline double _silhouette(
    const double* total, Py_ssize_t step, const int64_t* counts, Py_ssize_t k, Py_ssize_t own
) noexcept nogil:
    """Of a row of cluster `own` whose distances to cluster c sum to total[c * step]."""
    cdef double inside, outside = -1, mean
    cdef Py_ssize_t c
    if counts[own] == 1:
        return 0
    inside = total[own * step] / (counts[own] - 1)
    for c in range(k):
        mean = total[c * step] / counts[c]
        if c != own and (outside < 0 or mean < outside):
            outside = mean
    return (outside - inside) / max(inside, outside) if max(inside, outside) > 0 else 0


def euclidean_pass(
    const real[:, ::1] X,       # in     (n, d)          rows sorted by cluster
    const real[::1] panel,      # in     (groups * d * PANEL)  the same rows in groups; those that fill the last are ignored
    const int32_t[::1] codes,   # in     (n)             cluster of each row, rising
    const int64_t[::1] counts,  # in     (k)             rows of each cluster, at least 1
    const real[::1] no_shift,   # in     (d)             zeros
    const int64_t[::1] bounds,  # in     (stripes + 1)   of tiles
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    real[::1] scratch,          # scratch (TILE * (d + PANEL) + 16)
    double[::1] sums,           # scratch (k * TILE + 8)
    double[::1] out,            # out    (n)             silhouettes
):
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], k = counts.shape[0], size = tile_size(<real> 0)
    cdef Py_ssize_t tile, first, m, l, g, r
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef real* xt
    cdef real* sq
    cdef double* total
    with nogil:
        xt = aligned(&scratch[0])
        sq = xt + size * d
        total = aligned(&sums[0])
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for tile in range(bounds[s], bounds[s + 1]):
                first = tile * size
                m = min(size, n - first)
                tile_pack(&X[0, 0], d, NULL, first, m, &no_shift[0], <real> 1, xt, NULL)
                for l in range(k * size):
                    total[l] = 0
                g = 0
                while g < n:
                    tile_sqdist(xt, &panel[g * d], d, sq)
                    for r in range(min(PANEL, n - g)):
                        _add_distances(sq + r * size, total + codes[g + r] * size, size)
                    g += PANEL
                for l in range(m):
                    out[first + l] = _silhouette(total + l, size, &counts[0], k, codes[first + l])


def given_pass(
    const double[:, ::1] D,     # in     (m, n)          distances of rows to all rows
    const int64_t[::1] order,   # in     (n)             columns sorted by cluster
    const int32_t[::1] codes,   # in     (m)             cluster of each row
    const int64_t[::1] counts,  # in     (k)             rows of each cluster, at least 1
    const int64_t[::1] bounds,  # in     (stripes + 1)   of rows
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    double[::1] sums,           # scratch (k)
    double[::1] out,            # out    (m)             silhouettes
):
    cdef Py_ssize_t k = counts.shape[0], i, j, c, end
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double total
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                end = 0
                for c in range(k):
                    total = 0
                    for j in range(end, end + counts[c]):
                        total += D[i, order[j]]
                    end += counts[c]
                    sums[c] = total
                out[i] = _silhouette(&sums[0], 1, &counts[0], k, codes[i])


def sums_pass(
    const double[:, ::1] totals,  # in   (m, k)          sums of the distances of rows to clusters
    const int32_t[::1] codes,     # in   (m)
    const int64_t[::1] counts,    # in   (k)
    double[::1] out,              # out  (m)             silhouettes
):
    cdef Py_ssize_t i, k = counts.shape[0]
    with nogil:
        for i in range(totals.shape[0]):
            out[i] = _silhouette(&totals[i, 0], 1, &counts[0], k, codes[i])
