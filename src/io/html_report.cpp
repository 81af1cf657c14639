#include "io/html_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/message.h"
#include "io/atomic_file.h"
#include "io/html_parts.h"
#include "io/html_style.h"
#include "io/png.h"
#include "io/svg_chart.h"

namespace goneuron {
namespace {

std::vector<double> values_of(const History& history, const std::string& name) {
  std::vector<double> values;
  for (const Logs& logs : history.epochs)
    for (size_t i = 0; i < logs.names.size(); ++i)
      if (logs.names[i] == name) values.push_back(logs.values[i]);
  return values;
}

/// Names of the logs as curves: those in training, in order of appearance; the counts of a
/// confusion matrix are none.
std::vector<std::string> curve_names(const Report& report) {
  std::vector<std::string> names;
  for (const Logs& logs : report.history.epochs)
    for (std::string name : logs.names) {
      if (name.starts_with("val_")) name = name.substr(4);
      const bool rate = name == "learning_rate" && !report.learning_rates.empty();
      if (rate || name.find('[') != std::string::npos) continue;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  return names;
}

/// "f1_score" as "F1 score".
std::string title_of(std::string name) {
  if (name == "auc" || name == "mae" || name == "mse" || name == "rmse" || name == "mape") {
    for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
    return name;
  }
  std::replace(name.begin(), name.end(), '_', ' ');
  if (name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return name;
}

std::string charts_of(const Report& report) {
  std::string out = "<div class=\"charts\">\n";
  for (const std::string& name : curve_names(report)) {
    std::vector<Series> series;
    for (const auto& [label, key] :
         {std::pair{"training", name}, std::pair{"validation", "val_" + name}}) {
      auto values = values_of(report.history, key);
      if (!values.empty()) series.push_back({label, std::move(values)});
    }
    out += line_chart(title_of(name), series);
  }
  if (!report.learning_rates.empty())
    out += line_chart("Learning rate", {{"of the epoch's end", report.learning_rates}});
  return out + "</div>\n";
}

std::string data_uri(const Tensor& pixels) {
  const Shape& shape = pixels.shape();
  if (shape.rank() < 2 || shape.rank() > 3)
    throw_shape(
        {.where = "write_report",
         .what = "an image is [height, width] or [height, width, channels], found " + shape.str(),
         .hint = "take one image of a batch: images[i]"});
  const i64 channels = shape.rank() == 3 ? shape[2] : 1;
  return "data:image/png;base64," +
         base64(encode_png(pixels.data<std::uint8_t>(), shape[0], shape[1], channels));
}

std::string tile_of(const ReportImage& image) {
  const bool right = image.predicted == image.actual;
  const std::string predicted = html_escape(image.predicted), actual = html_escape(image.actual);
  return fmt::format(
      "<li{}><img alt=\"{}\" src=\"{}\"><b>{} {}</b><small>{:.0f} % sure</small>{}</li>\n",
      right ? "" : " class=\"wrong\"", actual, data_uri(image.pixels), right ? "" : "\u2717",
      predicted, 100 * image.confidence, right ? "" : "<small>is: " + actual + "</small>");
}

}  // namespace

std::string report_html(const Report& report) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style></head>\n<body><main>\n<h1>{}</h1>\n",
      html_escape(report.title), report_style, html_escape(report.title));
  if (!report.subtitle.empty()) out += "<p>" + html_escape(report.subtitle) + "</p>\n";
  if (!report.facts.empty()) {
    out += "<dl class=\"facts\">\n";
    for (const auto& [name, value] : report.facts)
      out +=
          fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", html_escape(name), html_escape(value));
    out += "</dl>\n";
  }
  out += charts_of(report) + confusion_html(report);
  if (!report.images.empty()) {
    size_t wrong = 0;
    for (const auto& image : report.images) wrong += image.predicted != image.actual;
    out += fmt::format(
        "<h2>Predictions</h2>\n<p>{} {}; {} predicted wrongly, marked \u2717.</p>\n"
        "<ul class=\"images\">\n",
        report.images.size(), html_escape(report.samples_of), wrong);
    for (const auto& image : report.images) out += tile_of(image);
    out += "</ul>\n";
  }
  out += samples_html(report) + layers_html(report);
  for (const auto& [title, text] : report.listings)
    out += fmt::format("<h2>{}</h2>\n<pre>{}</pre>\n", html_escape(title), html_escape(text));
  return out + "</main></body></html>\n";
}

void write_report(const std::string& path, const Report& report) {
  AtomicFile file(path);
  file.write(report_html(report));
  file.commit();
}

}  // namespace goneuron
