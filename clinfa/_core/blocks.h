/* Products of tall blocks: A^T B summed over rows, and A C with C small (see docs/kernels.md, "Blocks").
 *
 * Both hold BLOCK_R x BLOCK_V vectors of the result in registers. For A^T B a chunk of BLOCK_ROWS rows is
 * packed first (shift subtracted, weights multiplied in, ragged columns filled with zeros) into columns of
 * one vector's width: packed[(v * BLOCK_ROWS + i) * LANES + l] is column v * LANES + l of row i. Packing is
 * a d-th of the work, and what the tiles then read lies without gaps.
 */
#ifndef CLINFA_BLOCKS_H
#define CLINFA_BLOCKS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__) && defined(__AVX512DQ__)
  #include <immintrin.h>
  #define BLOCK_BYTES 64
  #define BLOCK_R 8          /* rows of the result held at a time } BLOCK_R * BLOCK_V accumulators, BLOCK_V */
  #define BLOCK_V 3          /* vectors of each                   } operands and a broadcast fill the file */
#elif defined(__AVX2__)
  #define BLOCK_BYTES 32
  #define BLOCK_R 4
  #define BLOCK_V 3
#elif defined(__aarch64__)
  #define BLOCK_BYTES 16
  #define BLOCK_R 8
  #define BLOCK_V 3
#else
  #define BLOCK_BYTES 16
  #define BLOCK_R 4
  #define BLOCK_V 3
#endif

#define BLOCK_PACKED 8192    /* bytes of one packed column: three of them and one more stay in the first cache */

#define REAL float
#define DATA float
#define INT int32_t
#define NAME(f) f##_f32
#define OWN_TYPE
#include "blocks_body.h"
#undef OWN_TYPE
#undef REAL
#undef DATA
#undef INT
#undef NAME

#define REAL double
#define DATA double
#define INT int64_t
#define NAME(f) f##_f64
#define OWN_TYPE
#define BLOCK_IS_DOUBLE
#include "blocks_body.h"
#undef OWN_TYPE
#undef DATA
#undef NAME

#define DATA float            /* float data, products in double */
#define NAME(f) f##_wide
#include "blocks_body.h"
#undef BLOCK_IS_DOUBLE
#undef REAL
#undef DATA
#undef INT
#undef NAME

/* Copy the lower triangle of a (n, stride) matrix to its upper one, in squares that stay in the cache. */
static inline void block_mirror(double *g, ptrdiff_t n, ptrdiff_t stride)
{
    for (ptrdiff_t i0 = 0; i0 < n; i0 += 32)
        for (ptrdiff_t j0 = 0; j0 <= i0; j0 += 32)
            for (ptrdiff_t i = i0; i < n && i < i0 + 32; i++)
                for (ptrdiff_t j = j0; j < i && j < j0 + 32; j++)
                    g[j * stride + i] = g[i * stride + j];
}

#endif
