# Gaussian naive Bayes: the moments of each class in one pass, and what a row's class may be in another.
# The mathematics and the costs stand in docs/kernels.md.
from libc.math cimport exp, log
from libc.stdint cimport int64_t

from clinfa._core.types cimport real, clinfa_take


cdef enum:
    LANES = 16  # rows that are worked on side by side


def class_moments(
    const real[:, ::1] X,          # in     (n, d)
    const int64_t[::1] codes,      # in     (n)          class of each row
    const double[::1] weights,     # in     (n) or (0) for ones
    const double[::1] shift,       # in     (d)
    const double[::1] scale,       # in     (d)
    const int64_t[::1] bounds,     # in     (stripes + 1)
    int64_t[::1] cursor,           # inout  (1)
    int64_t limit,                 # in
    double[:, ::1] mass,           # inout  (stripes, k + 16)     weight of each class, from zeros
    double[:, :, ::1] mean,        # inout  (stripes, k, d + 16)  mean of (x - shift) scale, from zeros
    double[:, :, ::1] spread,      # inout  (stripes, k, d + 16)  sum of w (. - mean)^2, from zeros
):
    cdef Py_ssize_t d = X.shape[1], i, f, c
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef bint weighted = weights.shape[0] > 0
    cdef double w = 1, share, rest, away
    cdef double* m
    cdef double* v
    cdef const real* x
    cdef const double* origin = &shift[0]
    cdef const double* unit = &scale[0]
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                if weighted:
                    w = weights[i]
                    if w == 0:
                        continue
                c = codes[i]
                m, v, x = &mean[s, c, 0], &spread[s, c, 0], &X[i, 0]
                rest = mass[s, c]
                mass[s, c] = rest + w
                share = w / mass[s, c]
                rest *= share
                for f in range(d):
                    away = (<double> x[f] - origin[f]) * unit[f] - m[f]
                    m[f] += away * share
                    v[f] += away * away * rest


cdef void _joint(
    const real* x,          # in   (rows, d)
    Py_ssize_t rows,        # in              1 to LANES
    Py_ssize_t d,           # in
    const double* shift,    # in   (d)
    const double* scale,    # in   (d)
    double reach,           # in              farther from the middle counts as this far
    const double* panel,    # in   (k, d, 2)
    const double* level,    # in   (k)
    Py_ssize_t k,           # in
    double* y,              # scratch (d, LANES)
    double* joint,          # out  (k, LANES)
) noexcept nogil:
    cdef Py_ssize_t l, f, c
    cdef double z, a, b, origin, unit
    cdef double total[LANES]
    cdef const double* p
    cdef const double* lane
    for l in range(LANES):
        for f in range(d):
            # (Lanes beyond the last row repeat it.)
            z = (<double> x[min(l, rows - 1) * d + f] - shift[f]) * scale[f]
            z = z if z < reach else reach
            y[f * LANES + l] = z if z > -reach else -reach
    for c in range(k):
        p = panel + 2 * c * d
        for l in range(LANES):
            total[l] = 0
        for f in range(d):
            a, b, lane = p[2 * f], p[2 * f + 1], y + f * LANES
            for l in range(LANES):
                z = lane[l] * a - b
                total[l] += z * z
        for l in range(LANES):
            joint[c * LANES + l] = level[c] - total[l] / 2


def most_likely(
    const real[:, ::1] X,          # in     (n, d)
    const double[::1] shift,       # in     (d)
    const double[::1] scale,       # in     (d)
    double reach,                  # in
    const double[:, :, ::1] panel, # in     (k, d, 2)   1 / sigma, and mu / sigma
    const double[::1] level,       # in     (k)         log of prior and of the density at its peak
    const int64_t[::1] bounds,     # in     (stripes + 1)
    int64_t[::1] cursor,           # inout  (1)
    int64_t limit,                 # in
    double[::1] scratch,           # scratch ((d + k) LANES)  of this thread
    int64_t[::1] out,              # out    (n)         the class of the greatest likelihood, the first of equals
):
    cdef Py_ssize_t d = X.shape[1], k = level.shape[0], i, l, c, rows
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double* joint = &scratch[d * LANES]
    cdef double best[LANES]
    cdef int64_t who[LANES]
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            i = bounds[s]
            while i < bounds[s + 1]:
                rows = min(bounds[s + 1] - i, LANES)
                _joint(&X[i, 0], rows, d, &shift[0], &scale[0], reach, &panel[0, 0, 0], &level[0], k,
                       &scratch[0], joint)
                for l in range(LANES):
                    best[l], who[l] = joint[l], 0
                for c in range(1, k):
                    for l in range(LANES):
                        who[l] = c if joint[c * LANES + l] > best[l] else who[l]
                        best[l] = joint[c * LANES + l] if joint[c * LANES + l] > best[l] else best[l]
                for l in range(rows):
                    out[i + l] = who[l]
                i += LANES


def posteriors(
    const real[:, ::1] X,          # in     (n, d)
    const double[::1] shift,       # in     (d)
    const double[::1] scale,       # in     (d)
    double reach,                  # in
    const double[:, :, ::1] panel, # in     (k, d, 2)
    const double[::1] level,       # in     (k)
    int what,                      # in                 0 joint logarithm, 1 logarithm, 2 probability
    const int64_t[::1] bounds,     # in     (stripes + 1)
    int64_t[::1] cursor,           # inout  (1)
    int64_t limit,                 # in
    double[::1] scratch,           # scratch ((d + k) LANES)  of this thread
    real[:, ::1] out,              # out    (n, k)
):
    cdef Py_ssize_t d = X.shape[1], k = level.shape[0], i, l, c, rows
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double* joint = &scratch[d * LANES]
    cdef double best[LANES]
    cdef double total[LANES]
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            i = bounds[s]
            while i < bounds[s + 1]:
                rows = min(bounds[s + 1] - i, LANES)
                _joint(&X[i, 0], rows, d, &shift[0], &scale[0], reach, &panel[0, 0, 0], &level[0], k,
                       &scratch[0], joint)
                if what > 0:
                    for l in range(LANES):
                        best[l], total[l] = joint[l], 0
                    for c in range(1, k):
                        for l in range(LANES):
                            best[l] = joint[c * LANES + l] if joint[c * LANES + l] > best[l] else best[l]
                    for c in range(k):
                        for l in range(rows):
                            joint[c * LANES + l] -= best[l]
                            # (The greatest is exp(0) = 1, so a total never vanishes.)
                            if what == 2:
                                joint[c * LANES + l] = exp(joint[c * LANES + l])
                                total[l] += joint[c * LANES + l]
                            else:
                                total[l] += exp(joint[c * LANES + l])
                    for l in range(rows):
                        # (The logarithm of a float that rounds to 1 is 0, as that of the probability is.)
                        total[l] = 1 / total[l] if what == 2 else log(<real> total[l])
                    for c in range(k):
                        for l in range(rows):
                            if what == 2:
                                joint[c * LANES + l] *= total[l]
                            else:
                                joint[c * LANES + l] -= total[l]
                for l in range(rows):
                    for c in range(k):
                        out[i + l, c] = <real> joint[c * LANES + l]
                i += LANES
