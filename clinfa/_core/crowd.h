/* Down trees with many records: nodes of eight bytes, and values as floats. */
#ifndef CLINFA_CROWD_H
#define CLINFA_CROWD_H

#include "descent.h"

/* Rounding keeps the order: where floats differ, the numbers do too, and the same way round. Records that meet their
 * own float in a threshold are doubtful, and are left to the caller.
 *
 * A leaf's eight bytes are its number, a double. The others have a threshold, and in `rest` from the lowest bit:
 * whether the left child is a leaf, whether the right one is, whether NaN goes left, a column, and from bit `shift`
 * on the right child. */
typedef struct {
    float threshold;
    uint32_t rest;
} clinfa_slim;

#define SLIM_LEFT_ENDS 1u
#define SLIM_RIGHT_ENDS 2u
#define SLIM_LACKING_LEFT 4u /* (NODE_LACKING_LEFT >> 28) */
#define SLIM_COLUMN 3     /* the bit where the column begins */
#define CROWD_TOP 5       /* levels that are looked up in registers */
#define CROWD_STEPS 5     /* steps between which those that have ended are taken out */
#define CROWD_GROUP 64    /* records side by side; there is room for a multiple of it */

static void clinfa_slimmed(const clinfa_node *tree, int64_t nodes, int shift, clinfa_slim *out)
{
    for (int64_t i = 0; i < nodes; i++) {
        uint32_t leaf = tree[i].feature >> 31; /* (who is a leaf cannot be foretold: no branches) */
        clinfa_slim node = {(float)tree[i].threshold,
                            (tree[i].feature & NODE_COLUMN) << SLIM_COLUMN | (uint32_t)tree[i].right << shift};
        node.rest |= (tree[i].feature & NODE_LACKING_LEFT) >> 28
                     | tree[i + 1 - leaf].feature >> 31;
        uint64_t inner, number;
        memcpy(&inner, &node, 8);
        memcpy(&number, &tree[i].threshold, 8);
        inner ^= (inner ^ number) & -(uint64_t)leaf;
        memcpy(out + i, &inner, 8);
    }
    /* (Right children lie anywhere: by now all nodes are in the cache.) */
    for (int64_t i = 0; i < nodes; i++)
        out[i].rest |= (tree[tree[i].right].feature & ~tree[i].feature) >> 31 << 1;
}

typedef struct {
    float *codes;            /* (m, stride)  values; the last column takes the place of the leaf, an int32 */
    int64_t stride;
    int64_t m;
    int lacking;             /* whether there is NaN */
    int32_t *who, *at;       /* (m + CROWD_GROUP)  those still under way: where their values begin, their nodes */
    int32_t *doubtful;       /* (m)  where the values begin of those whose leaf is not told, */
    int64_t doubts;          /* and how many there were in the tree before */
} clinfa_crowd;

#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#define CROWD_VECTORS (CROWD_GROUP / 16)
#define EACH_VECTOR _Pragma("GCC unroll 4") for (int h = 0; h < CROWD_VECTORS; h++)

/* One step of the live among sixteen records; of the others `at` stays. */
static inline __attribute__((always_inline)) void clinfa_crowd_step(
    const float *codes, const clinfa_slim *tree, __m512i column, __m128i shift, int lacking, __m512i who, __m512i *at,
    __mmask16 *live, __mmask16 *doubt)
{
    const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi32(1);
    __m512i a = _mm512_mask_i32gather_epi64(zero, (__mmask8)*live, LOW_HALF(*at), tree, 8);
    __m512i b = _mm512_mask_i32gather_epi64(zero, (__mmask8)(*live >> 8), HIGH_HALF(*at), tree, 8);
    __m512 threshold = _mm512_castsi512_ps(_mm512_permutex2var_epi32(a, even, b));
    __m512i rest = _mm512_permutex2var_epi32(a, _mm512_or_epi32(even, one), b);
    __m512i value_at = _mm512_add_epi32(_mm512_srli_epi32(_mm512_and_epi32(rest, column), SLIM_COLUMN), who);
    __m512 value = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), *live, value_at, codes, 4);
    __mmask16 left = _mm512_cmp_ps_mask(value, threshold, _CMP_LE_OQ);
    *doubt |= _mm512_mask_cmp_ps_mask(*live, value, threshold, _CMP_EQ_OQ);
    if (lacking)
        left |= _mm512_mask_test_epi32_mask(_mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q), rest,
                                            _mm512_set1_epi32(SLIM_LACKING_LEFT));
    __m512i next = _mm512_mask_add_epi32(_mm512_srl_epi32(rest, shift), left, *at, one);
    __m512i ends = _mm512_mask_mov_epi32(_mm512_set1_epi32(SLIM_RIGHT_ENDS), left, _mm512_set1_epi32(SLIM_LEFT_ENDS));
    *at = _mm512_mask_mov_epi32(*at, *live, next);
    *live = _mm512_mask_testn_epi32_mask(*live, rest, ends);
}

/* The uppermost levels as a complete tree: thresholds and columns from level to level, and the nodes below them, negative
 * where they are leaves. */
static int clinfa_crowd_top(const clinfa_slim *tree, int shift, int64_t deepest, float *threshold, int32_t *column,
                            int32_t *below)
{
    int levels = deepest < CROWD_TOP ? (int)deepest : CROWD_TOP, inner = (1 << levels) - 1;
    int32_t place[2 << CROWD_TOP] = {0};
    for (int i = 0; i < inner; i++) {
        int32_t at = place[i];
        threshold[i] = NAN; /* below a leaf: nobody is doubtful, and either side leads to it */
        column[i] = 0;
        place[2 * i + 1] = place[2 * i + 2] = at;
        if (at >= 0) {
            uint32_t rest = tree[at].rest;
            threshold[i] = tree[at].threshold;
            column[i] = (int32_t)((rest & ((1u << shift) - 1)) >> SLIM_COLUMN);
            place[2 * i + 1] = (at + 1) | (int32_t)(rest & SLIM_LEFT_ENDS ? 0x80000000u : 0);
            place[2 * i + 2] = (int32_t)(rest >> shift) | (int32_t)(rest & SLIM_RIGHT_ENDS ? 0x80000000u : 0);
        }
    }
    memcpy(below, place + inner, sizeof(int32_t) << levels);
    return levels;
}

/* What has come of CROWD_GROUP records: places of those that have ended, doubts, and the list of the others from `k` on. */
static inline __attribute__((always_inline)) int64_t clinfa_crowd_sorted(
    const clinfa_crowd *c, const __m512i *who, const __m512i *at, __mmask16 *live, const __mmask16 *begun,
    const __mmask16 *doubt, int64_t *doubts, int64_t k)
{
    EACH_VECTOR {
        __mmask16 ended = (__mmask16)(begun[h] & ~live[h] & ~doubt[h]), goes = (__mmask16)(live[h] & ~doubt[h]);
        if (__builtin_expect(doubt[h], 0)) {
            _mm512_mask_compressstoreu_epi32(c->doubtful + *doubts, doubt[h], who[h]);
            *doubts += __builtin_popcount(doubt[h]);
        }
        _mm512_mask_i32scatter_epi32(c->codes + c->stride - 1, ended, who[h], at[h], 4);
        _mm512_storeu_si512(c->who + k, _mm512_maskz_compress_epi32(goes, who[h]));
        _mm512_storeu_si512(c->at + k, _mm512_maskz_compress_epi32(goes, at[h]));
        k += __builtin_popcount(goes);
    }
    return k;
}

static inline __attribute__((always_inline)) int64_t clinfa_crowd_vectors(
    const clinfa_crowd *c, const clinfa_slim *tree, int64_t nodes, int64_t deepest, int shift, int lacking)
{
    const __m512i column = _mm512_set1_epi32((int)((1u << shift) - (1u << SLIM_COLUMN))), one = _mm512_set1_epi32(1);
    const __m512i sixteen = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i rows = _mm512_mullo_epi32(sixteen, _mm512_set1_epi32((int)c->stride));
    const __m128i shift_v = _mm_cvtsi32_si128(shift);
    float threshold[1 << CROWD_TOP] = {0};
    int32_t columns[1 << CROWD_TOP] = {0}, below[1 << CROWD_TOP] = {0};
    /* (Lookups in registers know nothing of what is missing.) */
    int top = lacking ? 0 : clinfa_crowd_top(tree, shift, deepest, threshold, columns, below);
    __m512 threshold_a = _mm512_loadu_ps(threshold), threshold_b = _mm512_loadu_ps(threshold + 16);
    __m512i column_a = _mm512_loadu_si512(columns), column_b = _mm512_loadu_si512(columns + 16);
    __m512i below_a = _mm512_loadu_si512(below), below_b = _mm512_loadu_si512(below + 16);
    __m512i who[CROWD_VECTORS], at[CROWD_VECTORS];
    __mmask16 live[CROWD_VECTORS], begun[CROWD_VECTORS], doubt[CROWD_VECTORS];
    int64_t steps = 64 - __builtin_clzll((uint64_t)nodes), k = 0, doubts = 0;
    steps = (steps < deepest ? steps : deepest) - top;
    for (int64_t i = 0; i < c->m; i += CROWD_GROUP) {
        EACH_VECTOR {
            int64_t left_over = c->m - i - 16 * h;
            begun[h] = left_over >= 16 ? 0xFFFF : left_over > 0 ? (__mmask16)((1 << left_over) - 1) : 0;
            who[h] = _mm512_add_epi32(rows, _mm512_set1_epi32((int)((i + 16 * h) * c->stride)));
            at[h] = _mm512_setzero_si512();
            live[h] = begun[h];
            doubt[h] = 0;
        }
        for (int step = 0; step < top; step++)
            EACH_VECTOR {
                __m512i value_at = _mm512_add_epi32(_mm512_permutex2var_epi32(column_a, at[h], column_b), who[h]);
                __m512 value = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), begun[h], value_at, c->codes, 4);
                __m512 meets = _mm512_permutex2var_ps(threshold_a, at[h], threshold_b);
                __mmask16 right = _mm512_cmp_ps_mask(value, meets, _CMP_NLE_UQ);
                doubt[h] |= _mm512_mask_cmp_ps_mask(begun[h], value, meets, _CMP_EQ_OQ);
                __m512i child = _mm512_add_epi32(_mm512_add_epi32(at[h], at[h]), one);
                at[h] = _mm512_mask_add_epi32(child, right, child, one);
            }
        if (top)
            EACH_VECTOR {
                __m512i exit = _mm512_sub_epi32(at[h], _mm512_set1_epi32((1 << top) - 1));
                __m512i place = _mm512_permutex2var_epi32(below_a, exit, below_b);
                live[h] &= (__mmask16)~_mm512_movepi32_mask(place);
                at[h] = _mm512_and_epi32(place, _mm512_set1_epi32(0x7FFFFFFF));
            }
        for (int64_t step = 0; step < steps; step++)
            EACH_VECTOR
                clinfa_crowd_step(c->codes, tree, column, shift_v, lacking, who[h], &at[h], &live[h], &doubt[h]);
        k = clinfa_crowd_sorted(c, who, at, live, begun, doubt, &doubts, k);
    }
    while (k) {
        int64_t under_way = k;
        k = 0;
        for (int64_t i = 0; i < under_way; i += CROWD_GROUP) {
            EACH_VECTOR {
                int64_t left_over = under_way - i - 16 * h;
                begun[h] = left_over >= 16 ? 0xFFFF : left_over > 0 ? (__mmask16)((1 << left_over) - 1) : 0;
                who[h] = _mm512_maskz_loadu_epi32(begun[h], c->who + i + 16 * h);
                at[h] = _mm512_maskz_loadu_epi32(begun[h], c->at + i + 16 * h);
                live[h] = begun[h];
                doubt[h] = 0;
            }
            for (int step = 0; step < CROWD_STEPS; step++)
                EACH_VECTOR
                    clinfa_crowd_step(c->codes, tree, column, shift_v, lacking, who[h], &at[h], &live[h], &doubt[h]);
            k = clinfa_crowd_sorted(c, who, at, live, begun, doubt, &doubts, k);
        }
    }
    return doubts;
}
#endif

/* Writes where each record ends into the last column of the values, and returns how many are doubtful. The root is not
 * a leaf. */
static int64_t clinfa_crowd_down(const clinfa_crowd *c, const clinfa_slim *tree, int64_t nodes, int64_t deepest, int shift)
{
#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
    return c->lacking ? clinfa_crowd_vectors(c, tree, nodes, deepest, shift, 1)
                      : clinfa_crowd_vectors(c, tree, nodes, deepest, shift, 0);
#else
    int64_t doubts = 0;
    const uint32_t column = (1u << shift) - (1u << SLIM_COLUMN);
    for (int64_t i = 0; i < c->m; i += 16) {
        int64_t together = c->m - i < 16 ? c->m - i : 16;
        int32_t at[16] = {0}, live[16], doubt[16] = {0}, moving = 1;
        for (int64_t l = 0; l < 16; l++)
            live[l] = l < together;
        while (moving) {
            moving = 0;
            for (int64_t l = 0; l < 16; l++) {
                clinfa_slim node = tree[live[l] ? at[l] : 0]; /* (a leaf is no node) */
                float value = c->codes[(i + l) * c->stride + ((node.rest & column) >> SLIM_COLUMN)];
                int32_t lacking = (value != value) & (node.rest / SLIM_LACKING_LEFT & 1);
                int32_t left = (value <= node.threshold) | lacking;
                int32_t next = left ? at[l] + 1 : (int32_t)(node.rest >> shift);
                doubt[l] |= live[l] & (value == node.threshold);
                at[l] = live[l] ? next : at[l];
                live[l] &= ~(int32_t)(node.rest >> !left) & 1;
                moving |= live[l];
            }
        }
        for (int64_t l = 0; l < together; l++) {
            if (doubt[l])
                c->doubtful[doubts++] = (int32_t)((i + l) * c->stride);
            else
                memcpy(c->codes + (i + l + 1) * c->stride - 1, &at[l], sizeof(int32_t));
        }
    }
    return doubts;
#endif
}

#endif
