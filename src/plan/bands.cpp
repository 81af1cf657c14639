// Values in bands. Where every step cuts a value within its samples, into image rows say, each
// worker has a piece of every sample, and at the ends of so many pieces the processor fetches ahead
// what another worker writes. Such a value is stored with the first band of all samples first, then
// the second of all, ...: [bands, samples, ...], so that what a worker touches lies together.
#include <algorithm>
#include <numeric>

#include "plan/plan.h"

namespace goneuron {

namespace {

/// Of one sample, bytes: in narrower bands there is too little for a kernel to work on at a time.
constexpr i64 least_band = 128;

/// How many bands a value may have: as many as the finest cut of it has units; 1 where a step does
/// not take so many, or cuts otherwise.
class Bands {
 public:
  void meet(const Scheme::Access& access, const Value& value) {
    const Partition& part = access.part;
    if (access.most_bands == 1 || part.tiles == 1 || part.outer == 1 ||
        part.outer != value.type.shape[0] ||
        value_bytes(value) < least_band * part.outer * part.units)
      return refuse();
    const i64 finest = std::max(bands_, part.units), coarsest = std::min(bands_, part.units);
    bands_ = finest;
    common_ = std::gcd(common_, access.most_bands);
    if (finest % coarsest != 0 || common_ % finest != 0) refuse();
  }
  void refuse() { refused_ = true; }
  i64 count() const { return refused_ ? 1 : bands_; }

 private:
  i64 bands_ = 1, common_ = 0;
  bool refused_ = false;
};

}  // namespace

void lay_in_bands(Plan& plan) {
  const Graph& graph = plan.graph;
  std::vector<Bands> values(graph.values.size());
  const auto of = [&](ValueId id) -> Bands& { return values[static_cast<size_t>(graph.root(id))]; };
  for (size_t v = 0; v < graph.values.size(); ++v)
    if (graph.values[v].variable || graph.values[v].role == Role::constant ||
        graph.values[v].gradient_of)
      of(static_cast<ValueId>(v)).refuse();
  for (const ValueId id : graph.outputs) of(id).refuse();
  const auto visit = [&](auto&& f) {
    for (PlannedStep& step : plan.steps) {
      const Node& node = graph.nodes[static_cast<size_t>(step.node)];
      if (node.op->alias) continue;
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (!(node.op->shape_only >> i & 1)) f(step.scheme.in[i], node.inputs[i]);
      for (size_t o = 0; o < node.outputs.size(); ++o) f(step.scheme.out[o], node.outputs[o]);
    }
  };
  visit([&](const Scheme::Access& access, ValueId id) {
    of(id).meet(access, graph.value(graph.root(id)));
  });
  visit([&](Scheme::Access& access, ValueId id) {
    access.bands = of(id).count();
    if (access.bands > 1) access.part.outer = 1;  // in memory a tile's part is one range now
  });
  for (const ValueId id : graph.inputs) plan.bands.push_back(of(id).count());
}

}  // namespace goneuron
