#include "cli/results.h"

#include <fmt/format.h>

#include <cmath>

#include "config/build.h"
#include "goneuron/device.h"
#include "io/html_report.h"

namespace goneuron::cli {
namespace {

constexpr i64 most_tiles = 60;

bool is_image(const Shape& shape, DType dtype) {
  return dtype == DType::u8 && shape.rank() == 3 && (shape[-1] == 1 || shape[-1] == 3);
}

std::string class_name(const std::vector<std::string>& classes, i64 index) {
  return index >= 0 && index < static_cast<i64>(classes.size())
             ? classes[static_cast<size_t>(index)]
             : std::to_string(index);
}

/// The first images of the test data with what the model takes them for.
std::vector<ReportImage> tiles(const Model& model, const config::Loaded& loaded) {
  std::vector<ReportImage> images;
  const Dataset& data = loaded.test ? loaded.test : loaded.validation;
  if (!data || data.inputs() != 1 || data.targets() != 1 ||
      !is_image(data.x_shape(), data.x_dtype()) || data.y_shape().rank() != 0 ||
      is_floating(data.y_dtype()))
    return images;
  const i64 count = std::min(most_tiles, data.size());
  const Sample samples = data.take(count).arrays();
  const Tensor shares = model.predict(samples.x);
  if (shares.shape().rank() != 2) return images;
  const Tensor best = shares.argmax();
  for (i64 i = 0; i < count; ++i) {
    const auto predicted = static_cast<i64>(best.at({i}));
    images.push_back({samples.x[i], class_name(loaded.classes, predicted),
                      class_name(loaded.classes, static_cast<i64>(samples.y.at({i}))),
                      shares.at({i, predicted})});
  }
  return images;
}

}  // namespace

std::string numbers_text(const Logs& logs) {
  std::string text;
  for (size_t i = 0; i < logs.names.size() && i < logs.values.size(); ++i) {
    const double value = logs.values[i];
    const bool small = value != 0 && std::fabs(value) < 1e-3;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", logs.names[i],
                        small ? fmt::format("{:.3e}", value) : fmt::format("{:.4f}", value));
  }
  return text;
}

std::string own_unit_text(const std::string&, const Logs&) { return ""; }

std::string time_text(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<i64>(seconds + 0.5);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string grouped(i64 number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<i64>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string sample_text(const Dataset& data) {
  return data.x_shape().str() + " " + dtype_name(data.x_dtype());
}

void write_run_report(const RunFolder& run, const config::Config& config, const Model& model,
                      const config::Loaded& data, const RunResult& result) {
  std::vector<std::pair<std::string, std::string>> facts;
  for (size_t i = 0; i < result.test.names.size(); ++i)
    facts.emplace_back("test " + result.test.names[i],
                       fmt::format("{:.4f}", result.test.values[i]));
  facts.emplace_back("epochs", std::to_string(result.history.epochs.size()));
  facts.emplace_back("weights", grouped(model.parameters()));
  if (result.seconds > 0) {
    facts.emplace_back("training time", time_text(result.seconds));
    facts.emplace_back("samples / s",
                       fmt::format("{:.0f}", static_cast<double>(result.samples) / result.seconds));
  }
  facts.emplace_back("threads", std::to_string(threads()));
  write_report(
      run.report(),
      {.title = run.path,
       .subtitle =
           fmt::format("A model of {} weights, trained on {} samples.", grouped(model.parameters()),
                       data.train ? grouped(data.train.size()) : "its"),
       .facts = facts,
       .history = result.history,
       .images = tiles(model, data),
       .listings = {
           {"Model", model.summary(32)}, {"Data", data.facts}, {"Config", config.text()}}});
}

}  // namespace goneuron::cli
