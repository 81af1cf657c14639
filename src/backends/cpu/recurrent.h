// The steps of LSTM and GRU over a range of the batch's rows, one thread, in SIMD chosen at run
// time: the product with the recurrent weight, whose packed form is made once for all steps, and
// the gates on its sums while they are in registers. Used by kernels/lstm_sequence.cpp and
// kernels/gru_sequence.cpp.
#pragma once

#include "backends/cpu/row_tiles.h"
#include "goneuron/shape.h"

namespace goneuron::cpu {

/// Rows that go through the steps together: their states stay in the second-level cache.
constexpr i64 sequence_rows = 64;

/// What both directions of both cells share. Strides of rows: one sample, all its steps.
struct Sequence {
  i64 steps = 0, units = 0;
  bool reverse = false, zero_masked = false;
  const RowTiles* tiles = nullptr;  // products by tiles, if there are any and they pay
  const float* w = nullptr;         // [units, gates units]
  const float* mask = nullptr;      // [rows, steps] or null
  /// The step at place `at` of the reading order.
  i64 time(i64 at) const { return reverse ? steps - 1 - at : at; }
};

/// Null outputs are not written; null inputs are absent.
struct LstmForward : Sequence {
  i64 in = 0;
  const float* x = nullptr;                      // [rows, steps, in]
  const float *w_ih = nullptr, *bias = nullptr;  // [in, 4 units], [4 units]
  const float *h0 = nullptr, *c0 = nullptr;      // [rows, units]
  float* acts = nullptr;                         // [rows, steps, 4 units]
  float *y = nullptr, *cells = nullptr;          // [rows, steps, units]
  float* operands = nullptr;                     // [rows, steps, in + units]
  float *h_last = nullptr, *c_last = nullptr;
};
struct LstmBackward : Sequence {
  const float *acts = nullptr, *cells = nullptr, *c0 = nullptr;
  const float *dy = nullptr, *dh_last = nullptr, *dc_last = nullptr;
  float *dgates = nullptr, *dh0 = nullptr, *dc0 = nullptr;
};
struct GruForward : Sequence {
  i64 in = 0;
  const float *x = nullptr, *w_ih = nullptr, *bias = nullptr, *bias_hn = nullptr, *h0 = nullptr;
  float *acts = nullptr, *y = nullptr, *h_last = nullptr, *products = nullptr, *h_before = nullptr;
};
struct GruBackward : Sequence {
  const float *acts = nullptr, *products = nullptr, *h_before = nullptr;
  const float *dy = nullptr, *dh_last = nullptr;
  float *dgates = nullptr, *dproducts = nullptr, *dh0 = nullptr;
};

/// Rows [begin, end) of the batch through all steps.
template <class Pass>
using SequenceKernel = void (*)(const Pass& pass, i64 begin, i64 end, void* scratch);
SequenceKernel<LstmForward> lstm_forward();
SequenceKernel<LstmBackward> lstm_backward();
SequenceKernel<GruForward> gru_forward();
SequenceKernel<GruBackward> gru_backward();
/// The tiles of AMX, for a whole batch of these sizes; null where they do not pay.
const RowTiles* sequence_tiles(i64 batch, i64 units);
/// Bytes of scratch for all of the above.
/// `in`: features of the forward pass's input, 0 backwards.
i64 sequence_scratch(i64 in, i64 units, i64 gates);

}  // namespace goneuron::cpu
