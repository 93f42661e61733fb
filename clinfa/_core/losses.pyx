# Losses of predicted numbers, summed: what the regression metrics are means of. See docs/kernels.md.
from libc.math cimport fabs, fmax, fmin, log, pow
from libc.stdint cimport int64_t

from clinfa._core.types cimport real, clinfa_take

cdef extern from "logarithm.h" nogil:
    double log_normal(double x)
    bint is_normal(double x)

# What is summed, of a true value a and a prediction b.
cpdef enum:
    SIGNED        # d, which is (a - b) scale - offset
    ABSOLUTE      # |d|
    SQUARED       # d^2
    GREATEST      # |d|, the greatest instead of the sum
    PINBALL       # parameter d where d >= 0, else (parameter - 1) d
    LOG_SQUARED   # (log(1 + a) - log(1 + b))^2
    RELATIVE      # |a - b| / max(|a|, 2^-52)
    SYMMETRIC     # |a - b| / (|a| + |b|), 0 where both are 0
    POISSON       # deviances; a and b are known to be where they are defined
    GAMMA
    TWEEDIE       # of the power `parameter`, which is not 0, 1 or 2

cdef enum:
    WIDE = 128    # columns, or rows of a few columns together, whose sums one sweep keeps apart


cdef inline void _log_ratios(Py_ssize_t width, const double* x, const double* y, double* out) noexcept nogil:
    """log(x / y), and 0 where x is 0."""
    cdef double ratio[WIDE]
    cdef Py_ssize_t j
    cdef int odd = 0
    for j in range(width):
        ratio[j] = x[j] / y[j] if x[j] > 0 else 1
        out[j] = log_normal(ratio[j])
        odd |= not is_normal(ratio[j])
    if odd:
        for j in range(width):
            if not is_normal(ratio[j]):
                out[j] = log(x[j]) - log(y[j])


cdef inline void _log_differences(Py_ssize_t width, const double* a, const double* b, double* out) noexcept nogil:
    """log(1 + a) - log(1 + b) as one logarithm, which cancels nothing where a and b are near each other."""
    cdef double top[WIDE]
    cdef double bottom[WIDE]
    cdef double rest[WIDE]
    cdef double q
    cdef Py_ssize_t j
    for j in range(width):
        q = (a[j] - b[j]) / (1 + b[j])  # of which this is log(1 + q)
        top[j] = 1 + q if fabs(q) < 0.5 else 1 + a[j]
        bottom[j] = 1 if fabs(q) < 0.5 else 1 + b[j]
        rest[j] = (q - (top[j] - 1)) / top[j] if fabs(q) < 0.5 else 0  # what 1 + q has lost of q
    _log_ratios(width, top, bottom, out)
    for j in range(width):
        out[j] += rest[j]


cdef inline double _tweedie(double a, double b, double p) noexcept nogil:
    cdef double rising = pow(b, 1 - p), own = pow(a, 2 - p) if a > 0 else 0
    return 2 * (own / ((1 - p) * (2 - p)) - a * rising / (1 - p) + b * rising / (2 - p))


cdef inline void _losses(
    int kind, double parameter, Py_ssize_t width, const double* a, const double* b, const double* d, double* out
) noexcept nogil:
    cdef Py_ssize_t j
    cdef double t, low
    if kind == SIGNED:
        for j in range(width):
            out[j] = d[j]
    elif kind == ABSOLUTE or kind == GREATEST:
        for j in range(width):
            out[j] = fabs(d[j])
    elif kind == SQUARED:
        for j in range(width):
            out[j] = d[j] * d[j]
    elif kind == PINBALL:
        low = parameter - 1
        for j in range(width):
            out[j] = d[j] * (parameter if d[j] >= 0 else low)
    elif kind == LOG_SQUARED:
        _log_differences(width, a, b, out)
        for j in range(width):
            out[j] *= out[j]
    elif kind == RELATIVE:  # (halves, because a - b may overflow where the quotient does not)
        for j in range(width):
            out[j] = fabs(a[j] / 2 - b[j] / 2) / (fmax(fabs(a[j]), 2.220446049250313e-16) / 2)
    elif kind == SYMMETRIC:
        for j in range(width):
            t = fabs(a[j]) + fabs(b[j])
            out[j] = fabs(a[j] - b[j]) / t if 0 < t < 8e307 else (
                fabs(a[j] / 2 - b[j] / 2) / (fabs(a[j] / 2) + fabs(b[j] / 2)) if t > 0 else 0
            )
    elif kind == POISSON:
        _log_ratios(width, a, b, out)
        for j in range(width):
            out[j] = 2 * (a[j] * out[j] - a[j] + b[j])
    elif kind == GAMMA:
        _log_ratios(width, b, a, out)
        for j in range(width):
            out[j] = 2 * (out[j] + a[j] / b[j] - 1)
    else:
        for j in range(width):
            out[j] = _tweedie(a[j], b[j], parameter)


def losses_pass(
    const real[:, ::1] y_true,  # in     (n, t)
    const real[:, ::1] y_pred,  # in     (n, t), or (1, t) for the same prediction everywhere
    const double[::1] weights,  # in     (n), or (0) for ones
    int kind,                   # in     see above
    double parameter,           # in
    const double[::1] scale,    # in     (t)             of the differences, by column
    const double[::1] offset,   # in     (t)             taken from the scaled differences
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    double[:, ::1] out,         # out    (stripes, t or more)  weighted sum of the losses, or the greatest
):
    cdef Py_ssize_t t = y_true.shape[1], together = max(1, WIDE // t), i, f0, cols, rows, width, j, r
    cdef bint weighted = weights.shape[0] > 0 and kind != GREATEST, alone = y_pred.shape[0] == 1
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef const real* x
    cdef const real* y
    cdef double a[WIDE]
    cdef double b[WIDE]
    cdef double d[WIDE]
    cdef double term[WIDE]
    cdef double total[WIDE]
    cdef double inner[WIDE]
    cdef double outer[WIDE]
    cdef double centre[WIDE]
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for f0 in range(0, t, 128):
                # Short rows are swept several at a time, as one long row.
                cols = min(t - f0, WIDE)
                for j in range(cols * together):
                    # A scale below one is applied before the difference, which might overflow; one above after it.
                    inner[j] = fmin(scale[f0 + j % cols], 1)
                    outer[j] = fmax(scale[f0 + j % cols], 1)
                    centre[j] = offset[f0 + j % cols]
                    total[j] = 0
                    if alone:
                        b[j] = y_pred[0, f0 + j % cols] * inner[j]
                i = bounds[s]
                while i < bounds[s + 1]:
                    rows = min(together, bounds[s + 1] - i)
                    width = rows * cols
                    x = &y_true[i, f0]
                    for j in range(width):
                        a[j] = x[j] * inner[j]
                    if not alone:
                        y = &y_pred[i, f0]
                        for j in range(width):
                            b[j] = y[j] * inner[j]
                    for j in range(width):
                        d[j] = (a[j] - b[j]) * outer[j] - centre[j]
                    _losses(kind, parameter, width, a, b, d, term)
                    if weighted and cols == 1:
                        for j in range(width):
                            term[j] *= weights[i + j]
                    elif weighted:
                        for r in range(rows):
                            for j in range(cols):
                                term[r * cols + j] *= weights[i + r]
                    if kind == GREATEST:
                        for j in range(width):
                            total[j] = term[j] if term[j] > total[j] else total[j]
                    else:
                        for j in range(width):
                            total[j] += term[j]
                    i += rows
                for r in range(1, together):
                    for j in range(cols):
                        if kind == GREATEST:
                            total[j] = fmax(total[j], total[r * cols + j])
                        else:
                            total[j] += total[r * cols + j]
                for j in range(cols):
                    out[s, f0 + j] = total[j]
