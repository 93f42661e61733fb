# Passes over the columns of a table: range and finiteness, sums, and row keys.
# The mathematics and the costs stand in docs/kernels.md.
from libc.math cimport fabs, frexp, ldexp, rint
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from clinfa._core.types cimport real, index_t, clinfa_take


cdef enum:
    WIDE = 1024  # (the step of range_pass too) columns, or several short rows together, that one sweep keeps its state for


def range_pass(
    const real[:, ::1] X,       # in     (n, d)
    const int64_t[::1] bounds,  # in     (stripes + 1)   first row of each stripe
    int64_t[::1] cursor,        # inout  (1)             next stripe to take
    int64_t limit,              # in                     stripes to take in this call
    double[:, :, ::1] out,      # out    (stripes, 3, d) least, greatest, and 0 or NaN: is it finite
):
    cdef Py_ssize_t d = X.shape[1], i, f, f0, width, together = max(1, 128 // d), r
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef const real* x
    cdef real low[WIDE]
    cdef real high[WIDE]
    cdef real bad[WIDE]
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for f0 in range(0, d, 1024):
                # Rows shorter than a few vectors are swept several at a time, as one long row.
                width = min(d - f0, WIDE) * together
                for f in range(width):
                    low[f] = high[f] = X[bounds[s], f0 + f % d]
                    bad[f] = 0
                i = bounds[s]
                while i < bounds[s + 1]:
                    if i + together > bounds[s + 1]:
                        width = d * (bounds[s + 1] - i)
                    x = &X[i, f0]
                    for f in range(width):
                        low[f] = x[f] if x[f] < low[f] else low[f]
                        high[f] = x[f] if x[f] > high[f] else high[f]
                        bad[f] += x[f] * 0
                    i += together
                width = min(d - f0, WIDE)
                for f in range(width):
                    for r in range(1, together):
                        low[f] = min(low[f], low[r * d + f])
                        high[f] = max(high[f], high[r * d + f])
                        bad[f] += bad[r * d + f]
                    out[s, 0, f0 + f] = low[f]
                    out[s, 1, f0 + f] = high[f]
                    out[s, 2, f0 + f] = bad[f]


def finite_pass(
    const real[::1] values,     # in     (n)
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    double[::1] out,            # out    (stripes)      0, or NaN where a value is not finite
):
    cdef Py_ssize_t i, j
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef real bad[16]
    cdef real total
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for j in range(16):
                bad[j] = 0
            i = bounds[s]
            while i + 16 <= bounds[s + 1]:
                for j in range(16):
                    bad[j] += values[i + j] * 0
                i += 16
            total = 0
            while i < bounds[s + 1]:
                total += values[i] * 0
                i += 1
            for j in range(16):
                total += bad[j]
            out[s] = total


def moments_pass(
    const real[:, ::1] X,       # in     (n, d)
    const double[::1] weights,  # in     (n) or (0) for ones
    const real[::1] shift,      # in     (d)
    double scale,               # in
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    double[:, :, ::1] out,      # inout  (stripes, 2, d + 16) sums of w y and w y^2, y = (x - shift) scale
):
    cdef Py_ssize_t d = X.shape[1], i, f
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef bint weighted = weights.shape[0] > 0
    cdef double w = 1, y
    cdef double* first
    cdef double* second
    cdef const real* x
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            first = &out[s, 0, 0]
            second = &out[s, 1, 0]
            for i in range(bounds[s], bounds[s + 1]):
                if weighted:
                    w = weights[i]
                x = &X[i, 0]
                for f in range(d):
                    y = (<double> x[f] - <double> shift[f]) * scale
                    first[f] += w * y
                    second[f] += w * y * y


cdef inline uint64_t _mix(uint64_t h) noexcept nogil:
    # The finaliser of SplitMix64 (Steele, Lea & Flood 2014): every input bit reaches every output bit.
    h = (h ^ (h >> 30)) * <uint64_t> 0xBF58476D1CE4E5B9
    h = (h ^ (h >> 27)) * <uint64_t> 0x94D049BB133111EB
    return h ^ (h >> 31)


cdef inline uint64_t _key(double value, Py_ssize_t column) noexcept nogil:
    cdef uint64_t bits
    memcpy(&bits, &value, 8)
    return _mix(bits + <uint64_t> 0x9E3779B97F4A7C15 * <uint64_t> (column + 1)) if value != 0 else 0


cdef inline uint64_t _joined(uint64_t coarse, uint64_t fine) noexcept nogil:
    # Rows are ordered by what is left of them in single precision first, so that the same data in either type
    # lead to the same draws. For float32 both sums are the same, and this is _mix of it.
    return (_mix(coarse) & <uint64_t> 0xFFFFFFFF00000000) | (_mix(fine) & <uint64_t> 0xFFFFFFFF)


cdef inline uint64_t _row_key(const real* x, Py_ssize_t d) noexcept nogil:
    cdef uint64_t coarse = 0, fine = 0
    cdef Py_ssize_t f
    for f in range(d):
        fine += _key(<double> x[f], f)
    if real is double:
        for f in range(d):
            coarse += _key(<double> <float> x[f], f)
    else:
        coarse = fine
    return _joined(coarse, fine)


def keys_pass(
    const real[:, ::1] X,       # in     (n, d)
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    uint64_t[::1] out,          # out    (n)            equal for equal rows, zeros left out
):
    cdef Py_ssize_t d = X.shape[1], i
    cdef int64_t s, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                out[i] = _row_key(&X[i, 0], d)


def keys_pass_csr(
    const real[::1] data,       # in     (nnz)
    const index_t[::1] indices, # in     (nnz)
    const index_t[::1] indptr,  # in     (n + 1)
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    uint64_t[::1] out,          # out    (n)            the key that the dense row would have
):
    cdef Py_ssize_t i, t
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef uint64_t coarse, fine
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                coarse = fine = 0
                for t in range(indptr[i], indptr[i + 1]):
                    fine += _key(<double> data[t], indices[t])
                    coarse += _key(<double> <float> data[t], indices[t])
                out[i] = _joined(coarse, fine)


def kinds_pass(
    const real[:, ::1] X,       # in     (n, d)         a few hundred rows
    const double[::1] targets,  # in     (n)
    const double[::1] C,        # in     (n)            rows where it is not above 0 are left out
    const double[::1] weights,  # in     (n) or (0)     for ones
    uint64_t[::1] keys,         # scratch (n)
    int64_t[:, ::1] places,     # out    (3, n)         rows by target, then key; their kinds; the first of each kind
    double[:, ::1] numbers,     # out    (3, n)         sums of C and of weights by kind; each row's share of its kind's C
):
    """Rows that are equal, with equal targets, are one kind.

    Returns how many rows there are and how many kinds; -1 for the latter where two unlike rows have one key.
    """
    cdef Py_ssize_t d = X.shape[1], i, f, at, count = 0
    cdef int64_t kinds = 0, first
    cdef uint64_t key
    cdef bint same
    with nogil:
        for i in range(X.shape[0]):
            if not C[i] > 0:
                continue
            key = _row_key(&X[i, 0], d)
            at = count
            while at > 0 and (
                targets[places[0, at - 1]] > targets[i]
                or (targets[places[0, at - 1]] == targets[i] and keys[at - 1] > key)
            ):
                places[0, at], keys[at] = places[0, at - 1], keys[at - 1]
                at -= 1
            places[0, at], keys[at] = i, key
            count += 1
        for at in range(count):
            i = places[0, at]
            same = at > 0 and keys[at] == keys[at - 1] and targets[i] == targets[places[0, at - 1]]
            if not same:
                places[2, kinds] = i
                numbers[0, kinds] = numbers[1, kinds] = 0
                kinds += 1
            first = places[2, kinds - 1]
            if same:
                for f in range(d):
                    same = same and X[i, f] == X[first, f]
                if not same:
                    kinds = -1
                    break
            places[1, at] = kinds - 1
            numbers[0, kinds - 1] += C[i]
            numbers[1, kinds - 1] += weights[i] if weights.shape[0] else 1
        if kinds > 0:
            for at in range(count):
                numbers[2, at] = C[places[0, at]] / numbers[0, places[1, at]]
    return count, kinds


cdef double _power_of_two_below(double value, int most) noexcept nogil:
    cdef int exponent
    frexp(value, &exponent)
    return ldexp(1.0, max(min(exponent - 1, most), -most))


def choose_frame(
    const double[:, ::1] reach,   # in     (2, d)  least and greatest value of each column
    real[::1] shift,              # out    (d)
):
    """A shift for each column and the scale for all, so that (x - shift) * scale lies within [-1, 1].

    Shifts are multiples of a power of two not below the spread of the widest column: exact to subtract,
    and zero where the data lie about the origin. The scale is a power of two.
    """
    cdef Py_ssize_t d = shift.shape[0], f
    cdef double widest = 0, middle, grid, extent = 0
    with nogil:
        for f in range(d):
            widest = max(widest, reach[1, f] / 2 - reach[0, f] / 2)
        for f in range(d):
            middle = reach[0, f] / 2 + reach[1, f] / 2
            if widest == 0:
                shift[f] = <real> middle
            elif widest < 1e300:
                grid = 1 / _power_of_two_below(1 / (4 * widest), 1020)
                # (Beyond 2^53 grid steps every number is a multiple already.)
                if fabs(middle) < 9e15 * grid:
                    middle = rint(middle / grid) * grid
                shift[f] = <real> middle
            else:
                shift[f] = 0
            extent = max(extent, max(fabs(reach[1, f] - shift[f]), fabs(reach[0, f] - shift[f])))
    if extent == 0:  # all rows are equal: whatever comes later sets the scale
        return 1
    # (The scale must be a number of the data's own type.)
    return _power_of_two_below(1 / max(extent, 1e-300), 120 if real is float else 1020)
