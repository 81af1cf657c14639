// data::windows and data::token_windows: samples that are stretches of a sequence in memory.
#include <cstring>

#include "core/message.h"
#include "data/dataset.h"
#include "goneuron/text.h"

namespace goneuron::data {

namespace {

/// Tokens and the same one later.
class TokenSource : public Source {
 public:
  TokenSource(Tensor tokens, i64 context, i64 stride)
      : tokens_(std::move(tokens)), context_(context), stride_(stride) {}
  i64 size() const override { return (tokens_.size() - context_ - 1) / stride_ + 1; }
  bool in_memory() const override { return true; }
  void read(const i64* rows, i64 count, void* const* memory) const override {
    const auto bytes = static_cast<size_t>(context_) * sizeof(std::int32_t);
    for (i64 i = 0; i < count; ++i) {
      const std::int32_t* from = tokens_.data<std::int32_t>() + rows[i] * stride_;
      std::memcpy(static_cast<std::int32_t*>(memory[0]) + i * context_, from, bytes);
      std::memcpy(static_cast<std::int32_t*>(memory[1]) + i * context_, from + 1, bytes);
    }
  }

 private:
  Tensor tokens_;
  i64 context_, stride_;
};

class SeriesSource : public Source {
 public:
  SeriesSource(Tensor series, const WindowOptions& options)
      : series_(std::move(series)), options_(options) {}
  i64 size() const override {
    return (series_.shape()[0] - options_.length - options_.horizon) / options_.stride + 1;
  }
  bool in_memory() const override { return true; }
  void read(const i64* rows, i64 count, void* const* memory) const override {
    const auto item = static_cast<size_t>(dtype_size(series_.dtype()));
    const size_t step = item * static_cast<size_t>(series_.shape()[1]);
    const size_t window = step * static_cast<size_t>(options_.length);
    auto* x = static_cast<char*>(memory[0]);
    auto* y = static_cast<char*>(memory[1]);
    for (i64 i = 0; i < count; ++i, x += window) {
      const auto* from = static_cast<const char*>(series_.raw()) +
                         static_cast<size_t>(rows[i] * options_.stride) * step;
      std::memcpy(x, from, window);
      for (i64 h = 0; h < options_.horizon; ++h)
        for (const i64 target : options_.targets) {
          std::memcpy(
              y, from + window + static_cast<size_t>(h) * step + static_cast<size_t>(target) * item,
              item);
          y += item;
        }
    }
  }

 private:
  Tensor series_;
  WindowOptions options_;
};

Dataset over(std::shared_ptr<const Source> source, const Shape& x, const Shape& y, DType dtype) {
  auto impl = std::make_shared<DatasetImpl>();
  impl->source = std::move(source);
  impl->x.push_back({"", {}, x, dtype});
  impl->y.push_back({"", {}, y, dtype});
  return Dataset(share(std::move(impl)));
}

}  // namespace

Dataset token_windows(const Tensor& tokens, const TokenOptions& options, Site site) {
  const std::string where = user_place("data::token_windows", site);
  if (tokens.dtype() != DType::i32 || tokens.shape().rank() != 1)
    throw_data({where,
                "the tokens are " + type_text(tokens) + "; expected [count] i32",
                {},
                "data::Vocabulary::encode() makes them of text"});
  if (options.context < 1 || options.stride < 0)
    throw_data({where,
                "a context of " + std::to_string(options.context) + " and a stride of " +
                    std::to_string(options.stride) + "; expected 1 and 0 at least",
                {},
                "leave the stride out for windows one behind the other"});
  if (tokens.size() <= options.context)
    throw_data({where,
                counted(tokens.size(), "token") + "; expected more than the context of " +
                    std::to_string(options.context),
                {},
                "make the context shorter, or give it more text"});
  const i64 stride = options.stride == 0 ? options.context : options.stride;
  const Shape window{options.context};
  return over(std::make_shared<TokenSource>(tokens, options.context, stride), window, window,
              DType::i32);
}

Dataset windows(const Tensor& series, const WindowOptions& options, Site site) {
  const std::string where = user_place("data::windows", site);
  const int rank = series.shape().rank();
  if (rank != 1 && rank != 2)
    throw_data({where,
                "the series is " + type_text(series) + "; expected [time, features] or [time]",
                {},
                "reshape() puts the features of a step on one axis"});
  const i64 time = series.shape()[0], features = rank == 1 ? 1 : series.shape()[1];
  if (options.length < 1 || options.stride < 1 || options.horizon < 1)
    throw_data({where,
                "a length of " + std::to_string(options.length) + ", a stride of " +
                    std::to_string(options.stride) + " and a horizon of " +
                    std::to_string(options.horizon) + "; expected at least 1 each",
                {},
                "the length is what the model sees, the horizon what it predicts"});
  if (time < options.length + options.horizon || features < 1)
    throw_data({where,
                "the series is " + type_text(series) + "; expected " +
                    std::to_string(options.length + options.horizon) +
                    " steps or more, the length and the horizon",
                {},
                "make the windows shorter, or give it a longer series"});
  for (const i64 target : options.targets)
    if (target < 0 || target >= features)
      throw_data({where,
                  "there is no feature " + std::to_string(target) + " to predict; expected 0 to " +
                      std::to_string(features - 1),
                  {},
                  "leave the targets out for all features"});
  WindowOptions all = options;
  for (i64 i = 0; options.targets.empty() && i < features; ++i) all.targets.push_back(i);
  const Shape one{static_cast<i64>(all.targets.size())};
  const Shape y = options.horizon == 1 ? one : one.with_batch(options.horizon);
  return over(std::make_shared<SeriesSource>(series.reshape({time, features}), all),
              Shape{options.length, features}, y, series.dtype());
}

}  // namespace goneuron::data
