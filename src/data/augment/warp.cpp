// Rotation and zoom about the middle, bilinear, 0 outside.
#include <cmath>

#include "data/augment/frame.h"

namespace goneuron::data {

namespace {

/// Adds `weight` times the pixel, where it is inside.
void add(const Frame& frame, i64 y, i64 x, float weight, float* out) {
  if (y < 0 || x < 0 || y >= frame.height || x >= frame.width) return;
  const float* from = frame.values.data() + y * frame.row() + x * frame.channels;
  for (i64 c = 0; c < frame.channels; ++c) out[c] += weight * from[c];
}

}  // namespace

void warp(Frame& frame, double degrees, double zoom, SampleRandom random) {
  const double angle = random.uniform(-degrees, degrees) * 0.017453292519943295;
  const double scale = random.uniform(1 - zoom, 1 + zoom);
  const double cosine = std::cos(angle) / scale, sine = std::sin(angle) / scale;
  const double middle_y = 0.5 * static_cast<double>(frame.height - 1),
               middle_x = 0.5 * static_cast<double>(frame.width - 1);
  frame.spare.assign(frame.values.size(), 0.0F);
  float* out = frame.spare.data();
  for (i64 y = 0; y < frame.height; ++y)
    for (i64 x = 0; x < frame.width; ++x, out += frame.channels) {
      const double dy = static_cast<double>(y) - middle_y, dx = static_cast<double>(x) - middle_x;
      const double from_y = middle_y + cosine * dy - sine * dx,
                   from_x = middle_x + sine * dy + cosine * dx;
      const double top = std::floor(from_y), left = std::floor(from_x);
      const auto down = static_cast<float>(from_y - top), right = static_cast<float>(from_x - left);
      const auto i = static_cast<i64>(top), k = static_cast<i64>(left);
      add(frame, i, k, (1 - down) * (1 - right), out);
      add(frame, i, k + 1, (1 - down) * right, out);
      add(frame, i + 1, k, down * (1 - right), out);
      add(frame, i + 1, k + 1, down * right, out);
    }
  frame.values.swap(frame.spare);
}

}  // namespace goneuron::data
