// conv2d_pool(x, w[, b]){conv attributes, activation "relu" or "linear", pool_*} -> y, index:
// convolution, bias, activation and max pooling in one op, and conv2d_pool_weight_grad(x, dy,
// index, like w){the same, bias} -> dw [, db], where dy is the gradient of the pooled output.
// `index`, [height, batch, width, channels] of y, is the cell of the pool's window that the maximum
// comes from; where relu cut it off, no cell's number: one past the last. Rows come before images,
// so that what a tile of image rows has of these few bytes lies together. Where x is u8 it is a
// table of images, value / 255, and the last input says which of its rows are the batch, [n] i32;
// zeros for a row outside of it. Made by the fusion pass.
#include "core/unit_bytes.h"
#include "ops/conv_kernel.h"

namespace goneuron::conv2d_pool_op {

namespace {
bool check_relu(const InferContext& c) {
  const std::string& name = c.attrs.text("activation");
  if (name != "relu" && name != "linear")
    c.fail("activation \"" + name + "\" cannot be fused with a pool", "use relu or linear");
  return name == "relu";
}

/// True when x, input 0, is a table of bytes, whose rows are then the last input; else there are at
/// most `most` inputs, and input w is of x's dtype.
bool check_table(const InferContext& c, int w, size_t most) {
  const bool table = c.dtype(0) == DType::u8;
  if (!table) check_floating(c, {0, w});
  if (c.inputs.size() > most + (table ? 1 : 0))
    c.fail("there are " + std::to_string(c.inputs.size()) + " inputs",
           "name the rows where x is a table, and only there");
  if (!table) return false;
  const int rows = static_cast<int>(c.inputs.size()) - 1;
  check_dtype(c, rows, DType::i32, "the rows of the table");
  check_rank(c, rows, 1, "[rows]");
  return true;
}

Shape pooled_shape(const InferContext& c, int xi, int wi, bool table) {
  Shape conv = conv_output(c, xi, wi);
  if (table) conv.set(0, c.inputs.back().shape[0]);
  const Window pool = fused_pool_window(c.attrs);
  check_pool_window(c, pool);
  check_relu(c);
  if (checked_mul(pool.kernel_h, pool.kernel_w) > 254)
    c.fail("the pool has more than 254 cells", "pool in two steps");
  return window_output(c, conv, pool, conv[3]);
}

Shape index_shape(const Shape& y) { return {y[1], y[0], y[2], y[3]}; }
/// Where the indices of row `py` of image `n` begin.
i64 index_row(const Shape& y, i64 n, i64 py) { return (py * y[0] + n) * y[2] * y[3]; }

std::vector<TensorType> infer(const InferContext& c) {
  const bool table = check_table(c, 1, 3), bias = c.inputs.size() == (table ? 4 : 3);
  const DType dtype = bias ? check_floating(c, {1, 2}) : check_floating(c, {1});
  const Shape y = pooled_shape(c, 0, 1, table);
  if (bias) check_shape(c, 2, Shape{y[3]}, "the bias");
  return {{y, dtype}, {index_shape(y), DType::u8}};
}
std::vector<TensorType> infer_weight_grad(const InferContext& c) {
  const bool table = check_table(c, 1, 4);
  const DType dtype = check_floating(c, {1});
  check_dtype(c, 2, DType::u8, "the indices");
  const Shape y = pooled_shape(c, 0, 3, table);
  check_shape(c, 1, y, "the gradient of the output");
  check_shape(c, 2, index_shape(y), "the index");
  std::vector<TensorType> outputs{{c.shape(3), dtype}};
  if (check_flag(c, "bias")) outputs.push_back({Shape{y[3]}, dtype});
  return outputs;
}

/// The elements of x as of [batch, ..], also where they are rows of a table.
template <class T>
class Pixels {
 public:
  explicit Pixels(const KernelArgs& args)
      : x_(args.inputs[0]),
        rows_(args.inputs.back().as<const std::int32_t>()),
        width_(x_.shape.without_batch().elements()) {}
  T operator[](i64 i) const {
    if (x_.dtype != DType::u8) return x_.as<const T>()[i];
    const i64 row = rows_[i / width_];
    return row >= 0 && row < x_.shape[0]
               ? unit_of(x_.as<const std::uint8_t>()[row * width_ + i % width_])
               : 0;
  }

 private:
  const TensorRef& x_;
  const std::int32_t* rows_;
  i64 width_;
};

template <class T>
void kernel(const KernelArgs& args) {
  const ConvSizes s(args.attrs, args.inputs[0].shape, args.inputs[1].shape);
  const Window pool = fused_pool_window(args.attrs);
  const bool relu = args.attrs.text("activation") == "relu";
  const Pixels<T> x(args);
  const T* w = input<T>(args, 1);
  const size_t plain = args.inputs[0].dtype == DType::u8 ? 3 : 2;
  const T* b = args.inputs.size() > plain ? input<T>(args, 2) : nullptr;
  const Shape& y = args.outputs[0].shape;
  T* best = output<T>(args, 0);
  for (i64 n = 0; n < y[0]; ++n)
    for (i64 py = 0; py < y[1]; ++py) {
      auto* index = output<std::uint8_t>(args, 1) + index_row(y, n, py);
      for (i64 px = 0; px < y[2]; ++px)
        for (i64 o = 0; o < y[3]; ++o, ++best, ++index) {
          for (i64 cell = 0; cell < pool.kernel_h * pool.kernel_w; ++cell) {
            const i64 oy = py * pool.stride_h + cell / pool.kernel_w,
                      ox = px * pool.stride_w + cell % pool.kernel_w;
            // Rounded to T before the comparison, so that ties are those of the ops apart.
            auto value = static_cast<T>(conv_at(s, x, w, n, oy, ox, o, b ? double{b[o]} : 0));
            if (relu && value <= 0) value = 0;
            if (cell > 0 && !(value > *best) && !(std::isnan(value) && !std::isnan(*best)))
              continue;
            *best = value;
            *index = static_cast<std::uint8_t>(cell);
          }
          if (relu && *best <= 0) *index = static_cast<std::uint8_t>(pool.kernel_h * pool.kernel_w);
        }
    }
}

/// Where the gradient of a pooled element goes: the convolution's output at (oy, ox), or nowhere.
template <class T>
class Routes {
 public:
  explicit Routes(const KernelArgs& args)
      : pool_(fused_pool_window(args.attrs)),
        dy_(input<T>(args, 1)),
        index_(input<std::uint8_t>(args, 2)),
        shape_(args.inputs[1].shape) {}

  /// f(n, oy, ox, dy) for every pooled element of channel `o` that passes a gradient.
  template <class F>
  void for_channel(i64 o, F f) const {
    for (i64 n = 0; n < shape_[0]; ++n)
      for (i64 py = 0; py < shape_[1]; ++py)
        for (i64 px = 0; px < shape_[2]; ++px) {
          const i64 at = ((n * shape_[1] + py) * shape_[2] + px) * shape_[3] + o;
          const i64 cell = index_[index_row(shape_, n, py) + px * shape_[3] + o];
          if (cell >= pool_.kernel_h * pool_.kernel_w) continue;
          f(n, py * pool_.stride_h + cell / pool_.kernel_w,
            px * pool_.stride_w + cell % pool_.kernel_w, double{dy_[at]});
        }
  }

 private:
  Window pool_;
  const T* dy_;
  const std::uint8_t* index_;
  Shape shape_;
};

template <class T>
void weight_grad_kernel(const KernelArgs& args) {
  const ConvSizes s(args.attrs, args.inputs[0].shape, args.outputs[0].shape);
  const Routes<T> routes(args);
  const Window& w = s.window;
  const Pixels<T> x(args);
  T* dw = output<T>(args, 0);
  for (i64 ky = 0; ky < w.kernel_h; ++ky)
    for (i64 kx = 0; kx < w.kernel_w; ++kx)
      for (i64 c = 0; c < s.c; ++c)
        for (i64 o = 0; o < s.o; ++o) {
          double sum = 0;
          routes.for_channel(o, [&](i64 n, i64 oy, i64 ox, double dy) {
            const i64 iy = oy * w.stride_h - w.pad_top + ky * w.dilation_h,
                      ix = ox * w.stride_w - w.pad_left + kx * w.dilation_w;
            if (iy >= 0 && iy < s.h && ix >= 0 && ix < s.w)
              sum += dy * double{x[((n * s.h + iy) * s.w + ix) * s.pixel() + s.first_input(o) + c]};
          });
          *dw++ = static_cast<T>(sum);
        }
  if (args.outputs.size() < 2) return;
  T* db = output<T>(args, 1);
  for (i64 o = 0; o < s.o; ++o) {
    double sum = 0;
    routes.for_channel(o, [&](i64, i64, i64, double dy) { sum += dy; });
    db[o] = static_cast<T>(sum);
  }
}

double flops(const std::vector<TensorType>& in, const std::vector<TensorType>& out,
             const Attrs& attrs) {
  const Shape& y = out[0].shape;
  const Window pool = fused_pool_window(attrs);
  return conv_flops_of(in[1].shape,
                       static_cast<double>(y[0] * y[1] * y[2] * pool.stride_h * pool.stride_w));
}
double weight_grad_flops(const std::vector<TensorType>& in, const std::vector<TensorType>& out,
                         const Attrs&) {
  const Shape& y = in[1].shape;
  return conv_flops_of(out[0].shape, static_cast<double>(y[0] * y[1] * y[2]));
}

Attrs options(const char* name, i64 kernel, i64 stride, Attrs attrs) {
  attrs.set("activation", std::string(name));
  attrs.set("pool_kernel_h", kernel);
  attrs.set("pool_kernel_w", kernel);
  attrs.set("pool_stride_h", stride);
  attrs.set("pool_stride_w", stride);
  return attrs;
}
Attrs with_bias(Attrs attrs, i64 bias) {
  attrs.set("bias", bias);
  return attrs;
}
std::vector<OpSample> samples() {
  return {
      {{f32({2, 4, 6, 2}), f32({3, 3, 2, 3}), f32({3})}, options("relu", 2, 2, window_attrs(1, 1))},
      {{f32({1, 7, 7, 1}), f32({2, 3, 1, 2})}, options("linear", 2, 1, window_attrs(2, 0))},
      {{u8({4, 7, 7, 1}), f32({2, 3, 1, 2}), i32({2})},
       options("linear", 2, 1, window_attrs(2, 0)),
       -2,
       2,
       {},
       5},
      {{u8({200, 28, 28, 1}), f32({3, 3, 1, 32}), f32({32}), i32({32})},
       options("relu", 2, 2, window_attrs(1, 1)),
       -1,
       1,
       {},
       201,
       true},
      {{u8({5, 12, 9, 1}), f32({3, 3, 1, 16}), i32({3})},
       options("linear", 2, 2, window_attrs(1, 0)),
       -1,
       1,
       {},
       6,
       true},
      {{f32({32, 28, 28, 1}), f32({3, 3, 1, 32}), f32({32})},
       options("relu", 2, 2, window_attrs(1, 1)),
       -1,
       1,
       {},
       2,
       true}};
}
std::vector<OpSample> weight_grad_samples() {
  const TensorType y = f32({2, 2, 3, 3}), index = u8({2, 2, 3, 3}), w = f32({3, 3, 2, 3});
  const Attrs relu = options("relu", 2, 2, window_attrs(1, 1));
  return {{{f32({2, 4, 6, 2}), y, index, w}, with_bias(relu, 1), -2, 2, {0}, 5},
          {{f32({1, 7, 7, 1}), f32({1, 2, 2, 2}), u8({2, 1, 2, 2}), f32({2, 3, 1, 2})},
           with_bias(options("linear", 2, 1, window_attrs(2, 0)), 0),
           -2,
           2,
           {},
           5},
          {{u8({4, 4, 6, 2}), y, index, w, i32({2})}, with_bias(relu, 1), -2, 2, {0}, 5},
          {{u8({200, 28, 28, 1}), f32({32, 14, 14, 32}), u8({14, 32, 14, 32}), f32({3, 3, 1, 32}),
            i32({32})},
           with_bias(options("relu", 2, 2, window_attrs(1, 1)), 1),
           -2,
           2,
           {},
           5,
           true},
          {{f32({32, 28, 28, 1}), f32({32, 14, 14, 32}), u8({14, 32, 14, 32}), f32({3, 3, 1, 32})},
           with_bias(options("relu", 2, 2, window_attrs(1, 1)), 1),
           -2,
           2,
           {},
           5,
           true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 4, 4, 1}), f32({3, 3, 1, 2})},
           options("relu", 3, 3, window_attrs(1, 0)),
           "the window is larger than its input: 3 x 3 over 2 x 2"},
          {{f32({2, 4, 4, 1}), f32({3, 3, 1, 2})},
           options("tanh", 2, 2, window_attrs(1, 0)),
           "activation \"tanh\" cannot be fused with a pool"},
          {{f32({2, 40, 40, 1}), f32({3, 3, 1, 2})},
           options("relu", 16, 2, window_attrs(1, 0)),
           "more than 254 cells"},
          {{f32({2, 4, 4, 1}), f32({3, 3, 1, 2})},
           options("relu", 2, 0, window_attrs(1, 0)),
           "stride_h is 0"},
          {{f32({2, 4, 4, 1}), f32({3, 3, 1, 2}), f32({3})},
           options("relu", 2, 2, window_attrs(1, 0)),
           "the bias is [3]; it must be [2]"},
          {{u8({2, 4, 4, 1}), f32({3, 3, 1, 2}), f32({2})},
           options("relu", 2, 2, window_attrs(1, 0)),
           "the rows of the table are f32; they must be i32"},
          {{u8({2, 4, 4, 1}), f32({3, 3, 1, 2})},
           options("relu", 2, 2, window_attrs(1, 0)),
           "the rows of the table are f32; they must be i32"},
          {{f32({2, 4, 4, 1}), f32({3, 3, 1, 2}), f32({2}), i32({2})},
           options("relu", 2, 2, window_attrs(1, 0)),
           "there are 4 inputs"}};
}
std::vector<OpReject> weight_grad_rejects() {
  const TensorType y = f32({2, 2, 3, 3}), w = f32({3, 3, 2, 3});
  const Attrs relu = with_bias(options("relu", 2, 2, window_attrs(1, 1)), 1);
  return {
      {{f32({2, 4, 6, 2}), y, i32({2, 2, 3, 3}), w}, relu, "the indices are i32; they must be u8"},
      {{f32({2, 4, 6, 2}), y, u8({2, 2, 2, 3}), w}, relu, "the index is [2, 2, 2, 3]"},
      {{f32({2, 4, 6, 2}), f32({2, 2, 2, 3}), u8({2, 2, 3, 3}), w},
       relu,
       "the gradient of the output is [2, 2, 2, 3]; it must be [2, 2, 3, 3]"},
      {{f32({2, 4, 6, 2}), y, u8({2, 2, 3, 3}), w}, with_bias(relu, 2), "bias is 2"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "conv2d_pool",
                               .min_inputs = 2,
                               .max_inputs = 4,
                               .infer = infer,
                               .gradient = Gradient::none("made after differentiation"),
                               .reference = {kernel<float>, kernel<double>},
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "conv2d_pool_weight_grad",
                               .min_inputs = 4,
                               .max_inputs = 5,
                               .infer = infer_weight_grad,
                               .gradient = Gradient::none("made after differentiation"),
                               .reference = {weight_grad_kernel<float>, weight_grad_kernel<double>},
                               .batch = Batch::reduced,
                               .shape_only = 0b1000,
                               .flops = weight_grad_flops,
                               .samples = weight_grad_samples,
                               .rejects = weight_grad_rejects}};
  return ops;
}

}  // namespace goneuron::conv2d_pool_op
