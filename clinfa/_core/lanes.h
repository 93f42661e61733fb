/* Distances of one query to LEAF points, or to the boxes of FAN children, that lie in the lanes.
 *
 * Layout. A leaf holds LEAF points, transposed: points[f * LEAF + l]. A node holds the boxes of FAN children:
 * boxes[(f * 2 + 0) * FAN + c] is the least and boxes[(f * 2 + 1) * FAN + c] the greatest value of
 * feature f in child c. A child that does not exist has the box [+inf, +inf].
 *
 * What is computed is the reduced distance: the sum of squares, of absolute values or of p-th powers, or
 * the greatest absolute value.
 */
#ifndef CLINFA_LANES_H
#define CLINFA_LANES_H

#include "tile.h"

#define LEAF 16
#define FAN 8
#define EUCLIDEAN 0
#define MANHATTAN 1
#define CHEBYSHEV 2
#define MINKOWSKI 3

/* A product as it is rounded by itself, never fused into a sum. */
static inline double lanes_rounded(double x)
{
#if defined(__x86_64__)
    __asm__("" : "+x"(x));
#elif defined(__aarch64__)
    __asm__("" : "+w"(x));
#else
    volatile double y = x;
    x = y;
#endif
    return x;
}

#define REAL float
#define NAME(f) f##_f32
#define VECTOR lanes_f32
#define BITS bits_f32
typedef float lanes_f32 __attribute__((vector_size(FAN * 4), aligned(4)));
typedef int32_t bits_f32 __attribute__((vector_size(FAN * 4), aligned(4)));
#include "lanes_body.h"
#undef REAL
#undef NAME
#undef VECTOR
#undef BITS

#define LANES_ARE_DOUBLE
#define REAL double
#define NAME(f) f##_f64
#define VECTOR lanes_f64
#define BITS bits_f64
typedef double lanes_f64 __attribute__((vector_size(FAN * 8), aligned(8)));
typedef int64_t bits_f64 __attribute__((vector_size(FAN * 8), aligned(8)));
#include "lanes_body.h"
#undef REAL
#undef NAME
#undef VECTOR
#undef BITS

#endif
