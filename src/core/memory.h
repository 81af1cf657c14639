// Memory that can still be had, asked for before large blocks are allocated: a system that promises
// more than it has ends the program when the block is touched, and an error can say more than that.
// Used by arenas, tensors and the check of a step's plan.
#pragma once

#include <string>
#include <vector>

#include "goneuron/shape.h"

namespace goneuron {

/// Bytes that a block may have now: what is left of set_memory_limit()'s, else the least of what
/// the machine, the process's address space and its control group have left.
i64 available_memory();
/// What the machine has left, whatever the limit: for tensors, which do not count towards it.
i64 machine_memory();
/// 0: none, the system's.
void limit_memory(i64 bytes);
bool memory_is_limited();
/// Blocks count towards the limit while they are held.
void count_memory(i64 bytes);

/// "512 B", "1.5 KiB", "20.0 MiB", "3.2 GiB"
std::string bytes_text(i64 bytes);

struct Buffer {
  std::string name;  // what it holds, with its shape and its layer
  i64 bytes = 0;
};
/// OutOfMemory: `what` needs `needed` bytes; lists the largest of `buffers`.
[[noreturn]] void throw_too_large(const std::string& what, i64 needed, std::vector<Buffer> buffers,
                                  const std::string& hint);

}  // namespace goneuron
