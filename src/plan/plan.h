// Plan: a graph made ready to run: cut into tiles, put in order, with barriers and an address for
// every value. Immutable; an Executor binds it to memory. Made by make_plan() from a traced graph.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "plan/backend.h"

namespace goneuron {

enum class Place : std::uint8_t { none, activations, gradients, variable, constant, io };

struct Slot {
  Place place = Place::none;
  i64 offset = 0;
  i64 bytes = 0;
};

struct PlannedStep {
  NodeId node = -1;
  Scheme scheme;
  const Backend* backend = nullptr;
  bool barrier_before = false;
  bool with_next = false;  // the next step changes variables by what this one makes: one call
  int phase = 0;
  double flops = 0;  // of the whole node, however its sums are cut
};

struct Plan {
  Graph graph;
  std::vector<PlannedStep> steps;
  std::vector<Slot> slots;  // by value
  std::vector<i64> bands;   // by input: see plan/bands.cpp; 1 for one sample after the other
  i64 activation_bytes = 0, io_bytes = 0, gradient_bytes = 0, scratch_bytes = 0;
  // The most bytes of activations of which no two may share memory: no layout can need less.
  i64 live_bytes = 0;
  double flops = 0;
  int recomputed = 0;       // steps that compute an activation again, to save memory
  i64 kept_live_bytes = 0;  // live_bytes if none did
  bool guarded =
      false;  // outputs[0] is a loss: not finite, it sets the status and no variable changes
};

/// The graph of a plan: what is not needed dropped, and put in order; nodes that one kernel of the
/// backend can do made one.
Graph fused(Graph graph, const Backend& backend);
/// Runs fuse, tiles, schedule, liveness and memory planning. With `activation_budget` > 0, bytes,
/// activations that do not fit are computed again in the backward half; throws OutOfMemory, naming
/// what can be reached, when that is not enough.
Plan make_plan(Graph graph, const Backend& backend, i64 activation_budget = 0);

// The passes, one file each, in this order.
void choose_tiles(Plan& plan, const Backend& backend);
void lay_in_bands(Plan& plan);
/// A plan whose live bytes are below `live_bytes` as far as computing activations again can help.
Plan recompute(const Plan& plan, i64 live_bytes);
/// `patience`: bytes that steps which wait for a barrier may keep in memory; `tight`: steps with
/// more bytes of outputs than that get a barrier of their own, so that they can take memory over.
constexpr i64 usual_patience = 1 << 20;
void schedule(Plan& plan, i64 patience = usual_patience, bool tight = false);
void plan_memory(Plan& plan);

/// Arithmetic of one node, by its op.
double node_flops(const Graph& graph, const Node& node);

}  // namespace goneuron
