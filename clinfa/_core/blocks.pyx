# Products of tall blocks (docs/kernels.md, "Blocks"): A^T B over rows, and A C with C small.
from libc.stdint cimport int64_t

from clinfa._core.tile cimport aligned
from clinfa._core.types cimport real, value, clinfa_take

cdef extern from "blocks.h" nogil:
    const Py_ssize_t BLOCK_BYTES
    const Py_ssize_t BLOCK_R
    const Py_ssize_t BLOCK_V
    const Py_ssize_t BLOCK_PACKED
    void block_pack_f32(const float*, Py_ssize_t, Py_ssize_t, Py_ssize_t, const float*, const double*, const double*, float*, double*)
    void block_pack_f64(const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, const double*, const double*, double*, double*)
    void block_pack_wide(const float*, Py_ssize_t, Py_ssize_t, Py_ssize_t, const float*, const double*, const double*, double*, double*)
    void block_cross_f32(const float*, const float*, Py_ssize_t, const float*, Py_ssize_t, Py_ssize_t, Py_ssize_t, int, double*, Py_ssize_t, const float*, Py_ssize_t, const float*, Py_ssize_t)
    void block_cross_f64(const double*, const double*, Py_ssize_t, const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, int, double*, Py_ssize_t, const double*, Py_ssize_t, const double*, Py_ssize_t)
    void block_cross_wide(const double*, const double*, Py_ssize_t, const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, int, double*, Py_ssize_t, const float*, Py_ssize_t, const float*, Py_ssize_t)
    void block_combine_f32(const float*, Py_ssize_t, Py_ssize_t, Py_ssize_t, const float*, const float*, Py_ssize_t, float*, Py_ssize_t, const float*, Py_ssize_t)
    void block_combine_f64(const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, const double*, Py_ssize_t, double*, Py_ssize_t, const double*, Py_ssize_t)
    void block_mirror(double*, Py_ssize_t, Py_ssize_t)

ROWS = BLOCK_PACKED // BLOCK_BYTES  # that are packed together
UNIT = max(BLOCK_BYTES // 4, BLOCK_R)  # what numbers of columns are rounded up to, in either type


def panel_width(int itemsize):
    """Columns of C that a panel holds."""
    return BLOCK_V * (BLOCK_BYTES // itemsize)


def packed_size(int itemsize, Py_ssize_t columns):
    """Numbers that a packed chunk of so many columns takes."""
    cdef Py_ssize_t lanes = BLOCK_BYTES // itemsize
    return (columns + UNIT - 1) // UNIT * UNIT // lanes * (BLOCK_PACKED // itemsize)


cdef inline void _pack(
    const value* x, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t width, const value* end,
    const double* shift, const double* weights, real* out, double* sums,
) noexcept nogil:
    if value is float and real is float:
        block_pack_f32(x, stride, rows, width, end, shift, weights, out, sums)
    elif value is double and real is double:
        block_pack_f64(x, stride, rows, width, end, shift, weights, out, sums)
    elif value is float and real is double:
        block_pack_wide(x, stride, rows, width, end, shift, weights, out, sums)


cdef inline void _cross(
    const real* a, const value* raw, Py_ssize_t apart, const real* b, Py_ssize_t p, Py_ssize_t q, Py_ssize_t rows,
    bint lower, double* out, Py_ssize_t stride, const value* next_a, Py_ssize_t step_a, const value* next_b, Py_ssize_t step_b,
) noexcept nogil:
    if value is float and real is float:
        block_cross_f32(a, raw, apart, b, p, q, rows, lower, out, stride, next_a, step_a, next_b, step_b)
    elif value is double and real is double:
        block_cross_f64(a, raw, apart, b, p, q, rows, lower, out, stride, next_a, step_a, next_b, step_b)
    elif value is float and real is double:
        block_cross_wide(a, <const double*> NULL, 0, b, p, q, rows, lower, out, stride, next_a, step_a, next_b, step_b)


def crossed_pass(
    const value[:, :] A,        # in     (n, p)         rows without gaps in them
    const value[:, :] B,        # in     (n, q)         the same as A for a symmetric product
    const double[::1] shift,    # in     (p) or (0)     taken off A, and off B where that is A
    const double[::1] weights,  # in     (n) or (0)     of the rows
    const int64_t[:, ::1] items,# in     (items, 8)     first and last row; columns of A; columns of B; place; flags
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    real[:, ::1] scratch,       # scratch (slots, 2 packed_size(columns) + 16)
    int64_t slot,               # in
    double[:, :, ::1] out,      # inout  (places, P, Q) sums of products; P and Q multiples of UNIT
    double[:, ::1] sums,        # inout  (places, p)    sums of what was packed of A
):
    """Flags: 1 for the lower triangle alone, 2 where A and B are one packed chunk, 4 for sums too,
    8 where A is taken as it lies, with neither shift nor weights, in the type of the products."""
    cdef Py_ssize_t step_a = A.strides[0] // sizeof(value), step_b = B.strides[0] // sizeof(value)
    cdef Py_ssize_t n = A.shape[0], i, last, rows, some, whole, p0, p, q0, q, half = (scratch.shape[1] - 16) // 2
    cdef int64_t s, flags
    cdef bint symmetric = &A[0, 0] == &B[0, 0]
    cdef const value* end_a = &A[0, 0] + (n - 1) * step_a + A.shape[1]
    cdef const value* end_b = &B[0, 0] + (n - 1) * step_b + B.shape[1]
    cdef const value* next_a
    cdef const value* next_b
    cdef const value* raw = NULL
    cdef const double* off
    cdef const double* w
    cdef real* a = aligned(&scratch[slot, 0])
    cdef real* b = a + half
    cdef real* y
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= items.shape[0]:
                break
            last = items[s, 1]
            p0 = items[s, 2]
            p = items[s, 3] - p0
            q0 = items[s, 4]
            q = items[s, 5] - q0
            flags = items[s, 7]
            off = &shift[p0] if shift.shape[0] else NULL
            rows = BLOCK_PACKED // BLOCK_BYTES
            i = items[s, 0]
            while i < last:
                some = min(rows, last - i)
                w = &weights[i] if weights.shape[0] else NULL
                whole = 0
                if flags & 8:
                    raw = &A[i, p0]
                    whole = p // BLOCK_R * BLOCK_R
                if whole < p:
                    _pack(
                        &A[i, p0] + whole, step_a, some, p - whole, end_a, off, w, a,
                        &sums[items[s, 6], p0] if flags & 4 else NULL)
                if flags & 2:
                    y = a
                else:
                    y = b
                    off = &shift[q0] if symmetric and shift.shape[0] else NULL
                    _pack(&B[i, q0], step_b, some, q, end_b, off, <const double*> NULL, b, <double*> NULL)
                    off = &shift[p0] if shift.shape[0] else NULL
                next_a = next_b = NULL
                if i + 2 * rows <= last:
                    next_a = &A[i + rows, p0]
                    if not flags & 2 and not (symmetric and p0 == q0):
                        next_b = &B[i + rows, q0]
                _cross(
                    <const real*> a, raw, step_a, <const real*> y, p, q, some, flags & 1, &out[items[s, 6], p0, q0], out.shape[2],
                    next_a, step_a, next_b, step_b)
                i += some


def mirror(double[:, ::1] out):  # inout (n, n): its lower triangle is copied to the upper one
    with nogil:
        block_mirror(&out[0, 0], out.shape[0], out.shape[1])


def combined_pass(
    const real[:, :] A,         # in     (n, d)         rows without gaps in them
    const double[::1] shift,    # in     (d) or (0)     taken off A
    const real[:, :, ::1] C,    # in     (panels, d, panel_width)
    const real[:, ::1] start,   # in     (panels, panel_width)  what the sums begin with
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    Py_ssize_t chunk,           # in                    rows taken together
    real[:, ::1] scratch,       # scratch (slots, chunk d + 16) where there is a shift
    int64_t slot,               # in
    real[:, :] out,             # out    (n, m)         rows without gaps in them
):
    cdef Py_ssize_t d = A.shape[1], m = out.shape[1], i, j, f, some
    cdef Py_ssize_t step = A.strides[0] // sizeof(real), step_out = out.strides[0] // sizeof(real), apart
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef bint shifted = shift.shape[0] > 0
    cdef const real* x
    cdef const real* next
    cdef real* y
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            i = bounds[s]
            while i < bounds[s + 1]:
                some = min(chunk, bounds[s + 1] - i)
                x = &A[i, 0]
                apart = step
                if shifted:
                    y = aligned(&scratch[slot, 0])
                    for j in range(some):
                        for f in range(d):
                            y[j * d + f] = <real> (x[j * step + f] - shift[f])
                    x = y
                    apart = d
                next = &A[i + chunk, 0] if i + 2 * chunk <= bounds[s + 1] else NULL
                if real is float:
                    block_combine_f32(
                        x, apart, some, d, &C[0, 0, 0], &start[0, 0], m, &out[i, 0], step_out, next, step)
                else:
                    block_combine_f64(
                        x, apart, some, d, &C[0, 0, 0], &start[0, 0], m, &out[i, 0], step_out, next, step)
                i += some
