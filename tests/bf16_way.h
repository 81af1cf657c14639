// Bf16Way: while one lives, products of bf16 are computed in that way, also where another one is
// faster.
#pragma once

#include "backends/cpu/bf16_products.h"

namespace goneuron {

class Bf16Way {
 public:
  explicit Bf16Way(cpu::Bf16 way) { cpu::bf16_products() = way; }
  ~Bf16Way() { cpu::bf16_products() = before_; }

 private:
  cpu::Bf16 before_ = cpu::bf16_products();
};

}  // namespace goneuron
