// Mixtures of experts: what their ops share. Each token has k slots, one for each expert it goes
// to. Rows are slots sorted by expert: order[row] is the slot, places[slot] the row, experts[row]
// the expert. All are data, so their kernels skip what is out of range.
#pragma once

#include <algorithm>
#include <vector>

#include "ops/common.h"

namespace goneuron {

/// The product of all dimensions of `shape`; Any when one is not known.
inline i64 known_elements(const Shape& shape) { return shape.known() ? shape.elements() : Any; }
inline i64 known_rows(const Shape& shape) { return known_elements(without_last(shape)); }

inline bool within(i64 at, i64 size) { return at >= 0 && at < size; }

/// Input i: one i32 for each row. Returns the number of rows, as far as it is known.
inline i64 check_row_index(const InferContext& c, int i, const std::string& what) {
  check_dtype(c, i, DType::i32, what);
  if (c.shape(i).rank() != 1)
    c.fail(what + " is " + c.shape(i).str() + "; it must be [rows]", "take them from expert_route");
  return c.shape(i)[0];
}

/// Slots for each token: `rows` must be a multiple of the tokens.
inline void check_slots(const InferContext& c, i64 rows, i64 tokens) {
  if (rows == Any || tokens == Any || (tokens == 0 ? rows == 0 : rows % tokens == 0)) return;
  c.fail(std::to_string(rows) + " rows for " + std::to_string(tokens) + " tokens",
         "give every token as many slots");
}
inline void check_rows(const InferContext& c, i64 found, i64 expected, const std::string& what) {
  if (!agree(found, expected))
    c.fail(
        what + " has " + std::to_string(found) + " rows; it must have " + std::to_string(expected),
        "give it a row for each slot");
}

/// A routing for samples: slot i goes to a fixed, uneven choice of `experts`.
struct SampleRouting {
  std::vector<std::int32_t> choices, order, places, experts;
  SampleRouting(i64 slots, std::int32_t count) : places(static_cast<size_t>(slots)) {
    for (i64 i = 0; i < slots; ++i)
      choices.push_back(static_cast<std::int32_t>(i * i * 7 % 11 * (i % 3 + 1)) % count);
    for (std::int32_t e = 0; e < count; ++e)
      for (size_t i = 0; i < choices.size(); ++i) {
        if (choices[i] != e) continue;
        places[i] = static_cast<std::int32_t>(order.size());
        order.push_back(static_cast<std::int32_t>(i));
        experts.push_back(e);
      }
  }
};

inline constexpr Gradient expert_second_order =
    Gradient::none("second derivatives of mixtures of experts are not supported");

}  // namespace goneuron
