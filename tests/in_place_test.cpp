// Every op that says so may write its output over an input: each backend's kernel gives the same
// bits as with memory of its own. Driven by the ops' samples.
#include <gtest/gtest.h>

#include "core/arena.h"
#include "op_testing.h"
#include "plan/backend.h"

namespace goneuron {
namespace {

struct Sampled {
  Graph graph;
  std::vector<Tensor> inputs;
};

Sampled sampled(const OpDef& op, const OpSample& sample) {
  Sampled s;
  s.inputs = testing_ops::random_inputs(sample);
  std::vector<ValueId> ids;
  for (const TensorType& type : sample.inputs) {
    ids.push_back(static_cast<ValueId>(s.graph.values.size()));
    s.graph.values.push_back({.type = type, .role = Role::input});
  }
  s.graph.add(op, ids, sample.attrs);
  return s;
}

/// Output 0 with every value in its own memory, or over input `over`.
Tensor run(const Sampled& s, const Backend& backend, int over) {
  const Node& node = s.graph.nodes[0];
  StepScalars scalars = testing_ops::step_scalars();
  std::vector<Tensor> in, out;
  const Scheme scheme = backend.schemes(s.graph, node)[0];
  const Arena scratch(scheme.scratch, "the scratch memory");
  BoundNode bound{s.graph, node, scheme, {}, {}, &scalars};
  for (const Tensor& input : s.inputs) {
    in.push_back(input.clone());
    bound.in.push_back(in.back().raw());
  }
  for (const ValueId id : node.outputs) {
    const TensorType& type = s.graph.value(id).type;
    out.emplace_back(type.shape, type.dtype);
    bound.out.push_back(out.back().raw());
  }
  if (over >= 0) bound.out[0] = bound.in[static_cast<size_t>(over)];
  const Call call = backend.lower(bound);
  call.kernel(call.args.get(), 0, scheme.tiles, scratch.data());
  return over < 0 ? out[0] : Tensor::view(bound.out[0], out[0].shape(), out[0].dtype()).clone();
}

TEST(InPlace, GivesTheSameBits) {
  int compared = 0;
  for (const OpDef* op : op_table()) {
    if (op->in_place == 0) continue;
    for (const OpSample& sample : op->samples()) {
      const Sampled s = sampled(*op, sample);
      const Node& node = s.graph.nodes[0];
      for (const std::string& name : backend_names()) {
        const Backend& backend = backend_named(name);
        if (!backend.supports(s.graph, node)) continue;
        const Tensor apart = run(s, backend, -1);
        for (int i = 0; i < static_cast<int>(s.inputs.size()); ++i) {
          const Tensor& input = s.inputs[static_cast<size_t>(i)];
          if (!(op->in_place >> i & 1) || input.size() != apart.size()) continue;
          const Tensor over = run(s, backend, i);
          EXPECT_EQ(std::memcmp(over.raw(), apart.raw(), static_cast<size_t>(apart.bytes())), 0)
              << op->name << " on " << name << " over input " << i;
          ++compared;
        }
      }
    }
  }
  EXPECT_GT(compared, 100);
}

}  // namespace
}  // namespace goneuron
