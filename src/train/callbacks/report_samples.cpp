#include "train/callbacks/report_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "goneuron/dataset.h"

namespace goneuron {

namespace {

constexpr i64 most_counted = 10'000, most_classes = 64, smallest_image = 8;

bool is_image(const Shape& sample) {
  const bool grey = sample.rank() == 2,
             channels = sample.rank() == 3 && (sample[2] == 1 || sample[2] == 3);
  return (grey || channels) && sample[0] >= smallest_image && sample[1] >= smallest_image;
}

/// Floats of [0, 1] as grey levels; of any other range, from their smallest to their largest.
Tensor pixels_of(const Tensor& image) {
  if (image.dtype() == DType::u8) return image;
  const Tensor values = image.to(DType::f32);
  const float* v = values.data<float>();
  float low = *std::min_element(v, v + values.size());
  float high = *std::max_element(v, v + values.size());
  if (low >= 0 && high <= 1) low = 0, high = 1;
  Tensor pixels(image.shape(), DType::u8);
  for (i64 i = 0; i < values.size(); ++i) {
    const float level = high > low ? (v[i] - low) / (high - low) * 255 : 0;
    pixels.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(std::lround(level));
  }
  return pixels;
}

/// The first numbers of a sample.
std::string text_of(const Tensor& sample) {
  constexpr i64 most = 6;
  const Tensor flat = sample.reshape({sample.size()});
  std::string text;
  for (i64 i = 0; i < std::min(most, flat.size()); ++i)
    text += fmt::format("{}{:.4g}", i == 0 ? "" : ", ", flat.at({i}));
  return text + (flat.size() > most ? ", \u2026" : "");
}

struct Predictions {
  std::vector<Tensor> x;
  Tensor y, outputs;
  i64 count = 0;
  i64 classes = 0;  // 0: single values

  i64 predicted(i64 i) const {
    i64 best = 0;
    for (i64 c = 1; c < classes; ++c)
      if (outputs.at({i, c}) > outputs.at({i, best})) best = c;
    return best;
  }
  /// A class index, or the place of the 1 in a one-hot row.
  i64 actual(i64 i) const {
    const Tensor row = y[i];
    if (row.size() != classes) return static_cast<i64>(row.reshape({1}).at({0}));
    i64 best = 0;
    const Tensor flat = row.reshape({classes});
    for (i64 c = 1; c < classes; ++c)
      if (flat.at({c}) > flat.at({best})) best = c;
    return best;
  }
};

void count_confusion(Report& report, const Predictions& p, const std::string& what) {
  report.confusion = Tensor(Shape{p.classes, p.classes}, DType::f64);
  for (i64 i = 0; i < p.count; ++i) {
    const i64 row = p.actual(i), column = p.predicted(i);
    if (row < 0 || row >= p.classes) continue;  // padding of a loss that ignores it
    report.confusion.set({row, column}, report.confusion.at({row, column}) + 1);
  }
  report.confusion_of = fmt::format("{} {}", p.count, what);
}

void add_sample(Report& report, const Predictions& p, i64 i) {
  const auto name = [&](i64 c) {
    const auto at = static_cast<size_t>(c);
    return c >= 0 && at < report.class_names.size() ? report.class_names[at] : std::to_string(c);
  };
  const Tensor x = p.x[0][i];
  if (p.classes == 0) {
    const double value = p.outputs[i].reshape({1}).at({0}), target = p.y[i].reshape({1}).at({0});
    report.samples.push_back(
        {text_of(x), fmt::format("{:.5g}", value), fmt::format("{:.5g}", target), false});
    return;
  }
  const i64 predicted = p.predicted(i), actual = p.actual(i);
  const double share = p.outputs.at({i, predicted});
  if (p.x.size() == 1 && is_image(x.shape()))
    report.images.push_back({pixels_of(x), name(predicted), name(actual), share});
  else
    report.samples.push_back({text_of(x), name(predicted), name(actual), predicted != actual});
}

}  // namespace

void add_predictions(Report& report, const Model& model, const Dataset& data, i64 samples,
                     const std::string& what) {
  if (data.targets() != 1 || model.output_names().size() != 1) return;
  for (int i = 0; i < data.inputs(); ++i)
    if (!data.x_shape(i).known()) return;
  const Shape output = model.output().shape().without_batch();
  const i64 wanted_y = data.y_shape().known() ? data.y_shape().elements() : 0;
  Predictions p;
  if (output.rank() == 1 && output[0] > 1 && output[0] <= most_classes &&
      (wanted_y == 1 || wanted_y == output[0]))
    p.classes = output[0];
  else if (!(output.known() && output.elements() == 1 && wanted_y == 1))
    return;
  // One of several values is no class.
  if (p.classes > 0 && wanted_y == 1 && is_floating(data.y_dtype())) return;
  p.count =
      std::min(data.size(), p.classes > 0 && report.confusion.empty() ? most_counted : samples);
  const Samples arrays = data.take(p.count).all_arrays();
  p.x = arrays.x, p.y = arrays.y[0];
  p.outputs = model.predict(Tensors(p.x));
  if (p.classes > 0 && report.confusion.empty()) count_confusion(report, p, what);
  report.samples_of = what;
  for (i64 i = 0; i < std::min(samples, p.count); ++i) add_sample(report, p, i);
}

}  // namespace goneuron
