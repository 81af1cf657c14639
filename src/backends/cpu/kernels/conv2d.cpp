// conv2d, with bias and activation too, and the gradient of its input, cut by images or by rows of
// them.
#include <numeric>

#include "backends/cpu/conv_loops.h"
#include "backends/cpu/conv_schemes.h"

namespace goneuron::cpu::conv2d_kernel {

namespace {

/// A convolution with some of the taps of one group's weight, on outputs that are every step-th
/// ones.
struct Phase {
  Convolution conv;
  Packing packing;
  i64 first, step;  // rows of outputs
  bool winograd = false;
};

struct Args {
  std::vector<Phase> phases;
  ConvKernels kernels;
  WinogradKernels winograd;
  i64 images, rows, tiles;
  bool by_image;
};

void run(const Args& args, i64 begin, i64 end, void* scratch) {
  ConvPart part{0, args.images, 0, args.rows};
  i64& from = args.by_image ? part.image : part.row;
  i64& count = args.by_image ? part.images : part.rows;
  const i64 units = count;
  from = tile_begin(units, args.tiles, begin);
  count = tile_begin(units, args.tiles, end) - from;
  if (count == 0) return;
  auto* packed = static_cast<float*>(scratch);
  for (const Phase& phase : args.phases) {
    const auto index = [&](i64 row) {  // the first of the phase's rows that is not above `row`
      return std::max<i64>(0, ceil_div(row - phase.first, phase.step));
    };
    const i64 row = index(part.row), rows = index(part.row + part.rows) - row;
    if (rows <= 0) continue;
    if (phase.winograd) {
      args.winograd.convolution(phase.conv, phase.packing, {part.image, part.images, row, rows},
                                packed);
      continue;
    }
    Convolution conv = phase.conv;
    conv.b = packed;
    float* band = packed + args.kernels.pack(phase.packing, packed);
    args.kernels.convolution(conv, {part.image, part.images, row, rows}, band);
  }
}

Args args_of(const BoundNode& bound, const Shape& output, const ConvGroups& groups,
             const Windows& windows) {
  return {{},
          groups.kernels(bound.node.attrs, windows),
          winograd_kernels(),
          output[0],
          output[1],
          bound.scheme.tiles,
          std::string_view(bound.scheme.name) != "image rows"};
}

Call lower_forward(const BoundNode& bound) {
  const Shape &x = bound.in_shape(0), &w = bound.in_shape(1), &y = bound.out_shape();
  const Attrs& attrs = bound.node.attrs;
  const ConvGroups groups = groups_of(attrs, w);
  Convolution conv{};
  conv.windows = windows_of(attrs, x, w, y);
  Args args = args_of(bound, y, groups, conv.windows);
  conv.x = bound.input(0);
  conv.bias = bound.input(2);
  conv.y = bound.output();
  conv.columns = groups.out;
  conv.y_pixel = y[3];
  conv.y_row = y[2] * y[3];
  conv.y_image = y[1] * conv.y_row;
  if (attrs.has("activation")) {
    conv.activation = unary_row(attrs.text("activation"));
    conv.alpha = static_cast<float>(attrs.real("alpha", 0));
    if (attrs.integer("keep_input", 0)) conv.z = bound.output(1);
  }
  const bool winograd = groups.winograd(attrs, y[0], conv.windows, groups.out);
  const Packing packing{bound.input(1), w[1],         groups.in,    groups.out,
                        w[3],           {0, 1, w[0]}, {0, 1, w[1]}, false};
  for (i64 group = 0; group < groups.count; ++group) {
    const i64 first = group * groups.out;
    Phase phase{conv, packing, 0, 1, winograd};
    phase.conv.x += group * groups.in;
    phase.conv.y += first;
    if (conv.bias) phase.conv.bias += first;
    if (conv.z) phase.conv.z += first;
    phase.packing.w += first;
    args.phases.push_back(phase);
  }
  return make_call(std::move(args), run);
}

/// One axis of a phase: inputs first, first + stride, ... meet every `step`-th tap, and see the
/// outputs as windows of a convolution do, `apart` from tap to tap.
struct PhaseAxis {
  Taps taps;  // last first
  i64 pad, count, apart;
};
PhaseAxis phase_axis(i64 first, i64 stride, i64 dilation, i64 pad, i64 kernel, i64 size) {
  const i64 common = std::gcd(stride, dilation), step = stride / common, apart = dilation / common;
  i64 tap = 0;  // the first that meets them
  while (tap < step && (first + pad - tap * dilation) % stride != 0) ++tap;
  const i64 count = tap < step && tap < kernel ? ceil_div(kernel - tap, step) : 0;
  return {{tap + (count - 1) * step, -step, count},
          (count - 1) * apart - (first + pad - tap * dilation) / stride,
          ceil_div(size - first, stride),
          apart};
}

/// The windows over dy of the phase of inputs that starts at (py, px).
struct PhaseShape {
  PhaseAxis v, h;
  Windows windows;
};
PhaseShape phase_shape(const Graph& graph, const Node& node, i64 py, i64 px) {
  const Shape &dy = graph.in_shape(node, 0), &w = graph.in_shape(node, 1),
              &dx = graph.out_shape(node);
  const Windows s = windows_of(node.attrs, dx, w, dy);
  const PhaseAxis v = phase_axis(py, s.stride_h, s.dilation_h, s.top, w[0], dx[1]),
                  h = phase_axis(px, s.stride_w, s.dilation_w, s.left, w[1], dx[2]);
  const i64 channels = groups_of(node.attrs, w).out;
  return {v,
          h,
          {dy[1], dy[2], channels, dy[3], v.taps.count, h.taps.count, 1, 1, v.apart, h.apart, v.pad,
           h.pad, v.count, h.count, s.band_windows}};
}

/// Calls f(py, px) for every phase.
template <class F>
void for_phases(const Attrs& attrs, const Shape& dx, const F& f) {
  for (i64 py = 0; py < std::min(attrs.integer("stride_h"), dx[1]); ++py)
    for (i64 px = 0; px < std::min(attrs.integer("stride_w"), dx[2]); ++px) f(py, px);
}

Phase phase_of(const BoundNode& bound, i64 group, i64 py, i64 px) {
  const Shape &w = bound.in_shape(1), &dx = bound.out_shape();
  const ConvGroups groups = groups_of(bound.node.attrs, w);
  const i64 first = group * groups.out;
  const i64 stride_h = bound.node.attrs.integer("stride_h"),
            stride_w = bound.node.attrs.integer("stride_w");
  const PhaseShape shape = phase_shape(bound.graph, bound.node, py, px);
  Phase phase{
      {},
      {bound.input(1) + first, w[1], groups.in, groups.out, w[3], shape.v.taps, shape.h.taps, true},
      py,
      stride_h};
  phase.winograd = groups.winograd(bound.node.attrs, dx[0], shape.windows, groups.in);
  Convolution& conv = phase.conv;
  conv.windows = shape.windows;
  conv.x = bound.input(0) + first;
  conv.columns = groups.in;
  conv.y_pixel = stride_w * dx[3];
  conv.y_row = stride_h * dx[2] * dx[3];
  conv.y_image = dx[1] * dx[2] * dx[3];
  conv.y = bound.output() + (py * dx[2] + px) * dx[3] + group * groups.in;
  return phase;
}

Call lower_input_grad(const BoundNode& bound) {
  const Shape& dx = bound.out_shape();
  const ConvGroups groups = groups_of(bound.node.attrs, bound.in_shape(1));
  Args args = args_of(bound, dx, groups, phase_shape(bound.graph, bound.node, 0, 0).windows);
  for (i64 group = 0; group < groups.count; ++group)
    for_phases(bound.node.attrs, dx,
               [&](i64 py, i64 px) { args.phases.push_back(phase_of(bound, group, py, px)); });
  return make_call(std::move(args), run);
}

/// Of a convolution of one group, whose packed weight has so many columns.
i64 scratch_floats(const Attrs& attrs, const ConvGroups& groups, i64 images, const Windows& s,
                   i64 columns) {
  if (groups.winograd(attrs, images, s, columns)) return winograd_floats(s, columns);
  if (groups.tiles(attrs, s)) return packed_floats(s.depth(), columns) + conv_tiles_floats(s);
  return packed_floats(groups.depthwise ? s.kh * s.kw : s.depth(), columns) + s.band_floats();
}
i64 scratch_floats(const Graph& graph, const Node& node, bool back) {
  const ConvGroups groups = groups_of(node.attrs, graph.in_shape(node, 1));
  const i64 images = graph.out_shape(node)[0];
  if (!back)
    return scratch_floats(node.attrs, groups, images,
                          windows_of(node.attrs, graph.in_shape(node, 0), graph.in_shape(node, 1),
                                     graph.out_shape(node)),
                          groups.out);
  i64 most = 0;
  for_phases(node.attrs, graph.out_shape(node), [&](i64 py, i64 px) {
    const Windows s = phase_shape(graph, node, py, px).windows;
    most = std::max(most, scratch_floats(node.attrs, groups, images, s, groups.in));
  });
  return most;
}

bool supports_forward(const Graph& graph, const Node& node) {
  return band_fits(windows_of(node.attrs, graph.in_shape(node, 0), graph.in_shape(node, 1),
                              graph.out_shape(node)));
}
bool supports_input_grad(const Graph& graph, const Node& node) {
  return band_fits(windows_of(node.attrs, graph.out_shape(node), graph.in_shape(node, 1),
                              graph.in_shape(node, 0)));
}

/// Whole images, or rows of all images: both cuts leave every output where it was.
std::vector<Scheme> schemes(const Graph& graph, const Node& node, bool back) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape &x = graph.in_shape(node, 0), &y = graph.out_shape(node);
  for (int axis = 0; axis < 2; ++axis)
    for (const i64 tiles : tile_counts(graph)) {
      if (y[axis] < tiles) continue;
      Scheme scheme = single_tile(node);
      scheme.name = axis == 0 ? "rows" : "image rows";
      scheme.tiles = tiles;
      scheme.merges = true;
      for (auto& in : scheme.in) in.all = true;
      if (axis == 0) scheme.in[0] = {false, cut(x, 0, tiles)};
      for (auto& out : scheme.out) out.part = cut(y, axis, tiles);
      all.push_back(scheme);
    }
  for (Scheme& scheme : all)
    scheme.scratch = scratch_floats(graph, node, back) * i64{sizeof(float)};
  return all;
}
std::vector<Scheme> forward_schemes(const Graph& graph, const Node& node) {
  return schemes(graph, node, false);
}
std::vector<Scheme> input_grad_schemes(const Graph& graph, const Node& node) {
  return schemes(graph, node, true);
}

constexpr KernelDef kernels[] = {
    {"conv2d", supports_forward, forward_schemes, lower_forward},
    {"conv2d_fused", supports_forward, forward_schemes, lower_forward},
    {"conv2d_input_grad", supports_input_grad, input_grad_schemes, lower_input_grad}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::conv2d_kernel
