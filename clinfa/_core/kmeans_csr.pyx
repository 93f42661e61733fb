# The passes of k-means over CSR rows. Centres lie feature-major, so that a stored value meets all of
# them side by side: columns[f * width + j]. Mathematics and cost: docs/kernels.md.
from libc.math cimport sqrt, INFINITY
from libc.stdint cimport int32_t, int64_t

from clinfa._core.types cimport real, value, index_t, clinfa_take, float_below, prefetch

cdef inline real _products(
    const value* data, const index_t* indices, Py_ssize_t count, double scale,
    const real* columns, Py_ssize_t width, real* acc,
) noexcept nogil:
    """acc[j] = x . c_j in the precision of the columns; returns |x|^2."""
    cdef Py_ssize_t t, j
    cdef real v, norm = 0
    cdef const real* row
    for j in range(width):
        acc[j] = 0
    for t in range(count):
        if t + 2 < count:
            prefetch(columns + <Py_ssize_t> indices[t + 2] * width, width * sizeof(real))
        v = <real> (data[t] * scale)
        norm += v * v
        row = columns + <Py_ssize_t> indices[t] * width
        for j in range(width):
            acc[j] += v * row[j]
    return norm


cdef inline int32_t _greatest(
    const real* acc, const real* half_sq, Py_ssize_t k, double* best, double* second
) noexcept nogil:
    cdef Py_ssize_t j
    cdef int32_t a = 0
    cdef real score, first = -INFINITY, next_one = -INFINITY
    for j in range(k):
        score = acc[j] - half_sq[j]
        if score > first:
            next_one = first
            first = score
            a = <int32_t> j
        elif score > next_one:
            next_one = score
    best[0] = first
    second[0] = next_one
    return a


def assign_pass(
    const real[::1] data,         # in     (nnz)
    const index_t[::1] indices,   # in     (nnz)
    const index_t[::1] indptr,    # in     (n + 1)
    double scale,                 # in
    const real[:, ::1] columns,   # in     (d, width)    centres, feature-major
    const real[::1] half_sq,      # in     (width)       |c|^2 / 2, +inf in the padding
    const float[:, ::1] short_columns, # in (d, width)   the same in single precision, or (0, 0)
    const float[::1] short_half_sq,    # in (width)
    double short_noise,           # in                   rounding of a squared distance in single precision
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
    """As `clinfa._core.kmeans.assign_pass`, for sparse rows; sums are kept by `sums_pass`.

    What single precision decides beyond its rounding is decided: half the memory to read. The other rows
    are looked at again in double.
    """
    cdef Py_ssize_t width = columns.shape[1], k = own_moved.shape[0], i, j, t, first, count
    cdef int64_t s, stripes = bounds.shape[0] - 1, changed, looked
    cdef int32_t a
    cdef bint narrow = short_columns.shape[0] > 0, sure
    cdef real own
    cdef double u, low, room, norm, best, second, error, tiny, most_cc = 0
    cdef const real* c = &columns[0, 0]
    cdef const float* c_short = &short_columns[0, 0] if narrow else NULL
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
                first = indptr[i]
                count = indptr[i + 1] - first
                if mode == 2:
                    a = labels[i]
                    room = own_moved[a] + other_moved[a]
                    if slack[i] > room:
                        continue
                    norm = own = 0
                    for t in range(first, first + count):
                        norm += (data[t] * scale) * (data[t] * scale)
                        own += <real> (data[t] * scale) * c[<Py_ssize_t> indices[t] * width + a]
                    u = sqrt(max(norm + 2 * (<double> half_sq[a] - own), 0) + 2 * noise * (norm + most_cc))
                    low = lower[i] - other_moved[a]
                    if u < low:
                        slack[i] = float_below(low - u + room)
                        continue
                looked += 1
                sure = False
                error = noise
                tiny = 0
                if narrow:
                    norm = _products(
                        &data[0] + first, &indices[0] + first, count, scale, c_short, width, <float*> acc
                    )
                    a = _greatest(<float*> acc, &short_half_sq[0], k, &best, &second)
                    # (The constant: products too small for a float's exponent round to anything.)
                    sure = best - second > 1e-36 + 2 * short_noise * (norm + most_cc)
                    error = short_noise
                    tiny = 1e-36
                if not sure:
                    norm = _products(&data[0] + first, &indices[0] + first, count, scale, c, width, acc)
                    a = _greatest(acc, &half_sq[0], k, &best, &second)
                    error = noise
                    tiny = 0
                if a != labels[i]:
                    changed += 1
                    labels[i] = a
                if mode:
                    room = 2 * error * (norm + most_cc) + tiny
                    u = sqrt(max(norm - 2 * best, 0) + room)
                    low = sqrt(max(norm - 2 * second - room, 0))
                    lower[i] = float_below(low + other_moved[a])
                    slack[i] = float_below(low - u + own_moved[a] + other_moved[a])
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
                        row[indices[t]] += w * (scale * <double> data[t])
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
                    &data[0] + indptr[i], &indices[0] + indptr[i], indptr[i + 1] - indptr[i], scale,
                    &columns[0, 0], width, acc,
                )
                for j in range(k):
                    sq = norm - 2 * (<double> acc[j] - <double> half_sq[j])
                    out[i, j] = <real> sq if sq > noise * (norm + 2 * half_sq[j]) else 0
