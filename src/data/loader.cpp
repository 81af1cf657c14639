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

// "SHUF", "BUCK": no other stream is numbered so.
constexpr std::uint32_t shuffle_stream = 0x53485546, bucket_stream = 0x4255434B;

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

void shuffle(std::uint32_t* order, i64 count, std::uint64_t seed, std::uint32_t stream, i64 epoch) {
  std::iota(order, order + count, 0U);
  PhiloxStream random(seed, stream, static_cast<std::uint32_t>(epoch));
  for (i64 i = count - 1; i > 0; --i)
    std::swap(order[i], order[random.below(static_cast<std::uint32_t>(i + 1))]);
}

const Column& column_of(const DatasetImpl& data, GatherRole role, int column) {
  return (role == GatherRole::input ? data.x : data.y)[static_cast<size_t>(column)];
}

std::string name_of(const Column& column, GatherRole role) {
  const std::string letter = role == GatherRole::input ? "x" : "y";
  return column.name.empty() ? letter : letter + " \"" + column.name + "\"";
}

}  // namespace

void shuffled_order(std::uint32_t* order, i64 count, std::uint64_t seed, i64 epoch) {
  shuffle(order, count, seed, shuffle_stream, epoch);
}

Loader::Loader(const Dataset& dataset, i64 batch_size, bool shuffle, std::uint64_t seed,
               DType x_type, DType y_type)
    : Loader(dataset, batch_size, shuffle, seed,
             {{GatherRole::input, 0, x_type}, {GatherRole::target, 0, y_type}}) {}

Loader::Loader(const Dataset& dataset, i64 batch_size, bool shuffle, std::uint64_t seed,
               const std::vector<Feed>& feeds)
    : data_(dataset.impl()), batch_size_(batch_size), shuffle_(shuffle) {
  check(dataset, batch_size);
  batch_size_ = std::min(batch_size, data_->size());
  seed_ = data_->shuffle_seed.value_or(seed);
  if (shuffle_) order_.resize(static_cast<size_t>(data_->size()));
  for (const DatasetImpl* part : data_->parts()) add_part(*part, feeds);
  if (shuffle_ && parts_.size() > 1) batches_.resize(static_cast<size_t>(steps_));
  step_ = steps_;  // nothing to read before start_epoch()
  if (!data_->prefetched()) return;
  for (int half = 0; half < 2; ++half)
    for (size_t i = 0; i < feeds.size(); ++i) {
      i64 bytes = 0;
      for (const Part& part : parts_) bytes = std::max(bytes, part.streams[i].row_bytes);
      halves_[half].emplace_back(Shape{checked_mul(bytes, batch_size_)}, DType::u8);
      half_memory_[half].push_back(halves_[half].back().raw());
    }
  prefetcher_ = std::make_unique<Prefetcher>(
      [this](i64 step, int half) { fill(step, half_memory_[half].data()); });
}

Loader::~Loader() = default;

void Loader::add_part(const DatasetImpl& data, const std::vector<Feed>& feeds) {
  const i64 count = data.size();
  i64 before = 0;
  for (const Part& part : parts_) before += part.data->size();
  Part part{
      &data, {}, steps_, ceil_div(count, batch_size_), shuffle_ ? order_.data() + before : nullptr};
  for (const Feed& feed : feeds) {
    const Column& c = column_of(data, feed.role, feed.column);
    if (data.maps.empty() && feed.role == GatherRole::input)
      check_whole(c.stored, feed.type, {"Dataset", name_of(c, feed.role), c.shape});
    const i64 elements = c.shape.elements();
    part.streams.push_back({feed.role, feed.column, feed.type, c.stored.raw(),
                            gather_for(feed.role, c.dtype, feed.type, "Dataset"), elements,
                            checked_mul(elements, dtype_size(feed.type)),
                            c.stored.bytes() / count});
  }
  steps_ += part.batches;
  parts_.push_back(std::move(part));
}

Loader::Batch Loader::batch(i64 step) const {
  const i64 number = batches_.empty() ? step : i64{batches_[static_cast<size_t>(step)]};
  const Part* part = parts_.data();
  while (number >= part->first + part->batches) ++part;
  const i64 first = (number - part->first) * batch_size_;
  return {part, first, std::min(batch_size_, part->data->size() - first)};
}

i64 Loader::rows(i64 step) const { return batch(step).rows; }
int Loader::part(i64 step) const { return static_cast<int>(batch(step).part - parts_.data()); }

i64 Loader::sample(i64 step, i64 row) const {
  const Batch b = batch(step);
  const i64 at = index(b, row);
  return b.part->data->rows.empty() ? at : i64{b.part->data->rows[static_cast<size_t>(at)]};
}

void Loader::start_epoch(i64 epoch, i64 first_step) {
  if (prefetcher_ != nullptr) prefetcher_->pause();
  if (shuffle_)
    for (size_t i = 0; i < parts_.size(); ++i)
      shuffle(parts_[i].order, parts_[i].data->size(), seed_,
              shuffle_stream + static_cast<std::uint32_t>(i), epoch);
  if (!batches_.empty()) shuffle(batches_.data(), steps_, seed_, bucket_stream, epoch);
  step_ = first_step;
  if (prefetcher_ != nullptr) prefetcher_->start(steps_, first_step);
}

i64 Loader::next(void* const* memory) {
  if (step_ == steps_) return 0;
  const Batch b = batch(step_);
  if (prefetcher_ == nullptr) {
    fill(step_, memory);
  } else {
    const int half = prefetcher_->wait();
    for (size_t i = 0; i < b.part->streams.size(); ++i)
      std::memcpy(memory[i], half_memory_[half][i],
                  static_cast<size_t>(b.rows * b.part->streams[i].row_bytes));
    prefetcher_->release();
  }
  ++step_;
  return b.rows;
}

void Loader::fill(i64 step, void* const* memory) const {
  const Batch b = batch(step);
  if (!b.part->data->maps.empty()) return fill_mapped(b, memory);
  const std::uint32_t* order = b.part->order ? b.part->order + b.first : nullptr;
  for (size_t i = 0; i < b.part->streams.size(); ++i) {
    const Stream& s = b.part->streams[i];
    s.gather(memory[i], order ? s.stored : at(s.stored, b.first * s.stored_bytes), order, b.rows,
             s.elements);
  }
  if (order && step + 1 < steps_) fetch_ahead(batch(step + 1));
}

/// Asks for the rows of the next batch: they are random, and arrive while the step runs.
void Loader::fetch_ahead(const Batch& b) const {
  constexpr i64 line = 64;
  i64 left = 128 * 1024;  // bytes; a part of the second-level cache
  for (const Stream& s : b.part->streams) {
    if (s.role != GatherRole::input) continue;
    const i64 rows = std::min(b.rows, left / (s.stored_bytes + 1));
    left -= rows * s.stored_bytes;
    for (i64 r = 0; r < rows; ++r) {
      const auto* bytes = static_cast<const char*>(at(s.stored, index(b, r) * s.stored_bytes));
      for (i64 i = 0; i < s.stored_bytes; i += line) __builtin_prefetch(bytes + i, 0, 2);
    }
  }
}

void Loader::fill_mapped(const Batch& b, void* const* memory) const {
  for (i64 row = 0; row < b.rows; ++row) {
    const i64 sample_index = index(b, row);
    const Samples sample = b.part->data->mapped(sample_index);
    for (size_t i = 0; i < b.part->streams.size(); ++i) {
      const Stream& s = b.part->streams[i];
      const bool input = s.role == GatherRole::input;
      const Tensor& from = (input ? sample.x : sample.y)[static_cast<size_t>(s.column)];
      if (input && is_floating(from.dtype()) && !is_floating(s.type))
        check_whole(
            from, s.type,
            {"Dataset::map", name_of(b.part->data->x[static_cast<size_t>(s.column)], s.role),
             from.shape(), sample_index});
      s.gather(at(memory[i], row * s.row_bytes), from.raw(), nullptr, 1, s.elements);
    }
  }
}

}  // namespace goneuron
