// EveryPair: while one lives, products of bf16 multiply pairs wherever the processor has the
// instruction, also where that is slower than floats.
#pragma once

#include "backends/cpu/bf16_pairs.h"

namespace goneuron {

class EveryPair {
 public:
#if defined(__x86_64__)
  EveryPair() { cpu::bf16::pairs_pay() = true; }
  ~EveryPair() { cpu::bf16::pairs_pay() = before_; }
  static bool there() { return cpu::bf16::has_pairs(); }

 private:
  bool before_ = cpu::bf16::pairs_pay();
#else
  static bool there() { return false; }
#endif
};

}  // namespace goneuron
