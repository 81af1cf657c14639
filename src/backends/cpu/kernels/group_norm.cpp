// Group norm: samples one by one, cut by samples. A sample is rows of channels: its sums are taken
// for each channel, then added up over the channels of a group.
#include "backends/cpu/channel_rows.h"
#include "backends/cpu/kernel.h"
#include "backends/cpu/row_norm.h"

namespace goneuron::cpu::group_norm_kernel {

namespace {

struct Args {
  const float *x, *dy, *gamma, *beta;
  const float *scaled, *plain;  // [n, c]: the sums of a gradient
  float *mean, *rstd;           // [n, g]
  float *out, *out2;
  i64 samples, places, channels, groups, tiles;
  float epsilon;
  ChannelRows rows;
  RowNorm loops;

  i64 width() const { return channels / groups; }
  float count() const { return static_cast<float>(places * width()); }
  const float* sample(const float* of, i64 s) const { return of + s * places * channels; }
  float* sample(float* of, i64 s) const { return of + s * places * channels; }
};

template <class F>
void each_sample(const Args& a, i64 begin, i64 end, const F& f) {
  for (i64 s = tile_begin(a.samples, a.tiles, begin); s < tile_begin(a.samples, a.tiles, end); ++s)
    f(s);
}

/// to[j] = of[group of j]
void spread(const Args& a, const float* of, float* to) {
  for (i64 j = 0; j < a.channels; ++j) to[j] = of[j / a.width()];
}
/// to[g] = sum over the group's channels of of[j] by[j]; by null: 1.
void gather(const Args& a, const float* of, const float* by, float* to) {
  for (i64 g = 0; g < a.groups; ++g) {
    float sum = 0;
    for (i64 j = g * a.width(); j < (g + 1) * a.width(); ++j) sum += by ? of[j] * by[j] : of[j];
    to[g] = sum;
  }
}

void run_forward(const Args& a, i64 begin, i64 end, void* scratch) {
  const i64 c = a.channels;
  auto* sums = static_cast<float*>(scratch);
  float *centre = sums + c, *scale = centre + c, *rest = scale + c;
  each_sample(a, begin, end, [&](i64 s) {
    const float* x = a.sample(a.x, s);
    float *mean = a.mean + s * a.groups, *rstd = a.rstd + s * a.groups;
    std::fill_n(sums, c, 0.0F);
    a.rows.sums(x, a.places, c, c, sums, rest);
    gather(a, sums, nullptr, mean);
    for (i64 g = 0; g < a.groups; ++g) mean[g] /= a.count();
    spread(a, mean, centre);
    std::fill_n(sums, c, 0.0F);
    a.rows.deviations(x, nullptr, centre, a.places, c, sums, nullptr, rest);
    gather(a, sums, nullptr, rstd);
    for (i64 g = 0; g < a.groups; ++g) rstd[g] = 1 / std::sqrt(rstd[g] / a.count() + a.epsilon);
    for (i64 j = 0; j < c; ++j) scale[j] = a.gamma[j] * rstd[j / a.width()];
    a.rows.normalise({x, nullptr, a.sample(a.out, s), centre, scale, a.beta, nullptr}, a.places, c,
                     rest);
  });
}

void run_sums(const Args& a, i64 begin, i64 end, void* scratch) {
  const i64 c = a.channels;
  auto* centre = static_cast<float*>(scratch);
  float* rest = centre + c;
  each_sample(a, begin, end, [&](i64 s) {
    float *scaled = a.out + s * c, *plain = a.out2 + s * c;
    spread(a, a.mean + s * a.groups, centre);
    std::fill_n(scaled, c, 0.0F);
    std::fill_n(plain, c, 0.0F);
    a.rows.deviations(a.sample(a.x, s), a.sample(a.dy, s), centre, a.places, c, scaled, plain,
                      rest);
    for (i64 j = 0; j < c; ++j) scaled[j] *= a.rstd[s * a.groups + j / a.width()];
  });
}

/// rstd gamma dy - rstd^2 dot (x - mean) - rstd sum, with sum and dot the group's means.
void run_input_grad(const Args& a, i64 begin, i64 end, void* scratch) {
  const i64 c = a.channels;
  auto* centre = static_cast<float*>(scratch);
  float *scale = centre + c, *slope = scale + c, *shift = slope + c;
  float *sum = shift + c, *dot = sum + c;
  each_sample(a, begin, end, [&](i64 s) {
    const float* rstd = a.rstd + s * a.groups;
    spread(a, a.mean + s * a.groups, centre);
    gather(a, a.plain + s * c, a.gamma, sum);
    gather(a, a.scaled + s * c, a.gamma, dot);
    for (i64 j = 0; j < c; ++j) {
      const i64 g = j / a.width();
      scale[j] = rstd[g] * a.gamma[j];
      slope[j] = -rstd[g] * rstd[g] * (dot[g] / a.count());
      shift[j] = -rstd[g] * (sum[g] / a.count());
    }
    RowNormArgs rows{};
    rows.x = a.sample(a.x, s);
    rows.dy = a.sample(a.dy, s);
    rows.out = a.sample(a.out, s);
    rows.n = c;
    a.loops.blend(rows, a.places, centre, scale, slope, shift);
  });
}

constexpr i64 least_floats = 1024;  // of a tile

/// By samples; gamma and beta, the only vectors, are read whole.
std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& x = graph.in_shape(node, 0);
  unsigned samples = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (graph.in_shape(node, static_cast<int>(i)).rank() > 1) samples |= 1U << i;
  for (const i64 tiles : tile_counts(graph))
    if (x[0] >= tiles && x.elements() / tiles >= least_floats)
      all.push_back(by_rows(graph, node, tiles, samples));
  for (Scheme& scheme : all)
    scheme.scratch = channel_rows_scratch(columns_of(x)) + 6 * columns_of(x) * i64{sizeof(float)};
  return all;
}

Args args_of(const BoundNode& bound, i64 groups) {
  const Shape& x = bound.in_shape(0);
  Args a{};
  a.x = bound.input(0);
  a.samples = x[0];
  a.channels = columns_of(x);
  a.places = x.elements() / (a.samples * a.channels);
  a.groups = groups;
  a.tiles = bound.scheme.tiles;
  a.out = bound.output(0);
  a.rows = channel_rows();
  a.loops = row_norm();
  return a;
}

Call lower_forward(const BoundNode& bound) {
  Args a = args_of(bound, bound.node.attrs.integer("groups"));
  a.gamma = bound.input(1);
  a.beta = bound.input(2);
  a.mean = bound.output(1);
  a.rstd = bound.output(2);
  a.epsilon = static_cast<float>(bound.node.attrs.real("epsilon"));
  return make_call(a, run_forward);
}
Call lower_sums(const BoundNode& bound) {
  Args a = args_of(bound, columns_of(bound.in_shape(1)));
  a.mean = static_cast<float*>(bound.in[1]);
  a.rstd = static_cast<float*>(bound.in[2]);
  a.dy = bound.input(3);
  a.out2 = bound.output(1);
  return make_call(a, run_sums);
}
Call lower_input_grad(const BoundNode& bound) {
  Args a = args_of(bound, columns_of(bound.in_shape(2)));
  a.gamma = bound.input(1);
  a.mean = static_cast<float*>(bound.in[2]);
  a.rstd = static_cast<float*>(bound.in[3]);
  a.dy = bound.input(4);
  a.scaled = bound.input(5);
  a.plain = bound.input(6);
  return make_call(a, run_input_grad);
}

bool supports(const Graph& graph, const Node& node) {
  return graph.in_shape(node, 0).elements() > 0;
}

constexpr KernelDef kernels[] = {{"group_norm", supports, schemes, lower_forward},
                                 {"group_norm_sums", supports, schemes, lower_sums},
                                 {"group_norm_input_grad", supports, schemes, lower_input_grad}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::group_norm_kernel
