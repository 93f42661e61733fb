/* Included twice by rows.h, once for float and once for double. */

#define VEC NAME(vec)
#define VECU NAME(vecu)
#define IVEC NAME(ivec)
#define LANES ((ptrdiff_t)(VBYTES / sizeof(REAL)))
#define LOAD(p) ((VEC)*(const VECU *)(p))
#define STORE(p, v) (*(VECU *)(p) = (VECU)(v))
#define SPLAT(c) ((REAL)(c) - (VEC){0})
#define ISPLAT(c) ((INT)(c) - (IVEC){0})
#define MAGNITUDE (~((INT)1 << (8 * sizeof(REAL) - 1)) - (IVEC){0})
/* The second argument where one is no number. */
#if VBYTES == 64 && defined(TILE_IS_DOUBLE)
  #define VMAX(p, q) ((VEC)_mm512_max_pd((__m512d)(p), (__m512d)(q)))
  #define VMIN(p, q) ((VEC)_mm512_min_pd((__m512d)(p), (__m512d)(q)))
#elif VBYTES == 64
  #define VMAX(p, q) ((VEC)_mm512_max_ps((__m512)(p), (__m512)(q)))
  #define VMIN(p, q) ((VEC)_mm512_min_ps((__m512)(p), (__m512)(q)))
#elif VBYTES == 32 && defined(TILE_IS_DOUBLE)
  #define VMAX(p, q) ((VEC)_mm256_max_pd((__m256d)(p), (__m256d)(q)))
  #define VMIN(p, q) ((VEC)_mm256_min_pd((__m256d)(p), (__m256d)(q)))
#elif VBYTES == 32
  #define VMAX(p, q) ((VEC)_mm256_max_ps((__m256)(p), (__m256)(q)))
  #define VMIN(p, q) ((VEC)_mm256_min_ps((__m256)(p), (__m256)(q)))
#else
  #define VMAX(p, q) BLEND((IVEC)((p) > (q)), p, q)
  #define VMIN(p, q) BLEND((IVEC)((p) < (q)), p, q)
#endif
#define BLEND(m, p, q) ((VEC)(((IVEC)(p) & (m)) | ((IVEC)(q) & ~(m))))
#define POWER_OF_TWO(n) ((VEC)(((n) + ISPLAT(BIAS)) << EXPONENT))

/* x = n ln 2 + r with |r| <= ln(2) / 2; e^r - 1 by its Taylor series, whose next term is below a tenth of the last
 * place. */
static inline VEC NAME(exp_parts)(VEC x, IVEC *n)
{
    VEC t = x * SPLAT(1.44269504088896340736) + SPLAT(ROUNDER);
    VEC whole = t - SPLAT(ROUNDER);
    VEC r = x - whole * SPLAT(LN2_HIGH);
    r -= whole * SPLAT(LN2_LOW);
    *n = (IVEC)t - (IVEC)SPLAT(ROUNDER);
    VEC r2 = r * r;
#ifdef TILE_IS_DOUBLE
    VEC r4 = r2 * r2, r8 = r4 * r4;
    VEC a = SPLAT(1.0 / 2) + r * SPLAT(1.0 / 6), b = SPLAT(1.0 / 24) + r * SPLAT(1.0 / 120);
    VEC c = SPLAT(1.0 / 720) + r * SPLAT(1.0 / 5040), e = SPLAT(1.0 / 40320) + r * SPLAT(1.0 / 362880);
    VEC g = SPLAT(1.0 / 3628800) + r * SPLAT(1.0 / 39916800), h = SPLAT(1.0 / 479001600) + r * SPLAT(1.0 / 6227020800);
    VEC q = (a + r2 * b) + r4 * (c + r2 * e) + r8 * (g + r2 * h);
#else
    VEC q = SPLAT(1.0 / 2) + r * (SPLAT(1.0 / 6) + r * (SPLAT(1.0 / 24) + r * (SPLAT(1.0 / 120)
        + r * (SPLAT(1.0 / 720) + r * SPLAT(1.0 / 5040)))));
#endif
    return r + r2 * q;
}

/* e^x, off by less than one unit in the last place; numbers too small to be normal, 0 and infinity come out too. */
static inline VEC NAME(vector_exp)(VEC x)
{
    IVEC n;
    x = VMIN(SPLAT(-LEAST_EXP), VMAX(SPLAT(LEAST_EXP), x));
    VEC y = 1 + NAME(exp_parts)(x, &n);
    /* (In two steps, none of which leaves the range before the result does.) */
    IVEC half = n >> 1;
    return y * POWER_OF_TWO(half) * POWER_OF_TWO(n - half);
}

/* tanh |x| = -u / (2 + u) with u = e^(-2|x|) - 1, exact to a few units in the last place about zero as well. */
static inline VEC NAME(vector_tanh)(VEC x)
{
    IVEC n, sign = (IVEC)x & ~MAGNITUDE;
    VEC y = VMAX(SPLAT(FLAT), -2 * (VEC)((IVEC)x & MAGNITUDE));
    VEC p = NAME(exp_parts)(y, &n), two_n = POWER_OF_TWO(n);
    VEC u = p * two_n + (two_n - 1);
    return (VEC)(((IVEC)(u / (u + 2)) & MAGNITUDE) | sign);
}

static inline VEC NAME(vector_power)(VEC x, ptrdiff_t n)
{
    VEC out = SPLAT(1);
    for (ptrdiff_t m = n < 0 ? -n : n; m; m >>= 1) {
        if (m & 1) out *= x;
        x *= x;
    }
    return n < 0 ? 1 / out : out;
}

/* A function of `count` sums, a multiple of LANES, in place. */
static inline void NAME(finish)(int function, REAL gamma, REAL coef, double degree, REAL *restrict s, ptrdiff_t count)
{
    switch (function) {
    case DECAY:
        for (ptrdiff_t i = 0; i < count; i += LANES) STORE(s + i, NAME(vector_exp)(-gamma * LOAD(s + i)));
        break;
    case POWER:
        if (degree == (double)(ptrdiff_t)degree && fabs(degree) <= MOST_SQUARING)
            for (ptrdiff_t i = 0; i < count; i += LANES)
                STORE(s + i, NAME(vector_power)(gamma * LOAD(s + i) + coef, (ptrdiff_t)degree));
        else
            for (ptrdiff_t i = 0; i < count; i++) s[i] = (REAL)pow((double)(gamma * s[i] + coef), degree);
        break;
    case TANGENT:
        for (ptrdiff_t i = 0; i < count; i += LANES) STORE(s + i, NAME(vector_tanh)(gamma * LOAD(s + i) + coef));
        break;
    case ROOT:
        for (ptrdiff_t i = 0; i < count; i++) s[i] = (REAL)sqrt(s[i]);
        break;
    case ANGLE:
        for (ptrdiff_t i = 0; i < count; i += LANES)
            STORE(s + i, VMIN(SPLAT(2), VMAX(SPLAT(0), 1 - LOAD(s + i))));
        break;
    default:
        if (gamma != 1 || coef != 0)
            for (ptrdiff_t i = 0; i < count; i += LANES) STORE(s + i, gamma * LOAD(s + i) + coef);
    }
}

/* out[r * TILE + l] = sum over the columns of something of row r and point l */
#define LOAD_X(v) VEC x##v = LOAD(x + v * LANES);
#define ACC_NAME(r, v) acc##r##v,
#define ACC_ZERO(r, v) acc##r##v = (VEC){0};
#define START(r) VEC EACH_RV(ACC_NAME, r) acc##r##_; (void)acc##r##_; EACH_RV(ACC_ZERO, r)
#define PUT(r, v) STORE(out + r * TILE + v * LANES, acc##r##v);
#define OUT(r) EACH_RV(PUT, r)
#define MORE(r, v) STORE(out + r * TILE + v * LANES, LOAD(out + r * TILE + v * LANES) + acc##r##v);
#define OUT_MORE(r) EACH_RV(MORE, r)
#define SUMS(STEP)                                                          \
    const REAL *p = panel;                                                  \
    for (ptrdiff_t begin = 0; begin < d; begin += RUN) {                    \
        ptrdiff_t end = begin + RUN < d ? begin + RUN : d;                  \
        EACH_R(START)                                                       \
        for (ptrdiff_t f = begin; f < end; f++) {                           \
            const REAL *x = xt + f * TILE;                                  \
            EACH_V(LOAD_X)                                                  \
            EACH_R(STEP)                                                    \
            p += PANEL;                                                     \
        }                                                                   \
        if (begin == 0) { EACH_R(OUT) } else { EACH_R(OUT_MORE) }           \
    }
#define OF_GROUP                                              \
    const REAL *restrict xt,    /* in   (d, TILE)  */         \
    const REAL *restrict panel, /* in   (d, PANEL) */         \
    ptrdiff_t d,                                              \
    REAL *restrict out          /* out  (PANEL, TILE) */

#define ADD_PRODUCT(r, v) acc##r##v += x##v * c##r;
#define ADD_SQUARE(r, v) { VEC t = x##v - c##r; acc##r##v += t * t; }
#define ADD_CITY(r, v) { VEC t = x##v - c##r; acc##r##v += (VEC)((IVEC)t & MAGNITUDE); }
#define ADD_CHI(r, v) { VEC t = x##v - c##r; acc##r##v += t * t / VMAX(x##v + c##r, SPLAT(TINIEST)); }
#define ADD_KNOWN(r, v) { VEC t = x##v - c##r; acc##r##v += (VEC)((IVEC)(t * t) & (IVEC)(t == t)); }
#define STEP_PRODUCT(r) { VEC c##r = SPLAT(p[r]); EACH_RV(ADD_PRODUCT, r) }
#define STEP_SQUARE(r) { VEC c##r = SPLAT(p[r]); EACH_RV(ADD_SQUARE, r) }
#define STEP_CITY(r) { VEC c##r = SPLAT(p[r]); EACH_RV(ADD_CITY, r) }
#define STEP_CHI(r) { VEC c##r = SPLAT(p[r]); EACH_RV(ADD_CHI, r) }
#define STEP_KNOWN(r) { VEC c##r = SPLAT(p[r]); EACH_RV(ADD_KNOWN, r) }

static inline void NAME(products)(OF_GROUP) { SUMS(STEP_PRODUCT) }
static inline void NAME(squares)(OF_GROUP) { SUMS(STEP_SQUARE) }
static inline void NAME(cities)(OF_GROUP) { SUMS(STEP_CITY) }
static inline void NAME(chis)(OF_GROUP) { SUMS(STEP_CHI) }
static inline void NAME(known_squares)(OF_GROUP) { SUMS(STEP_KNOWN) }

/* Squared distances from inner products, which take half the time; where two lie nearer to one another than to the
 * origin, so that digits would cancel, by differences. Norms are sums in the order of the products, so that equal
 * points are at distance zero either way. */
static inline void NAME(mended_squares)(
    const REAL *restrict xt, const REAL *restrict panel, ptrdiff_t d,
    const REAL *restrict norms,      /* in   (TILE)  */
    const REAL *restrict row_norms,  /* in   (PANEL) */
    REAL *restrict apart,            /* scratch (PANEL, TILE) */
    REAL *restrict out)              /* out  (PANEL, TILE) */
{
    IVEC any = {0};
    NAME(products)(xt, panel, d, out);
    for (ptrdiff_t r = 0; r < PANEL; r++)
        for (ptrdiff_t l = 0; l < TILE; l += LANES) {
            VEC both = LOAD(norms + l) + row_norms[r], s = both - 2 * LOAD(out + r * TILE + l);
            any |= ~(IVEC)(s >= both / 8);
            STORE(out + r * TILE + l, s);
        }
    INT flags[LANES], flag = 0;
    memcpy(flags, &any, sizeof any);
    for (ptrdiff_t l = 0; l < LANES; l++) flag |= flags[l];
    if (!flag) return;
    NAME(squares)(xt, panel, d, apart);
    for (ptrdiff_t r = 0; r < PANEL; r++)
        for (ptrdiff_t l = 0; l < TILE; l += LANES) {
            VEC both = LOAD(norms + l) + row_norms[r], s = LOAD(out + r * TILE + l);
            STORE(out + r * TILE + l, BLEND((IVEC)(s >= both / 8), s, LOAD(apart + r * TILE + l)));
        }
}

/* The squared norms of the TILE points of a tile, in the order of `products`. */
static inline void NAME(tile_norms)(const REAL *restrict xt, ptrdiff_t d, REAL *restrict norms)
{
    for (ptrdiff_t l = 0; l < TILE; l += LANES) {
        VEC total = {0};
        for (ptrdiff_t begin = 0; begin < d; begin += RUN) {
            VEC acc = {0};
            for (ptrdiff_t f = begin; f < begin + RUN && f < d; f++) {
                VEC x = LOAD(xt + f * TILE + l);
                acc += x * x;
            }
            total += acc;
        }
        STORE(norms + l, total);
    }
}

/* And of PANEL rows, by the same operations: so rows in vectors here, too. (Reads LANES values beyond the last.) */
static inline void NAME(panel_norms)(const REAL *restrict panel, ptrdiff_t d, REAL *restrict norms)
{
    for (ptrdiff_t r = 0; r < PANEL; r += LANES) {
        REAL lanes[LANES];
        VEC total = {0};
        for (ptrdiff_t begin = 0; begin < d; begin += RUN) {
            VEC acc = {0};
            for (ptrdiff_t f = begin; f < begin + RUN && f < d; f++) {
                VEC x = LOAD(panel + f * PANEL + r);
                acc += x * x;
            }
            total += acc;
        }
        STORE(lanes, total);
        for (ptrdiff_t l = 0; l < LANES && r + l < PANEL; l++) norms[r + l] = lanes[l];
    }
}

/* total[r * wide + w] += sum over the TILE points l of block[r * TILE + l] * values[l * wide + w], for PANEL rows and
 * `wide` columns, a multiple of LANES. In double between tiles. */
#define LOAD_W(v) VEC x##v = LOAD(x + v * LANES);
#define STEP_BLOCK(r) { VEC c##r = SPLAT(block[r * TILE + l]); EACH_RV(ADD_PRODUCT, r) }
#define KEEP_BLOCK(r, v) STORE(part + r * NV * LANES + v * LANES, acc##r##v);
#define OUT_BLOCK(r) EACH_RV(KEEP_BLOCK, r)
#define STEP_NARROW(r) acc##r += SPLAT(block[r * TILE + l]) * x;
#define START_NARROW(r) VEC acc##r = {0};
#define OUT_NARROW(r) STORE(part + r * LANES, acc##r);
static inline void NAME(apply_block)(
    const REAL *restrict block, const REAL *restrict values, ptrdiff_t wide, double *restrict total)
{
    REAL part[PANEL * NV * LANES];
    ptrdiff_t w = 0;
    for (; w + NV * LANES <= wide; w += NV * LANES) {
        EACH_R(START)
        for (ptrdiff_t l = 0; l < TILE; l++) {
            const REAL *x = values + l * wide + w;
            EACH_V(LOAD_W)
            EACH_R(STEP_BLOCK)
        }
        EACH_R(OUT_BLOCK)
        for (ptrdiff_t r = 0; r < PANEL; r++)
            for (ptrdiff_t l = 0; l < NV * LANES; l++) total[r * wide + w + l] += part[r * NV * LANES + l];
    }
    for (; w < wide; w += LANES) {
        EACH_R(START_NARROW)
        for (ptrdiff_t l = 0; l < TILE; l++) {
            VEC x = LOAD(values + l * wide + w);
            EACH_R(STEP_NARROW)
        }
        EACH_R(OUT_NARROW)
        for (ptrdiff_t r = 0; r < PANEL; r++)
            for (ptrdiff_t l = 0; l < LANES; l++) total[r * wide + w + l] += part[r * LANES + l];
    }
}

/* The sum over the columns of two rows, in a fixed order and the same when the two change places. */
#define OF_PAIR(TERM)                                                                            \
    VEC acc = {0};                                                                               \
    ptrdiff_t f = 0;                                                                             \
    for (; f + LANES <= d; f += LANES) { VEC x = LOAD(a + f), y = LOAD(b + f); acc += TERM; }    \
    if (f < d) {                                                                                 \
        REAL tail[2 * LANES];                                                                    \
        memset(tail, 0, sizeof tail);                                                            \
        memcpy(tail, a + f, (d - f) * sizeof(REAL));                                             \
        memcpy(tail + LANES, b + f, (d - f) * sizeof(REAL));                                     \
        VEC x = LOAD(tail), y = LOAD(tail + LANES);                                              \
        acc += TERM;                                                                             \
    }                                                                                            \
    return NAME(add_lanes)(acc);
#define PAIR (const REAL *restrict a, const REAL *restrict b, ptrdiff_t d)
static inline REAL NAME(pair_inner) PAIR { OF_PAIR(x * y) }
static inline REAL NAME(pair_squared) PAIR { OF_PAIR((x - y) * (x - y)) }
static inline REAL NAME(pair_city) PAIR { OF_PAIR((VEC)((IVEC)(x - y) & MAGNITUDE)) }
static inline REAL NAME(pair_chi) PAIR { OF_PAIR((x - y) * (x - y) / VMAX(x + y, SPLAT(TINIEST))) }
static inline REAL NAME(pair_known) PAIR { VEC t; OF_PAIR((t = x - y, (VEC)((IVEC)(t * t) & (IVEC)(t == t)))) }

static inline REAL NAME(of_pair)(int measure, const REAL *a, const REAL *b, ptrdiff_t d)
{
    return measure == INNER ? NAME(pair_inner)(a, b, d)
        : measure == SQUARED ? NAME(pair_squared)(a, b, d)
        : measure == CITY ? NAME(pair_city)(a, b, d)
        : measure == CHI ? NAME(pair_chi)(a, b, d)
        : NAME(pair_known)(a, b, d);
}

#undef VEC
#undef VECU
#undef IVEC
#undef LANES
#undef LOAD
#undef STORE
#undef SPLAT
#undef ISPLAT
#undef MAGNITUDE
#undef VMAX
#undef VMIN
#undef BLEND
#undef POWER_OF_TWO
#undef LOAD_X
#undef ACC_NAME
#undef ACC_ZERO
#undef START
#undef PUT
#undef OUT
#undef MORE
#undef OUT_MORE
#undef SUMS
#undef OF_GROUP
#undef ADD_PRODUCT
#undef ADD_SQUARE
#undef ADD_CITY
#undef ADD_CHI
#undef ADD_KNOWN
#undef STEP_PRODUCT
#undef STEP_SQUARE
#undef STEP_CITY
#undef STEP_CHI
#undef STEP_KNOWN
#undef LOAD_W
#undef STEP_BLOCK
#undef KEEP_BLOCK
#undef OUT_BLOCK
#undef STEP_NARROW
#undef START_NARROW
#undef OUT_NARROW
#undef OF_PAIR
#undef PAIR
