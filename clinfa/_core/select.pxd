# Selection in place.
from libc.stdint cimport int32_t

from clinfa._core.types cimport real


cdef inline void select(real* key, int32_t* row, Py_ssize_t low, Py_ssize_t high, Py_ssize_t nth) noexcept nogil:
    """Hoare's: rows before `nth` have keys not above its own, those after it not below."""
    cdef Py_ssize_t i, j, a, b, c
    cdef real pivot, swap
    cdef int32_t other
    cdef unsigned int draw = 12345
    while high > low:
        if high - low > 600:
            # Three positions that no order of the input can foresee being bad.
            draw = draw * 1664525 + 1013904223
            a = low + <Py_ssize_t> (draw >> 8) % (high - low + 1)
            draw = draw * 1664525 + 1013904223
            b = low + <Py_ssize_t> (draw >> 8) % (high - low + 1)
            draw = draw * 1664525 + 1013904223
            c = low + <Py_ssize_t> (draw >> 8) % (high - low + 1)
        else:
            a, b, c = low, low + (high - low) // 2, high
        if key[a] > key[b]:
            a, b = b, a
        if key[b] > key[c]:
            b = c
        pivot = key[a] if key[a] > key[b] else key[b]
        i, j = low, high
        while i <= j:
            while key[i] < pivot:
                i += 1
            while key[j] > pivot:
                j -= 1
            if i <= j:
                swap = key[i]
                key[i] = key[j]
                key[j] = swap
                other = row[i]
                row[i] = row[j]
                row[j] = other
                i += 1
                j -= 1
        if nth <= j:
            high = j
        elif nth >= i:
            low = i
        else:
            return
