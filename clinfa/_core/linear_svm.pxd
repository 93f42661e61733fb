# What the interior-point method for many records and that for few have in common.
from libc.math cimport fmin


cdef inline double interior_reach(
    double a, double da, double b, double z, double dz, double x, double dx
) noexcept nogil:
    """How far one may go until a, b (which changes by -da), z or x is 0."""
    cdef double t = 1e300
    if da < 0:
        t = fmin(t, -a / da)
    elif da > 0:
        t = fmin(t, b / da)
    if dz < 0:
        t = fmin(t, -z / dz)
    if dx < 0:
        t = fmin(t, -x / dx)
    return t
