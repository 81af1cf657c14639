#include "backends/cpu/kernel.h"
namespace goneuron::cpu {
std::span<const KernelDef> pool_kernels() { return {}; }
}  // namespace goneuron::cpu
