/* The register tile: inner products of a block of points with a packed panel, and something done with
 * each product before it ever leaves the registers (see docs/kernels.md, "The tile").
 *
 * This is the one piece of C in the library. Cython cannot name vector registers, and a tile that
 * spills its accumulators runs at a third of the speed; everything around it is Cython.
 *
 * Layout. A tile holds TILE points, transposed: xt[f * TILE + l] is feature f of point l, so that the
 * points lie in the lanes. A panel holds centres in groups of PANEL: panel[(g * d + f) * PANEL + r] is
 * feature f of centre g * PANEL + r. Every lane runs the same operations in the same order whatever
 * its neighbours are, so a point's result does not depend on the tile that it sits in.
 */
#ifndef CLINFA_TILE_H
#define CLINFA_TILE_H

#include <stddef.h>
#include <stdint.h>
#include <math.h>

#if defined(__AVX512F__) && defined(__AVX512DQ__)
  #include <immintrin.h>
  #define VBYTES 64
  #define NV 4               /* vectors of points   } NV * NR accumulators, plus NV points and one */
  #define PANEL 6            /* centres in a group  } broadcast, fill the register file            */
#elif defined(__AVX2__)
  #include <immintrin.h>
  #define VBYTES 32
  #define NV 2
  #define PANEL 6
#elif defined(__aarch64__)
  #define VBYTES 16
  #define NV 4
  #define PANEL 6
#else
  #define VBYTES 16
  #define NV 2
  #define PANEL 4
#endif

#if NV == 4
  #define EACH_V(M) M(0) M(1) M(2) M(3)
  #define EACH_RV(M, r) M(r, 0) M(r, 1) M(r, 2) M(r, 3)
#else
  #define EACH_V(M) M(0) M(1)
  #define EACH_RV(M, r) M(r, 0) M(r, 1)
#endif
#if PANEL == 6
  #define EACH_R(M) M(0) M(1) M(2) M(3) M(4) M(5)
#else
  #define EACH_R(M) M(0) M(1) M(2) M(3)
#endif

#define MOST_KTH 64         /* (see tile_scores) */

#define REAL float
#define INT int32_t
#define NAME(f) f##_f32
#define TILE TILE_F32
#define TILE_F32 (NV * VBYTES / 4)
#include "tile_body.h"
#undef REAL
#undef INT
#undef NAME
#undef TILE

#define REAL double
#define INT int64_t
#define NAME(f) f##_f64
#define TILE TILE_F64
#define TILE_F64 (NV * VBYTES / 8)
#define TILE_IS_DOUBLE
#include "tile_body.h"
#undef TILE_IS_DOUBLE
#undef REAL
#undef INT
#undef NAME
#undef TILE

/* Which of `count` <= 64 points have slack no greater than the room of their label, as bits. */
static inline uint64_t unsettled(
    const float *restrict slack, const int32_t *restrict labels, const float *restrict room,
    ptrdiff_t k, ptrdiff_t count)
{
    uint64_t bits = 0;
#if VBYTES == 64
    __m512 low = _mm512_maskz_loadu_ps(k >= 16 ? 0xffff : (__mmask16)((1u << k) - 1), room);
    for (ptrdiff_t l = 0; l < count; l += 16) {
        __mmask16 m = count - l >= 16 ? 0xffff : (__mmask16)((1u << (count - l)) - 1);
        __m512i a = _mm512_maskz_loadu_epi32(m, labels + l);
        __m512 r = k <= 16 ? _mm512_permutexvar_ps(a, low) : _mm512_mask_i32gather_ps(low, m, a, room, 4);
        bits |= (uint64_t)_mm512_mask_cmp_ps_mask(m, _mm512_maskz_loadu_ps(m, slack + l), r, _CMP_LE_OQ) << l;
    }
#else
    (void)k;
    unsigned char hit[64];
    for (ptrdiff_t l = 0; l < count; l++) hit[l] = slack[l] <= room[labels[l]];
    for (ptrdiff_t l = 0; l < count; l++) bits |= (uint64_t)hit[l] << l;
#endif
    return bits;
}

#define lowest_bit(bits) __builtin_ctzll(bits)

#endif
