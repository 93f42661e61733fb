/* What Cython cannot say: constants of 64 bits, one instruction, and vectors. */
#ifndef CLINFA_TREES_H
#define CLINFA_TREES_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX512F__) || defined(__BMI2__)
#include <immintrin.h>
#endif

#define NO_SCORE (-1e308)
#define SLACK 1e-12  /* what rounding may do to a gain, as a share of the impurity */
#define PROJECTIONS 12 /* steps towards the direction in which the means of categories differ most */
#define SCARCE 1e-13 /* of the targets of a node, what a side must have by Poisson: less may be rounding */
#define LN2 0.6931471805599453
#define clinfa_ctz(x) __builtin_ctzll(x)
#define clinfa_popcount(x) __builtin_popcountll(x)

/* The next state of a sequence of well mixed numbers (Steele, Lea and Flood, OOPSLA 2014). */
static inline uint64_t clinfa_mixed(uint64_t seed)
{
    seed += 0x9E3779B97F4A7C15u;
    seed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9u;
    seed = (seed ^ (seed >> 27)) * 0x94D049BB133111EBu;
    return seed ^ (seed >> 31);
}

/* A number below `of`, from one of 64 bits. */
#define high_of_product(x, of) ((uint64_t)(((unsigned __int128)(x) * (of)) >> 64))

/* Seeds of what belongs to a node: of its sides, and of its columns. */
#define seed_of_side(seed, side) clinfa_mixed((seed) ^ ((side) ? 0x14057B7EF767814Fu : 0x5851F42D4C957F2Du))
#define seed_of_column(seed, f) clinfa_mixed((seed) ^ ((uint64_t)((f) + 1) * 0xD1342543DE82EF95u))

/* Integers in the order of numbers; both zeros are one, and NaN is after all. */
#define NO_KEY UINT64_MAX

static inline uint64_t key_of_double(double x)
{
    uint64_t bits;
    x += 0.0;
    memcpy(&bits, &x, 8);
    bits = bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
    return isnan(x) ? NO_KEY : bits;
}

static inline uint64_t key_of_float(float x)
{
    uint32_t bits;
    x += 0.0f;
    memcpy(&bits, &x, 4);
    bits = bits >> 31 ? ~bits : bits | (uint32_t)1 << 31;
    return isnan(x) ? NO_KEY : bits;
}

/* Where to look for a key first, of so many places. */
#define place_of_key(key, places) ((uint32_t)high_of_product((key) * 0x9E3779B97F4A7C15u, places))

/* Vectors of so many; arrays that these functions read are padded to a multiple. */
#define CLINFA_TREE_LANES 8
typedef double clinfa_wide __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t clinfa_wide_mask __attribute__((vector_size(64), aligned(8), may_alias));

#define clinfa_pick(mask, a, b) \
    ((clinfa_wide)(((clinfa_wide_mask)(a) & (mask)) | ((clinfa_wide_mask)(b) & ~(mask))))

/* The values of some rows, padded with NaN; their least and greatest, for which NaN counts for nothing. */
#if defined(__AVX512F__) && defined(__AVX512VL__)
#define GATHER_f64(column, some) \
    _mm512_mask_i32gather_pd(_mm512_set1_pd(NAN), some, _mm256_maskz_loadu_epi32(some, rows + i), column, 8)
#define GATHER_f32(column, some)                                                                    \
    _mm512_cvtps_pd(_mm256_mmask_i32gather_ps(                                                      \
        _mm256_set1_ps(NAN), some, _mm256_maskz_loadu_epi32(some, rows + i), column, 4))
#define GATHER_EIGHT(SUFFIX)                                                                        \
    uint8_t some = m - i >= 8 ? 255 : (uint8_t)((1 << (m - i)) - 1);                                \
    a = (clinfa_wide)GATHER_##SUFFIX(column, some);
#else
#define GATHER_EIGHT(SUFFIX)                                                                        \
    for (int j = 0; j < 8; j++)                                                                     \
        a[j] = i + j < m ? column[rows[i + j]] : NAN;
#endif

#define GATHER(NAME, TYPE, SUFFIX)                                                                  \
    static inline void NAME(                                                                        \
        const TYPE *column, const int32_t *rows, int64_t m, double *x, double *least, double *most) \
    {                                                                                               \
        clinfa_wide low = INFINITY - (clinfa_wide){0}, high = (clinfa_wide){0} - INFINITY, a;       \
        double lows[8], highs[8];                                                                   \
        for (int64_t i = 0; i < m; i += 8) {                                                        \
            GATHER_EIGHT(SUFFIX)                                                                    \
            *(clinfa_wide *)(x + i) = a;                                                            \
            low = clinfa_pick(a < low, a, low);                                                     \
            high = clinfa_pick(a > high, a, high);                                                  \
        }                                                                                           \
        memcpy(lows, &low, 64);                                                                     \
        memcpy(highs, &high, 64);                                                                   \
        for (int h = 4; h; h /= 2)                                                                  \
            for (int j = 0; j < h; j++) {                                                           \
                lows[j] = lows[j + h] < lows[j] ? lows[j + h] : lows[j];                            \
                highs[j] = highs[j + h] > highs[j] ? highs[j + h] : highs[j];                       \
            }                                                                                       \
        *least = lows[0];                                                                           \
        *most = highs[0];                                                                           \
    }

GATHER(clinfa_gather_f32, float, f32)
GATHER(clinfa_gather_f64, double, f64)
#undef GATHER
#undef GATHER_EIGHT

/* Some rows of X (n, d) as columns, of which each begins `stride` after the other. The rows are far from each other: those
 * that come soon are asked for. */
#if defined(__AVX512F__)
static inline void clinfa_turn_eight(const double *const *rows, int64_t f, __mmask8 some, double *out, int64_t stride)
{
    __m512d a[8], b[8];
    for (int j = 0; j < 8; j++)
        a[j] = _mm512_maskz_loadu_pd(some, rows[j] + f);
    for (int j = 0; j < 8; j += 2) {
        b[j] = _mm512_unpacklo_pd(a[j], a[j + 1]);
        b[j + 1] = _mm512_unpackhi_pd(a[j], a[j + 1]);
    }
    for (int j = 0; j < 2; j++) {
        a[j] = _mm512_shuffle_f64x2(b[j], b[j + 2], 0x88); /* columns j, j + 4 of rows 0 to 3 */
        a[j + 2] = _mm512_shuffle_f64x2(b[j], b[j + 2], 0xDD); /* j + 2, j + 6 */
        a[j + 4] = _mm512_shuffle_f64x2(b[j + 4], b[j + 6], 0x88);
        a[j + 6] = _mm512_shuffle_f64x2(b[j + 4], b[j + 6], 0xDD);
    }
    for (int j = 0; j < 4; j++) {
        b[j] = _mm512_shuffle_f64x2(a[j], a[j + 4], 0x88);
        b[j + 4] = _mm512_shuffle_f64x2(a[j], a[j + 4], 0xDD);
    }
    for (int j = 0; j < 8; j++)
        if (some >> j & 1)
            _mm512_storeu_pd(out + j * stride, b[j]);
}
#define COLUMNS_OF_EIGHT_double(x, i)                                                               \
    for (int64_t f = 0; f < d; f += 8)                                                              \
        clinfa_turn_eight(x, f, d - f >= 8 ? 255 : (__mmask8)((1 << (d - f)) - 1), out + f * stride + i, stride);
#else
#define COLUMNS_OF_EIGHT_double(x, i) COLUMNS_OF_EIGHT_float(x, i)
#endif
#define COLUMNS_OF_EIGHT_float(x, i)                                                                \
    for (int64_t f = 0; f < d; f++)                                                                 \
        for (int j = 0; j < 8; j++)                                                                 \
            out[f * stride + i + j] = x[j][f];

#define AHEAD 16
#define COLUMNS_OF(NAME, TYPE)                                                                      \
    static inline void NAME(                                                                        \
        const TYPE *X, int64_t d, const int32_t *rows, int64_t m, TYPE *out, int64_t stride)        \
    {                                                                                               \
        int64_t i = 0;                                                                              \
        for (; i + 8 <= m; i += 8) {                                                                \
            const TYPE *x[8];                                                                       \
            for (int j = 0; j < 8; j++) {                                                           \
                const char *soon = (const char *)(X + rows[i + j + AHEAD < m ? i + j + AHEAD : i + j] * d); \
                for (int64_t at = 0; at < d * (int64_t)sizeof(TYPE); at += 64)                      \
                    __builtin_prefetch(soon + at);                                                  \
                x[j] = X + rows[i + j] * d;                                                         \
            }                                                                                       \
            COLUMNS_OF_EIGHT_##TYPE(x, i)                                                           \
        }                                                                                           \
        for (; i < m; i++)                                                                          \
            for (int64_t f = 0; f < d; f++)                                                         \
                out[f * stride + i] = X[rows[i] * d + f];                                           \
    }

COLUMNS_OF(clinfa_columns_f32, float)
COLUMNS_OF(clinfa_columns_f64, double)
#undef COLUMNS_OF
#undef AHEAD

/* Weight (w, or 1 each) and targets z of what is not above `at`; returns how many of the m numbers those are. */
static inline int64_t clinfa_left_sums(
    const double *x, double at, const double *w, const double *z, int64_t m, double *weight, double *sum)
{
    clinfa_wide_mask n = {0}, left;
    clinfa_wide wl = {0}, sl = {0};
    if (w) {
        for (int64_t i = 0; i < m; i += 8) {
            left = *(const clinfa_wide *)(x + i) <= at;
            n -= left;
            wl += (clinfa_wide)(*(const clinfa_wide_mask *)(w + i) & left);
            sl += (clinfa_wide)(*(const clinfa_wide_mask *)(z + i) & left);
        }
        *weight = ((wl[0] + wl[4]) + (wl[2] + wl[6])) + ((wl[1] + wl[5]) + (wl[3] + wl[7]));
    } else
        for (int64_t i = 0; i < m; i += 8) {
            left = *(const clinfa_wide *)(x + i) <= at;
            n -= left;
            sl += (clinfa_wide)(*(const clinfa_wide_mask *)(z + i) & left);
        }
    *sum = ((sl[0] + sl[4]) + (sl[2] + sl[6])) + ((sl[1] + sl[5]) + (sl[3] + sl[7]));
    int64_t count = ((n[0] + n[4]) + (n[2] + n[6])) + ((n[1] + n[5]) + (n[3] + n[7]));
    if (!w)
        *weight = (double)count;
    return count;
}

/* Move what belongs to the left side (side[i] is 1, else 0) before the others, each in its order; returns how many that
 * are. `moved` has room for m + 16 of the same. */
#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512BW__)
#define PART_VECTORS(SUFFIX, TOGETHER, MASK)                                                        \
    for (; i + TOGETHER <= m; i += TOGETHER) {                                                      \
        __m512i v = _mm512_loadu_si512(x + i);                                                      \
        MASK left = (MASK)clinfa_side_mask(side + i, TOGETHER);                                     \
        _mm512_storeu_si512(x + k, _mm512_maskz_compress_##SUFFIX(left, v));                        \
        _mm512_storeu_si512(moved + g, _mm512_maskz_compress_##SUFFIX((MASK)~left, v));             \
        k += __builtin_popcount(left);                                                              \
        g += TOGETHER - __builtin_popcount(left);                                                   \
    }

static inline uint32_t clinfa_side_mask(const uint8_t *side, int together)
{
    __m128i v = together == 8 ? _mm_loadl_epi64((const __m128i *)side) : _mm_loadu_si128((const __m128i *)side);
    return _mm_test_epi8_mask(v, v);
}
#else
#define PART_VECTORS(SUFFIX, TOGETHER, MASK)
#endif

#define PART(NAME, TYPE, SUFFIX, TOGETHER, MASK)                                                    \
    static inline int64_t NAME(const uint8_t *side, int64_t m, TYPE *x, TYPE *moved)                \
    {                                                                                               \
        int64_t i = 0, k = 0, g = 0;                                                                \
        PART_VECTORS(SUFFIX, TOGETHER, MASK)                                                        \
        for (; i < m; i++) {                                                                        \
            moved[g] = x[i];                                                                        \
            x[k] = x[i];                                                                            \
            k += side[i];                                                                           \
            g += !side[i];                                                                          \
        }                                                                                           \
        memcpy(x + k, moved, (size_t)g * sizeof(TYPE));                                             \
        return k;                                                                                   \
    }

PART(clinfa_part_rows, int32_t, epi32, 16, uint16_t)
PART(clinfa_part_numbers, double, epi64, 8, uint8_t)
#undef PART
#undef PART_VECTORS

/* Which of m numbers, at most 64 and padded with NaN, are not above `at`. */
static inline uint64_t clinfa_left_bits(const double *x, double at, int64_t m)
{
    uint64_t out = 0;
#if defined(__AVX512F__)
    for (int64_t i = 0; i < m; i += 8)
        out |= (uint64_t)_mm512_cmp_pd_mask(_mm512_loadu_pd(x + i), _mm512_set1_pd(at), _CMP_LE_OQ) << i;
#else
    for (int64_t i = 0; i < m; i++)
        out |= (uint64_t)(x[i] <= at) << i;
#endif
    return out;
}

/* The bits at the places that `mask` names, close together. */
static inline uint64_t clinfa_some_bits(uint64_t bits, uint64_t mask)
{
#if defined(__BMI2__)
    return _pext_u64(bits, mask);
#else
    uint64_t out = 0;
    for (int k = 0; mask; k++, mask &= mask - 1)
        out |= (bits >> clinfa_ctz(mask) & 1) << k;
    return out;
#endif
}

/* `clinfa_part_rows` by bits, for at most 64. */
static inline void clinfa_part_bits(uint64_t side, int64_t m, int32_t *x)
{
    int32_t moved[80];
    int64_t k = 0, g = 0, i;
#if defined(__AVX512F__)
    for (i = 0; i < m; i += 16) {
        uint32_t some = m - i >= 16 ? 0xFFFF : (1u << (m - i)) - 1, left = (uint32_t)(side >> i) & some;
        uint32_t count = (uint32_t)__builtin_popcount(left);
        __m512i v = _mm512_maskz_loadu_epi32((__mmask16)some, x + i);
        _mm512_mask_storeu_epi32(x + k, (__mmask16)((1u << count) - 1), _mm512_maskz_compress_epi32((__mmask16)left, v));
        _mm512_storeu_si512(moved + g, _mm512_maskz_compress_epi32((__mmask16)(some & ~left), v));
        k += count;
        g += __builtin_popcount(some) - count;
    }
    for (i = 0; i < g; i += 16) {
        __mmask16 some = g - i >= 16 ? 0xFFFF : (__mmask16)((1u << (g - i)) - 1);
        _mm512_mask_storeu_epi32(x + k + i, some, _mm512_loadu_si512(moved + i));
    }
#else
    for (i = 0; i < m; i++)
        if (side >> i & 1)
            x[k++] = x[i];
        else
            moved[g++] = x[i];
    memcpy(x + k, moved, (size_t)g * sizeof(int32_t));
#endif
}

/* What a search for cuts needs of two classes y (0 and 1): their weighted sum, with z for w y each; whether both occur. */
static inline double clinfa_two_classes(const double *y, const double *w, int64_t m, double *z, int *both)
{
    clinfa_wide s = {0};
    clinfa_wide_mask other = {0};
    double tail = 0;
    int64_t i = 0;
    for (; i + 8 <= m; i += 8) {
        clinfa_wide a = *(const clinfa_wide *)(y + i);
        other |= a != y[0];
        if (w)
            a *= *(const clinfa_wide *)(w + i);
        *(clinfa_wide *)(z + i) = a;
        s += a;
    }
    int64_t some = ((other[0] | other[4]) | (other[2] | other[6])) | ((other[1] | other[5]) | (other[3] | other[7]));
    for (; i < m; i++) {
        some |= y[i] != y[0];
        z[i] = w ? w[i] * y[i] : y[i];
        tail += z[i];
    }
    *both = some != 0;
    return (((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))) + tail;
}

/* The mean of each of k categories (w, or 1 each; y (m, q) numbers, or classes that begin at `classes`) less that of all,
 * along the direction in which these means differ most. `of` says which category a record is of; `weight` (k) is filled,
 * `axis` has room for 2 width, `means` for width and the lesser of (k, width) and (m, q): where means have more entries
 * than there are targets, those are looked at instead. Not inline: a search and the division it leads to must agree. */
__attribute__((noinline, unused)) static void clinfa_project(
    const int32_t *of, const double *w, const double *y, int64_t m, int64_t q, const int64_t *classes, int64_t width,
    int64_t k, double *weight, double *means, double *axis, double *score)
{
    double whole = 0, *next = axis + width;
    int64_t c, o, i;
    int dense = k * width <= m * q; /* (as it always is of numbers) */
    memset(weight, 0, (size_t)k * sizeof(double));
    memset(next, 0, (size_t)width * sizeof(double));
    if (dense)
        memset(means, 0, (size_t)(k * width) * sizeof(double));
    for (i = 0; i < m; i++) {
        double own = w ? w[i] : 1;
        weight[of[i]] += own;
        whole += own;
        for (o = 0; o < q; o++) {
            int64_t at = classes ? classes[o] + (int64_t)y[i * q + o] : o;
            double said = classes ? own : own * y[i * q + o];
            next[at] += said;
            if (dense)
                means[of[i] * width + at] += said;
        }
    }
    for (o = 0; o < width; o++) { /* a beginning that leans to no side: multiples of the golden ratio */
        double turn = (double)(o + 1) * 0.6180339887498949;
        axis[o] = turn - floor(turn) - 0.5;
    }
    if (dense)
        for (c = 0; c < k; c++)
            for (o = 0; o < width; o++)
                means[c * width + o] = means[c * width + o] / weight[c] - next[o] / whole;
    else
        for (o = 0; o < width; o++)
            means[o] = next[o] / whole; /* of all */
    for (int step = 0;; step++) {
        double length = 0, sum = 0, middle = 0;
        memset(score, 0, (size_t)k * sizeof(double));
        if (dense) {
            for (c = 0; c < k; c++)
                for (o = 0; o < width; o++)
                    score[c] += means[c * width + o] * axis[o];
        } else {
            for (i = 0; i < m; i++)
                for (o = 0; o < q; o++)
                    score[of[i]] += (w ? w[i] : 1) * axis[classes[o] + (int64_t)y[i * q + o]];
            for (o = 0; o < width; o++)
                middle += means[o] * axis[o];
            for (c = 0; c < k; c++)
                score[c] = score[c] / weight[c] - middle;
        }
        if (step == PROJECTIONS)
            return;
        memset(next, 0, (size_t)width * sizeof(double));
        if (dense) {
            for (c = 0; c < k; c++)
                for (o = 0; o < width; o++)
                    next[o] += weight[c] * score[c] * means[c * width + o];
        } else {
            for (c = 0; c < k; c++)
                sum += weight[c] * score[c];
            for (i = 0; i < m; i++)
                for (o = 0; o < q; o++)
                    next[classes[o] + (int64_t)y[i * q + o]] += (w ? w[i] : 1) * score[of[i]];
            for (o = 0; o < width; o++)
                next[o] -= sum * means[o];
        }
        for (o = 0; o < width; o++)
            length = fabs(next[o]) > length ? fabs(next[o]) : length;
        for (o = 0; o < width; o++)
            axis[o] = length > 0 ? next[o] / length : axis[o];
    }
}

/* The sum of m numbers. */
static inline double clinfa_sum(const double *x, int64_t m)
{
    clinfa_wide s = {0};
    double tail = 0;
    int64_t i = 0;
    for (; i + 8 <= m; i += 8)
        s += *(const clinfa_wide *)(x + i);
    for (; i < m; i++)
        tail += x[i];
    return (((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))) + tail;
}

#endif
