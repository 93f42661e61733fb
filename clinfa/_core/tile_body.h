/* Included twice by tile.h, once for float and once for double. */

typedef REAL NAME(vec) __attribute__((vector_size(VBYTES)));
typedef REAL NAME(vecu) __attribute__((vector_size(VBYTES), aligned(sizeof(REAL))));
typedef INT NAME(ivec) __attribute__((vector_size(VBYTES)));
typedef INT NAME(ivecu) __attribute__((vector_size(VBYTES), aligned(sizeof(REAL))));
#define VEC NAME(vec)
#define VECU NAME(vecu)
#define IVEC NAME(ivec)
#define IVECU NAME(ivecu)
#define LANES ((ptrdiff_t)(VBYTES / sizeof(REAL)))
#define LOAD(p) ((VEC)*(const VECU *)(p))
#define STORE(p, v) (*(VECU *)(p) = (VECU)(v))
#define SPLAT(c) ((c) - (VEC){0})

/* if (s > b) { b = s; a = j; } lane by lane, in the way each ISA does it best */
#if VBYTES == 64 && !defined(TILE_IS_DOUBLE)
  #define KEEP_GREATER(s, b, a, j) do {                                            \
      __mmask16 m = _mm512_cmp_ps_mask((__m512)(s), (__m512)(b), _CMP_GT_OQ);      \
      (b) = (VEC)_mm512_max_ps((__m512)(s), (__m512)(b));                          \
      (a) = (IVEC)_mm512_mask_mov_epi32((__m512i)(a), m, (__m512i)(j)); } while (0)
  #define VMIN(p, q) ((VEC)_mm512_min_ps((__m512)(p), (__m512)(q)))
  #define VMAX(p, q) ((VEC)_mm512_max_ps((__m512)(p), (__m512)(q)))
#elif VBYTES == 64
  #define KEEP_GREATER(s, b, a, j) do {                                            \
      __mmask8 m = _mm512_cmp_pd_mask((__m512d)(s), (__m512d)(b), _CMP_GT_OQ);     \
      (b) = (VEC)_mm512_max_pd((__m512d)(s), (__m512d)(b));                        \
      (a) = (IVEC)_mm512_mask_mov_epi64((__m512i)(a), m, (__m512i)(j)); } while (0)
  #define VMIN(p, q) ((VEC)_mm512_min_pd((__m512d)(p), (__m512d)(q)))
  #define VMAX(p, q) ((VEC)_mm512_max_pd((__m512d)(p), (__m512d)(q)))
#elif VBYTES == 32 && !defined(TILE_IS_DOUBLE)
  #define KEEP_GREATER(s, b, a, j) do {                                            \
      __m256 m = _mm256_cmp_ps((__m256)(s), (__m256)(b), _CMP_GT_OQ);              \
      (b) = (VEC)_mm256_max_ps((__m256)(s), (__m256)(b));                          \
      (a) = (IVEC)_mm256_blendv_ps((__m256)(a), (__m256)(j), m); } while (0)
  #define VMIN(p, q) ((VEC)_mm256_min_ps((__m256)(p), (__m256)(q)))
  #define VMAX(p, q) ((VEC)_mm256_max_ps((__m256)(p), (__m256)(q)))
#elif VBYTES == 32
  #define KEEP_GREATER(s, b, a, j) do {                                            \
      __m256d m = _mm256_cmp_pd((__m256d)(s), (__m256d)(b), _CMP_GT_OQ);           \
      (b) = (VEC)_mm256_max_pd((__m256d)(s), (__m256d)(b));                        \
      (a) = (IVEC)_mm256_blendv_pd((__m256d)(a), (__m256d)(j), m); } while (0)
  #define VMIN(p, q) ((VEC)_mm256_min_pd((__m256d)(p), (__m256d)(q)))
  #define VMAX(p, q) ((VEC)_mm256_max_pd((__m256d)(p), (__m256d)(q)))
#else
  #define PICK(m, p, q) ((VEC)(((IVEC)(p) & (m)) | ((IVEC)(q) & ~(m))))
  #define KEEP_GREATER(s, b, a, j) do {                                            \
      IVEC m = (IVEC)((s) > (b));                                                  \
      (b) = PICK(m, s, b);                                                         \
      (a) = ((j) & m) | ((a) & ~m); } while (0)
  #define VMIN(p, q) PICK((IVEC)((p) < (q)), p, q)
  #define VMAX(p, q) PICK((IVEC)((p) > (q)), p, q)
#endif

/* Transpose TILE rows into the lanes as (x - shift) * scale. rows[l] is the l-th row's number, or the
 * rows are consecutive from `first` where rows is NULL; `count` of them are real and the others repeat
 * the last one, so that no lane ever holds rubbish. norms[l] (if asked for) is the squared norm. */
static inline void NAME(tile_pack)(
    const REAL *restrict X,       /* in   (n, d) */
    ptrdiff_t d,
    const int32_t *restrict rows, /* in   (count) or NULL */
    ptrdiff_t first, ptrdiff_t count,
    const REAL *restrict shift,   /* in   (d) */
    REAL scale,
    REAL *restrict xt,            /* out  (d, TILE) */
    REAL *restrict norms)         /* out  (TILE) or NULL */
{
    const REAL *row[TILE];
    for (ptrdiff_t l = 0; l < TILE; l++) {
        ptrdiff_t i = l < count ? l : count - 1;
        row[l] = X + (rows ? (ptrdiff_t)rows[i] : first + i) * d;
    }
    ptrdiff_t f = 0;
    for (; f + 4 <= d; f += 4)
        for (ptrdiff_t l = 0; l < TILE; l++) {
            const REAL *p = row[l] + f;
            REAL *q = xt + f * TILE + l;
            q[0] = p[0];
            q[TILE] = p[1];
            q[2 * TILE] = p[2];
            q[3 * TILE] = p[3];
        }
    for (; f < d; f++)
        for (ptrdiff_t l = 0; l < TILE; l++)
            xt[f * TILE + l] = row[l][f];

#define DECLARE(v) VEC n##v = {0};
#define CENTRE(v) VEC x##v = (LOAD(p + v * LANES) - m) * scale; STORE(p + v * LANES, x##v); n##v += x##v * x##v;
#define KEEP(v) STORE(norms + v * LANES, n##v);
    EACH_V(DECLARE)
    for (f = 0; f < d; f++) {
        REAL *p = xt + f * TILE;
        VEC m = SPLAT(shift[f]);
        EACH_V(CENTRE)
    }
    if (norms) { EACH_V(KEEP) }
#undef DECLARE
#undef CENTRE
#undef KEEP
}

#define ZERO_ACC(r, v) acc##r##v = h##r;
#define LOAD_X(v) VEC x##v = LOAD(x + v * LANES);
#define MULADD(r, v) acc##r##v += x##v * c##r;
#define ROW_START(r) VEC h##r = SPLAT(-half_sq[g * PANEL + r]); VEC EACH_RV(ACC_NAME, r) acc##r##_; (void)acc##r##_; EACH_RV(ZERO_ACC, r)
#define ACC_NAME(r, v) acc##r##v,
#define ROW_STEP(r) VEC c##r = SPLAT(p[r]); EACH_RV(MULADD, r)
#define BEST_INIT(v) VEC b##v = SPLAT((REAL)-INFINITY), s##v = b##v; IVEC a##v = {0};
#define TOP1(r, v) KEEP_GREATER(acc##r##v, b##v, a##v, j);
#define TOP2(r, v) s##v = VMAX(s##v, VMIN(b##v, acc##r##v)); KEEP_GREATER(acc##r##v, b##v, a##v, j);
#define ROW_TOP1(r) { IVEC j = (INT)(g * PANEL + r) - (IVEC){0}; EACH_RV(TOP1, r) }
#define ROW_TOP2(r) { IVEC j = (INT)(g * PANEL + r) - (IVEC){0}; EACH_RV(TOP2, r) }
#define BEST_OUT(v) STORE(best + v * LANES, b##v); *(IVECU *)(arg + v * LANES) = (IVECU)a##v;
#define SECOND_OUT(v) STORE(second + v * LANES, s##v);
#define PRODUCTS                                    \
        EACH_R(ROW_START)                           \
        for (ptrdiff_t f = 0; f < d; f++) {         \
            const REAL *x = xt + f * TILE;          \
            EACH_V(LOAD_X)                          \
            EACH_R(ROW_STEP)                        \
            p += PANEL;                             \
        }

/* For each lane the centre with the greatest score x.c - |c|^2 / 2, which is the nearest one; the
 * lowest number wins ties. Padding centres carry half_sq = +inf and never win. */
static inline void NAME(tile_top1)(
    const REAL *restrict xt,      /* in   (d, TILE) */
    const REAL *restrict panel,   /* in   (groups, d, PANEL) */
    const REAL *restrict half_sq, /* in   (groups * PANEL) */
    ptrdiff_t d, ptrdiff_t groups,
    REAL *restrict best,          /* out  (TILE) */
    INT *restrict arg)            /* out  (TILE) */
{
    const REAL *p = panel;
    EACH_V(BEST_INIT)
    for (ptrdiff_t g = 0; g < groups; g++) {
        PRODUCTS
        EACH_R(ROW_TOP1)
    }
    EACH_V(BEST_OUT)
#define UNUSED(v) (void)s##v;
    EACH_V(UNUSED)
#undef UNUSED
}

/* The same, with the second greatest score as well. */
static inline void NAME(tile_top2)(
    const REAL *restrict xt, const REAL *restrict panel, const REAL *restrict half_sq,
    ptrdiff_t d, ptrdiff_t groups,
    REAL *restrict best, REAL *restrict second, INT *restrict arg)
{
    const REAL *p = panel;
    EACH_V(BEST_INIT)
    for (ptrdiff_t g = 0; g < groups; g++) {
        PRODUCTS
        EACH_R(ROW_TOP2)
    }
    EACH_V(BEST_OUT)
    EACH_V(SECOND_OUT)
}

/* Squared distances of the tile's points to one group of centres, by differences: exact zeros for
 * equal points, no cancellation. out[r * TILE + l]. */
#define DIFF_ZERO(r, v) acc##r##v = (VEC){0};
#define DIFF_START(r) VEC EACH_RV(ACC_NAME, r) acc##r##_; (void)acc##r##_; EACH_RV(DIFF_ZERO, r)
#define DIFF_ADD(r, v) { VEC t = x##v - c##r; acc##r##v += t * t; }
#define DIFF_STEP(r) { VEC c##r = SPLAT(p[r]); EACH_RV(DIFF_ADD, r) }
#define DIFF_PUT(r, v) STORE(out + r * TILE + v * LANES, acc##r##v);
#define DIFF_OUT(r) EACH_RV(DIFF_PUT, r)
static inline void NAME(tile_sqdist)(
    const REAL *restrict xt,      /* in   (d, TILE) */
    const REAL *restrict panel,   /* in   (d, PANEL) */
    ptrdiff_t d,
    REAL *restrict out)           /* out  (PANEL, TILE) */
{
    const REAL *p = panel;
    EACH_R(DIFF_START)
    for (ptrdiff_t f = 0; f < d; f++) {
        const REAL *x = xt + f * TILE;
        EACH_V(LOAD_X)
        EACH_R(DIFF_STEP)
        p += PANEL;
    }
    EACH_R(DIFF_OUT)
}

/* |(x - shift) * scale - c|^2 of two rows, with a fixed order of additions. */
static inline REAL NAME(sq_distance)(
    const REAL *restrict x, const REAL *restrict shift, REAL scale, const REAL *restrict c, ptrdiff_t d)
{
    VEC acc = {0};
    ptrdiff_t f = 0;
    for (; f + LANES <= d; f += LANES) {
        VEC t = (LOAD(x + f) - LOAD(shift + f)) * scale - LOAD(c + f);
        acc += t * t;
    }
    REAL total = 0;
    for (ptrdiff_t l = 0; l < LANES; l++) total += acc[l];
    for (; f < d; f++) {
        REAL t = (x[f] - shift[f]) * scale - c[f];
        total += t * t;
    }
    return total;
}

#undef VEC
#undef VECU
#undef IVEC
#undef IVECU
#undef LANES
#undef LOAD
#undef STORE
#undef SPLAT
#undef KEEP_GREATER
#undef VMIN
#undef VMAX
#undef PICK
#undef ZERO_ACC
#undef LOAD_X
#undef MULADD
#undef ROW_START
#undef ACC_NAME
#undef ROW_STEP
#undef BEST_INIT
#undef TOP1
#undef TOP2
#undef ROW_TOP1
#undef ROW_TOP2
#undef BEST_OUT
#undef SECOND_OUT
#undef PRODUCTS
#undef DIFF_ZERO
#undef DIFF_START
#undef DIFF_ADD
#undef DIFF_STEP
#undef DIFF_PUT
#undef DIFF_OUT
