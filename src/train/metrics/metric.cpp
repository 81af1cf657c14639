// Metric: a name and a function of (y_true, y_pred), or one of the known metrics by name.
#include "goneuron/metric.h"

#include <algorithm>
#include <string_view>

#include "core/edit_distance.h"
#include "core/message.h"
#include "goneuron/functions.h"
#include "graph/layer_impl.h"
#include "train/losses/targets.h"
#include "train/metrics/functions.h"

namespace goneuron {

namespace {
struct Known {
  const char* name;
  Metric (*make)();  // the constants of other files may not be there yet
};
template <Symbol (*function)(const Symbol&, const Symbol&)>
Metric mean_by() {
  return {"", function, {}};
}
template <Evidence (*function)(const Symbol&, const Symbol&)>
Metric sums_by() {
  return {"", function, {}};
}
constexpr Known known[] = {
    {"accuracy", mean_by<accuracy>},
    {"binary_accuracy", [] { return Metric(BinaryAccuracyMetric()); }},
    {"categorical_accuracy", mean_by<categorical_accuracy>},
    {"sparse_categorical_accuracy", mean_by<sparse_categorical_accuracy>},
    {"top_k_categorical_accuracy", [] { return Metric(TopKMetric(false)); }},
    {"sparse_top_k_categorical_accuracy", [] { return Metric(TopKMetric(true)); }},
    {"precision", [] { return Metric(ClassMetric("precision")); }},
    {"recall", [] { return Metric(ClassMetric("recall")); }},
    {"f1_score", [] { return Metric(ClassMetric("f1_score")); }},
    {"auc", [] { return Metric(AUCMetric()); }},
    {"confusion_matrix", [] { return Metric(ConfusionMatrixMetric()); }},
    {"mean_absolute_error", mean_by<mean_absolute_error>},
    {"mae", mean_by<mean_absolute_error>},
    {"mean_squared_error", sums_by<mean_squared_error>},
    {"mse", sums_by<mean_squared_error>},
    {"root_mean_squared_error", sums_by<root_mean_squared_error>},
    {"rmse", sums_by<root_mean_squared_error>},
    {"mean_absolute_percentage_error", mean_by<mean_absolute_percentage_error>},
    {"mape", mean_by<mean_absolute_percentage_error>},
    {"r2_score", sums_by<r2_score>},
    {"cosine_similarity", mean_by<cosine_similarity>},
    {"perplexity", [] { return Metric(PerplexityMetric(false)); }},
    {"bits_per_character", [] { return Metric(PerplexityMetric(true)); }}};

[[noreturn]] void fail_unknown(const std::string& wanted, Site site) {
  const std::vector<std::string> names = Metric::names();
  const auto nearest = *std::min_element(names.begin(), names.end(), [&](auto& a, auto& b) {
    return edit_distance(a, wanted) < edit_distance(b, wanted);
  });
  const bool close = edit_distance(nearest, wanted) <= 3;
  throw_graph({.where = place("Metric", site),
               .what = "there is no metric \"" + wanted + "\"; expected one of those below",
               .lines = {{"metrics", quoted_list(names)}},
               .hint = close ? "did you mean \"" + nearest + "\"?"
                             : "Metric(\"name\", function) makes one of your own"});
}
}  // namespace

namespace {
template <class Function>
void need_function(const Function& function, const std::string& name, Site site) {
  require(static_cast<bool>(function), "Metric", site,
          "\"" + name + "\" has an empty function; expected one that returns a Symbol",
          "pass a function of (Symbol y_true, Symbol y_pred)");
}
}  // namespace

Metric::Metric(const char* name, SymbolFunction function, Site site)
    : name_(name), function_(std::move(function)) {
  need_function(function_, name_, site);
}

Metric::Metric(const char* name, EvidenceFunction function, Site site)
    : name_(name), evidence_(std::move(function)) {
  need_function(evidence_, name_, site);
}

Metric::Metric(const char* name, Site site) {
  for (const Known& metric : known)
    if (std::string_view(name) == metric.name) *this = metric.make();
  name_ = name;
  if (!function_ && !evidence_) fail_unknown(name_, site);
}

bool same_metric(const std::string& name, const std::string& other) {
  const auto find = [](const std::string& wanted) {
    return std::find_if(std::begin(known), std::end(known),
                        [&](const Known& one) { return wanted == one.name; });
  };
  const auto *one = find(name), *two = find(other);
  return one != std::end(known) && two != std::end(known) && one->make == two->make;
}

std::vector<std::string> Metric::names() {
  std::vector<std::string> all;
  for (const Known& metric : known) all.emplace_back(metric.name);
  return all;
}

Metric Metric::named(const std::string& name) const {
  Metric other = *this;
  other.name_ = name;
  return other;
}

Symbol Metric::operator()(const Symbol& y_true, const Symbol& y_pred) const {
  const UserCode code;
  if (function_) return function_(like_predictions(y_true, y_pred), y_pred);
  throw_graph({.where = "Metric",
               .what = "\"" + name_ + "\" is no mean of a symbol; expected one that is",
               .hint = "take its evidence()"});
}

Evidence Metric::evidence(const Symbol& y_true, const Symbol& y_pred) const {
  const UserCode code;
  if (!evidence_)
    throw_graph({.where = "Metric",
                 .what = "\"" + name_ + "\" is the mean of a symbol; expected one that adds up",
                 .hint = "call it: metric(y_true, y_pred)"});
  Evidence found = evidence_(like_predictions(y_true, y_pred), y_pred);
  const Symbol& rows = found.rows;
  if (!rows || !found.make || rows.dtype() != DType::f32 || rows.shape().rank() < 2 ||
      rows.shape()[0] != Any || rows.shape()[-1] == Any)
    throw_shape({.where = "Metric",
                 .what = "the evidence of \"" + name_ + "\" is " +
                         (rows ? rows.shape().str() + " " + dtype_name(rows.dtype()) : "empty") +
                         (found.make ? "" : ", without a maker of accumulators") +
                         "; expected f32 [batch, .., numbers] and a maker",
                 .hint = "return {rows, [] { return std::make_unique<Mine>(); }}, rows with one "
                         "axis more than what is counted"});
  return found;
}

Metric MeanOf(const char* name, const Symbol& value, Site site) {
  require(static_cast<bool>(value), "MeanOf", site,
          "\"" + std::string(name) + "\" is of an empty symbol; expected one of the model",
          "keep the symbol of a layer's output: auto h = Dense(8)(x)");
  return {name, [value](const Symbol&, const Symbol&) { return cast(value, DType::f32, {}); },
          site};
}

}  // namespace goneuron
