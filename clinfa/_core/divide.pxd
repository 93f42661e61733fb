# The two sides of a node, and tables of their own for small ones. docs/kernels.md, "Trees".
from libc.math cimport NAN
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from clinfa._core.categories cimport sides_of_categories
from clinfa._core.nodes cimport Pending, Record, Rules, Split, Work, code_t, column_t, value_t
from clinfa._core.orders cimport clinfa_ctz, count_before, mark, rank_of
from clinfa._core.random cimport gather_f32, gather_f64, goes_right

cdef extern from "trees.h" nogil:
    uint64_t seed_of_side(uint64_t, int)
    double sum_of "clinfa_sum" (const double*, int64_t)
    void columns_f32 "clinfa_columns_f32" (const float*, int64_t, const int32_t*, int64_t, float*, int64_t)
    void columns_f64 "clinfa_columns_f64" (const double*, int64_t, const int32_t*, int64_t, double*, int64_t)
    int64_t part_rows "clinfa_part_rows" (const uint8_t*, int64_t, int32_t*, int32_t*)
    int64_t part_numbers "clinfa_part_numbers" (const uint8_t*, int64_t, double*, double*)

cdef enum:
    SMALL = 8192      # records of a node that gets a table of its own
    STRIDE = SMALL + 32  # from column to column of that: not a power of two, which would crowd a few sets of the cache


cdef inline int64_t divide(
    const Rules* p, const column_t* columns, int64_t n, const int64_t* n_values, const Split* split, int32_t* rows,
    double* w, double* y, int64_t m, Work* work, Record* out
) noexcept nogil:
    """Move the records that go left before the others, each in their order; returns how many do."""
    cdef const column_t* column = columns + split.feature * n
    cdef column_t c
    cdef int64_t i, o, q = p.outputs, k, g
    cdef uint32_t low = split.low, high = split.high, lacking = 0xFFFFFFFF
    cdef double threshold = split.threshold
    cdef int missing_left = split.missing_left, lacks = 0
    cdef int64_t at_low = -1, at_high = -1
    cdef uint8_t* side = work.side
    cdef double* x = work.sum
    cdef double least, most
    cdef uint64_t lot
    if column_t is float or column_t is double:
        lot = split.low | <uint64_t> split.high << 32
        if p.categories != NULL and p.categories[split.feature]:
            for i in range(m):
                c = column[rows[i]]
                side[i] = not goes_right(lot, c)
                lacks |= c != c
            missing_left = not goes_right(lot, NAN)
        else:
            if column_t is float:  # (in vectors; the extremes come along)
                gather_f32(column, rows, m, x, &least, &most)
            else:
                gather_f64(column, rows, m, x, &least, &most)
            for i in range(m):
                side[i] = (x[i] <= threshold) | (missing_left & (x[i] != x[i]))
                lacks |= x[i] != x[i]
    else:
        if p.missing[split.feature]:
            lacking = <uint32_t> n_values[split.feature]
        if p.categories != NULL and p.categories[split.feature]:
            sides_of_categories(p, column, split, rows, w, y, m, work)
            for i in range(m):
                c = column[rows[i]]
                side[i] = work.goes[c]
                lacks |= c == lacking
            if lacks:
                missing_left = work.goes[lacking]
        else:
            for i in range(m):
                c = column[rows[i]]
                side[i] = (c <= low) | (missing_left & (c == lacking))
                lacks |= c == lacking
                at_low = i if c == low else at_low
                at_high = i if c == high else at_high
    out.low = rows[at_low] if at_low >= 0 else -1
    out.high = rows[at_high] if at_high >= 0 else -1
    k = part_rows(side, m, rows, work.moved_rows)
    if w != NULL:
        part_numbers(side, m, w, work.moved)
    if q == 1:
        part_numbers(side, m, y, work.moved)
    else:
        k = g = 0
        for i in range(m):
            for o in range(q):
                work.moved[g * q + o] = y[i * q + o]
                y[k * q + o] = y[i * q + o]
            k += side[i]
            g += 1 - side[i]
        memcpy(y + k * q, work.moved, g * q * sizeof(double))
    out.feature = split.feature
    out.threshold = split.threshold
    # Where nothing is missing here, what will be missing goes where most weight goes.
    if lacks:
        out.missing_left = missing_left
    else:
        out.missing_left = 2 * sum_of(w, k) > out.weight if w != NULL else k > m - k
    return k


cdef inline void children(
    const Rules* p, const Pending* node, const Split* split, int64_t n_left, int32_t place, Pending* left, Pending* right
) noexcept nogil:
    """The two sides of a node that was divided."""
    cdef double middle
    left[0] = node[0]
    right[0] = node[0]
    left.end = right.begin = node.begin + n_left
    left.parent = right.parent = place
    left.depth = right.depth = node.depth + 1
    left.side = 0
    right.side = 1
    left.seed = seed_of_side(node.seed, 0)
    right.seed = seed_of_side(node.seed, 1)
    if p.monotonic != NULL and p.monotonic[split.feature] != 0:
        middle = split.left / 2 + split.right / 2
        if p.monotonic[split.feature] > 0:
            left.upper = right.lower = middle
        else:
            left.lower = right.upper = middle


cdef inline void condense(
    const Rules* p, const code_t* codes, int64_t n, const int64_t* n_values, int32_t* rows, int64_t m, Work* work
) noexcept nogil:
    """Give the records of a node numbers of their own, and ranks without gaps."""
    cdef int64_t f, i, t, word, last, k
    cdef uint32_t c
    cdef uint64_t top
    cdef const code_t* code
    cdef uint16_t* local = <uint16_t*> work.local
    cdef uint64_t* bits = work.bits
    for f in range(p.d):
        code = codes + f * n
        last = mark(code, rows, m, bits, work.tops, work.codes)
        # Ranks by counting bits: ten kilobytes of those for 80,000 codes, not a number for each.
        k = count_before(last, work)
        for i in range(m):
            local[i] = <uint16_t> rank_of(work.codes[i], work)
        c = <uint32_t> n_values[f]
        work.local_values[f] = k - <int64_t> (bits[c >> 6] >> (c & 63) & 1)
        for t in range(last):
            top = work.tops[t]
            work.tops[t] = 0
            while top:
                word = t * 64 + clinfa_ctz(top)
                top &= top - 1
                bits[word] = 0
                work.slot[word] = -1
        local += STRIDE
    for i in range(m):
        work.home[i] = rows[i]
        rows[i] = <int32_t> i


cdef inline void gather(const value_t* X, int64_t d, int32_t* rows, int64_t m, Work* work) noexcept nogil:
    """The same for values; X is (n, d)."""
    cdef int64_t i
    if value_t is float:
        columns_f32(X, d, rows, m, <value_t*> work.local, STRIDE)
    else:
        columns_f64(X, d, rows, m, <value_t*> work.local, STRIDE)
    for i in range(m):
        work.home[i] = rows[i]
        rows[i] = <int32_t> i
