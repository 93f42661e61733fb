# A few records down a tree.
from libc.stdint cimport int32_t, int64_t, uint64_t

from clinfa._core.nodes cimport Node
from clinfa._core.types cimport real

cdef extern from "descent.h" nogil:
    enum:
        GROUP "DESCENT_GROUP"
    void down_f32 "clinfa_down_f32" (const float*, int64_t, int64_t, const Node*, int64_t, const uint64_t*, int64_t, int32_t*)
    void down_f64 "clinfa_down_f64" (const double*, int64_t, int64_t, const Node*, int64_t, const uint64_t*, int64_t, int32_t*)


cdef inline void down(
    const real* x, int64_t d, int64_t m, const Node* tree, int64_t nodes, const uint64_t* sets, int64_t deepest,
    int32_t* place
) noexcept nogil:
    if real is float:
        down_f32(x, d, m, tree, nodes, sets, deepest, place)
    else:
        down_f64(x, d, m, tree, nodes, sets, deepest, place)
