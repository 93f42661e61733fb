/* Sequential minimal optimisation on one block of variables, in vectors (docs/kernels.md, "SMO").
 *
 * maximise  v'b - b'K b / 2   with  low <= b <= high  and the sum of b fixed in each group of variables.
 * The gradient is g = v - K b. `up` is 0 where b may grow and -inf where it is at `high`; `down` is 0 where b may shrink
 * and +inf where it is at `low`: so the best to grow is the greatest g + up, and no pass has a branch for a variable.
 */
#ifndef CLINFA_SMO_H
#define CLINFA_SMO_H

#include <math.h>
#include <string.h>
#include "rows.h"

#define SMO_LANES (VBYTES / 8)
#define LEAST_CURVATURE 1e-12   /* stands for a curvature that is not positive */

typedef double smo_vec __attribute__((vector_size(VBYTES)));
typedef double smo_vecu __attribute__((vector_size(VBYTES), aligned(8)));
typedef float smo_half __attribute__((vector_size(VBYTES / 2)));
typedef float smo_halfu __attribute__((vector_size(VBYTES / 2), aligned(4)));
typedef int64_t smo_bits __attribute__((vector_size(VBYTES)));

#define SMO_AT(p) ((smo_vec)*(const smo_vecu *)(p))
#define SMO_PUT(p, v) (*(smo_vecu *)(p) = (smo_vecu)(v))
#if VBYTES == 64
  typedef __mmask8 smo_mask;
  #define SMO_ABOVE(a, b) _mm512_cmp_pd_mask((__m512d)(a), (__m512d)(b), _CMP_GT_OQ)
  #define SMO_PICK(m, a, b) ((smo_vec)_mm512_mask_blend_pd(m, (__m512d)(b), (__m512d)(a)))
  #define SMO_BOTH(m, n) ((smo_mask)((m) & (n)))
#else
  typedef smo_bits smo_mask;
  #define SMO_ABOVE(a, b) ((smo_bits)((a) > (b)))
  #define SMO_PICK(m, a, b) ((smo_vec)(((smo_bits)(a) & (m)) | ((smo_bits)(b) & ~(m))))
  #define SMO_BOTH(m, n) ((m) & (n))
#endif
#define SMO_SPLAT(x) ((double)(x) - (smo_vec){0})

static inline smo_vec smo_row_f32(const float *p) { return __builtin_convertvector((smo_half)*(const smo_halfu *)p, smo_vec); }
static inline smo_vec smo_row_f64(const double *p) { return SMO_AT(p); }

/* The greatest of the lanes, and the least place among those that have it. */
static inline double smo_greatest(smo_vec value, smo_vec place, int64_t *at)
{
    double best = -INFINITY, where = 0;
    for (int l = 0; l < SMO_LANES; l++)
        if (value[l] > best || (value[l] == best && place[l] < where)) {
            best = value[l];
            where = place[l];
        }
    *at = (int64_t)where;
    return best;
}

typedef struct {
    double most, least;   /* the greatest g + up, the least g + down */
    int64_t grow;         /* where the greatest is */
} smo_ends;

/* The ends of a group as it is. */
static inline smo_ends smo_find(
    ptrdiff_t begin, ptrdiff_t end, const double *restrict g, const double *restrict up, const double *restrict down)
{
    smo_ends out = {-INFINITY, INFINITY, begin};
    for (ptrdiff_t k = begin; k < end; k++) {
        double a = g[k] + up[k], b = g[k] + down[k];
        if (a != a) out.most = a; /* (what is no number stays) */
        if (a > out.most) {
            out.most = a;
            out.grow = k;
        }
        if (b < out.least) out.least = b;
    }
    return out;
}

/* Coefficients, the threshold of each group (the mean gradient of its free variables, else the middle of what is
 * allowed), and the objective, from the state of a whole problem. */
static void smo_end(
    const double *state, ptrdiff_t m, ptrdiff_t split, ptrdiff_t width, const double *v,
    double *b, double *thresholds, double *objective)
{
    ptrdiff_t shift = (split + SMO_LANES - 1) / SMO_LANES * SMO_LANES - split, begin = 0;
    *objective = 0;
    for (int p = 0; p < 2; p++) {
        ptrdiff_t end = p ? m : split, count = 0;
        double total = 0, most = -INFINITY, least = INFINITY;
        for (ptrdiff_t i = begin; i < end; i++) {
            ptrdiff_t at = i < split ? i : i + shift;
            double g = state[at], own = state[3 * width + at];
            int may_grow = own < state[5 * width + at], may_shrink = own > state[4 * width + at];
            b[i] = own;
            *objective += 0.5 * own * (v[i] + g);
            if (may_grow && may_shrink) {
                total += g;
                count++;
            }
            if (may_grow && g > most) most = g;
            if (may_shrink && g < least) least = g;
        }
        if (count) thresholds[p] = total / (double)count;
        else if (isfinite(most) && isfinite(least)) thresholds[p] = (most + least) / 2;
        else thresholds[p] = isfinite(most) ? most : isfinite(least) ? least : 0;
        begin = end;
    }
}

#define REAL float
#define NAME(f) f##_f32
#define TILE TILE_F32
#include "smo_body.h"
#undef REAL
#undef NAME
#undef TILE
#define REAL double
#define NAME(f) f##_f64
#define TILE TILE_F64
#include "smo_body.h"
#undef REAL
#undef NAME
#undef TILE

#endif
