// NPZ decoding from anywhere; used by data::npz and the fuzzer.
#pragma once

#include "data/zip.h"
#include "goneuron/arrays.h"

namespace goneuron::data {

/// The arrays of an archive. Throws FormatError. All arrays together may have npy_max_bytes.
NamedTensors decode_npz(const RandomBytes& bytes);

}  // namespace goneuron::data
