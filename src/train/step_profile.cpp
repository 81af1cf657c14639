#include "train/step_profile.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/layer_impl.h"
#include "graph/op_def.h"

namespace goneuron {

namespace {
constexpr size_t nowhere = static_cast<size_t>(-1);

double bytes_of(const Graph& graph, const Node& node) {
  double bytes = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i)
    bytes += static_cast<double>(read_bytes(graph, node, i));
  for (const ValueId id : node.outputs) bytes += static_cast<double>(value_bytes(graph.value(id)));
  return bytes;
}

/// The layer that a step belongs to; updates of weights belong to the optimizer.
std::string owner_of(const Graph& graph, const Node& node) {
  if (node.op->mutates != 0 && graph.in(node, 0).role == Role::parameter) return "optimizer";
  if (node.call) return node.call->layer->name;
  return node.op->mutates != 0 ? "optimizer" : "loss and metrics";
}
}  // namespace

bool StepProfile::wants(const Executor& executor) {
  if (done()) return false;
  if (left_out_ > 0) return --left_out_, false;
  if (plan_ == nullptr) {
    plan_ = executor.shared_plan();
    describe_plan(executor);
  }
  return plan_ == executor.shared_plan();
}

void StepProfile::describe_plan(const Executor& executor) {
  const Plan& plan = executor.plan();
  spent_.assign(plan.steps.size(), 0);
  place_.assign(plan.steps.size(), nowhere);
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const PlannedStep& step = plan.steps[s];
    const Node& node = plan.graph.nodes[static_cast<size_t>(step.node)];
    if (node.op->alias) continue;
    if (!executor.calls(s)) {  // it runs along with the step before
      steps_.back().name += std::string("+") + node.op->name;
      steps_.back().flops += step.flops;
      steps_.back().bytes += bytes_of(plan.graph, node);
      continue;
    }
    place_[s] = steps_.size();
    steps_.push_back({node.op->name,
                      fmt::format("{:>2} {:<10}", step.scheme.tiles, step.scheme.name),
                      describe(node), 0, step.flops, bytes_of(plan.graph, node)});
    owners_.push_back(owner_of(plan.graph, node));
  }
}

void StepProfile::run(Executor& executor) noexcept {
  executor.run_timed(spent_);
  ++timed_;
  for (size_t s = 0; s < place_.size(); ++s)
    if (place_[s] != nowhere) steps_[place_[s]].seconds = spent_[s] / static_cast<double>(timed_);
}

std::vector<StepProfile::Row> StepProfile::layers() const {
  std::vector<Row> all;
  for (size_t s = 0; s < steps_.size(); ++s) {
    auto at = std::find_if(all.begin(), all.end(),
                           [&](const Row& row) { return row.name == owners_[s]; });
    if (at == all.end()) at = all.insert(all.end(), {owners_[s], "", "", 0, 0, 0});
    at->seconds += steps_[s].seconds;
    at->flops += steps_[s].flops;
    at->bytes += steps_[s].bytes;
  }
  return all;
}

double StepProfile::seconds() const {
  double sum = 0;
  for (const Row& row : steps_) sum += row.seconds;
  return sum;
}

std::string StepProfile::layer_table() const {
  const auto rows = layers();
  size_t width = 5;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  const double all = seconds();
  std::string text = fmt::format("{:<{}} {:>11} {:>7} {:>9} {:>8} {:>10}\n", "layer", width,
                                 "us/step", "share", "GFLOP/s", "GB/s", "MB/step");
  const auto line = [&](const Row& row) {
    const double rate = row.seconds > 0 ? 1e-9 / row.seconds : 0;
    text += fmt::format("{:<{}} {:>11.1f} {:>6.1f}% {:>9.1f} {:>8.1f} {:>10.3f}\n", row.name, width,
                        row.seconds * 1e6, all > 0 ? 100 * row.seconds / all : 0, row.flops * rate,
                        row.bytes * rate, row.bytes / 1e6);
  };
  Row total{"total", "", "", 0, 0, 0};
  for (const Row& row : rows) {
    line(row);
    total.seconds += row.seconds, total.flops += row.flops, total.bytes += row.bytes;
  }
  line(total);
  return text +
         fmt::format("mean of {} training steps on one thread, forward and backward\n", timed_);
}

}  // namespace goneuron
