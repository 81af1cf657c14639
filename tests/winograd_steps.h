// How many steps of a plan are convolutions by Winograd: a test of these cannot silently become one
// of something else. Used by golden_backends_test and golden_training_test.
#pragma once

#include <string_view>

#include "backends/cpu/conv_schemes.h"
#include "plan/plan.h"

namespace goneuron {

/// Their scratch holds weights, pixels and outputs at Winograd's points, which is like no other
/// kernel's.
inline int winograd_steps(const Plan& plan) {
  int count = 0;
  for (const PlannedStep& step : plan.steps) {
    const Graph& graph = plan.graph;
    const Node& node = graph.nodes[static_cast<size_t>(step.node)];
    const std::string_view op = node.op->name;
    if (step.backend->name() != "cpu" || op.substr(0, 6) != "conv2d" || op == "conv2d_pool")
      continue;
    const bool of_weight = op == "conv2d_weight_grad", of_input = op == "conv2d_input_grad";
    const cpu::ConvGroups groups =
        cpu::groups_of(node.attrs, graph.in_shape(node, of_weight ? 2 : 1));
    cpu::Windows windows{};
    windows.c = of_input ? groups.out : groups.in;
    const i64 columns = of_input ? groups.in : groups.out;
    const i64 floats = of_weight ? cpu::winograd_gradient_floats(windows, columns)
                                 : cpu::winograd_floats(windows, columns);
    count += step.scheme.scratch == floats * i64{sizeof(float)};
  }
  return count;
}

}  // namespace goneuron
