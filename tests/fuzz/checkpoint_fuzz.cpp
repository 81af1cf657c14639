// Any bytes as a checkpoint: a FormatError, or one that a model goes on from or refuses; read with
// memory within twice the file + 1 MB. Bytes that start with a brace are taken as the text of a
// run's position alone, which no checksum guards.
#include "goneuron/goneuron.h"
#include "malloc_limit.h"
#include "train/checkpoint/checkpoint_file.h"

namespace {
using namespace goneuron;

Model small_model() {
  auto model = Sequential({Dense(3, ReLU), Dense(2)});
  model.compile(Adam(0.01), MSE);
  model.train_on_batch(Tensor(Shape{4, 5}), Tensor(Shape{4, 2}));
  return model;
}

Checkpoint parse(const std::uint8_t* bytes, size_t size) {
  const fuzz::AllocationPeak peak;
  try {
    Checkpoint checkpoint = parse_checkpoint(bytes, size, "fuzz");
    peak.expect_at_most(size, "checkpoint");
    return checkpoint;
  } catch (const FormatError&) {
    peak.expect_at_most(size, "what is no checkpoint");
    throw;
  }
}

void parse_text(const std::uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const fuzz::AllocationPeak peak;
  const RunPosition position = position_from_text(text, "fuzz");
  peak.expect_at_most(size, "position");
  // What was read is written and read again as the same.
  const std::string again = position_text(position);
  if (position_text(position_from_text(again, "fuzz")) != again) __builtin_trap();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  static const Model model = small_model();
  try {
    if (size > 0 && bytes[0] == '{') {
      parse_text(bytes, size);
    } else {
      const Checkpoint checkpoint = parse(bytes, size);
      try {
        restore(*model.impl(), checkpoint, "fuzz");
      } catch (const GraphError&) {
      }
    }
  } catch (const FormatError&) {
  }
  return 0;
}
