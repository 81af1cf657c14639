#include "data/loader.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "core/checked_math.h"
#include "core/message.h"
#include "core/rng.h"

namespace goneuron {

namespace {

constexpr std::uint32_t shuffle_stream = 0x53485546;  // "SHUF": no other stream is numbered so

void check(const Dataset& dataset, i64 batch_size) {
  if (dataset.size() == 0)
    throw_data(
        {"Dataset", "there are no samples", {}, "give it at least one sample and its target"});
  if (batch_size < 1)
    throw_data({"Loader",
                "a batch of " + std::to_string(batch_size) + " samples",
                {},
                "a batch has at least 1 sample; 32 is a good start"});
  if (dataset.size() > std::numeric_limits<std::uint32_t>::max())
    throw_data({"Loader",
                std::to_string(dataset.size()) + " samples are more than 4294967295",
                {},
                "split() the dataset and train on its parts"});
}

void* at(void* memory, i64 bytes) { return static_cast<char*>(memory) + bytes; }
const void* at(const void* memory, i64 bytes) { return static_cast<const char*>(memory) + bytes; }

}  // namespace

void shuffled_order(std::uint32_t* order, i64 count, std::uint64_t seed, i64 epoch) {
  std::iota(order, order + count, 0U);
  PhiloxStream random(seed, shuffle_stream, static_cast<std::uint32_t>(epoch));
  for (i64 i = count - 1; i > 0; --i)
    std::swap(order[i], order[random.below(static_cast<std::uint32_t>(i + 1))]);
}

Loader::Loader(const Dataset& dataset, i64 batch_size, bool shuffle, std::uint64_t seed,
               DType x_type, DType y_type)
    : data_(dataset.impl()),
      batch_size_(batch_size),
      shuffle_(shuffle),
      x_type_(x_type),
      y_type_(y_type) {
  check(dataset, batch_size);
  const i64 count = data_->size();
  batch_size_ = std::min(batch_size, count);
  steps_ = ceil_div(count, batch_size_);
  step_ = steps_;  // nothing to read before start_epoch()
  seed_ = data_->shuffle_seed.value_or(seed);
  gather_x_ = gather_for(GatherRole::input, data_->x_dtype, x_type, "Dataset");
  gather_y_ = gather_for(GatherRole::target, data_->y_dtype, y_type, "Dataset");
  if (data_->maps.empty()) check_whole(data_->x, x_type, {"Dataset", "x", data_->x_shape});
  x_elements_ = data_->x_shape.elements();
  y_elements_ = data_->y_shape.elements();
  x_row_bytes_ = checked_mul(x_elements_, dtype_size(x_type));
  y_row_bytes_ = checked_mul(y_elements_, dtype_size(y_type));
  x_stored_bytes_ = data_->x.bytes() / count;
  y_stored_bytes_ = data_->y.bytes() / count;
  if (shuffle_) order_.resize(static_cast<size_t>(count));
  if (!data_->prefetched()) return;
  for (int half = 0; half < 2; ++half) {
    x_half_[half] = Tensor(data_->x_shape.with_batch(batch_size_), x_type);
    y_half_[half] = Tensor(data_->y_shape.with_batch(batch_size_), y_type);
  }
  prefetcher_ = std::make_unique<Prefetcher>(
      [this](i64 step, int half) { fill(step, x_half_[half].raw(), y_half_[half].raw()); });
}

Loader::~Loader() = default;

i64 Loader::rows(i64 step) const {
  return std::min(batch_size_, data_->size() - step * batch_size_);
}

void Loader::start_epoch(i64 epoch) {
  if (prefetcher_ != nullptr) prefetcher_->pause();
  if (shuffle_) shuffled_order(order_.data(), data_->size(), seed_, epoch);
  step_ = 0;
  if (prefetcher_ != nullptr) prefetcher_->start(steps_);
}

i64 Loader::next(const BatchTarget& target) {
  if (target.x_type != x_type_ || target.y_type != y_type_)
    throw_type({"Loader",
                "the batch's dtypes are not those the loader was made for",
                {},
                "make the loader with the dtypes of the step's inputs"});
  if (step_ == steps_) return 0;
  const i64 count = rows(step_);
  if (prefetcher_ == nullptr) {
    fill(step_, target.x, target.y);
  } else {
    const int half = prefetcher_->wait();
    std::memcpy(target.x, x_half_[half].raw(), static_cast<size_t>(count * x_row_bytes_));
    std::memcpy(target.y, y_half_[half].raw(), static_cast<size_t>(count * y_row_bytes_));
    prefetcher_->release();
  }
  ++step_;
  return count;
}

void Loader::fill(i64 step, void* x, void* y) const {
  const i64 first = step * batch_size_;
  const i64 count = rows(step);
  if (!data_->maps.empty()) return fill_mapped(first, count, x, y);
  if (shuffle_) {
    gather_x_(x, data_->x.raw(), order_.data() + first, count, x_elements_);
    gather_y_(y, data_->y.raw(), order_.data() + first, count, y_elements_);
    fetch_ahead(first + count);
  } else {
    gather_x_(x, at(data_->x.raw(), first * x_stored_bytes_), nullptr, count, x_elements_);
    gather_y_(y, at(data_->y.raw(), first * y_stored_bytes_), nullptr, count, y_elements_);
  }
}

/// Asks for the rows of the batch after this one: they are random, and arrive while the step runs.
void Loader::fetch_ahead(i64 first) const {
  constexpr i64 line = 64, most = 128 * 1024;  // bytes; a part of the second-level cache
  const i64 rows = std::min({batch_size_, data_->size() - first, most / (x_stored_bytes_ + 1)});
  for (i64 r = 0; r < rows; ++r) {
    const i64 row = i64{order_[static_cast<size_t>(first + r)]};
    const auto* bytes = static_cast<const char*>(at(data_->x.raw(), row * x_stored_bytes_));
    for (i64 i = 0; i < x_stored_bytes_; i += line) __builtin_prefetch(bytes + i, 0, 2);
  }
}

void Loader::fill_mapped(i64 first, i64 rows, void* x, void* y) const {
  for (i64 row = 0; row < rows; ++row) {
    const i64 index = shuffle_ ? i64{order_[static_cast<size_t>(first + row)]} : first + row;
    const Sample sample = data_->mapped(index);
    check_whole(sample.x, x_type_, {"Dataset::map", "x", data_->x_shape, index});
    gather_x_(at(x, row * x_row_bytes_), sample.x.raw(), nullptr, 1, x_elements_);
    gather_y_(at(y, row * y_row_bytes_), sample.y.raw(), nullptr, 1, y_elements_);
  }
}

}  // namespace goneuron
