/* CSR rows times a block of few columns. A row of the result stays in registers while the row's stored values
 * pass by, each with its row of the block; rows that come later are asked of the memory ahead of time. */
#ifndef CLINFA_SPMM_H
#define CLINFA_SPMM_H

#include "tile.h"

#if VBYTES == 64
  #define MOST_VECTORS 16    /* of the result in registers at once: half of them, an even split of what is wider */
#else
  #define MOST_VECTORS 8
#endif

#define REAL float
#define VEC vec_f32
#define VECU vecu_f32
#define INDEX int32_t
#define NAME(f) f##_f32_i32
#include "spmm_body.h"
#undef INDEX
#undef NAME
#define INDEX int64_t
#define NAME(f) f##_f32_i64
#include "spmm_body.h"
#undef INDEX
#undef NAME
#undef REAL
#undef VEC
#undef VECU

#define REAL double
#define VEC vec_f64
#define VECU vecu_f64
#define INDEX int32_t
#define NAME(f) f##_f64_i32
#include "spmm_body.h"
#undef INDEX
#undef NAME
#define INDEX int64_t
#define NAME(f) f##_f64_i64
#include "spmm_body.h"
#undef INDEX
#undef NAME
#undef REAL
#undef VEC
#undef VECU

#endif
