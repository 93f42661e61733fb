# Records along Hilbert's curve, which has no jumps: neighbours on it are neighbours in space.
from libc.stdint cimport int64_t, uint64_t

from clinfa._core.types cimport clinfa_take

MOST_AXES = 3

cdef enum:
    AXES = 3  # MOST_AXES; arrays on the stack are made for it
    SIDE = 8  # cells that are worked on side by side, in the lanes of vectors


cdef inline void _along(uint64_t* x, Py_ssize_t d, int bits, uint64_t* place) noexcept nogil:
    """Skilling's: the places of SIDE cells on the curve, from their coordinates of some bits, shape (d, SIDE)."""
    cdef uint64_t low, mask, t
    cdef uint64_t turn[SIDE]
    cdef Py_ssize_t f, l
    cdef int bit
    for bit in range(bits - 1, 0, -1):
        low = (<uint64_t> 1 << bit) - 1
        for l in range(SIDE):
            x[l] ^= low & (<uint64_t> 0 - ((x[l] >> bit) & 1))  # (branches could not be foreseen)
        for f in range(1, d):
            for l in range(SIDE):
                mask = <uint64_t> 0 - ((x[f * SIDE + l] >> bit) & 1)
                t = (x[l] ^ x[f * SIDE + l]) & low & ~mask
                x[l] ^= t | (low & mask)
                x[f * SIDE + l] ^= t
    for f in range(1, d):
        for l in range(SIDE):
            x[f * SIDE + l] ^= x[(f - 1) * SIDE + l]
    for l in range(SIDE):
        turn[l] = place[l] = 0
    for bit in range(bits - 1, 0, -1):
        low = (<uint64_t> 1 << bit) - 1
        for l in range(SIDE):
            turn[l] ^= low & (<uint64_t> 0 - ((x[(d - 1) * SIDE + l] >> bit) & 1))
    for bit in range(bits - 1, -1, -1):
        for f in range(d):
            for l in range(SIDE):
                place[l] = place[l] << 1 | (((x[f * SIDE + l] ^ turn[l]) >> bit) & 1)


def places_pass(
    const double[:, ::1] X,       # in   (n, d)
    const double[::1] low,        # in   (d)            least values
    double scale,                 # in                  cells in a unit of length
    int bits,                     # in                  of a coordinate
    int spare,                    # in                  bits below the place, which hold the row
    const int64_t[::1] bounds,    # in   (stripes + 1)
    int64_t[::1] cursor,          # inout (1)
    int64_t limit,                # in
    uint64_t[::1] out,            # out  (n)
):
    cdef Py_ssize_t d = X.shape[1], f, l
    cdef int64_t s, i, row, stripes = bounds.shape[0] - 1
    cdef uint64_t place[SIDE]
    cdef uint64_t x[AXES * SIDE]
    cdef double most = <double> ((<uint64_t> 1 << bits) - 1)
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            i = bounds[s]
            while i < bounds[s + 1]:
                for l in range(SIDE):
                    row = min(i + l, bounds[s + 1] - 1)
                    for f in range(d):
                        x[f * SIDE + l] = <uint64_t> min((X[row, f] - low[f]) * scale, most)
                # (Loops over a known number of axes are unrolled.)
                if d == 1:
                    _along(x, 1, bits, place)
                elif d == 2:
                    _along(x, 2, bits, place)
                else:
                    _along(x, 3, bits, place)
                for l in range(min(SIDE, bounds[s + 1] - i)):
                    out[i + l] = place[l] << spare | <uint64_t> (i + l)
                i += SIDE
