// Losses.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr Option ignore_index = {"ignore_index", Type::integer, "none", "-1",
                                 "targets of this value count for nothing: padding"};
constexpr Option cross_entropy_options[] = {{"label_smoothing", Type::number, "0", "0.1",
                                             "share of each target spread over all classes", share},
                                            ignore_index,
                                            from_logits_option};
constexpr Option binary_options[] = {from_logits_option};
std::optional<i64> ignored(const Options& o) {
  return o.given("ignore_index") ? std::optional<i64>(o.integer("ignore_index")) : std::nullopt;
}

using LossRow = Row<Loss, const Options&>;
constexpr LossRow losses[] = {
    {{"mse", "mean squared error, for numbers"}, [](const Options&) -> Loss { return MSE; }},
    {{"cross_entropy", "for one class of several, after softmax", cross_entropy_options},
     [](const Options& o) -> Loss {
       return CrossEntropy({.label_smoothing = o.number("label_smoothing"),
                            .ignore_index = ignored(o),
                            .from_logits = o.boolean("from_logits")},
                           o.site());
     }},
    {{"binary_cross_entropy", "for yes or no, after sigmoid", binary_options},
     [](const Options& o) -> Loss {
       return BinaryCrossEntropy({.from_logits = o.boolean("from_logits")}, o.site());
     }},
};

}  // namespace

const Table& loss_table() {
  static const Table table = {"loss", "losses", kinds_of(losses)};
  return table;
}

Loss make_loss(const Value& value, const Context& context) {
  return make_from(losses, loss_table(), value, context);
}

}  // namespace goneuron::config
