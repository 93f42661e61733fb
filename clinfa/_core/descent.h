/* Down trees: sixteen records at a time with AVX-512, else eight side by side. */
#ifndef CLINFA_DESCENT_H
#define CLINFA_DESCENT_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

/* Records whose value is at most the threshold go left, to the next node. A leaf's threshold is the last of its
 * values, and its right child itself. Categories are whole numbers from 0 on. */
typedef struct {
    double threshold;
    int32_t right;
    uint32_t feature;  /* a column, and bits */
} clinfa_node;

#define NODE_COLUMN 0x1FFFFFFFu
#define NODE_CATEGORY 0x20000000u      /* a column of categories: `threshold` is where the bits of those that go left begin */
#define NODE_LACKING_LEFT 0x40000000u  /* NaN goes left */
#define NODE_LEAF 0x80000000u
#define DESCENT_GROUP 256              /* records that go down a tree together: those still under way are kept in a list */
#define DESCENT_TOGETHER 12             /* steps before that list is begun */
#define DESCENT_MOST (1 << 22)         /* columns, and a 256th of the nodes of a tree, for offsets of 32 bits */

#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#define LOW_HALF(v) _mm512_castsi512_si256(v)
#define HIGH_HALF(v) _mm512_extracti64x4_epi64(v, 1)
#define BOTH_HALVES(a, b) _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1)
#define VALUES_f64(at) _mm512_i32gather_pd(at, x, 8)
#define VALUES_f32(at) _mm512_cvtps_pd(_mm256_i32gather_ps(x, at, 4))

/* Which of eight categories are in sets that begin at `threshold`. */
static inline uint32_t clinfa_members(__m512d value, __m512d threshold, __mmask8 some, const uint64_t *sets)
{
    __m512i code = _mm512_maskz_cvttpd_epi64(some, value), one = _mm512_set1_epi64(1);
    __m512i at = _mm512_add_epi64(_mm512_maskz_cvttpd_epi64(some, threshold), _mm512_srli_epi64(code, 6));
    __m512i word = _mm512_mask_i64gather_epi64(_mm512_setzero_si512(), some, at, sets, 8);
    return _mm512_mask_test_epi64_mask(some, _mm512_srlv_epi64(word, _mm512_and_si512(code, _mm512_set1_epi64(63))), one);
}

/* One step down of sixteen records: `at_v` are their nodes, `row_v` where their values begin. Sets `feature` and `next`. */
#define STEP(SUFFIX)                                                                                          \
    __m512i twice = _mm512_slli_epi32(at_v, 1); /* nodes are two words of eight bytes */                      \
    __m512d threshold_a = _mm512_i32gather_pd(LOW_HALF(twice), tree, 8);                                      \
    __m512d threshold_b = _mm512_i32gather_pd(HIGH_HALF(twice), tree, 8);                                     \
    __m512i rest_a = _mm512_i32gather_epi64(LOW_HALF(twice), (const char *)tree + 8, 8);                      \
    __m512i rest_b = _mm512_i32gather_epi64(HIGH_HALF(twice), (const char *)tree + 8, 8);                     \
    __m512i right = BOTH_HALVES(_mm512_cvtepi64_epi32(rest_a), _mm512_cvtepi64_epi32(rest_b));                \
    __m512i feature = BOTH_HALVES(_mm512_cvtepi64_epi32(_mm512_srli_epi64(rest_a, 32)),                       \
                                  _mm512_cvtepi64_epi32(_mm512_srli_epi64(rest_b, 32)));                      \
    __m512i value_at = _mm512_add_epi32(row_v, _mm512_and_epi32(feature, column));                            \
    __m512d value_a = VALUES_##SUFFIX(LOW_HALF(value_at));                                                    \
    __m512d value_b = VALUES_##SUFFIX(HIGH_HALF(value_at));                                                   \
    __mmask16 left = (__mmask16)(_mm512_cmp_pd_mask(value_a, threshold_a, _CMP_LE_OQ)                         \
                                 | _mm512_cmp_pd_mask(value_b, threshold_b, _CMP_LE_OQ) << 8);                \
    __mmask16 lacks = (__mmask16)(_mm512_cmp_pd_mask(value_a, value_a, _CMP_UNORD_Q)                          \
                                  | _mm512_cmp_pd_mask(value_b, value_b, _CMP_UNORD_Q) << 8);                 \
    __mmask16 sorts = _mm512_test_epi32_mask(feature, _mm512_set1_epi32(NODE_CATEGORY));                      \
    if (sorts)                                                                                                \
        left = (__mmask16)((left & ~sorts)                                                                    \
                           | clinfa_members(value_a, threshold_a, (__mmask8)(sorts & ~lacks), sets)           \
                           | clinfa_members(value_b, threshold_b, (__mmask8)((sorts & ~lacks) >> 8), sets) << 8);\
    if (lacks)                                                                                                \
        left |= _mm512_mask_test_epi32_mask(lacks, feature, _mm512_set1_epi32(NODE_LACKING_LEFT));            \
    __m512i next = _mm512_mask_add_epi32(right, left, at_v, _mm512_set1_epi32(1));

#define DOWN_VECTORS(SUFFIX)                                                                                  \
    if (d < DESCENT_MOST && nodes < (int64_t)DESCENT_MOST * 256) {                                            \
        int32_t who[DESCENT_GROUP + 16], at[DESCENT_GROUP + 16];                                              \
        int64_t steps = deepest < DESCENT_TOGETHER ? deepest : DESCENT_TOGETHER, k;                           \
        const __m512i width = _mm512_set1_epi32((int)d), column = _mm512_set1_epi32(NODE_COLUMN);             \
        const __m512i last = _mm512_set1_epi32((int)m - 1);                                                   \
        __m512i number = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);              \
        for (int64_t i = 0; i < m; i += 64) {                                                                 \
            int64_t quarters = (m - i < 64 ? m - i + 15 : 64) / 16;                                           \
            __m512i rows[4], places[4];                                                                       \
            for (int64_t h = 0; h < quarters; h++) {                                                          \
                _mm512_storeu_si512(who + i + 16 * h, number);                                                \
                rows[h] = _mm512_mullo_epi32(_mm512_min_epi32(number, last), width);                          \
                places[h] = _mm512_setzero_si512();                                                           \
                number = _mm512_add_epi32(number, _mm512_set1_epi32(16));                                     \
            }                                                                                                 \
            for (int64_t step = 0; step < steps; step++)                                                      \
                for (int64_t h = 0; h < quarters; h++) {                                                      \
                    __m512i at_v = places[h], row_v = rows[h];                                                \
                    STEP(SUFFIX)                                                                              \
                    places[h] = _mm512_mask_mov_epi32(next, _mm512_movepi32_mask(feature), at_v);             \
                }                                                                                             \
            for (int64_t h = 0; h < quarters; h++)                                                            \
                _mm512_storeu_si512(at + i + 16 * h, places[h]);                                              \
        }                                                                                                     \
        if (deepest <= DESCENT_TOGETHER) {                                                                    \
            memcpy(place, at, (size_t)m * sizeof(int32_t));                                                   \
            return;                                                                                           \
        }                                                                                                     \
        for (int64_t under_way = m; under_way; under_way = k) {                                               \
            k = 0;                                                                                            \
            for (int64_t i = 0; i < under_way; i += 16) {                                                     \
                __mmask16 some = under_way - i >= 16 ? 0xFFFF : (__mmask16)((1 << (under_way - i)) - 1);      \
                __m512i who_v = _mm512_maskz_loadu_epi32(some, who + i);                                      \
                __m512i at_v = _mm512_maskz_loadu_epi32(some, at + i);                                        \
                __m512i row_v = _mm512_mullo_epi32(who_v, width);                                             \
                STEP(SUFFIX)                                                                                  \
                __mmask16 ends = _mm512_movepi32_mask(feature) & some, goes = some & (__mmask16)~ends;        \
                if (ends)                                                                                     \
                    _mm512_mask_i32scatter_epi32(place, ends, who_v, at_v, 4);                                \
                _mm512_storeu_si512(who + k, _mm512_maskz_compress_epi32(goes, who_v));                       \
                _mm512_storeu_si512(at + k, _mm512_maskz_compress_epi32(goes, next));                         \
                k += __builtin_popcount(goes);                                                                \
            }                                                                                                 \
        }                                                                                                     \
        return;                                                                                               \
    }
#else
#define DOWN_VECTORS(SUFFIX)
#endif

/* The leaves of at most DESCENT_GROUP records x (m, d). */
#define DOWN(NAME, TYPE, SUFFIX)                                                                              \
    static void NAME(const TYPE *x, int64_t d, int64_t m, const clinfa_node *tree, int64_t nodes,             \
                     const uint64_t *sets, int64_t deepest, int32_t *place)                                   \
    {                                                                                                         \
        DOWN_VECTORS(SUFFIX)                                                                                  \
        for (int64_t i = 0; i < m; i += 8) {                                                                  \
            int64_t together = m - i < 8 ? m - i : 8;                                                         \
            const TYPE *rows[8];                                                                              \
            int32_t at[8] = {0}, moving = 1;                                                                  \
            for (int64_t l = 0; l < 8; l++)                                                                   \
                rows[l] = x + (l < together ? i + l : i) * d;                                                 \
            while (moving) {                                                                                  \
                moving = 0;                                                                                   \
                for (int64_t l = 0; l < 8; l++) {                                                             \
                    const clinfa_node *node = tree + at[l];                                                   \
                    double value = (double)rows[l][node->feature & NODE_COLUMN];                              \
                    int left = ((value <= node->threshold) & (node->feature < NODE_LEAF))                     \
                               | ((value != value) & ((node->feature & NODE_LACKING_LEFT) != 0));             \
                    if (node->feature & NODE_CATEGORY && value == value) {                                    \
                        uint32_t code = (uint32_t)value;                                                      \
                        left = (int)(sets[(int64_t)node->threshold + (code >> 6)] >> (code & 63) & 1);        \
                    }                                                                                         \
                    int32_t next = left ? at[l] + 1 : node->right;                                            \
                    moving |= next ^ at[l];                                                                   \
                    at[l] = next;                                                                             \
                }                                                                                             \
            }                                                                                                 \
            for (int64_t l = 0; l < together; l++)                                                            \
                place[i + l] = at[l];                                                                         \
        }                                                                                                     \
    }

DOWN(clinfa_down_f32, float, f32)
DOWN(clinfa_down_f64, double, f64)

#endif
