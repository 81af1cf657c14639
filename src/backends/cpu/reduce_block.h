// Block: a reduction seen as [outer, reduced, inner]. Used by the kernels that reduce.
#pragma once

#include <vector>

#include "goneuron/shape.h"

namespace goneuron::cpu {

/// The reduced axes as one block [outer, reduced, inner]: they must be neighbours.
struct Block {
  i64 outer = 1, reduced = 1, inner = 1;
};

inline bool block_of(const Shape& shape, const std::vector<i64>& axes, Block& block) {
  if (axes.empty()) return false;
  for (size_t i = 1; i < axes.size(); ++i)
    if (axes[i] != axes[i - 1] + 1) return false;
  for (int i = 0; i < shape.rank(); ++i) {
    i64& part = i < axes.front() ? block.outer : i > axes.back() ? block.inner : block.reduced;
    part *= shape[i];
  }
  return true;
}

}  // namespace goneuron::cpu
