// Metric: a name and a function of (y_true, y_pred), or one of the known metrics by name.
#include <algorithm>
#include <numeric>

#include "core/message.h"
#include "goneuron/loss.h"
#include "graph/layer_impl.h"
#include "train/metrics/functions.h"

namespace goneuron {

namespace {
struct Known {
  const char* name;
  Symbol (*function)(const Symbol&, const Symbol&);
};
constexpr Known known[] = {{"accuracy", accuracy}, {"mean_absolute_error", mean_absolute_error}};

/// Levenshtein's distance: letters to insert, delete or replace.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

[[noreturn]] void fail_unknown(const std::string& wanted, Site site) {
  std::vector<std::string> names;
  for (const Known& metric : known) names.emplace_back(metric.name);
  const auto nearest = *std::min_element(names.begin(), names.end(), [&](auto& a, auto& b) {
    return distance(a, wanted) < distance(b, wanted);
  });
  const bool close = distance(nearest, wanted) <= 3;
  throw_graph({.where = place("Metric", site),
               .what = "there is no metric \"" + wanted + "\"; expected one of those below",
               .lines = {{"metrics", quoted_list(names)}},
               .hint = close ? "did you mean \"" + nearest + "\"?"
                             : "Metric(\"name\", function) makes one of your own"});
}
}  // namespace

Metric::Metric(const char* name, SymbolFunction function, Site site)
    : name_(name), function_(std::move(function)) {
  require(static_cast<bool>(function_), "Metric", site,
          "\"" + name_ + "\" has an empty function; expected one that returns a Symbol",
          "pass a function of (Symbol y_true, Symbol y_pred)");
}

Symbol Metric::operator()(const Symbol& y_true, const Symbol& y_pred) const {
  const UserCode code;
  return function_(y_true, y_pred);
}

Metric::Metric(const char* name, Site site) : name_(name) {
  for (const Known& metric : known)
    if (name_ == metric.name) function_ = metric.function;
  if (!function_) fail_unknown(name_, site);
}

}  // namespace goneuron
