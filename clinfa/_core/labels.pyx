# Passes over columns of labels: range, which labels occur, codes, and counts of pairs.
# The mathematics and the costs stand in docs/kernels.md.
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memset

from clinfa._core.types cimport clinfa_take

ctypedef fused label:  # other integers are widened to one of these, bools are uint8
    int8_t
    uint8_t
    int16_t
    int32_t
    int64_t
    uint64_t


cdef enum:
    LANES = 4     # copies of a small table of counts: neighbouring rows then never wait for one another
    SMALL = 1024  # places in such a table: all copies fit the L1 cache


def range_pass(
    const label[::1] y,         # in     (n)
    const int64_t[::1] bounds,  # in     (stripes + 1)  first row of each stripe; none is empty
    int64_t[::1] cursor,        # inout  (1)            next stripe to take
    int64_t limit,              # in                    stripes to take in this call
    label[:, ::1] out,          # out    (stripes, 2)   least and greatest
):
    cdef Py_ssize_t i
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef label low, high
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            low = high = y[bounds[s]]
            for i in range(bounds[s] + 1, bounds[s + 1]):
                low = y[i] if y[i] < low else low
                high = y[i] if y[i] > high else high
            out[s, 0] = low
            out[s, 1] = high


# Differences below are taken modulo 2^64, so that they are right for every type, and for labels of two
# signs too: a value v of the range is at place <uint64_t> v - low.


def seen_pass(
    const label[::1] y,         # in     (n)      within the range
    uint64_t low,               # in              the least label, modulo 2^64
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    uint8_t[::1] out,           # inout  (width)  the worker's own: 1 where a value of the range occurs
):
    cdef Py_ssize_t i
    cdef int64_t s, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                out[<uint64_t> y[i] - low] = 1


def codes_pass(
    const label[::1] y,           # in     (n)      within the range
    uint64_t low,                 # in
    const int64_t[:, ::1] tables, # in     (tables, width)  the code of each value of the range
    const int64_t[::1] which,     # in     (stripes)        the stripe's table
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    int64_t[::1] out,             # out    (n)      (may be y)
):
    cdef Py_ssize_t i
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef const int64_t* table
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            table = &tables[which[s], 0]
            for i in range(bounds[s], bounds[s + 1]):
                out[i] = table[<uint64_t> y[i] - low]


cdef inline uint64_t _place(label a, label b, uint64_t low, int64_t width) noexcept nogil:
    return (<uint64_t> a - low) * <uint64_t> width + (<uint64_t> b - low)


def pairs_pass(
    const label[::1] a,         # in     (n)      within the range
    const label[::1] b,         # in     (n)      within the range
    uint64_t low,               # in
    int64_t width,              # in              of the range
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    int64_t[::1] out,           # inout  (width * width)  the worker's own: rows by row of a, columns by b
):
    cdef Py_ssize_t i, j, r, end, places = width * width
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef int64_t small[LANES * SMALL]
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            i, end = bounds[s], bounds[s + 1]
            if places <= SMALL:
                memset(small, 0, LANES * places * sizeof(int64_t))
                while i + LANES <= end:
                    for r in range(LANES):
                        small[r * places + _place(a[i + r], b[i + r], low, width)] += 1
                    i += LANES
                for r in range(LANES):
                    for j in range(places):
                        out[j] += small[r * places + j]
            while i < end:
                out[_place(a[i], b[i], low, width)] += 1
                i += 1


def sums_pass(
    const label[::1] a,         # in     (n)      within the range
    const label[::1] b,         # in     (n)      within the range
    const double[::1] weights,  # in     (n)
    uint64_t low,               # in
    int64_t width,              # in
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    double[:, ::1] out,         # inout  (stripes, width * width)  sums of weights of pairs
):
    cdef Py_ssize_t i
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double* sums
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            sums = &out[s, 0]
            for i in range(bounds[s], bounds[s + 1]):
                sums[_place(a[i], b[i], low, width)] += weights[i]


def number_few(
    const label[::1] y,         # in     (n)      few, so that nobody waits: there are no stripes
    int64_t[::1] table,         # scratch  (width)
    label[::1] classes,         # out    (the lesser of n and width)  the labels that occur, sorted
    int64_t[::1] out,           # out    (n)      the number of each row's label
):
    """How many labels there are; -1 if their range is wider than the table."""
    cdef Py_ssize_t i, n = y.shape[0]
    cdef int64_t k = 0, width
    cdef uint64_t low
    cdef label least, most
    with nogil:
        least = most = y[0]
        for i in range(n):
            least = y[i] if y[i] < least else least
            most = y[i] if y[i] > most else most
        low = <uint64_t> least
        if <uint64_t> most - low < <uint64_t> table.shape[0]:
            width = <int64_t> (<uint64_t> most - low) + 1
            for i in range(width):
                table[i] = 0
            for i in range(n):
                table[<uint64_t> y[i] - low] = 1
            for i in range(width):
                if table[i]:
                    table[i] = k
                    classes[k] = <label> (low + <uint64_t> i)
                    k += 1
            for i in range(n):
                out[i] = table[<uint64_t> y[i] - low]
        else:
            k = -1
    return k


cdef inline uint64_t _hash(const uint32_t* row, Py_ssize_t words) noexcept nogil:
    # Multiply and fold, word by word (the constant is that of SplitMix64, Steele, Lea & Flood 2014).
    cdef uint64_t h = 0
    cdef Py_ssize_t f
    for f in range(words):
        h = (h ^ row[f]) * <uint64_t> 0x9E3779B97F4A7C15
        h ^= h >> 32
    return h


cdef inline int64_t _number(
    const uint32_t* rows, Py_ssize_t words, int64_t first, int64_t end,
    int32_t* table, uint64_t mask, int64_t[::1] firsts, int64_t found, int64_t[::1] out,
) noexcept nogil:
    """Numbers for the rows of a stripe; how many numbers there are now, or -1 if there is no more room."""
    cdef int64_t i, number
    cdef uint64_t at
    cdef const uint32_t* row
    for i in range(first, end):
        row = rows + i * words
        at = _hash(row, words) & mask
        while True:
            number = table[at] - 1
            if number < 0:
                if found == firsts.shape[0]:
                    return -1
                number = found
                firsts[found] = i
                found += 1
                table[at] = <int32_t> found
                break
            if memcmp(&rows[firsts[number] * words], row, words * sizeof(uint32_t)) == 0:
                break
            at = (at + 1) & mask
        out[i] = number
    return found


def number_pass(
    const uint32_t[:, ::1] rows,  # in     (n, words)   labels as they lie in memory
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    int64_t slot,                 # in                  whose scratch and numbers these are
    int32_t[::1] table,           # scratch (a power of two > most)  number + 1, or 0: open addressing
    int64_t[::1] firsts,          # inout  (most)       for each number the row where it was met first
    int64_t[::1] found,           # inout  (1)          how many numbers there are; -1: more than `most`
    int64_t[::1] owner,           # out    (stripes)    the slot whose numbers the stripe has
    int64_t[::1] out,             # out    (n)          equal for equal rows of a slot: 0, 1, ... as met
):
    cdef Py_ssize_t words = rows.shape[1]
    cdef int64_t s, first, end, stripes = bounds.shape[0] - 1
    cdef uint64_t mask = table.shape[0] - 1
    with nogil:
        while limit > 0 and found[0] >= 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            owner[s] = slot
            first, end = bounds[s], bounds[s + 1]
            # (Where the compiler knows their length, short rows cost a third.)
            if words == 1:
                found[0] = _number(&rows[0, 0], 1, first, end, &table[0], mask, firsts, found[0], out)
            elif words == 2:
                found[0] = _number(&rows[0, 0], 2, first, end, &table[0], mask, firsts, found[0], out)
            else:
                found[0] = _number(&rows[0, 0], words, first, end, &table[0], mask, firsts, found[0], out)
        if found[0] < 0:
            cursor[0] = stripes  # nobody takes another stripe
