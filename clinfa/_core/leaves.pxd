# What leaves say of a record.
from libc.stdint cimport int64_t, uint32_t, uint64_t

# What nodes say: numbers, or how often each class is there.
ctypedef fused kept_t:
    uint32_t
    double


cdef inline void add(const kept_t* value, int64_t width, int64_t classes, double* out) noexcept nogil:
    """Plus what a leaf says; of counts the first `classes` sum to what it weighs."""
    cdef int64_t k
    cdef uint64_t weight = 0
    if kept_t is uint32_t:
        for k in range(classes):
            weight += value[k]
    for k in range(width):
        if kept_t is uint32_t:
            out[k] += <double> value[k] / <double> weight
        else:
            out[k] += value[k]
