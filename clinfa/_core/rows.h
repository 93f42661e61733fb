/* What is done with a block of PANEL rows against the TILE points of a tile (tile.h): inner products, squared
 * distances, sums of absolute differences, and functions of these, all in vectors (docs/kernels.md, "Kernel rows").
 *
 * Rows are broadcast and points lie in the lanes, so that what comes out lies along a row of the matrix. A value
 * depends on its row and its point alone, and is the same to the bit when the two change places.
 */
#ifndef CLINFA_ROWS_H
#define CLINFA_ROWS_H

#include <math.h>
#include <string.h>
#include "tile.h"

/* What is summed over the columns */
#define INNER 0     /* x y */
#define SQUARED 1   /* (x - y)^2 */
#define CITY 2      /* |x - y| */
#define CHI 3       /* (x - y)^2 / (x + y), 0 where both are */
#define KNOWN 4     /* (x - y)^2, 0 where x or y is NaN */

/* What is made of the sum s */
#define PLAIN 0     /* gamma s + coef */
#define DECAY 1     /* exp(-gamma s) */
#define POWER 2     /* (gamma s + coef)^degree, by squaring where the degree is whole */
#define TANGENT 3   /* tanh(gamma s + coef) */
#define ROOT 4      /* sqrt(s) */
#define ANGLE 5     /* 1 - s, within [0, 2] */

#define RUN 1024            /* columns summed before they are added to those before: long sums in float32 keep digits */
#define MOST_SQUARING 1024  /* degrees up to which powers are products */

#define REAL float
#define INT int32_t
#define NAME(f) f##_f32
#define TILE TILE_F32
#define LN2_HIGH 0.693359375f      /* so few bits that n times it is exact */
#define LN2_LOW -2.12194440e-4f
#define ROUNDER 12582912.0f        /* 1.5 * 2^23: what is added to it is rounded to a whole number */
#define EXPONENT 23
#define BIAS 127
#define LEAST_EXP -120.0f
#define FLAT -30.0f                /* e^x is nothing beside 1 below it */
#define TINIEST 1.17549435e-38f
#include "rows_body.h"
#undef REAL
#undef INT
#undef NAME
#undef TILE
#undef LN2_HIGH
#undef LN2_LOW
#undef ROUNDER
#undef EXPONENT
#undef BIAS
#undef LEAST_EXP
#undef FLAT
#undef TINIEST

#define REAL double
#define INT int64_t
#define NAME(f) f##_f64
#define TILE TILE_F64
#define TILE_IS_DOUBLE
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10
#define ROUNDER 6755399441055744.0 /* 1.5 * 2^52 */
#define EXPONENT 52
#define BIAS 1023
#define LEAST_EXP -800.0
#define FLAT -50.0
#define TINIEST 2.2250738585072014e-308
#include "rows_body.h"
#undef TILE_IS_DOUBLE
#undef REAL
#undef INT
#undef NAME
#undef TILE
#undef LN2_HIGH
#undef LN2_LOW
#undef ROUNDER
#undef EXPONENT
#undef BIAS
#undef LEAST_EXP
#undef FLAT
#undef TINIEST

#endif
