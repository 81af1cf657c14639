// Resizing of images: bilinear, with a triangle that grows with the ratio where they get smaller.
#include <algorithm>
#include <cmath>

#include "core/message.h"
#include "data/image.h"
#include "goneuron/images.h"

namespace goneuron::data {

namespace {

/// What one axis of the result is made of.
struct Axis {
  i64 most = 0;  // values that one is made of at most
  std::vector<i64> first;
  std::vector<float> weights;  // [size, most]
};

Axis axis_of(i64 from, i64 size) {
  const double scale = static_cast<double>(from) / static_cast<double>(size);
  const double reach = std::max(scale, 1.0);
  Axis axis;
  axis.most = static_cast<i64>(std::ceil(reach)) * 2 + 1;
  axis.first.resize(static_cast<size_t>(size));
  axis.weights.assign(static_cast<size_t>(size * axis.most), 0.0F);
  for (i64 i = 0; i < size; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<i64>(static_cast<i64>(center - reach + 0.5), 0);
    const auto end = std::min<i64>(static_cast<i64>(center + reach + 0.5), from);
    double sum = 0;
    std::vector<double> weights;
    for (i64 k = first; k < end; ++k) {
      const double away = std::abs((static_cast<double>(k) + 0.5 - center) / reach);
      weights.push_back(std::max(1 - away, 0.0));
      sum += weights.back();
    }
    axis.first[static_cast<size_t>(i)] = first;
    for (size_t k = 0; k < weights.size(); ++k)
      axis.weights[static_cast<size_t>(i * axis.most) + k] = static_cast<float>(weights[k] / sum);
  }
  return axis;
}

template <class T>
T finished(float value) {
  if constexpr (std::is_same_v<T, float>)
    return value;
  else
    return static_cast<T>(std::clamp(value + 0.5F, 0.0F, 255.0F));
}

/// The columns of one row.
template <class T>
void resize_row(const T* from, const Axis& x, i64 from_width, i64 channels, i64 width, float* to) {
  for (i64 i = 0; i < width; ++i, to += channels) {
    const i64 first = x.first[static_cast<size_t>(i)];
    const i64 count = std::min(x.most, from_width - first);
    const float* weights = &x.weights[static_cast<size_t>(i * x.most)];
    const T* in = from + first * channels;
    for (i64 c = 0; c < channels; ++c) {
      float sum = 0;
      for (i64 k = 0; k < count; ++k) sum += weights[k] * static_cast<float>(in[k * channels + c]);
      to[c] = sum;
    }
  }
}

/// Columns first, one row at a time, then rows; of those, only as many are held as one row of the
/// result is made of: row r in place r % held.
template <class T>
void resize_values(const T* from, i64 from_height, i64 from_width, i64 channels, i64 height,
                   i64 width, T* out) {
  const Axis x = axis_of(from_width, width), y = axis_of(from_height, height);
  const i64 line = width * channels, held = std::min(y.most, from_height);
  std::vector<float> rows(static_cast<size_t>(held * line));
  std::vector<float> sums(static_cast<size_t>(line));
  i64 ready = 0;
  for (i64 j = 0; j < height; ++j) {
    const i64 first = y.first[static_cast<size_t>(j)];
    const i64 count = std::min(y.most, from_height - first);
    for (ready = std::max(ready, first); ready < first + count; ++ready)
      resize_row(from + ready * from_width * channels, x, from_width, channels, width,
                 &rows[static_cast<size_t>(ready % held * line)]);
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (i64 k = 0; k < count; ++k) {
      const float weight = y.weights[static_cast<size_t>(j * y.most + k)];
      const float* in = &rows[static_cast<size_t>((first + k) % held * line)];
      for (i64 i = 0; i < line; ++i) sums[static_cast<size_t>(i)] += weight * in[i];
    }
    for (i64 i = 0; i < line; ++i) out[j * line + i] = finished<T>(sums[static_cast<size_t>(i)]);
  }
}

}  // namespace

void resize(const Pixels& from, i64 height, i64 width, std::uint8_t* out) {
  if (from.height == height && from.width == width) {
    std::copy(from.values.begin(), from.values.end(), out);
    return;
  }
  resize_values(from.values.data(), from.height, from.width, from.channels, height, width, out);
}

void resize(const float* from, i64 from_height, i64 from_width, i64 channels, i64 height, i64 width,
            float* out) {
  resize_values(from, from_height, from_width, channels, height, width, out);
}

Tensor resized(const Tensor& image, i64 height, i64 width, Site site) {
  const std::string where = user_place("data::resized", site);
  const bool known = image.dtype() == DType::u8 || image.dtype() == DType::f32;
  if (image.shape().rank() != 3 || image.empty() || !known)
    throw_data({where,
                "the image is " + image.shape().str() + " " + dtype_name(image.dtype()) +
                    "; expected [height, width, channels] u8 or f32",
                {},
                "image.reshape({height, width, 1}) adds the channel of a gray one"});
  if (height < 1 || width < 1 || height > image_max_pixels / width)
    throw_data({where,
                "a size of " + std::to_string(height) + " x " + std::to_string(width) +
                    "; expected 1 to " + std::to_string(image_max_pixels) + " pixels",
                {},
                "resized(image, height, width)"});
  const Shape& shape = image.shape();
  Tensor out(Shape{height, width, shape[2]}, image.dtype());
  if (image.dtype() == DType::f32)
    resize(image.data(), shape[0], shape[1], shape[2], height, width, out.data());
  else
    resize_values(image.data<std::uint8_t>(), shape[0], shape[1], shape[2], height, width,
                  out.data<std::uint8_t>());
  return out;
}

}  // namespace goneuron::data
