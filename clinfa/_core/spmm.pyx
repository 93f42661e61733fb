# Sparse rows times blocks of few columns, and the transpose that the other side needs.
# The mathematics and the costs stand in docs/kernels.md.
from libc.stdint cimport int32_t, int64_t

from clinfa._core.types cimport index_t, real, clinfa_take

cdef extern from "spmm.h" nogil:
    void spmm_f32_i32(const float*, const int32_t*, const int32_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, const float*, Py_ssize_t, Py_ssize_t, const double*, const float*, const float*, const float*, float*)
    void spmm_f32_i64(const float*, const int64_t*, const int64_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, const float*, Py_ssize_t, Py_ssize_t, const double*, const float*, const float*, const float*, float*)
    void spmm_f64_i32(const double*, const int32_t*, const int32_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, Py_ssize_t, Py_ssize_t, const double*, const double*, const double*, const double*, double*)
    void spmm_f64_i64(const double*, const int64_t*, const int64_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, Py_ssize_t, Py_ssize_t, const double*, const double*, const double*, const double*, double*)


def product_pass(
    const real[::1] data,         # in     (nnz)
    const index_t[::1] indices,   # in     (nnz)          each below the rows of the block
    const index_t[::1] indptr,    # in     (n + 1)
    const real[:, :] block,       # in     (columns, k)   rows without gaps, `stride` apart, as those of `out`
    Py_ssize_t j0, Py_ssize_t j1, # in     the columns of the block that are wanted
    Py_ssize_t ahead,             # in     stored values between asking for a row and using it; 0: never ask
    const int64_t[:, ::1] cuts,   # in     (stripes, 5)   first and last row, first and last stored value, and
                                  #                       the row of `partial` for a part of a long row, or -1
    double[::1] by,               # in     (3) or (0)     alpha, c, beta: alpha (A x - c x) + beta z + gain term instead of A x
    const real[:, ::1] other,     # in     (n, k) or (0, 0)   z, which may be `out`
    const real[::1] gain,         # in     (k) or (0)     of each column of the term that is added to that
    const real[:, ::1] term,      # in     (n, k) or (0, 0)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    real[:, :] out,               # out    (n, k)
    real[:, ::1] partial,         # out    (parts, stride)  A x alone, for parts of long rows
):
    cdef Py_ssize_t k = block.strides[0] // sizeof(real)
    cdef int64_t s, stripes = cuts.shape[0]
    cdef const int64_t* cut
    cdef const double* scalars
    cdef const real* z
    cdef const real* g
    cdef const real* r
    cdef real* to
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            cut = &cuts[s, 0]
            scalars = NULL
            z = g = r = NULL
            if cut[4] >= 0:
                # (The kernel writes to the row that it reads.)
                to = &partial[cut[4], j0] - cut[0] * k
            else:
                to = &out[0, j0]
                if by.shape[0] > 0:
                    scalars = &by[0]
                    if other.shape[0] > 0:
                        z = &other[0, j0]
                    if term.shape[0] > 0:
                        g = &gain[j0]
                        r = &term[0, j0]
            if real is float and index_t is int32_t:
                spmm_f32_i32(&data[0], &indices[0], &indptr[0], cut[0], cut[1], cut[2], cut[3], ahead, &block[0, j0], k, j1 - j0, scalars, z, g, r, to)
            elif real is float:
                spmm_f32_i64(&data[0], &indices[0], &indptr[0], cut[0], cut[1], cut[2], cut[3], ahead, &block[0, j0], k, j1 - j0, scalars, z, g, r, to)
            elif index_t is int32_t:
                spmm_f64_i32(&data[0], &indices[0], &indptr[0], cut[0], cut[1], cut[2], cut[3], ahead, &block[0, j0], k, j1 - j0, scalars, z, g, r, to)
            else:
                spmm_f64_i64(&data[0], &indices[0], &indptr[0], cut[0], cut[1], cut[2], cut[3], ahead, &block[0, j0], k, j1 - j0, scalars, z, g, r, to)


def count_pass(
    const index_t[::1] indices,   # in     (nnz)          columns
    const index_t[::1] indptr,    # in     (n + 1)
    const int64_t[::1] bounds,    # in     (stripes + 1)  of rows
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    int64_t[:, ::1] counts,       # inout  (stripes, columns)  zeros; how often each column occurs in the stripe
):
    cdef int64_t s, t, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for t in range(indptr[bounds[s]], indptr[bounds[s + 1]]):
                counts[s, indices[t]] += 1


def turn_pass(
    const real[::1] data,         # in     (nnz)
    const index_t[::1] indices,   # in     (nnz)
    const index_t[::1] indptr,    # in     (n + 1)
    const int64_t[::1] bounds,    # in     (stripes + 1)  of rows
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    int64_t[:, ::1] places,       # inout  (stripes, columns)  where the stripe's next value of each column goes
    real[::1] values,             # out    (nnz)          by column, then row
    index_t[::1] rows,            # out    (nnz)
):
    cdef Py_ssize_t i
    cdef int64_t s, t, at, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                for t in range(indptr[i], indptr[i + 1]):
                    at = places[s, indices[t]]
                    places[s, indices[t]] = at + 1
                    values[at] = data[t]
                    rows[at] = <index_t> i


def rows_pass(
    const real[::1] data,         # in     (nnz)
    const index_t[::1] indices,   # in     (nnz)          each below the columns of X
    const index_t[::1] indptr,    # in     (k + 1)
    const real[:, ::1] X,         # in     (n, d)
    const int64_t[::1] bounds,    # in     (stripes + 1)  of rows of X
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    real[:, ::1] out,             # out    (n, k)         X times the transpose of the sparse matrix
):
    cdef Py_ssize_t k = indptr.shape[0] - 1, i, j, t
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef const real* a
    cdef const real* b
    cdef const real* c
    cdef const real* e
    cdef real of_a, of_b, of_c, of_e, v
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            i = bounds[s]
            while i < bounds[s + 1]:
                # Four rows in the time of one: a sum alone waits for each of its additions. (At the end the last
                # row stands in for those that are missing.)
                a = &X[i, 0]
                b = &X[min(i + 1, bounds[s + 1] - 1), 0]
                c = &X[min(i + 2, bounds[s + 1] - 1), 0]
                e = &X[min(i + 3, bounds[s + 1] - 1), 0]
                for j in range(k):
                    of_a = of_b = of_c = of_e = 0
                    for t in range(indptr[j], indptr[j + 1]):
                        v = data[t]
                        of_a += v * a[indices[t]]
                        of_b += v * b[indices[t]]
                        of_c += v * c[indices[t]]
                        of_e += v * e[indices[t]]
                    out[i, j] = of_a
                    if i + 1 < bounds[s + 1]:
                        out[i + 1, j] = of_b
                    if i + 2 < bounds[s + 1]:
                        out[i + 2, j] = of_c
                    if i + 3 < bounds[s + 1]:
                        out[i + 3, j] = of_e
                i += 4
