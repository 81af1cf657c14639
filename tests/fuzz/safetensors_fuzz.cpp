// Any bytes as a safetensors file: a FormatError, or tensors whose every byte can be read; with
// memory within twice the file + 1 MB.
#include "goneuron/error.h"
#include "io/safetensors.h"
#include "malloc_limit.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  const goneuron::fuzz::AllocationPeak peak;
  try {
    const auto file = goneuron::parse_safetensors(bytes, size, "fuzz");
    volatile unsigned sum = 0;
    for (const auto& entry : file.tensors) {
      const auto* at = static_cast<const std::uint8_t*>(entry.tensor.raw());
      for (goneuron::i64 i = 0; i < entry.tensor.bytes(); ++i) sum = sum + at[i];
    }
    for (const auto& item : file.metadata)
      if (file.byte_of(item, item.value.size()) > size) __builtin_trap();
  } catch (const goneuron::FormatError&) {
  }
  peak.expect_at_most(size, "safetensors");
  return 0;
}
