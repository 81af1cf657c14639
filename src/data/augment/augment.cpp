// data::augment: random changes of images, in one map.
#include <algorithm>
#include <cmath>

#include "core/message.h"
#include "core/unit_bytes.h"
#include "data/augment/frame.h"
#include "data/augment/mixup.h"

namespace goneuron::data {

namespace {

/// One stream of random numbers a change: turning one on leaves the others as they are. "AUG".
enum Stream : std::uint32_t {
  flip_stream = 0x41554700,
  warp_stream,
  shift_stream,
  crop_stream,
  noise_stream,
  light_stream,
  cutout_stream,
};

void check_range(const std::string& where, const char* name, double value, double most) {
  // Not (value < 0 || ..): NaN must fail too.
  if (value >= 0 && value <= most) return;
  throw_data(
      {where,
       std::string(name) + " is " + number_text(value) + "; expected 0 to " + number_text(most),
       {},
       "0, the default, turns it off"});
}

void check(const AugmentOptions& o, const Shape& shape, DType dtype, const std::string& where) {
  if (shape.rank() != 3 || (dtype != DType::u8 && dtype != DType::f32))
    throw_data({where,
                "samples are " + type_text(shape, dtype) +
                    "; expected [height, width, channels] u8 or f32",
                {},
                "map() a sample of another shape with x.reshape({height, width, 1})"});
  const auto side = static_cast<double>(std::max(shape[0], shape[1]));
  check_range(where, "rotation", o.rotation, 180);
  check_range(where, "zoom", o.zoom, 0.9);
  check_range(where, "shift", o.shift, 1);
  check_range(where, "crop_pad", static_cast<double>(o.crop_pad), side);
  check_range(where, "noise", o.noise, 10);
  check_range(where, "brightness", o.brightness, 1);
  check_range(where, "contrast", o.contrast, 1);
  check_range(where, "cutout", static_cast<double>(o.cutout), 2 * side);
  check_range(where, "mixup", o.mixup, 100);
}

void load(Frame& frame, const Tensor& image) {
  frame.height = image.shape()[0];
  frame.width = image.shape()[1];
  frame.channels = image.shape()[2];
  frame.values.resize(static_cast<size_t>(image.size()));
  if (image.dtype() == DType::u8)
    units_of(frame.values.data(), image.data<std::uint8_t>(), image.size());
  else
    std::copy_n(image.data(), image.size(), frame.values.data());
}

Tensor stored(const Frame& frame, DType dtype) {
  Tensor out(Shape{frame.height, frame.width, frame.channels}, dtype);
  if (dtype == DType::f32) {
    std::copy(frame.values.begin(), frame.values.end(), out.data());
    return out;
  }
  auto* to = out.data<std::uint8_t>();
  for (const float value : frame.values)
    *to++ = static_cast<std::uint8_t>(std::clamp(value * 255 + 0.5F, 0.0F, 255.0F));
  return out;
}

void change(Frame& frame, const AugmentOptions& o, const SampleContext& context) {
  const auto pixels = [](double share, i64 size) {
    return static_cast<i64>(std::llround(share * static_cast<double>(size)));
  };
  if (o.flip_horizontal || o.flip_vertical)
    flip(frame, o.flip_horizontal, o.flip_vertical, context.random(flip_stream));
  if (o.rotation > 0 || o.zoom > 0) warp(frame, o.rotation, o.zoom, context.random(warp_stream));
  if (o.shift > 0)
    shift(frame, pixels(o.shift, frame.height), pixels(o.shift, frame.width),
          context.random(shift_stream));
  if (o.crop_pad > 0) shift(frame, o.crop_pad, o.crop_pad, context.random(crop_stream));
  if (o.noise > 0) add_noise(frame, o.noise, context.random(noise_stream));
  if (o.brightness > 0 || o.contrast > 0)
    change_light(frame, o.brightness, o.contrast, context.random(light_stream));
  if (o.cutout > 0) cut_out(frame, o.cutout, context.random(cutout_stream));
}

}  // namespace

Dataset augment(const Dataset& dataset, const AugmentOptions& options, Site site) {
  const DatasetImpl& from = need_data(dataset.impl(), "data::augment", site);
  refuse_buckets(from, "data::augment", site);
  check(options, dataset.x_shape(), dataset.x_dtype(), user_place("data::augment", site));
  const Dataset changed = dataset.map(
      [options](const Samples& s, const SampleContext& context) {
        Frame frame;
        load(frame, s.x[0]);
        change(frame, options, context);
        Samples out = s;
        out.x[0] = stored(frame, s.x[0].dtype());
        return out;
      },
      site);
  return options.mixup > 0 ? mixed(changed, options, site) : changed;
}

}  // namespace goneuron::data
