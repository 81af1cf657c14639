// A checkpoint: a model file that also holds where its run stands. Used by CheckpointFolder.
//   tensors of the model file, and    "checkpoint/means", "checkpoint/history" [epochs, names],
//                                     "checkpoint/sum/WEIGHT" in the middle of an accumulation,
//                                     "checkpoint/callback/NUMBER/NAME"
//   metadata "checkpoint"             the position, as run_position writes it
//   metadata "checksum"               CRC-32 of all tensors' bytes in the order of their names
#pragma once

#include "io/model_file.h"
#include "train/checkpoint/run_position.h"
#include "train/model_impl.h"

namespace goneuron {

/// All that a file is to hold, apart from the model, which goes on training.
ModelFileParts checkpoint_parts(ModelImpl& model, const RunPosition& position,
                                const std::string& path);
/// Atomic and on the disk when it returns. FormatError when it cannot be written.
void write_checkpoint(const std::string& path, ModelFileParts parts);

struct Checkpoint {
  std::string path;
  RunPosition position;
  ModelRecord model;
};
/// FormatError for what is no whole, unchanged checkpoint.
Checkpoint read_checkpoint(const std::string& path);
/// The same from memory, which must outlive the result.
Checkpoint parse_checkpoint(const std::uint8_t* bytes, size_t size, const std::string& name);

/// Puts the checkpoint's numbers in the place of the model's; the learning rate with `its_rate`
/// only, and never a schedule. The model is compiled and has been given data. GraphError where it
/// is not the one that the checkpoint was made of: then it is as it was.
void restore(ModelImpl& model, const Checkpoint& checkpoint, const std::string& where,
             bool its_rate = true);

}  // namespace goneuron
