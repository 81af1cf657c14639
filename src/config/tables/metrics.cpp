// Metrics.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr const char* averages[] = {"automatic", "micro", "macro", "weighted", "per_class"};
constexpr const char* curves[] = {"roc", "pr"};

constexpr Option ignore_index = {"ignore_index", Type::integer, "none", "-1",
                                 "targets of this value count for nothing: padding"};
constexpr Option threshold = {"threshold", Type::number, "0.5", "0.7",
                              "predictions above it count as 1"};
constexpr Option name = {"name", Type::text, "", "auc_pr", "in the logs; default: the metric's"};
constexpr Option only_ignore[] = {ignore_index};
constexpr Option of_likelihood[] = {ignore_index, from_logits_option};
constexpr Option only_threshold[] = {threshold};
constexpr Option top_k[] = {
    {"k", Type::integer, "5", "3", "classes that may be right", at_least(1)}, ignore_index};
constexpr Option of_classes[] = {{"average",
                                  Type::choice,
                                  "automatic",
                                  "macro",
                                  "how numbers of several classes become one",
                                  {},
                                  averages},
                                 threshold,
                                 ignore_index,
                                 name};
constexpr Option f_options[] = {
    {"beta", Type::number, "1", "2", "how much more recall counts than precision", above(0)},
    {"average",
     Type::choice,
     "automatic",
     "macro",
     "how numbers of several classes become one",
     {},
     averages},
    threshold,
    ignore_index,
    name};
constexpr Option matrix_options[] = {threshold, ignore_index};
constexpr Option auc_options[] = {
    {"curve",
     Type::choice,
     "roc",
     "pr",
     "receiver operating characteristic, or precision/recall",
     {},
     curves},
    {"per_class", Type::boolean, "false", "true", "each class on its own, not their mean"},
    ignore_index,
    name};

std::optional<i64> ignored(const Options& o) {
  return o.given("ignore_index") ? std::optional<i64>(o.integer("ignore_index")) : std::nullopt;
}

ClassMetricOptions class_options(const Options& o, double beta = 1) {
  return {.average = static_cast<Average>(o.choice("average")),
          .threshold = o.number("threshold"),
          .beta = beta,
          .ignore_index = ignored(o),
          .name = o.text("name")};
}

/// Those without options, by the name of their row.
Metric by_name(const Options& o) { return {o.kind().name, o.site()}; }

PerplexityOptions likelihood(const Options& o) {
  return {.ignore_index = ignored(o), .from_logits = o.boolean("from_logits")};
}

using MetricRow = Row<Metric, const Options&>;
constexpr MetricRow metric_rows[] = {
    {{"accuracy", "share of right predictions", only_ignore},
     [](const Options& o) -> Metric {
       return o.given("ignore_index") ? Accuracy({.ignore_index = ignored(o)}, o.site())
                                      : Metric(Accuracy);
     }},
    {{"binary_accuracy", "the same for outputs that are each 0 or 1", only_threshold},
     [](const Options& o) -> Metric {
       return BinaryAccuracy({.threshold = o.number("threshold")}, o.site());
     }},
    {{"categorical_accuracy", "of one-hot targets only"}, by_name},
    {{"sparse_categorical_accuracy", "of class indices only"}, by_name},
    {{"top_k_categorical_accuracy", "the class is among the k largest outputs; one-hot targets",
      top_k},
     [](const Options& o) -> Metric {
       return TopKCategoricalAccuracy({.k = o.integer("k"), .ignore_index = ignored(o)}, o.site());
     }},
    {{"sparse_top_k_categorical_accuracy", "the same for class indices", top_k},
     [](const Options& o) -> Metric {
       return SparseTopKCategoricalAccuracy({.k = o.integer("k"), .ignore_index = ignored(o)},
                                            o.site());
     }},
    {{"precision", "of the predictions of a class, the share that is right", of_classes},
     [](const Options& o) -> Metric { return Precision(class_options(o), o.site()); }},
    {{"recall", "of the targets of a class, the share that is found", of_classes},
     [](const Options& o) -> Metric { return Recall(class_options(o), o.site()); }},
    {{"f1_score", "harmonic mean of precision and recall", f_options},
     [](const Options& o) -> Metric {
       return F1Score(class_options(o, o.number("beta")), o.site());
     }},
    {{"confusion_matrix", "how often each class is taken for each", matrix_options},
     [](const Options& o) -> Metric {
       return ConfusionMatrix({.threshold = o.number("threshold"), .ignore_index = ignored(o)},
                              o.site());
     }},
    {{"auc", "area under the curve", auc_options},
     [](const Options& o) -> Metric {
       return AUC({.curve = static_cast<Curve>(o.choice("curve")),
                   .per_class = o.boolean("per_class"),
                   .ignore_index = ignored(o),
                   .name = o.text("name")},
                  o.site());
     }},
    {{"mean_absolute_error", "mean of |prediction - target|"}, by_name},
    {{"mae", "the same"}, by_name},
    {{"mean_squared_error", "mean of (prediction - target)^2"}, by_name},
    {{"mse", "the same"}, by_name},
    {{"root_mean_squared_error", "its root, in the target's own unit"}, by_name},
    {{"rmse", "the same"}, by_name},
    {{"mean_absolute_percentage_error", "error in percent of the target"}, by_name},
    {{"mape", "the same"}, by_name},
    {{"r2_score", "share of the target's variance that is explained"}, by_name},
    {{"cosine_similarity", "cosine of the angle between prediction and target"}, by_name},
    {{"perplexity", "exp of the mean cross-entropy", of_likelihood},
     [](const Options& o) -> Metric { return Perplexity(likelihood(o), o.site()); }},
    {{"bits_per_character", "mean cross-entropy in bits", of_likelihood},
     [](const Options& o) -> Metric { return BitsPerCharacter(likelihood(o), o.site()); }},
};

}  // namespace

const Table& metric_table() {
  static const Table table = {"metric", "metrics", kinds_of(metric_rows)};
  return table;
}

Metric make_metric(const Value& value, const Context& context) {
  return make_from(metric_rows, metric_table(), value, context);
}

}  // namespace goneuron::config
