#include "io/html_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/svg_chart.h"

namespace goneuron {

namespace {

std::string class_name(const Report& report, i64 c) {
  const auto at = static_cast<size_t>(c);
  return at < report.class_names.size() ? html_escape(report.class_names[at]) : std::to_string(c);
}

std::string matrix_row(const Report& report, i64 row) {
  const i64 classes = report.confusion.shape()[0];
  double all = 0;
  for (i64 c = 0; c < classes; ++c) all += report.confusion.at({row, c});
  std::string out = "<tr><th>" + class_name(report, row) + "</th>";
  for (i64 c = 0; c < classes; ++c) {
    const double count = report.confusion.at({row, c}), share = all > 0 ? count / all : 0;
    out +=
        fmt::format("<td class=\"{}\" style=\"--v:{:.3f}\" title=\"{} taken for {}\">{:.0f}</td>",
                    count == 0     ? "none"
                    : share > 0.55 ? "dark"
                                   : "",
                    share, class_name(report, row), class_name(report, c), count);
  }
  return out + "</tr>\n";
}

}  // namespace

std::string confusion_html(const Report& report) {
  if (report.confusion.empty()) return "";
  const i64 classes = report.confusion.shape()[0];
  std::string out = "<h2>Confusion matrix</h2>\n<p>";
  if (!report.confusion_of.empty()) out += "Of " + html_escape(report.confusion_of) + ". ";
  out +=
      "Rows are what it is, columns what it is taken for; the stronger the colour, the larger the "
      "share of the row.</p>\n<div class=\"wide\"><table class=\"matrix\">\n<thead><tr><th></th>";
  for (i64 c = 0; c < classes; ++c) out += "<th>" + class_name(report, c) + "</th>";
  out += "</tr></thead>\n<tbody>\n";
  for (i64 row = 0; row < classes; ++row) out += matrix_row(report, row);
  return out + "</tbody></table></div>\n";
}

std::string samples_html(const Report& report) {
  if (report.samples.empty()) return "";
  std::string out = fmt::format(
      "<h2>Predictions</h2>\n<p>{} {}.</p>\n<div class=\"wide\"><table class=\"rows\">\n"
      "<thead><tr><th>input</th><th>predicted</th><th>is</th></tr></thead>\n<tbody>\n",
      report.samples.size(), html_escape(report.samples_of));
  for (const ReportSample& sample : report.samples)
    out += fmt::format("<tr{}><td>{}</td><td>{}{}</td><td>{}</td></tr>\n",
                       sample.wrong ? " class=\"wrong\"" : "", html_escape(sample.input),
                       sample.wrong ? "\u2717 " : "", html_escape(sample.predicted),
                       html_escape(sample.actual));
  return out + "</tbody></table></div>\n";
}

std::string layers_html(const Report& report) {
  if (report.layers.empty()) return "";
  double all = 0, longest = 0;
  for (const ReportLayer& layer : report.layers)
    all += layer.seconds, longest = std::max(longest, layer.seconds);
  std::string out = fmt::format(
      "<h2>Time of the layers</h2>\n<p>Of a training step, forward and backward, on one thread: "
      "{:.3f} ms.</p>\n<div class=\"wide\"><table class=\"rows\">\n<thead><tr><th>layer</th>"
      "<th class=\"bar\"></th><th class=\"number\">share</th><th class=\"number\">\u00b5s</th>"
      "<th class=\"number\">GFLOP/s</th><th class=\"number\">MB</th></tr></thead>\n<tbody>\n",
      all * 1e3);
  for (const ReportLayer& layer : report.layers)
    out += fmt::format(
        "<tr><td>{}</td><td class=\"bar\"><i style=\"width:{:.1f}%\"></i></td>"
        "<td class=\"number\">{:.1f} %</td><td class=\"number\">{:.1f}</td>"
        "<td class=\"number\">{:.1f}</td><td class=\"number\">{:.2f}</td></tr>\n",
        html_escape(layer.name), longest > 0 ? 100 * layer.seconds / longest : 0,
        all > 0 ? 100 * layer.seconds / all : 0, layer.seconds * 1e6,
        layer.seconds > 0 ? layer.flops / layer.seconds * 1e-9 : 0, layer.bytes / 1e6);
  return out + "</tbody></table></div>\n";
}

}  // namespace goneuron
