// The reference backend: every op's own plain kernel, one tile a node. What other kernels are
// compared with, and what runs where they have none.
#include "backends/reference/reference_backend.h"

#include "core/message.h"

namespace goneuron {

namespace {

struct ReferenceCall {
  ReferenceCall(const BoundNode& bound)
      : run(bound.node.op->reference.f32),
        attrs(bound.node.attrs),
        args{refs(bound.graph, bound.node.outputs, bound.out),
             refs(bound.graph, bound.node.inputs, bound.in), attrs, *bound.scalars} {}

  static std::vector<TensorRef> refs(const Graph& graph, const std::vector<ValueId>& ids,
                                     const std::vector<void*>& memory) {
    std::vector<TensorRef> list;
    for (size_t i = 0; i < ids.size(); ++i)
      list.push_back({memory[i], graph.value(ids[i]).type.shape, graph.value(ids[i]).type.dtype});
    return list;
  }

  void (*run)(const KernelArgs&);
  Attrs attrs;
  KernelArgs args;  // refers to attrs
};

class ReferenceBackend : public Backend {
 public:
  std::string name() const override { return "reference"; }
  std::string info() const override { return "plain loops, one thread a node"; }
  bool supports(const Graph&, const Node& node) const override {
    return node.op->reference.f32 != nullptr || node.op->alias;
  }
  std::vector<Scheme> schemes(const Graph&, const Node& node) const override {
    return {single_tile(node)};
  }

  Call lower(const BoundNode& bound) const override {
    if (bound.node.op->reference.f32 == nullptr)
      throw_device({.where = describe(bound.node),
                    .what = std::string("no kernel runs the op \"") + bound.node.op->name + "\"",
                    .hint = "give its file in src/ops a reference kernel"});
    return {[](const void* args, i64, i64, void*) noexcept {
              const auto& call = *static_cast<const ReferenceCall*>(args);
              call.run(call.args);
            },
            std::make_shared<ReferenceCall>(bound)};
  }
};

}  // namespace

const Backend& reference_backend() {
  static const ReferenceBackend backend;
  return backend;
}

}  // namespace goneuron
