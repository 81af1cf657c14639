// Counts every call of malloc, calloc, realloc and aligned allocation in this program, the
// library's included. Used by the bench.
#pragma once

#include <cstdint>

namespace goneuron::cli {

/// Calls since the program began; -1 where they cannot be counted (not glibc, or under a
/// sanitizer).
std::int64_t allocation_calls();

}  // namespace goneuron::cli
