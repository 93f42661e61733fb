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

/* The first `m` lanes from memory, zeros in the others; nothing beyond is touched. */
#if VBYTES == 64 && defined(TILE_IS_DOUBLE)
  #define LOAD_PART(p, m) ((VEC)_mm512_maskz_loadu_pd((__mmask8)((1u << (m)) - 1), p))
#elif VBYTES == 64
  #define LOAD_PART(p, m) ((VEC)_mm512_maskz_loadu_ps((__mmask16)((1u << (m)) - 1), p))
#else
  #define LOAD_PART(p, m) NAME(load_part)(p, m)
static inline VEC NAME(load_part)(const REAL *p, ptrdiff_t m)
{
    VEC v = {0};
    for (ptrdiff_t l = 0; l < m; l++) v[l] = p[l];
    return v;
}
#endif

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

/* 16 bytes of each of LANES rows, from feature f on, turned into 16 / sizeof(REAL) vectors. Row i + 4 q (i + 2 q
 * for double) goes to the q-th 128-bit part of vector i, so that unpacking inside the parts is all that is left. */
#define CHUNK ((ptrdiff_t)(16 / sizeof(REAL)))
#ifdef TILE_IS_DOUBLE
  #define PART(i, q) (rows[(i) + 2 * (q)] + f)
  #if VBYTES == 64
    #define LO(a, b) ((VEC)_mm512_unpacklo_pd((__m512d)(a), (__m512d)(b)))
    #define HI(a, b) ((VEC)_mm512_unpackhi_pd((__m512d)(a), (__m512d)(b)))
    #define GATHER(i) ((VEC)_mm512_insertf64x2(_mm512_insertf64x2(_mm512_insertf64x2(_mm512_castpd128_pd512( \
        _mm_loadu_pd(PART(i, 0))), _mm_loadu_pd(PART(i, 1)), 1), _mm_loadu_pd(PART(i, 2)), 2), _mm_loadu_pd(PART(i, 3)), 3))
  #elif VBYTES == 32
    #define LO(a, b) ((VEC)_mm256_unpacklo_pd((__m256d)(a), (__m256d)(b)))
    #define HI(a, b) ((VEC)_mm256_unpackhi_pd((__m256d)(a), (__m256d)(b)))
    #define GATHER(i) ((VEC)_mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(PART(i, 0))), _mm_loadu_pd(PART(i, 1)), 1))
  #else
    #define LO(a, b) __builtin_shuffle(a, b, (IVEC){0, 2})
    #define HI(a, b) __builtin_shuffle(a, b, (IVEC){1, 3})
    #define GATHER(i) LOAD(PART(i, 0))
  #endif
#else
  #define PART(i, q) (rows[(i) + 4 * (q)] + f)
  #if VBYTES == 64
    #define LO(a, b) ((VEC)_mm512_unpacklo_ps((__m512)(a), (__m512)(b)))
    #define HI(a, b) ((VEC)_mm512_unpackhi_ps((__m512)(a), (__m512)(b)))
    #define LO2(a, b) ((VEC)_mm512_unpacklo_pd((__m512d)(a), (__m512d)(b)))
    #define HI2(a, b) ((VEC)_mm512_unpackhi_pd((__m512d)(a), (__m512d)(b)))
    #define GATHER(i) ((VEC)_mm512_insertf32x4(_mm512_insertf32x4(_mm512_insertf32x4(_mm512_castps128_ps512( \
        _mm_loadu_ps(PART(i, 0))), _mm_loadu_ps(PART(i, 1)), 1), _mm_loadu_ps(PART(i, 2)), 2), _mm_loadu_ps(PART(i, 3)), 3))
  #elif VBYTES == 32
    #define LO(a, b) ((VEC)_mm256_unpacklo_ps((__m256)(a), (__m256)(b)))
    #define HI(a, b) ((VEC)_mm256_unpackhi_ps((__m256)(a), (__m256)(b)))
    #define LO2(a, b) ((VEC)_mm256_unpacklo_pd((__m256d)(a), (__m256d)(b)))
    #define HI2(a, b) ((VEC)_mm256_unpackhi_pd((__m256d)(a), (__m256d)(b)))
    #define GATHER(i) ((VEC)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(PART(i, 0))), _mm_loadu_ps(PART(i, 1)), 1))
  #else
    #define LO(a, b) __builtin_shuffle(a, b, (IVEC){0, 4, 1, 5})
    #define HI(a, b) __builtin_shuffle(a, b, (IVEC){2, 6, 3, 7})
    #define LO2(a, b) __builtin_shuffle(a, b, (IVEC){0, 1, 4, 5})
    #define HI2(a, b) __builtin_shuffle(a, b, (IVEC){2, 3, 6, 7})
    #define GATHER(i) LOAD(PART(i, 0))
  #endif
#endif
#define CENTRE(e, t) STORE(out + e * TILE, ((t) - shift[e]) * scale);

static inline void NAME(transpose)(
    const REAL *const *rows, ptrdiff_t f, const REAL *restrict shift, REAL scale, REAL *restrict out)
{
    VEC a = GATHER(0), b = GATHER(1);
#ifdef TILE_IS_DOUBLE
    CENTRE(0, LO(a, b))
    CENTRE(1, HI(a, b))
#else
    VEC c = GATHER(2), e = GATHER(3);
    VEC p = LO(a, b), q = LO(c, e), r = HI(a, b), s = HI(c, e);
    CENTRE(0, LO2(p, q))
    CENTRE(1, HI2(p, q))
    CENTRE(2, LO2(r, s))
    CENTRE(3, HI2(r, s))
#endif
}

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
    ptrdiff_t f;
    if (d < CHUNK) {
        for (f = 0; f < d; f++)
            for (ptrdiff_t l = 0; l < TILE; l++)
                xt[f * TILE + l] = row[l][f];
        f = d;
        for (ptrdiff_t e = 0; e < d; e++)
            for (ptrdiff_t l = 0; l < TILE; l++)
                xt[e * TILE + l] = (xt[e * TILE + l] - shift[e]) * scale;
    } else {
        /* CHUNK features of LANES rows at a time, 16 bytes of each row; the last chunk overlaps the one
         * before it where d is no multiple, and writes the same values again. */
        for (ptrdiff_t v = 0; v < NV; v++)
            for (f = 0;; f += CHUNK) {
                if (f > d - CHUNK) f = d - CHUNK;
                NAME(transpose)(row + v * LANES, f, shift + f, scale, xt + f * TILE + v * LANES);
                if (f == d - CHUNK) break;
            }
    }
    if (norms) {
#define DECLARE(v) VEC n##v = {0};
#define SQUARE(v) { VEC x = LOAD(xt + f * TILE + v * LANES); n##v += x * x; }
#define KEEP(v) STORE(norms + v * LANES, n##v);
        EACH_V(DECLARE)
        for (f = 0; f < d; f++) { EACH_V(SQUARE) }
        EACH_V(KEEP)
#undef DECLARE
#undef SQUARE
#undef KEEP
    }
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
#if PANEL == 6
  #define GREATEST_OF(v) VMAX(VMAX(VMAX(acc0##v, acc1##v), VMAX(acc2##v, acc3##v)), VMAX(acc4##v, acc5##v))
#else
  #define GREATEST_OF(v) VMAX(VMAX(acc0##v, acc1##v), VMAX(acc2##v, acc3##v))
#endif
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

/* Every (lane, centre) whose score is at least the lane's threshold, in order of the centres; how many
 * there are. Lanes stop being listed after `most` hits; `count` goes on. */
static inline ptrdiff_t NAME(tile_above)(
    const REAL *restrict xt, const REAL *restrict panel, const REAL *restrict half_sq,
    ptrdiff_t d, ptrdiff_t groups,
    const REAL *restrict threshold, /* in   (TILE) */
    int32_t most,
    int32_t *restrict count,        /* out  (TILE)            hits of each lane */
    int32_t *restrict lane,         /* out  (TILE * most)     */
    int32_t *restrict centre)       /* out  (TILE * most)     */
{
    const REAL *p = panel;
    ptrdiff_t hits = 0;
    for (ptrdiff_t l = 0; l < TILE; l++) count[l] = 0;
    REAL score[TILE];
#define LIMIT(v) VEC limit##v = LOAD(threshold + v * LANES);
#define ANY(r, v) any |= (IVEC)(acc##r##v >= limit##v);
#define SPILL(r, v) STORE(score + v * LANES, acc##r##v);
#define LIST(r) { IVEC any = {0}; EACH_RV(ANY, r)                                         \
        INT some[LANES]; *(IVECU *)some = (IVECU)any; INT flag = 0;                       \
        for (ptrdiff_t l = 0; l < LANES; l++) flag |= some[l];                            \
        if (flag) {                                                                       \
            EACH_RV(SPILL, r)                                                             \
            for (ptrdiff_t l = 0; l < TILE; l++)                                          \
                if (score[l] >= threshold[l] && count[l]++ < most) {                      \
                    lane[hits] = (int32_t)l;                                              \
                    centre[hits++] = (int32_t)(g * PANEL + r);                            \
                }                                                                         \
        } }
    EACH_V(LIMIT)
    for (ptrdiff_t g = 0; g < groups; g++) {
        PRODUCTS
        EACH_R(LIST)
    }
    return hits;
#undef LIMIT
#undef ANY
#undef SPILL
#undef LIST
}

/* Every (point of the panel, lane) whose score is at least the lane's limit, with the score; in order of the
 * points. Returns how many there are. */
#if VBYTES == 64 && !defined(TILE_IS_DOUBLE)
  #define HIT_BITS(r, v) ((uint64_t)_mm512_cmp_ps_mask((__m512)acc##r##v, (__m512)limit##v, _CMP_GE_OQ) << (v * LANES))
#elif VBYTES == 64
  #define HIT_BITS(r, v) ((uint64_t)_mm512_cmp_pd_mask((__m512d)acc##r##v, (__m512d)limit##v, _CMP_GE_OQ) << (v * LANES))
#elif VBYTES == 32 && !defined(TILE_IS_DOUBLE)
  #define HIT_BITS(r, v) ((uint64_t)_mm256_movemask_ps(_mm256_cmp_ps((__m256)acc##r##v, (__m256)limit##v, _CMP_GE_OQ)) << (v * LANES))
#elif VBYTES == 32
  #define HIT_BITS(r, v) ((uint64_t)_mm256_movemask_pd(_mm256_cmp_pd((__m256d)acc##r##v, (__m256d)limit##v, _CMP_GE_OQ)) << (v * LANES))
#else
  #define HIT_BITS(r, v) (NAME(mask_bits)((IVEC)(acc##r##v >= limit##v)) << (v * LANES))
static inline uint64_t NAME(mask_bits)(IVEC m)
{
    uint64_t out = 0;
    for (ptrdiff_t l = 0; l < LANES; l++) out |= (uint64_t)(m[l] & 1) << l;
    return out;
}
#endif
static inline ptrdiff_t NAME(tile_hits)(
    const REAL *restrict xt, const REAL *restrict panel, const REAL *restrict half_sq,
    ptrdiff_t d, ptrdiff_t groups,
    const REAL *restrict limit,   /* in   (TILE) */
    int32_t *restrict lane,       /* out  (groups * PANEL * TILE) */
    int32_t *restrict point,      /* out  (groups * PANEL * TILE) */
    REAL *restrict score)         /* out  (groups * PANEL * TILE) */
{
    const REAL *p = panel;
    ptrdiff_t hits = 0;
    REAL row[TILE];
#define LIMIT(v) VEC limit##v = LOAD(limit + v * LANES);
#define BITS(r, v) bits |= HIT_BITS(r, v);
#define SPILL(r, v) STORE(row + v * LANES, acc##r##v);
    /* Hits are rare: look first whether the greatest score of any lane is one. */
#define GREATEST(v) VEC acc9##v = GREATEST_OF(v); seen |= HIT_BITS(9, v);
#define LIST(r) { uint64_t bits = 0; EACH_RV(BITS, r)                                     \
        if (bits) {                                                                       \
            EACH_RV(SPILL, r)                                                             \
            for (; bits; bits &= bits - 1) {                                              \
                lane[hits] = __builtin_ctzll(bits);                                       \
                score[hits] = row[lane[hits]];                                            \
                point[hits++] = (int32_t)(g * PANEL + r);                                 \
            }                                                                             \
        } }
    EACH_V(LIMIT)
    for (ptrdiff_t g = 0; g < groups; g++) {
        uint64_t seen = 0;
        PRODUCTS
        EACH_V(GREATEST)
        if (seen) { EACH_R(LIST) }
    }
    return hits;
#undef GREATEST
#undef LIMIT
#undef BITS
#undef SPILL
#undef LIST
}

/* All scores, and the k-th greatest of every lane. */
static inline void NAME(tile_scores)(
    const REAL *restrict xt, const REAL *restrict panel, const REAL *restrict half_sq,
    ptrdiff_t d, ptrdiff_t groups, ptrdiff_t k,
    REAL *restrict out,           /* out  (groups * PANEL, TILE) */
    REAL *restrict kth)           /* out  (TILE) */
{
    const REAL *p = panel;
#define PUT(r, v) STORE(out + (g * PANEL + r) * TILE + v * LANES, acc##r##v);
#define ROW_PUT(r) EACH_RV(PUT, r)
    for (ptrdiff_t g = 0; g < groups; g++) {
        PRODUCTS
        EACH_R(ROW_PUT)
    }
#undef PUT
#undef ROW_PUT
    /* Each score sinks to its place in a sorted list, in all lanes at once and without a branch. */
    for (ptrdiff_t v = 0; v < NV; v++) {
        VEC list[MOST_KTH];
        for (ptrdiff_t j = 0; j < k; j++) list[j] = SPLAT((REAL)-INFINITY);
        for (ptrdiff_t i = 0; i < groups * PANEL; i++) {
            VEC x = LOAD(out + i * TILE + v * LANES);
            for (ptrdiff_t j = 0; j < k; j++) {
                VEC most = VMAX(list[j], x);
                x = VMIN(list[j], x);
                list[j] = most;
            }
        }
        STORE(kth + v * LANES, list[k - 1]);
    }
}

/* Those at least the lane's limit, as `tile_hits` lists them. */
static inline ptrdiff_t NAME(scores_hits)(
    const REAL *restrict scores, ptrdiff_t points, const REAL *restrict limit,
    int32_t *restrict lane, int32_t *restrict point, REAL *restrict score)
{
    ptrdiff_t hits = 0;
    for (ptrdiff_t i = 0; i < points; i++) {
        uint64_t bits = 0;
        const REAL *row = scores + i * TILE;
#define LOOK(v) { VEC acc0##v = LOAD(row + v * LANES), limit##v = LOAD(limit + v * LANES); bits |= HIT_BITS(0, v); }
        EACH_V(LOOK)
#undef LOOK
        for (; bits; bits &= bits - 1) {
            lane[hits] = __builtin_ctzll(bits);
            score[hits] = row[lane[hits]];
            point[hits++] = (int32_t)i;
        }
    }
    return hits;
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

/* The sum of the lanes, pairwise. */
static inline REAL NAME(add_lanes)(VEC v)
{
#if VBYTES == 64 && defined(TILE_IS_DOUBLE)
    return _mm512_reduce_add_pd((__m512d)v);
#elif VBYTES == 64
    return _mm512_reduce_add_ps((__m512)v);
#elif VBYTES == 32 && defined(TILE_IS_DOUBLE)
    __m128d h = _mm_add_pd(_mm256_castpd256_pd128((__m256d)v), _mm256_extractf128_pd((__m256d)v, 1));
    return h[0] + h[1];
#elif VBYTES == 32
    __m128 h = _mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
    return (h[0] + h[2]) + (h[1] + h[3]);
#else
    REAL total = 0;
    for (ptrdiff_t l = 0; l < LANES; l++) total += v[l];
    return total;
#endif
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
    if (f < d) {
        VEC t = (LOAD_PART(x + f, d - f) - LOAD_PART(shift + f, d - f)) * scale - LOAD_PART(c + f, d - f);
        acc += t * t;
    }
    return NAME(add_lanes)(acc);
}

/* row += w * (x - shift) * scale, in double. */
static inline void NAME(add_row)(
    double *restrict row, const REAL *restrict x, const REAL *restrict shift, double scale, double w, ptrdiff_t d)
{
#if VBYTES == 64
    /* (No masks: what a masked store wrote cannot be forwarded to the next point of the same centre.) */
    ptrdiff_t f = 0;
  #ifdef TILE_IS_DOUBLE
    #define WIDEN8(p) _mm512_loadu_pd(p)
    #define WIDEN2(p) _mm_loadu_pd(p)
  #else
    #define WIDEN8(p) _mm512_cvtps_pd(_mm256_loadu_ps(p))
    #define WIDEN2(p) _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(p))))
  #endif
    for (; f + 8 <= d; f += 8)
        _mm512_storeu_pd(row + f, _mm512_fmadd_pd(
            _mm512_mul_pd(_mm512_sub_pd(WIDEN8(x + f), WIDEN8(shift + f)), _mm512_set1_pd(scale)),
            _mm512_set1_pd(w), _mm512_loadu_pd(row + f)));
    for (; f + 2 <= d; f += 2)
        _mm_storeu_pd(row + f, _mm_fmadd_pd(
            _mm_mul_pd(_mm_sub_pd(WIDEN2(x + f), WIDEN2(shift + f)), _mm_set1_pd(scale)),
            _mm_set1_pd(w), _mm_loadu_pd(row + f)));
    if (f < d) row[f] += ((double)x[f] - (double)shift[f]) * scale * w;
    #undef WIDEN8
    #undef WIDEN2
#else
    for (ptrdiff_t f = 0; f < d; f++) row[f] += ((double)x[f] - (double)shift[f]) * scale * w;
#endif
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
#undef HIT_BITS
#undef GREATEST_OF
#undef DIFF_ZERO
#undef DIFF_START
#undef DIFF_ADD
#undef DIFF_STEP
#undef DIFF_PUT
#undef DIFF_OUT
#undef LOAD_PART
#undef CHUNK
#undef PART
#undef LO
#undef HI
#undef LO2
#undef HI2
#undef GATHER
#undef CENTRE
