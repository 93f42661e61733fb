/* Distances of one query to LEAF points, or to the boxes of FAN children, that lie in the lanes.
 *
 * Layout. A leaf holds LEAF points, transposed: points[f * LEAF + l]. A node holds the boxes of FAN children:
 * boxes[(f * 2 + 0) * FAN + c] is the least and boxes[(f * 2 + 1) * FAN + c] the greatest value of
 * feature f in child c. A child that does not exist has the box [+inf, +inf].
 *
 * What is computed is the reduced distance: the sum of squares, of absolute values or of p-th powers, or
 * the greatest absolute value. A module compiled with -DLANES_ARE_EXACT and without fused products has those of
 * double precision feature by feature, with every step rounded: what exact_distance has.
 */
#ifndef CLINFA_LANES_H
#define CLINFA_LANES_H

#include <string.h>

#include "tile.h"

#define LEAF 16
#define FAN 8
#define EUCLIDEAN 0
#define MANHATTAN 1
#define CHEBYSHEV 2
#define MINKOWSKI 3

#ifdef LANES_ARE_EXACT
  #define EXACT_LANES 1
#else
  #define EXACT_LANES 0
#endif

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

/* Insert into a list sorted by distance, then row. */
static inline void lanes_keep(double *far, int64_t *name, ptrdiff_t k, double distance, int64_t row)
{
    if (k > 16 * FAN) {
        ptrdiff_t at = 0, end = k - 1;
        while (at < end) {
            ptrdiff_t middle = (at + end) / 2;
            int less = (far[middle] < distance) | ((far[middle] == distance) & (name[middle] < row));
            at = less ? middle + 1 : at;
            end = less ? end : middle;
        }
        memmove(far + at + 1, far + at, (size_t)(k - 1 - at) * sizeof *far);
        memmove(name + at + 1, name + at, (size_t)(k - 1 - at) * sizeof *name);
        far[at] = distance;
        name[at] = row;
        return;
    }
    /* A short list: all places at once, since branches here are never foreseen. */
#define AT_F(p) (*(lanes_f64 *)(p))
#define AT_I(p) (*(bits_f64 *)(p))
#define PICK_F(m, a, b) ((lanes_f64)(((bits_f64)(a) & (m)) | ((bits_f64)(b) & ~(m))))
#define PICK_I(m, a, b) (((a) & (m)) | ((b) & ~(m)))
    lanes_f64 d = distance - (lanes_f64){0};
    bits_f64 r = row - (bits_f64){0};
    for (; k > FAN; k -= FAN) {
        lanes_f64 f = AT_F(far + k - FAN), g = AT_F(far + k - FAN - 1);
        bits_f64 n = AT_I(name + k - FAN), o = AT_I(name + k - FAN - 1);
        bits_f64 stays = (f < d) | ((f == d) & (n < r)), comes = (g < d) | ((g == d) & (o < r));
        AT_F(far + k - FAN) = PICK_F(stays, f, PICK_F(comes, d, g));
        AT_I(name + k - FAN) = PICK_I(stays, n, PICK_I(comes, r, o));
    }
#undef AT_F
#undef AT_I
#undef PICK_F
#undef PICK_I
    if (far[k - 1] < distance || (far[k - 1] == distance && name[k - 1] < row)) return;
    for (; k > 1 && (far[k - 2] > distance || (far[k - 2] == distance && name[k - 2] > row)); k--) {
        far[k - 1] = far[k - 2];
        name[k - 1] = name[k - 2];
    }
    far[k - 1] = distance;
    name[k - 1] = row;
}

#endif
