// Optimizer updates in place, cut by the rows of the weight so that they follow its gradient's
// tiles.
#include <hwy/cache_control.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <string>

#include "backends/cpu/update_tiles.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu {

bool& one_last_cache() {
  static bool one = [] {
    const std::string root = "/sys/devices/system/cpu/";
    std::string all, shared;
    std::getline(std::ifstream(root + "online"), all);
    std::getline(std::ifstream(root + "cpu0/cache/index3/shared_cpu_list"), shared);
    return !all.empty() && all == shared;
  }();
  return one;
}

}  // namespace goneuron::cpu

namespace goneuron::cpu::update_kernel {

namespace {

/// What clipping an update reads: the node's bound, and the gradient's scale in memory, or null.
struct ClipArgs {
  bool any;
  float bound;
  const float* scale;
};
ClipArgs clip_of(const BoundNode& bound, const float* scale) {
  const double value = bound.node.attrs.real("clip_value", 0);
  return {scale != nullptr || value > 0,
          value > 0 ? static_cast<float>(value) : std::numeric_limits<float>::infinity(), scale};
}

/// A weight that other workers read is in their caches when it is updated. Taking each line back
/// from them costs several times what it costs to write past the caches and to read it from memory,
/// on two core complexes of a server 47 ns a line and 6. One worker alone keeps it in its own.
template <class Row>
struct UpdateRow {
  Row usual, streaming;  // `streaming` is null when no other worker reads the weight
};

template <class Row>
UpdateRow<Row> update_row(const BoundNode& bound, const ClipArgs& clip, Row (*find)(bool, bool)) {
  return {find(clip.any, false), bound.scheme.crosses ? find(clip.any, true) : nullptr};
}

/// Calls each(piece) with a function that updates elements [at, at + n). `alone`: one worker has
/// all of the weight.
template <class Args, class Each>
void update(const Args& args, bool alone, const Each& each) {
  if (args.scalars->code != status_ok) return;
  const bool stream = args.row.streaming != nullptr && !alone;
  const auto row = stream ? args.row.streaming : args.row.usual;
  const auto step = args.now();
  each([&](i64 at, i64 n) { args.piece(row, step, at, n); });
  if (stream) hwy::FlushStream();  // the barrier that follows does not wait for such stores
}

template <class Args>
void run_update(const Args& args, i64 begin, i64 end, void*) {
  update(args, end - begin == args.tiles.tiles,
         [&](const auto& piece) { args.tiles.each(begin, end, piece); });
}

template <class Args>
Follower update_follower(Args args) {
  // The lines of the weight have been fetched while its gradient was computed: what is left to take
  // back costs less than memory does, where it does not go from one last cache to another.
  if (one_last_cache()) args.row.streaming = nullptr;
  return {[](const void* held, i64 first, i64 n, bool alone) noexcept {
            update(*static_cast<const Args*>(held), alone,
                   [&](const auto& piece) { piece(first, n); });
          },
          std::make_shared<const Args>(args), args.reads()};
}

struct AdamArgs {
  UpdateRow<AdamRow> row;
  float *p, *m, *v;
  const float* g;
  AdamStep step;
  const StepScalars* scalars;
  UpdateTiles tiles;
  double rate_scale;
  ClipArgs clip;

  AdamStep now() const {
    AdamStep now = step;
    const double rate = scalars->learning_rate * rate_scale;
    now.learning_rate = static_cast<float>(rate);
    now.step_size = static_cast<float>(rate / scalars->correction1);
    now.correction2_sqrt = static_cast<float>(std::sqrt(scalars->correction2));
    if (clip.scale) now.scale = *clip.scale;
    return now;
  }
  void piece(AdamRow row, const AdamStep& now, i64 at, i64 n) const {
    row(p + at, g + at, m + at, v + at, n, now);
  }
  std::array<const float*, 3> reads() const { return {p, m, v}; }
};

AdamArgs adam_args(const BoundNode& bound) {
  const Attrs& attrs = bound.node.attrs;
  AdamStep step{};
  step.beta1 = static_cast<float>(attrs.real("beta1"));
  step.beta2 = static_cast<float>(attrs.real("beta2"));
  step.epsilon = static_cast<float>(attrs.real("epsilon"));
  step.weight_decay = static_cast<float>(attrs.real("weight_decay"));
  step.decoupled = attrs.integer("decoupled") != 0;
  const ClipArgs clip = clip_of(bound, bound.input(4));
  step.bound = clip.bound;
  return {update_row(bound, clip, adam_row),
          static_cast<float*>(bound.in[0]),
          static_cast<float*>(bound.in[2]),
          static_cast<float*>(bound.in[3]),
          bound.input(1),
          step,
          bound.scalars,
          update_tiles(bound),
          attrs.real("rate_scale", 1),
          clip};
}

struct SgdArgs {
  UpdateRow<SgdRow> row;
  float *p, *velocity;
  const float* g;
  SgdStep step;
  const StepScalars* scalars;
  UpdateTiles tiles;
  double rate_scale;
  ClipArgs clip;

  SgdStep now() const {
    SgdStep now = step;
    now.learning_rate = static_cast<float>(scalars->learning_rate * rate_scale);
    if (clip.scale) now.scale = *clip.scale;
    return now;
  }
  void piece(SgdRow row, const SgdStep& now, i64 at, i64 n) const {
    row(p + at, g + at, velocity ? velocity + at : nullptr, n, now);
  }
  std::array<const float*, 3> reads() const { return {p, velocity}; }
};

SgdArgs sgd_args(const BoundNode& bound) {
  const Attrs& attrs = bound.node.attrs;
  const bool scaled = bound.node.op->name == std::string_view("sgd_update_clipped");
  const size_t velocity = scaled ? 3 : 2;
  const ClipArgs clip = clip_of(bound, scaled ? bound.input(2) : nullptr);
  const SgdStep step{0,
                     static_cast<float>(attrs.real("momentum")),
                     static_cast<float>(attrs.real("weight_decay")),
                     attrs.integer("nesterov") != 0,
                     1,
                     clip.bound};
  return {update_row(bound, clip, sgd_row),
          static_cast<float*>(bound.in[0]),
          bound.in.size() > velocity ? static_cast<float*>(bound.in[velocity]) : nullptr,
          bound.input(1),
          step,
          bound.scalars,
          update_tiles(bound),
          attrs.real("rate_scale", 1),
          clip};
}

template <auto kArgs>
constexpr KernelDef def(const char* op) {
  return {op, nullptr, update_schemes,
          [](const BoundNode& bound) {
            const auto args = kArgs(bound);
            return make_call(args, run_update<std::remove_const_t<decltype(args)>>);
          },
          [](const BoundNode& bound) { return update_follower(kArgs(bound)); }};
}

constexpr KernelDef kernels[] = {def<adam_args>("adam_update"), def<sgd_args>("sgd_update"),
                                 def<sgd_args>("sgd_update_clipped")};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::update_kernel
