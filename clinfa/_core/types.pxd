# The types that every kernel is written over.
from libc.stdint cimport int32_t, int64_t, uint64_t

ctypedef fused real:
    float
    double

ctypedef fused index_t:
    int32_t
    int64_t

ctypedef fused value:  # what data are stored in, where that may be wider than what is computed in
    float
    double

# Stripes are handed out in the order of their numbers; who takes which changes nothing in the result.
cdef extern from *:
    """
    #define clinfa_take(cursor) __atomic_fetch_add((cursor), 1, __ATOMIC_RELAXED)
    #define clinfa_prefetch(p) __builtin_prefetch(p)
    """
    int64_t clinfa_take(int64_t *cursor) nogil
    void clinfa_prefetch(const void *p) nogil


cdef inline void prefetch(const void* p, size_t size) noexcept nogil:
    cdef size_t at
    for at in range(0, size, 64):
        clinfa_prefetch(<const char*> p + at)


cdef inline float float_below(double x) noexcept nogil:
    """A float that is not above x: bounds are kept in single precision whatever the data are."""
    return <float> (x - (x if x > 0 else -x) * 1.2e-7)
