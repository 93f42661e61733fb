# The Rayleigh-Ritz step of subspace methods: residuals of pairs, and the small eigenproblem of a basis.
# The mathematics and the costs stand in docs/kernels.md, "Rayleigh-Ritz".
from libc.math cimport sqrt
from libc.stdint cimport int64_t

from clinfa._core.lapack cimport dpstrf, dsyevd, dsygst, dtrsm
from clinfa._core.types cimport clinfa_take, real, value


def residual_pass(
    const real[:, :] AX,         # in     (n, b)          rows without gaps
    const real[:, :] BX,         # in     (n, b)          rows without gaps
    const double[::1] theta,     # in     (b)
    double scale,                # in                     a power of two
    const int64_t[::1] bounds,   # in     (stripes + 1)   of rows
    int64_t[::1] cursor,         # inout  (1)
    int64_t limit,               # in
    value[:, ::1] R,             # out    (n, >= b)       (A X - B X theta) scale; columns beyond b are made 0
    double[:, ::1] squares,      # out    (stripes, >= b) of the norms of the columns of R
):
    cdef Py_ssize_t b = AX.shape[1], width = R.shape[1], i, j
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef const real* ax
    cdef const real* bx
    cdef double* total
    cdef value* r
    cdef double t
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            total = &squares[s, 0]
            for j in range(b):
                total[j] = 0
            for i in range(bounds[s], bounds[s + 1]):
                ax = &AX[i, 0]
                bx = &BX[i, 0]
                r = &R[i, 0]
                for j in range(b):
                    t = (ax[j] - theta[j] * bx[j]) * scale
                    total[j] += t * t
                    r[j] = <value> t
                for j in range(b, width):
                    r[j] = 0


cdef int _factor(double[:, ::1] G, double drop, double* scale, double* work, int* order) noexcept nogil:
    """Cholesky with pivots of G with its columns scaled to 1, in place: U with P G P = UᵀU; the rank, or -1."""
    cdef int m = G.shape[0], rank = 0, info = 0, i, j
    for i in range(m):
        scale[i] = 1 / sqrt(G[i, i]) if G[i, i] > 0 else 0
    for i in range(m):
        for j in range(m):
            G[i, j] *= scale[i] * scale[j]
    dpstrf("U", &m, &G[0, 0], &m, order, &rank, &drop, work, &info)
    return -1 if info < 0 else rank


cdef void _unpivoted(
    double* packed, Py_ssize_t rank, Py_ssize_t ld, const int* order, const double* scale, double[:, ::1] out
) noexcept nogil:
    """Rows of coefficients, from the order of the pivots back to that of the vectors."""
    cdef Py_ssize_t m = out.shape[1], i, j
    for j in range(out.shape[0]):
        for i in range(m):
            out[j, i] = 0
    for j in range(rank):
        for i in range(rank):
            out[j, order[i] - 1] = packed[j * ld + i] * scale[order[i] - 1]


def basis(
    double[:, ::1] G,            # inout  (m, m)    symmetric: the inner products of m vectors; destroyed
    double drop,                 # in               a vector is left out of which less than this part (squared) is new
    double[:, ::1] T,            # out    (m, m)    row j: coefficients of the basis' vector j; zeros from `rank` on
    double[::1] work,            # -      (m² + 3 m)
    int[::1] order,              # out    (m)       the vectors kept come first, counted from 1
) -> int:
    """An orthonormal basis of what the vectors span: how many they are, or -1 where LAPACK fails."""
    cdef int m = G.shape[0], rank = 0, i, j
    cdef double unit = 1
    cdef double* inverse = &work[3 * m]
    with nogil:
        rank = _factor(G, drop, &work[0], &work[m], &order[0])
        if rank > 0:
            for j in range(rank):
                for i in range(rank):
                    inverse[j * rank + i] = i == j
            dtrsm("L", "U", "N", "N", &rank, &rank, &unit, &G[0, 0], &m, inverse, &rank)
        _unpivoted(inverse, rank, rank, &order[0], &work[0], T)
    return rank


def pairs(
    double[:, ::1] K,            # inout  (m, m)    symmetric: Sᵀ A S; destroyed
    double[:, ::1] M,            # inout  (m, m)    symmetric: Sᵀ B S; destroyed
    double drop,                 # in               as for `basis`
    double[::1] values,          # out    (m)       rising; the first `rank` count
    double[:, ::1] vectors,      # out    (m, m)    row j: coefficients of pair j, of norm 1 in the inner product of M
    double[::1] work,            # -      (3 m² + 9 m + 1)
    int[::1] whole,              # -      (6 m + 3)
) -> int:
    """The pairs K c = value M c of what M tells apart: how many they are, or -1 where LAPACK fails."""
    cdef int m = K.shape[0], rank = 0, info = 0, one = 1, lwork = 2 * m * m + 6 * m + 1, liwork = 5 * m + 3
    cdef int i, j
    cdef int* order = &whole[0]
    cdef double* scale = &work[0]
    cdef double* packed = &work[3 * m]
    cdef double* rest = packed + m * m
    cdef double unit = 1
    with nogil:
        rank = _factor(M, drop, scale, &work[m], order)
        if rank > 0:
            for i in range(rank):
                for j in range(rank):
                    packed[i * rank + j] = (
                        K[order[i] - 1, order[j] - 1] * scale[order[i] - 1] * scale[order[j] - 1]
                    )
            dsygst(&one, "U", &rank, packed, &rank, &M[0, 0], &m, &info)
            dsyevd("V", "U", &rank, packed, &rank, &values[0], rest, &lwork, &whole[m], &liwork, &info)
            if info == 0:
                dtrsm("L", "U", "N", "N", &rank, &rank, &unit, &M[0, 0], &m, packed, &rank)
            else:
                rank = -1
        _unpivoted(packed, rank, rank, order, scale, vectors)
    return rank
