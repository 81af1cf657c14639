// Frame: an image on its way through augmentation, and the changes there are, one file each.
// Used by augment.cpp.
#pragma once

#include <vector>

#include "goneuron/dataset.h"
#include "goneuron/images.h"

namespace goneuron::data {

/// [height, width, channels], white being 1. Room for a second one, so that a sample takes memory
/// once.
struct Frame {
  i64 height = 0, width = 0, channels = 0;
  std::vector<float> values, spare;
  i64 row() const { return width * channels; }
};

void flip(Frame& frame, bool horizontal, bool vertical, SampleRandom random);
/// Rotation by up to `degrees` and zoom by up to `zoom`, about the middle, as one resampling.
void warp(Frame& frame, double degrees, double zoom, SampleRandom random);
/// By whole pixels, up to these.
void shift(Frame& frame, i64 rows, i64 columns, SampleRandom random);
void add_noise(Frame& frame, double deviation, SampleRandom random);
void change_light(Frame& frame, double brightness, double contrast, SampleRandom random);
void cut_out(Frame& frame, i64 side, SampleRandom random);

/// A normal number (Box and Muller, 1958).
double normal(SampleRandom& random);
/// From Beta(alpha, alpha).
double beta(double alpha, SampleRandom& random);

}  // namespace goneuron::data
