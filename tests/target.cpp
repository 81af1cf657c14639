// GONEURON_TEST_TARGET=AVX2 in the environment: the vector kernels of this program are those of
// processors without AVX-512, on whichever it runs. Linked into the tests of kernels, which CMake
// runs both ways.
#include <hwy/targets.h>

#include <cstdlib>
#include <cstring>

namespace {
const bool chosen = [] {
  const char* target = std::getenv("GONEURON_TEST_TARGET");
  if (target == nullptr) return false;
  if (std::strcmp(target, "AVX2") != 0) std::abort();
#if defined(__x86_64__)
  hwy::DisableTargets(HWY_AVX3 | HWY_AVX3_DL);
#endif
  return true;
}();
}  // namespace
