# The passes of k-means over CSR rows. Centres lie feature-major, so that a stored value meets all of
# them side by side: columns[f * width + j]. Mathematics and cost: docs/kernels.md.
from libc.math cimport sqrt, INFINITY
from libc.stdint cimport int32_t, int64_t

from clinfa._core.types cimport real, index_t, clinfa_take

cdef double ULP = 1.2e-7


cdef inline float _down(double value) noexcept nogil:
    """A float that is not above `value`."""
    return <float> (value - (value if value > 0 else -value) * ULP)


cdef inline real _products(
    const real* data, const index_t* indices, Py_ssize_t count, real scale,
    const real* columns, Py_ssize_t width, real* acc,
) noexcept nogil:
    """acc[j] = x . c_j; returns |x|^2."""
    cdef Py_ssize_t t, j
    cdef real v, norm = 0
    cdef const real* row
    for j in range(width):
        acc[j] = 0
    for t in range(count):
        v = data[t] * scale
        norm += v * v
        row = columns + <Py_ssize_t> indices[t] * width
        for j in range(width):
            acc[j] += v * row[j]
    return norm


def assign_pass(
    const real[::1] data,         # in     (nnz)
    const index_t[::1] indices,   # in     (nnz)
    const index_t[::1] indptr,    # in     (n + 1)
    double scale,                 # in
    const real[:, ::1] columns,   # in     (d, width)    centres, feature-major
    const real[::1] half_sq,      # in     (width)       |c|^2 / 2, +inf in the padding
    int32_t[::1] labels,          # inout  (n)           nearest centre; -1 before the first pass
    int32_t mode,                 # in     0: no bounds; 1: set them; 2: use them
    float[::1] slack,             # inout  (n), or (0)
    float[::1] lower,             # inout  (n), or (0)
    const double[::1] own_moved,  # in     (k)
    const double[::1] other_moved,# in     (k)
    double noise,                 # in
    real[::1] scratch,            # scratch (width)
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    int64_t[:, ::1] counts,       # out    (stripes, 2)  labels changed, points looked at
):
    """As `clinfa._core.kmeans.assign_pass`, for sparse rows; sums are kept by `sums_pass`."""
    cdef Py_ssize_t width = columns.shape[1], k = own_moved.shape[0], i, j, t
    cdef int64_t s, stripes = bounds.shape[0] - 1, changed, looked
    cdef int32_t a
    cdef real best, second, norm, own
    cdef double u, low, room, most_cc = 0
    cdef const real* c = &columns[0, 0]
    cdef real* acc
    with nogil:
        acc = &scratch[0]
        for j in range(k):
            most_cc = max(most_cc, 2 * <double> half_sq[j])
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            changed = looked = 0
            for i in range(bounds[s], bounds[s + 1]):
                if mode == 2:
                    a = labels[i]
                    room = own_moved[a] + other_moved[a]
                    if slack[i] > room:
                        continue
                    norm = own = 0
                    for t in range(indptr[i], indptr[i + 1]):
                        norm += data[t] * <real> scale * data[t] * <real> scale
                        own += data[t] * <real> scale * c[<Py_ssize_t> indices[t] * width + a]
                    u = sqrt(max(<double> norm + 2 * <double> (half_sq[a] - own), 0) + noise * (norm + most_cc))
                    low = lower[i] - other_moved[a]
                    if u < low:
                        slack[i] = _down(low - u + room)
                        continue
                looked += 1
                norm = _products(
                    &data[0] + indptr[i], &indices[0] + indptr[i], indptr[i + 1] - indptr[i], <real> scale,
                    c, width, acc,
                )
                best = second = -INFINITY
                a = 0
                for j in range(k):
                    own = acc[j] - half_sq[j]
                    if own > best:
                        second = best
                        best = own
                        a = <int32_t> j
                    elif own > second:
                        second = own
                if a != labels[i]:
                    changed += 1
                    labels[i] = a
                if mode:
                    room = 2 * noise * (<double> norm + most_cc)
                    u = sqrt(max(<double> norm - 2 * <double> best, 0) + room)
                    low = sqrt(max(<double> norm - 2 * <double> second - room, 0))
                    lower[i] = _down(low + other_moved[a])
                    slack[i] = _down(low - u + own_moved[a] + other_moved[a])
            counts[s, 0] = changed
            counts[s, 1] = looked


def sums_pass(
    const real[::1] data, const index_t[::1] indices, const index_t[::1] indptr,
    double scale,                 # in
    const double[::1] weights,    # in     (n), or (0) for ones
    const int32_t[::1] before,    # in     (n)      labels that `sums` stand for, or -1
    const int32_t[::1] labels,    # in     (n)
    const int64_t[::1] ranges,    # in     (ranges + 1) centres of each range, which one thread adds up
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    double[:, ::1] sums,          # inout  (k, d + 2)
):
    """Move the points whose label changed."""
    cdef Py_ssize_t d = sums.shape[1] - 2, n = labels.shape[0], i, t
    cdef int64_t s, count = ranges.shape[0] - 1, j0, j1
    cdef int32_t side, j
    cdef bint weighted = weights.shape[0] > 0
    cdef double w
    cdef double* row
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= count:
                break
            j0, j1 = ranges[s], ranges[s + 1]
            for i in range(n):
                if labels[i] == before[i]:
                    continue
                for side in range(2):
                    j = labels[i] if side else before[i]
                    if j < j0 or j >= j1:
                        continue
                    w = weights[i] if weighted else 1
                    if not w > 0:
                        continue
                    w = w if side else -w
                    row = &sums[j, 0]
                    for t in range(indptr[i], indptr[i + 1]):
                        row[indices[t]] += w * scale * <double> data[t]
                    row[d] += w
                    row[d + 1] += 1 if side else -1


def pack_centres(
    const real[:, ::1] centres,   # in     (k, d)
    real[:, ::1] columns,         # out    (d, width)
    real[::1] half_sq,            # out    (width)
):
    """Lay the centres out feature-major."""
    cdef Py_ssize_t k = centres.shape[0], d = centres.shape[1], width = columns.shape[1], j, f
    cdef double total
    with nogil:
        for j in range(width):
            total = 0
            for f in range(d):
                if j < k:
                    total += <double> centres[j, f] * <double> centres[j, f]
            half_sq[j] = <real> (total / 2) if j < k else INFINITY
        for f in range(d):
            for j in range(k):
                columns[f, j] = centres[j, f]
            for j in range(k, width):
                columns[f, j] = 0


def distances_pass(
    const real[::1] data, const index_t[::1] indices, const index_t[::1] indptr,
    double scale,                 # in
    const real[:, ::1] centres,   # in     (k, d)
    const double[::1] half_sq,    # in     (k)
    const double[::1] weights,    # in     (n), or (0) for ones
    const int32_t[::1] labels,    # in     (n)
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    double[::1] inertia,          # out    (stripes)  weighted sum of the squared distances
    real[::1] out,                # out    (n) or (0) squared distance of each point to its centre
):
    """Squared distances to the points' own centres, in double."""
    cdef Py_ssize_t i, t
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef bint weighted = weights.shape[0] > 0, keep = out.shape[0] > 0
    cdef double total, sq, v, c
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            total = 0
            for i in range(bounds[s], bounds[s + 1]):
                # |c|^2 over all columns, then each stored column's share exchanged for (v - c)^2.
                sq = 2 * half_sq[labels[i]]
                for t in range(indptr[i], indptr[i + 1]):
                    v = <double> data[t] * scale
                    c = <double> centres[labels[i], indices[t]]
                    sq += v * (v - 2 * c)
                sq = max(sq, 0)
                total += weights[i] * sq if weighted else sq
                if keep:
                    out[i] = <real> sq
            inertia[s] = total


def products_pass(
    const real[::1] data, const index_t[::1] indices, const index_t[::1] indptr,
    double scale,                 # in
    const real[:, ::1] columns,   # in     (d, width)
    const real[::1] half_sq,      # in     (width)
    double noise,                 # in     distances below this share of the norms are rounding: zero
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    real[::1] scratch,            # scratch (width)
    real[:, ::1] out,             # out    (n, k)   squared distances
):
    """Squared distances to a few centres."""
    cdef Py_ssize_t width = columns.shape[1], k = out.shape[1], i, j
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double norm, sq
    cdef real* acc
    with nogil:
        acc = &scratch[0]
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                norm = _products(
                    &data[0] + indptr[i], &indices[0] + indptr[i], indptr[i + 1] - indptr[i], <real> scale,
                    &columns[0, 0], width, acc,
                )
                for j in range(k):
                    sq = norm - 2 * (<double> acc[j] - <double> half_sq[j])
                    out[i, j] = <real> sq if sq > noise * (norm + 2 * half_sq[j]) else 0
