#include "backends/cpu/bf16_pairs.h"

#if defined(__x86_64__)
#include <hwy/targets.h>

namespace goneuron::cpu::bf16 {

bool& pairs_pay() {
  static bool pay = __builtin_cpu_is("intel") == 0 || __builtin_cpu_is("cooperlake") != 0;
  return pay;
}

bool has_pairs() {
  // Not where tests have AVX-512 switched off, either.
  static const bool there = __builtin_cpu_supports("avx512bf16") != 0 &&
                            __builtin_cpu_supports("avx512bw") != 0 &&
                            (hwy::SupportedTargets() & HWY_AVX3) != 0;
  return there && pairs_pay();
}

}  // namespace goneuron::cpu::bf16
#endif
