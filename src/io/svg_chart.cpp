#include "io/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace goneuron {
namespace {

constexpr double width = 480, height = 290, right = 14, top = 12, bottom = 40;

/// The plotted range; y ticks fall on multiples of `step`, a 1, 2 or 5 with zeros.
struct Scale {
  double low = std::numeric_limits<double>::infinity(), high = -low, step = 1;
  size_t epochs = 1;
  double left = 0;  // room for the ticks' numbers

  double x(size_t epoch) const {  // from 0
    const double share =
        epochs > 1 ? static_cast<double>(epoch) / static_cast<double>(epochs - 1) : 0.5;
    return left + share * (width - left - right);
  }
  double y(double value) const {
    return top + (high - value) / (high - low) * (height - top - bottom);
  }
};

double nice_step(double span, double wanted) {
  const double raw = span / wanted, power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= raw * 0.999) return factor * power;
  return 10 * power;
}

Scale scale_of(const std::vector<Series>& series) {
  Scale scale;
  for (const Series& s : series) {
    scale.epochs = std::max(scale.epochs, s.values.size());
    for (const double v : s.values)
      if (std::isfinite(v))
        scale.low = std::min(scale.low, v), scale.high = std::max(scale.high, v);
  }
  if (scale.high - scale.low <=
      1e-9 * std::fabs(scale.high)) {  // a single epoch, or a flat line: some room around it
    const double room = scale.high == 0 ? 1e-3 : std::max(std::fabs(scale.high) * 0.1, 1e-12);
    scale.low -= room, scale.high += room;
  }
  scale.step = nice_step(scale.high - scale.low, 5);
  scale.low = std::floor(scale.low / scale.step) * scale.step;
  scale.high = std::ceil(scale.high / scale.step) * scale.step;
  return scale;
}

int ticks_of(const Scale& scale) {
  return static_cast<int>(std::lround((scale.high - scale.low) / scale.step));
}

/// The number at a tick; those of learning rates would be all zeros.
std::string tick_text(const Scale& scale, int tick) {
  const double value = scale.low + tick * scale.step;
  if (std::fabs(value) < scale.step / 2) return "0";
  const int digits = static_cast<int>(std::ceil(-std::log10(scale.step) - 1e-9));
  if (digits > 3) return fmt::format("{:.3g}", value);
  return fmt::format("{:.{}f}", value, std::max(digits, 0));
}

std::string axes(const Scale& scale) {
  std::string out;
  const double left = scale.left;
  for (int i = 0; i <= ticks_of(scale); ++i) {
    const double y = scale.y(scale.low + i * scale.step);
    out += fmt::format(R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", left,
                       width - right, y, y);
    out += fmt::format(R"(<text x="{}" y="{:.1f}" text-anchor="end">{}</text>)", left - 7, y + 5,
                       tick_text(scale, i));
  }
  const size_t every =
      std::max<size_t>(1, static_cast<size_t>(nice_step(static_cast<double>(scale.epochs), 10)));
  for (size_t e = 0; e < scale.epochs; ++e)
    if (e == 0 || (e + 1) % every == 0)
      out += fmt::format(R"(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", scale.x(e),
                         height - bottom + 18, e + 1);
  return out + fmt::format(R"(<text x="{:.1f}" y="{}" text-anchor="middle">epoch</text>)",
                           (left + width - right) / 2, height - 4);
}

std::string line_of(const Series& series, size_t index, const Scale& scale) {
  std::string path, dots;
  bool pen_down = false;
  for (size_t e = 0; e < series.values.size(); ++e) {
    const double value = series.values[e];
    if (!std::isfinite(value)) {
      pen_down = false;
      continue;
    }
    const double x = scale.x(e), y = scale.y(value);
    path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", x, y);
    dots += fmt::format(
        R"(<circle class="s{}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}, epoch {}: {:.5g}</title></circle>)",
        index, x, y, series.values.size() > 30 ? 2 : 4, html_escape(series.name), e + 1, value);
    pen_down = true;
  }
  return fmt::format(R"(<path class="s{}" d="{}"/>)", index, path) + dots;
}

}  // namespace

std::string html_escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string line_chart(const std::string& title, const std::vector<Series>& series) {
  const bool any = std::any_of(series.begin(), series.end(), [](const Series& s) {
    return std::any_of(s.values.begin(), s.values.end(), [](double v) { return std::isfinite(v); });
  });
  if (!any) return "";
  Scale scale = scale_of(series);
  size_t longest = 0;
  for (int i = 0; i <= ticks_of(scale); ++i)
    longest = std::max(longest, tick_text(scale, i).size());
  scale.left = std::max(48.0, 16 + 10.0 * static_cast<double>(longest));
  std::string legend, lines;
  for (size_t i = 0; i < series.size(); ++i) {
    legend += fmt::format(R"(<span class="s{}"><i></i>{}</span>)", i, html_escape(series[i].name));
    lines += line_of(series[i], i, scale);
  }
  const std::string name = html_escape(title);
  return fmt::format(
      "<figure><figcaption><b>{}</b>{}</figcaption><svg viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"{}\">{}{}"
      "</svg></figure>\n",
      name, legend, width, height, name, axes(scale), lines);
}

}  // namespace goneuron
