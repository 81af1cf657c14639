// Rotary position embedding: rows times a table of cosines plus the swapped pairs times one of
// sines. The tables are made once, when the step is bound.
#include <cmath>
#include <cstring>
#include <vector>

#include "backends/cpu/kernel.h"
#include "backends/cpu/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/kernels/rope.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {

/// One head: `cos` holds each cosine twice, `sin` each sine twice, the first one negated.
void rotate(const float* x, const float* cos, const float* sin, i64 dim, float* y) {
  i64 j = 0;
#if HWY_TARGET != HWY_SCALAR
  for (; j < dim; j += lanes) {
    const auto here = hn::FirstN(d, static_cast<size_t>(std::min(lanes, dim - j)));
    const auto v = hn::MaskedLoad(here, d, x + j);
    const auto turned = hn::MulAdd(v, hn::MaskedLoad(here, d, cos + j),
                                   hn::Mul(hn::Reverse2(d, v), hn::MaskedLoad(here, d, sin + j)));
    hn::BlendedStore(turned, here, d, y + j);
  }
#endif
  for (; j < dim; j += 2) {
    const float a = x[j], b = x[j + 1];
    y[j] = a * cos[j] + b * sin[j];
    y[j + 1] = b * cos[j] + a * sin[j + 1];
  }
}

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu::rope_kernel {
HWY_EXPORT(rotate);

namespace {

struct Args {
  const float* x;
  float* y;
  i64 batch, length, width, heads, dim, tiles;
  std::shared_ptr<const std::vector<float>> cos, sin;  // [length, dim]
  void (*rotate)(const float*, const float*, const float*, i64, float*);
};

void run(const Args& a, i64 begin, i64 end, void*) {
  const i64 from = tile_begin(a.batch, a.tiles, begin) * a.length,
            to = tile_begin(a.batch, a.tiles, end) * a.length, rotated = a.heads * a.dim;
  for (i64 row = from; row < to; ++row) {
    const float* x = a.x + row * a.width;
    float* y = a.y + row * a.width;
    const i64 at = row % a.length * a.dim;
    for (i64 j = 0; j < rotated; j += a.dim)
      a.rotate(x + j, a.cos->data() + at, a.sin->data() + at, a.dim, y + j);
    if (x != y)
      std::memcpy(y + rotated, x + rotated, static_cast<size_t>(a.width - rotated) * sizeof(float));
  }
}

Call lower(const BoundNode& bound) {
  const Shape& shape = bound.out_shape();
  const Attrs& attrs = bound.node.attrs;
  const i64 length = shape[1], dim = attrs.integer("dim");
  const double base = attrs.real("base"), scale = attrs.real("scale");
  const double sign = attrs.integer("inverse", 0) ? -1 : 1;
  const auto size = static_cast<size_t>(length * dim);
  auto cos = std::make_shared<std::vector<float>>(size),
       sin = std::make_shared<std::vector<float>>(size);
  for (i64 t = 0; t < length; ++t)
    for (i64 j = 0; j < dim; j += 2) {
      const double angle = static_cast<double>(t) * scale *
                           std::pow(base, -static_cast<double>(j) / static_cast<double>(dim));
      const auto at = static_cast<size_t>(t * dim + j);
      (*cos)[at] = (*cos)[at + 1] = static_cast<float>(std::cos(angle));
      (*sin)[at + 1] = static_cast<float>(sign * std::sin(angle));
      (*sin)[at] = -(*sin)[at + 1];
    }
  choose_target();
  return make_call<Args>(
      {bound.input(0), bound.output(), shape[0], length, shape[2], attrs.integer("heads"), dim,
       bound.scheme.tiles, cos, sin, &HWY_DYNAMIC_DISPATCH(rotate)},
      run);
}

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& shape = graph.out_shape(node);
  for (const i64 tiles : tile_counts(graph))
    if (shape[0] >= tiles && shape.elements() / tiles >= 256)
      all.push_back(by_rows(graph, node, tiles, 1));
  return all;
}

constexpr KernelDef kernels[] = {{"rope", nullptr, schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::rope_kernel
#endif
