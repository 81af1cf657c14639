// The gradient of a convolution's weight, cut by images, whose parts a tree adds up, or by output
// channels, which every tile owns.
#include "backends/cpu/conv_loops.h"
#include "backends/cpu/conv_schemes.h"

namespace goneuron::cpu::conv2d_weight_grad_kernel {

namespace {

struct Args {
  WeightGradient gradient;
  WeightGradientKernel kernel;
  i64 images, tiles, tile_floats, groups;
  bool by_image;
};

void run(const Args& args, i64 begin, i64 end, void* scratch) {
  auto* band = static_cast<float*>(scratch);
  WeightGradient g = args.gradient;
  if (args.by_image) {
    const i64 from = tile_begin(args.images, args.tiles, begin);
    g.dw += begin * args.tile_floats;
    for (i64 group = 0; group < args.groups; ++group) {
      args.kernel(g, from, tile_begin(args.images, args.tiles, end) - from, band);
      g.x += g.windows.c;
      g.dy += g.columns;
      g.dw += g.columns;
    }
    return;
  }
  const i64 from = tile_begin(g.columns, args.tiles, begin);
  g.columns = tile_begin(g.columns, args.tiles, end) - from;
  g.dy += from;
  g.dw += from;
  args.kernel(g, 0, args.images, band);
}

Windows windows(const Graph& graph, const Node& node) {
  return windows_of(node.attrs, graph.in_shape(node, 0), graph.in_shape(node, 2),
                    graph.in_shape(node, 1));
}

Call lower(const BoundNode& bound) {
  const Shape &dy = bound.in_shape(1), &w = bound.in_shape(2);
  const ConvGroups groups = groups_of(bound.node.attrs, w);
  Args args{};
  args.gradient = {windows(bound.graph, bound.node),
                   bound.input(0),
                   bound.input(1),
                   dy[3],
                   bound.output(),
                   w[3],
                   groups.out};
  args.groups = groups.count;
  const Attrs& attrs = bound.node.attrs;
  args.kernel = groups.winograd(attrs, dy[0], args.gradient.windows, groups.out)
                    ? winograd_kernels().weight_gradient
                    : groups.kernels(attrs, args.gradient.windows).weight_gradient;
  args.images = dy[0];
  args.tiles = bound.scheme.tiles;
  args.tile_floats = w.elements();
  args.by_image = bound.scheme.partial || args.tiles == 1;
  return make_call(args, run);
}

constexpr i64 least_columns = 32;
/// Of a part that is summed on its own; by Winograd, its sums are turned into weights each time,
/// and columns are whole vectors, whatever the processor.
constexpr i64 least_pixels = 512, least_winograd_pixels = 4096;
constexpr i64 whole_vectors = 16;

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape &x = graph.in_shape(node, 0), &dy = graph.in_shape(node, 1),
              &w = graph.in_shape(node, 2);
  const Windows s = windows(graph, node);
  const ConvGroups groups = groups_of(node.attrs, w);
  const bool winograd = groups.winograd(node.attrs, dy[0], s, groups.out);
  const i64 pixels = dy[0] * dy[1] * dy[2], least = winograd ? least_winograd_pixels : least_pixels;
  for (const i64 tiles : tile_counts(graph)) {
    if (dy[0] >= tiles && pixels / tiles >= least) {
      Scheme scheme = single_tile(node);
      scheme.name = "rows";
      scheme.tiles = tiles;
      scheme.partial = true;
      scheme.in[0].part = cut(x, 0, tiles);
      scheme.in[1].part = cut(dy, 0, tiles);
      scheme.out[0].part = {1, tiles, tiles};
      all.push_back(scheme);
    }
    const bool vectors = !winograd || w[3] % (tiles * whole_vectors) == 0;
    if (w[3] / tiles >= least_columns && vectors && conv_groups(node.attrs) == 1) {
      Scheme scheme = single_tile(node);
      scheme.name = "columns";
      scheme.tiles = tiles;
      scheme.merges = true;
      scheme.in[0].all = true;
      scheme.in[1].part = cut(dy, 3, tiles);
      scheme.out[0].part = cut(w, 3, tiles);
      all.push_back(scheme);
    }
  }
  const i64 floats = winograd                        ? winograd_gradient_floats(s, groups.out)
                     : groups.tiles(node.attrs, s)   ? conv_tiles_gradient_floats(s, w[3])
                     : node.attrs.integer("bf16", 0) ? weight_gradient_bf16_floats(s, w[3])
                                                     : weight_gradient_floats(s, w[3]);
  for (Scheme& scheme : all) scheme.scratch = floats * i64{sizeof(float)};
  return all;
}

bool supports(const Graph& graph, const Node& node) { return band_fits(windows(graph, node)); }

constexpr KernelDef kernels[] = {{"conv2d_weight_grad", supports, schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::conv2d_weight_grad_kernel
