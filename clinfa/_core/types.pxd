# The types that every kernel is written over.
from libc.stdint cimport int32_t, int64_t, uint64_t

ctypedef fused real:
    float
    double

ctypedef fused index_t:
    int32_t
    int64_t

# Stripes are handed out in the order of their numbers; who takes which changes nothing in the result.
cdef extern from *:
    """
    #define clinfa_take(cursor) __atomic_fetch_add((cursor), 1, __ATOMIC_RELAXED)
    #define clinfa_prefetch(p) __builtin_prefetch(p)
    """
    int64_t clinfa_take(int64_t *cursor) nogil
    void clinfa_prefetch(const void *p) nogil
