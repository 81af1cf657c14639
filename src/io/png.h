// PNG: 8-bit grey or RGB pixels to the bytes of a PNG file, and bytes to base64 for data URIs.
// Used by reports.
#pragma once

#include <cstdint>
#include <string>

#include "goneuron/shape.h"

namespace goneuron {

/// pixels: [height, width, channels], channels 1 (grey) or 3 (RGB). Throws ShapeError otherwise.
std::string encode_png(const std::uint8_t* pixels, i64 height, i64 width, i64 channels);
std::string base64(const std::string& bytes);

}  // namespace goneuron
