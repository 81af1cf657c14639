// group_norm(x[n, .., c], gamma[c], beta[c]){epsilon, groups} -> y, mean[n, g], rstd[n, g]: each
// sample's channels in `groups` runs of neighbours, each run over all places with mean 0 and
// variance 1 (Wu & He 2018). group_norm_sums(x, mean, rstd, dy) -> sum of dy xhat [n, c], sum of dy
// [n, c]: their sums over the batch are the gradients of gamma and beta, and
// group_norm_input_grad(x, gamma, mean, rstd, dy, the two sums) -> dx.
#include "ops/row_norm.h"

namespace goneuron::group_norm_op {

namespace {
struct Types {
  TensorType x, channel, group, sample_channel;
};
Types check(const InferContext& c, std::initializer_list<int> groups) {
  const Shape& x = c.shape(0);
  if (x.rank() < 2)
    c.fail("x is " + x.str() + "; it must be [batch, .., channels]", "reshape it first");
  const DType dtype = check_floating(c, {0});
  const i64 channels = x[-1], count = c.attrs.integer("groups", 1);
  if (!groups.size()) {
    check_epsilon(c);
    if (count < 1 || (channels != Any && channels % count != 0))
      c.fail("groups is " + std::to_string(count) + "; it must divide the channels of " + x.str(),
             "choose a divisor");
  }
  const i64 g = groups.size() ? c.shape(*groups.begin())[-1] : count;
  if (g < 1 || (channels != Any && channels % g != 0))
    c.fail(std::to_string(g) + " groups do not divide the channels of " + x.str(),
           "pass the statistics of group_norm");
  const Types types{{x, dtype},
                    {Shape{channels}, dtype},
                    {Shape{x[0], g}, dtype},
                    {Shape{x[0], channels}, dtype}};
  for (const int i : groups) {
    check_floating(c, {0, i});
    check_shape(c, i, types.group.shape, "input " + std::to_string(i + 1));
  }
  return types;
}
void check_input(const InferContext& c, int i, const TensorType& type) {
  check_floating(c, {0, i});
  check_shape(c, i, type.shape, "input " + std::to_string(i + 1));
}

std::vector<TensorType> infer(const InferContext& c) {
  const Types types = check(c, {});
  check_input(c, 1, types.channel);
  check_input(c, 2, types.channel);
  return {types.x, types.group, types.group};
}
std::vector<TensorType> infer_sums(const InferContext& c) {
  const Types types = check(c, {1, 2});
  check_input(c, 3, types.x);
  return {types.sample_channel, types.sample_channel};
}
std::vector<TensorType> infer_input_grad(const InferContext& c) {
  const Types types = check(c, {2, 3});
  check_input(c, 1, types.channel);
  check_input(c, 4, types.x);
  check_input(c, 5, types.sample_channel);
  check_input(c, 6, types.sample_channel);
  return {types.x};
}

std::vector<Symbol> gradient(const GradContext& c) {
  if (!c.grad(0)) return {};
  const Symbol x = c.input(0), mean = c.output(1), rstd = c.output(2), dy = c.grad(0);
  const Symbol scaled = make("group_norm_sums", {x, mean, rstd, dy}), plain = output_of(scaled, 1);
  const Attrs over_batch{{"axes", std::vector<i64>{0}}, {"keep", i64{0}}};
  return {make("group_norm_input_grad", {x, c.input(1), mean, rstd, dy, scaled, plain}),
          make("sum", {scaled}, over_batch), make("sum", {plain}, over_batch)};
}

/// Calls f(i, j) for each element i of sample s that belongs to group g, of channel j.
struct Groups {
  i64 samples, places, channels, groups, width;
  Groups(const Shape& x, i64 count)
      : samples(x[0]),
        places(1),
        channels(x[-1]),
        groups(count),
        width(channels / std::max<i64>(count, 1)) {
    for (int i = 1; i + 1 < x.rank(); ++i) places *= x[i];
  }
  double size() const { return static_cast<double>(places * width); }
  template <class F>
  void each(i64 s, i64 g, const F& f) const {
    for (i64 p = 0; p < places; ++p)
      for (i64 j = g * width; j < (g + 1) * width; ++j) f((s * places + p) * channels + j, j);
  }
};

template <class T>
void kernel(const KernelArgs& args) {
  const Groups groups(args.inputs[0].shape, args.attrs.integer("groups"));
  const double epsilon = args.attrs.real("epsilon");
  const T *x = input<T>(args, 0), *gamma = input<T>(args, 1), *beta = input<T>(args, 2);
  for (i64 s = 0; s < groups.samples; ++s)
    for (i64 g = 0; g < groups.groups; ++g) {
      double mean = 0, var = 0;
      groups.each(s, g, [&](i64 i, i64) { mean += double{x[i]}; });
      mean /= groups.size();
      groups.each(s, g, [&](i64 i, i64) { var += (double{x[i]} - mean) * (double{x[i]} - mean); });
      const double rstd = 1 / std::sqrt(var / groups.size() + epsilon);
      groups.each(s, g, [&](i64 i, i64 j) {
        output<T>(args, 0)[i] =
            static_cast<T>((double{x[i]} - mean) * rstd * double{gamma[j]} + double{beta[j]});
      });
      output<T>(args, 1)[s * groups.groups + g] = static_cast<T>(mean);
      output<T>(args, 2)[s * groups.groups + g] = static_cast<T>(rstd);
    }
}

template <class T>
void sums_kernel(const KernelArgs& args) {
  const Groups groups(args.inputs[0].shape, args.inputs[1].shape[-1]);
  const T *x = input<T>(args, 0), *dy = input<T>(args, 3);
  for (i64 s = 0; s < groups.samples; ++s)
    for (i64 j = 0; j < groups.channels; ++j) {
      const i64 at = s * groups.groups + j / groups.width;
      const double mean = double{input<T>(args, 1)[at]}, rstd = double{input<T>(args, 2)[at]};
      double scaled = 0, plain = 0;
      for (i64 p = 0; p < groups.places; ++p) {
        const i64 i = (s * groups.places + p) * groups.channels + j;
        scaled += double{dy[i]} * (double{x[i]} - mean) * rstd;
        plain += double{dy[i]};
      }
      output<T>(args, 0)[s * groups.channels + j] = static_cast<T>(scaled);
      output<T>(args, 1)[s * groups.channels + j] = static_cast<T>(plain);
    }
}

/// dx = rstd (gamma dy - mean(gamma dy) - xhat mean(gamma dy xhat)), means over the group
template <class T>
void input_grad_kernel(const KernelArgs& args) {
  const Groups groups(args.inputs[0].shape, args.inputs[2].shape[-1]);
  const T *x = input<T>(args, 0), *gamma = input<T>(args, 1), *dy = input<T>(args, 4);
  const T *scaled = input<T>(args, 5), *plain = input<T>(args, 6);
  for (i64 s = 0; s < groups.samples; ++s)
    for (i64 g = 0; g < groups.groups; ++g) {
      const i64 at = s * groups.groups + g;
      const double mean = double{input<T>(args, 2)[at]}, rstd = double{input<T>(args, 3)[at]};
      double sum = 0, dot = 0;
      for (i64 j = g * groups.width; j < (g + 1) * groups.width; ++j) {
        sum += double{gamma[j]} * double{plain[s * groups.channels + j]};
        dot += double{gamma[j]} * double{scaled[s * groups.channels + j]};
      }
      sum /= groups.size();
      dot /= groups.size();
      groups.each(s, g, [&](i64 i, i64 j) {
        output<T>(args, 0)[i] = static_cast<T>(
            rstd * (double{gamma[j]} * double{dy[i]} - sum - (double{x[i]} - mean) * rstd * dot));
      });
    }
}

Attrs group_attrs(i64 groups, double epsilon = 1e-5) {
  return {{"groups", groups}, {"epsilon", epsilon}};
}
/// Inputs as `kinds` says: x: [n, .., c], c: [c], g: [n, groups], s: [n, c].
OpSample sample(const std::string& kinds, const Shape& x, i64 groups, const Attrs& attrs,
                double low, bool bench) {
  OpSample made{{}, attrs, low, 2, {}, 2, bench};
  for (const char kind : kinds)
    made.inputs.push_back({kind == 'x'   ? x
                           : kind == 'c' ? Shape{x[-1]}
                           : kind == 'g' ? Shape{x[0], groups}
                                         : Shape{x[0], x[-1]},
                           DType::f32});
  return made;
}
std::vector<OpSample> samples_of(const std::string& kinds, bool forward) {
  const auto add = [&](const Shape& x, i64 groups, bool bench, double epsilon = 1e-5) {
    return sample(kinds, x, groups, forward ? group_attrs(groups, epsilon) : Attrs{},
                  forward ? -2 : 0.2, bench);
  };
  return {add({3, 2, 3, 4}, 2, false), add({2, 3, 6}, 3, false, 0.1), add({3, 4}, 1, false),
          add({2, 2, 2, 3}, 3, false), add({17, 6, 5, 70}, 7, true),  add({8, 9, 9, 64}, 32, true),
          add({5, 40, 12}, 4, true)};
}
std::vector<OpSample> samples() { return samples_of("xcc", true); }
std::vector<OpSample> sums_samples() { return samples_of("xggx", false); }
std::vector<OpSample> input_grad_samples() { return samples_of("xcggxss", false); }

std::vector<OpReject> rejects() {
  const TensorType x = f32({2, 3, 4}), c = f32({4});
  return {{{x, c, c}, group_attrs(3), "groups is 3; it must divide the channels of [2, 3, 4]"},
          {{x, c, c}, group_attrs(0), "groups is 0"},
          {{x, c, c}, group_attrs(2, -1), "epsilon is -1"},
          {{x, c, f32({3})}, group_attrs(2), "input 3 is [3]; it must be [4]"},
          {{f32({4}), c, c}, group_attrs(2), "it must be [batch, .., channels]"}};
}
std::vector<OpReject> sums_rejects() {
  const TensorType x = f32({2, 3, 4}), g = f32({2, 2});
  return {{{x, g, f32({3, 2}), x}, {}, "input 3 is [3, 2]; it must be [2, 2]"},
          {{x, f32({2, 3}), g, x}, {}, "3 groups do not divide the channels"},
          {{x, g, g, f32({2, 3, 5})}, {}, "input 4 is [2, 3, 5]"}};
}
std::vector<OpReject> input_grad_rejects() {
  const TensorType x = f32({2, 3, 4}), c = f32({4}), g = f32({2, 2}), s = f32({2, 4});
  return {{{x, c, g, g, x, s, f32({2, 3})}, {}, "input 7 is [2, 3]; it must be [2, 4]"},
          {{x, f32({5}), g, g, x, s, s}, {}, "input 2 is [5]"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "group_norm",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .detached = 0b110,
                               .flops = row_norm_flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "group_norm_sums",
                               .min_inputs = 4,
                               .max_inputs = 4,
                               .infer = infer_sums,
                               .gradient = norm_second_order,
                               .reference = {sums_kernel<float>, sums_kernel<double>},
                               .flops = row_norm_flops,
                               .samples = sums_samples,
                               .rejects = sums_rejects},
                              {.name = "group_norm_input_grad",
                               .min_inputs = 7,
                               .max_inputs = 7,
                               .infer = infer_input_grad,
                               .gradient = norm_second_order,
                               .reference = {input_grad_kernel<float>, input_grad_kernel<double>},
                               .flops = row_norm_flops,
                               .samples = input_grad_samples,
                               .rejects = input_grad_rejects}};
  return ops;
}

}  // namespace goneuron::group_norm_op
