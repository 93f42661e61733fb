# Ranks of the values of every column: integers that are as a tree sees the values. docs/kernels.md, "Trees".
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from clinfa._core.nodes cimport code_t
from clinfa._core.types cimport clinfa_take, real

cdef extern from "trees.h" nogil:
    uint64_t key_of_double(double)
    uint64_t key_of_float(float)
    const uint64_t NO_KEY
    uint32_t place_of_key(uint64_t, uint64_t)

cdef enum:
    FEW = 256         # where no more keys than that are different, each is compared with all
    PLACES = 4 * FEW
    MANY = 4096       # from here on digits are of 11 bits, not of 8


cdef inline int64_t rank_few(const uint64_t* keys, int64_t n, code_t* code, uint8_t* lacks) noexcept nogil:
    """Ranks where at most FEW keys are different; returns how many are, or -1 if they are more."""
    cdef uint64_t[FEW] found
    cdef uint16_t[PLACES] number  # of the key that is found there, from one
    cdef uint16_t[FEW] rank
    cdef int64_t i, j, k = 0, less  # (`less` is as wide as keys are: for vectors)
    cdef uint64_t key
    cdef uint32_t at
    memset(number, 0, sizeof(number))
    for i in range(n):
        key = keys[i]
        at = place_of_key(key, PLACES)
        while number[at] and found[number[at] - 1] != key:
            at = (at + 1) % PLACES
        if not number[at]:
            if k == FEW:
                return -1
            found[k] = key
            k += 1
            number[at] = <uint16_t> k
        code[i] = number[at] - 1
    lacks[0] = 0
    for i in range(k):
        key = found[i]
        lacks[0] |= key == NO_KEY
        less = 0
        for j in range(k):
            less += found[j] < key
        rank[i] = <uint16_t> less
    for i in range(n):
        code[i] = rank[code[i]]
    return k


def room(int64_t n):
    """Bytes that one thread needs."""
    return 24 * n + 8 * 2048


def rank_pass(
    const real[:, ::1] X,        # in     (n, d)
    code_t[:, ::1] codes,        # out    (d, n)   0 for the least value; for NaN the number of values
    int64_t[::1] n_values,       # out    (d)      distinct values
    uint8_t[::1] missing,        # out    (d)      whether there is a NaN
    uint8_t[:, ::1] rooms,       # inout  (slots, room)
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit, int64_t slot,
):
    cdef int64_t s, f, i, n = X.shape[0], stripes = bounds.shape[0] - 1, digit, bits, digits, k, sum
    cdef uint64_t* keys
    cdef uint64_t* other
    cdef uint32_t* order
    cdef uint32_t* moved
    cdef uint64_t* counts
    cdef uint64_t key, mask, spread, at
    cdef real x
    cdef code_t* code
    with nogil:
        keys = <uint64_t*> &rooms[slot, 0]
        other = keys + n
        order = <uint32_t*> (other + n)
        moved = order + n
        counts = <uint64_t*> (moved + n)
        bits = 11 if n >= MANY else 8
        digits = (64 + bits - 1) // bits
        mask = (<uint64_t> 1 << bits) - 1
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for f in range(bounds[s], bounds[s + 1]):
                spread = 0
                for i in range(n):
                    x = X[i, f]
                    if real is float:
                        key = key_of_float(x)
                    else:
                        key = key_of_double(x)
                    keys[i] = key
                    order[i] = <uint32_t> i
                    spread |= key ^ keys[0]
                code = &codes[f, 0]
                k = rank_few(keys, n, code, &missing[f])
                if k > 0:
                    n_values[f] = k - missing[f]
                    continue
                memset(counts, 0, 8 << bits)
                for digit in range(digits):
                    if not (spread >> (digit * bits)) & mask:
                        continue
                    for i in range(n):
                        counts[(keys[i] >> (digit * bits)) & mask] += 1
                    sum = 0
                    for i in range(<int64_t> mask + 1):
                        k = counts[i]
                        counts[i] = sum
                        sum += k
                    for i in range(n):
                        key = (keys[i] >> (digit * bits)) & mask
                        at = counts[key]
                        counts[key] = at + 1
                        other[at] = keys[i]
                        moved[at] = order[i]
                    memset(counts, 0, 8 << bits)
                    keys, other = other, keys
                    order, moved = moved, order
                k = -1
                missing[f] = 0
                for i in range(n):
                    if i == 0 or keys[i] != keys[i - 1]:
                        k += 1
                        if keys[i] == NO_KEY:
                            missing[f] = 1
                    code[order[i]] = <code_t> k
                n_values[f] = k + 1 - missing[f]
