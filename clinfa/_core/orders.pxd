# The records of a node in the order of a column, from its integer codes: by comparing all with all where they are
# few, else by marking the codes that occur in a bit map of two levels and reading it off. docs/kernels.md, "Trees".
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from clinfa._core.nodes cimport Work, code_t

cdef extern from "trees.h" nogil:
    int clinfa_ctz(uint64_t)
    int clinfa_popcount(uint64_t)

cdef enum:
    FEW = 64            # records that are compared all with all
    LANES = 16
    SMALL_CODE = 1 << 26  # what fits into 32 bits beside the number of one of a few


cdef inline void order_few(
    const code_t* code, const int32_t* rows, int64_t m, int32_t* order, uint32_t* sorted_codes
) noexcept nogil:
    """At most FEW records with codes below SMALL_CODE, stable."""
    cdef uint32_t key[FEW]
    cdef uint32_t rank[FEW]
    cdef uint32_t own
    cdef int64_t i, j, padded = (m + LANES - 1) // LANES * LANES
    for i in range(m):
        key[i] = (<uint32_t> code[rows[i]] << 6) | <uint32_t> i
    for i in range(m, padded):
        key[i] = 0xFFFFFFFF
    for i in range(padded):
        rank[i] = 0
    if padded == LANES:
        for j in range(m):
            own = key[j]
            for i in range(LANES):
                rank[i] += own < key[i]
    else:
        for j in range(m):
            own = key[j]
            for i in range(padded):
                rank[i] += own < key[i]
    for i in range(m):
        order[rank[i]] = <int32_t> i
        sorted_codes[rank[i]] = key[i] >> 6


cdef inline int64_t mark(
    const code_t* code, const int32_t* rows, int64_t m, uint64_t* bits, uint64_t* tops, uint32_t* kept
) noexcept nogil:
    """Mark the codes that occur and keep them; returns the words of `tops` that may be marked."""
    cdef int64_t i
    cdef uint32_t c, most = 0
    for i in range(m):
        c = kept[i] = code[rows[i]]
        bits[c >> 6] |= <uint64_t> 1 << (c & 63)
        tops[c >> 12] |= <uint64_t> 1 << ((c >> 6) & 63)
        most = c if c > most else most
    return (most >> 12) + 1


cdef inline int64_t count_before(int64_t last, Work* work) noexcept nogil:
    """How many marked codes stand before each marked word, in work.slot; returns how many there are."""
    cdef int64_t t, word, k = 0
    cdef uint64_t top
    for t in range(last):
        top = work.tops[t]
        while top:
            word = t * 64 + clinfa_ctz(top)
            top &= top - 1
            work.slot[word] = <int32_t> k
            k += clinfa_popcount(work.bits[word])
    return k


cdef inline int64_t rank_of(uint32_t c, const Work* work) noexcept nogil:
    """How many marked codes are less than a marked one."""
    return work.slot[c >> 6] + clinfa_popcount(work.bits[c >> 6] & ((<uint64_t> 1 << (c & 63)) - 1))


cdef inline void order_rows(
    const code_t* code, const int32_t* rows, int64_t m, int64_t n_values, Work* work,
    int32_t* order, uint32_t* sorted_codes,
) noexcept nogil:
    """Places in `rows` by their code, and the codes; equal codes in falling order of places, or rising if few."""
    cdef int64_t i, t, word, k = 0, last
    cdef int32_t at
    cdef uint32_t c
    cdef uint64_t top, found
    if m <= FEW and n_values < SMALL_CODE - 1:
        order_few(code, rows, m, order, sorted_codes)
        return
    last = mark(code, rows, m, work.bits, work.tops, sorted_codes)
    for i in range(m):
        c = sorted_codes[i]
        work.chain[i] = work.slot[c]
        work.slot[c] = <int32_t> i
    for t in range(last):
        top = work.tops[t]
        work.tops[t] = 0
        while top:
            word = t * 64 + clinfa_ctz(top)
            top &= top - 1
            found = work.bits[word]
            work.bits[word] = 0
            while found:
                c = <uint32_t> (word * 64 + clinfa_ctz(found))
                found &= found - 1
                at = work.slot[c]
                work.slot[c] = -1
                while at >= 0:
                    order[k] = at
                    sorted_codes[k] = c
                    k += 1
                    at = work.chain[at]
