// A line chart as inline SVG: axes, ticks, one line a series; colours are CSS classes s0, s1, ...
// of the page. Used by the HTML report.
#pragma once

#include <string>
#include <vector>

namespace goneuron {

struct Series {
  std::string name;
  std::vector<double> values;  // one an epoch, from epoch 1; those that are not finite leave a gap
};

/// A figure with title, legend and chart; empty when no series has a finite value.
std::string line_chart(const std::string& title, const std::vector<Series>& series);
/// Replaces what HTML reads as markup.
std::string html_escape(const std::string& text);

}  // namespace goneuron
