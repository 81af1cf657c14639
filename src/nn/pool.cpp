#include "nn/pool.h"

#include <algorithm>

#include "nn/options.h"

namespace goneuron {

Layer make_pool(const PoolKind& pool, i64 channels, Size2 kernel, const PoolOptions& options,
                Site site) {
  const auto [stride_h, stride_w] = options.stride;
  const Size2 stride(stride_h == 0 ? kernel.height : stride_h,
                     stride_w == 0 ? kernel.width : stride_w);
  const LayerWindow window{kernel, stride, options.padding};
  check_window(window, pool.kind, site);
  const i64 smallest = std::min(kernel.height, kernel.width);
  require(options.padding.amount < smallest, pool.kind, site,
          "a padding of " + std::to_string(options.padding.amount) +
              "; expected less than the kernel's " + std::to_string(smallest),
          "a window of padding alone has no value: use less padding or a larger kernel");
  return make_layer({.kind = pool.kind,
                     .prefix = pool.prefix,
                     .name = options.name,
                     .site = site,
                     .build = [=](LayerContext& context) {
                       check_image(
                           context, channels,
                           std::string(pool.kind) + "(" + std::to_string(kernel.height) + ")");
                       return make(pool.op, {context.input()}, window_attrs(context, window, true));
                     }});
}

}  // namespace goneuron
