#include "backends/cpu/bf16_products.h"

#include <hwy/targets.h>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace goneuron::cpu {
namespace {

#if defined(__x86_64__)
/// Not where tests have AVX-512 switched off, either.
bool has_avx512() {
  return __builtin_cpu_supports("avx512bw") != 0 && (hwy::SupportedTargets() & HWY_AVX3) != 0;
}

bool has_pairs() { return __builtin_cpu_supports("avx512bf16") != 0 && has_avx512(); }

/// The registers of tiles are 8 KiB, which Linux saves for those processes alone that ask for it
/// (Documentation/arch/x86/xstate.rst).
bool has_tiles() {
#if defined(__linux__)
  constexpr unsigned bf16 = 1U << 22, tile = 1U << 24;  // CPUID leaf 7, EDX
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!has_pairs() || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  if ((d & bf16) == 0 || (d & tile) == 0) return false;
  constexpr long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

bool pairs_pay() { return __builtin_cpu_is("intel") == 0 || __builtin_cpu_is("cooperlake") != 0; }
#else
bool has_pairs() { return false; }
bool has_tiles() { return false; }
bool pairs_pay() { return false; }
#endif

}  // namespace

bool available(Bf16 way) {
  static const bool pairs = has_pairs(), tiles = has_tiles();
  return way == Bf16::floats || (way == Bf16::pairs ? pairs : tiles);
}

Bf16& bf16_products() {
  static Bf16 way = available(Bf16::tiles)                  ? Bf16::tiles
                    : available(Bf16::pairs) && pairs_pay() ? Bf16::pairs
                                                            : Bf16::floats;
  return way;
}

}  // namespace goneuron::cpu
