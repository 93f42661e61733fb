# Records along Hilbert's curve, which has no jumps: neighbours on it are neighbours in space.
from libc.stdint cimport int64_t, uint64_t

from clinfa._core.types cimport clinfa_take

MOST_AXES = 3

cdef enum:
    AXES = 3  # MOST_AXES; arrays on the stack are made for it


cdef inline uint64_t _along(uint64_t* x, Py_ssize_t d, int bits) noexcept nogil:
    """Skilling's: the place of a cell on the curve, from its coordinates of some bits."""
    cdef uint64_t low, mask, t, place = 0
    cdef Py_ssize_t f
    cdef int bit
    for bit in range(bits - 1, 0, -1):
        low = (<uint64_t> 1 << bit) - 1
        for f in range(d):
            mask = <uint64_t> 0 - ((x[f] >> bit) & 1)  # (branches could not be foreseen)
            t = (x[0] ^ x[f]) & low & ~mask
            x[0] ^= t | (low & mask)
            x[f] ^= t
    for f in range(1, d):
        x[f] ^= x[f - 1]
    t = 0
    for bit in range(bits - 1, 0, -1):
        t ^= ((<uint64_t> 1 << bit) - 1) & (<uint64_t> 0 - ((x[d - 1] >> bit) & 1))
    for bit in range(bits - 1, -1, -1):
        for f in range(d):
            place = place << 1 | (((x[f] ^ t) >> bit) & 1)
    return place


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
    cdef Py_ssize_t d = X.shape[1], f
    cdef int64_t s, i, stripes = bounds.shape[0] - 1
    cdef uint64_t place
    cdef uint64_t x[AXES]
    cdef double most = <double> ((<uint64_t> 1 << bits) - 1)
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                for f in range(d):
                    x[f] = <uint64_t> min((X[i, f] - low[f]) * scale, most)
                # (Loops over a known number of axes are unrolled.)
                place = _along(x, 1, bits) if d == 1 else _along(x, 2, bits) if d == 2 else _along(x, 3, bits)
                out[i] = place << spare | <uint64_t> i
