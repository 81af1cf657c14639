// Gzip on top of a ByteSource; used by byte_source.cpp for every file.
#pragma once

#include <memory>

#include "data/byte_source.h"

namespace goneuron::data {

/// `packed` as it is when it does not begin with gzip's two magic bytes, else what it unpacks to.
std::unique_ptr<ByteSource> gunzip(std::unique_ptr<ByteSource> packed);

}  // namespace goneuron::data
