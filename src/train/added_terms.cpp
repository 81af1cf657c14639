#include "train/added_terms.h"

#include <algorithm>

#include "graph/calls.h"
#include "train/losses/targets.h"

namespace goneuron {

namespace {

Symbol scaled(const Symbol& x, double scale) {
  return scale == 1 ? x : make("scale_shift", {x}, {{"scale", scale}, {"shift", 0.0}});
}

/// The terms of one kind: those of one name as one sum.
struct Sums {
  std::vector<std::string> names;
  std::vector<Symbol> values;
  std::vector<double> counts;

  void add(const std::string& name, const Symbol& value) {
    const auto at =
        static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (at < names.size()) {
      values[at] = make("add", {values[at], value});
      counts[at] += 1;
      return;
    }
    names.push_back(name);
    values.push_back(value);
    counts.push_back(1);
  }
};

}  // namespace

AddedTerms added_terms(const std::vector<Symbol>& outputs) {
  AddedTerms all;
  Sums losses, metrics;
  for (const LayerCall* call : calls_of(model_order(outputs))) {
    for (const AddedTerm& term : call->losses) {
      const Symbol value = term.value;
      if (!value) continue;
      const Symbol mean = batch_mean(value), weighted = scaled(mean, term.weight);
      all.loss = all.loss ? make("add", {all.loss, weighted}) : weighted;
      losses.add(term.name, mean);
    }
    for (const AddedTerm& term : call->metrics)
      if (const Symbol value = term.value) metrics.add(term.name, batch_mean(value));
  }
  all.names = losses.names;
  all.values = losses.values;
  for (size_t i = 0; i < metrics.names.size(); ++i) {
    all.names.push_back(metrics.names[i]);
    all.values.push_back(scaled(metrics.values[i], 1 / metrics.counts[i]));
  }
  return all;
}

}  // namespace goneuron
