#include "data/loader.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <utility>

#include "core/checked_math.h"
#include "core/message.h"

namespace goneuron {

namespace {

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

const void* at(const void* memory, i64 bytes) { return static_cast<const char*>(memory) + bytes; }
void* at(void* memory, i64 bytes) { return static_cast<char*>(memory) + bytes; }

const Column& column_of(const DatasetImpl& data, GatherRole role, int column) {
  return (role == GatherRole::input ? data.x : data.y)[static_cast<size_t>(column)];
}

std::string name_of(const Column& column, GatherRole role) {
  const std::string letter = role == GatherRole::input ? "x" : "y";
  return column.name.empty() ? letter : letter + " \"" + column.name + "\"";
}

}  // namespace

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
  const bool blocks = data_->source != nullptr && data_->source->block() > 1;
  if (shuffle_ && !blocks) order_.resize(static_cast<size_t>(data_->size()));
  if (shuffle_ && data_->chosen.list && !data_->source)
    rows_.resize(static_cast<size_t>(data_->size()));
  for (const DatasetImpl* part : data_->parts()) add_part(*part, feeds);
  if (shuffle_ && parts_.size() > 1) batches_.resize(static_cast<size_t>(steps_));
  step_ = steps_;  // nothing to read before start_epoch()
  if (data_->source != nullptr || !data_->maps.empty()) prepare_source();
  if (data_->prefetched()) prepare_prefetch();
}

Loader::~Loader() = default;

void Loader::add_part(const DatasetImpl& data, const std::vector<Feed>& feeds) {
  const i64 count = data.size();
  i64 before = 0;
  for (const Part& part : parts_) before += part.data->size();
  const std::uint32_t* rows = nullptr;
  if (!data.source && data.chosen.list)
    rows = shuffle_ ? rows_.data() : data.chosen.list->data() + data.chosen.first;
  std::uint32_t* order = order_.empty() ? nullptr : order_.data() + before;
  Part part{&data, {}, steps_, ceil_div(count, batch_size_), order, rows ? rows : order};
  const std::vector<StoredType> types = data.stored_types();
  for (const Feed& feed : feeds) {
    const Column& c = column_of(data, feed.role, feed.column);
    if (feed.by_row) {
      part.streams.push_back({.role = feed.role,
                              .column = feed.column,
                              .type = feed.type,
                              .elements = 1,
                              .row_bytes = dtype_size(feed.type)});
      continue;
    }
    if (data.maps.empty() && !data.source && feed.role == GatherRole::input)
      check_whole(c.stored, feed.type, {"Dataset", name_of(c, feed.role), c.shape});
    const i64 elements = c.shape.elements();
    const size_t place =
        static_cast<size_t>(feed.column) + (feed.role == GatherRole::input ? 0 : data.x.size());
    part.streams.push_back({feed.role, feed.column, feed.type, c.dtype, c.stored.raw(),
                            gather_for(feed.role, c.dtype, feed.type, "Dataset"),
                            gather_for(feed.role, feed.type, feed.type, "Dataset"), elements,
                            checked_mul(elements, dtype_size(feed.type)), types[place].bytes(),
                            place});
  }
  steps_ += part.batches;
  parts_.push_back(std::move(part));
}

void Loader::prepare_source() {
  team_ = std::make_unique<Team>(data_->prefetched() ? data_->threads : 1);
  const i64 threads = team_->threads();
  // Some more pieces than threads: images take a time of their own each.
  piece_ = threads == 1 ? batch_size_ : ceil_div(batch_size_, 4 * threads);
  std::vector<i64> row_bytes;
  for (const StoredType& type : data_->stored_types()) row_bytes.push_back(type.bytes());
  const bool blocks = data_->source != nullptr && data_->source->block() > 1;
  for (i64 t = 0; t < threads; ++t) {
    Scratch& scratch = scratch_.emplace_back();
    if (blocks || !data_->source) continue;
    scratch.rows.resize(static_cast<size_t>(piece_));
    for (const i64 bytes : row_bytes) {
      scratch.memory.emplace_back(Shape{checked_mul(bytes, piece_)}, DType::u8);
      scratch.columns.push_back(scratch.memory.back().raw());
    }
  }
  if (!blocks) return;
  const i64 window = std::max(batch_size_, shuffle_ ? data_->shuffle_rows : 1);
  windows_ = std::make_unique<WindowReader>(*data_, shuffle_, window, row_bytes, *team_);
}

void Loader::prepare_prefetch() {
  for (int half = 0; half < 2; ++half)
    for (size_t i = 0; i < parts_[0].streams.size(); ++i) {
      i64 bytes = 0;
      for (const Part& part : parts_) bytes = std::max(bytes, part.streams[i].row_bytes);
      halves_[half].emplace_back(Shape{checked_mul(bytes, batch_size_)}, DType::u8);
      half_memory_[half].push_back(halves_[half].back().raw());
    }
  prefetcher_ = std::make_unique<Prefetcher>(
      [this](i64 step, int half) { fill(step, half_memory_[half].data(), nullptr); });
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
  if (windows_ != nullptr) return windows_->index(b.first + row);
  const i64 at = index(b, row);
  return b.part->data->rows.empty() ? at : i64{b.part->data->rows[static_cast<size_t>(at)]};
}

void Loader::start_epoch(i64 epoch, i64 first_step) {
  if (prefetcher_ != nullptr) prefetcher_->pause();
  if (first_step < 0 || first_step > steps_)
    throw_data({"Loader",
                "an epoch of " + counted(steps_, "step") + " has none of number " +
                    std::to_string(first_step),
                {},
                "start again from the epoch's first batch: the data or its batch size differs"});
  if (!order_.empty())
    for (size_t i = 0; i < parts_.size(); ++i)
      shuffled_order(parts_[i].order, parts_[i].data->size(), seed_, epoch,
                     static_cast<std::uint32_t>(i));
  for (size_t i = 0; i < rows_.size(); ++i)
    rows_[i] = static_cast<std::uint32_t>(data_->chosen[i64{order_[i]}]);
  if (!batches_.empty()) shuffled_batches(batches_.data(), steps_, seed_, epoch);
  if (windows_ != nullptr) windows_->start(seed_, epoch);
  step_ = first_step;
  epoch_ = epoch;
  waited_ = 0;
  if (prefetcher_ != nullptr) prefetcher_->start(step_, steps_);
}

i64 Loader::next(const BatchMemory& memory, Crew* crew) {
  if (step_ == steps_) return 0;
  const auto start = std::chrono::steady_clock::now();
  const Batch b = batch(step_);
  if (prefetcher_ == nullptr) {
    fill(step_, memory, crew);
  } else {
    const int half = prefetcher_->wait();
    for (size_t i = 0; i < b.part->streams.size(); ++i) {
      const Stream& s = b.part->streams[i];
      s.copy(memory.data[i], half_memory_[half][i], nullptr, b.rows,
             memory.row(i, s.elements, b.rows));
    }
    prefetcher_->release();
  }
  ++step_;
  waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return b.rows;
}

void Loader::fill_arrays(const Batch& b, i64 step, const BatchMemory& memory, Crew* crew) const {
  constexpr i64 least = 32 * 1024;  // bytes that are worth waking the workers
  i64 bytes = 0;
  for (const Stream& s : b.part->streams) bytes += b.rows * s.row_bytes;
  if (crew == nullptr || bytes < least) return fill_share(b, step, memory, 0, 1);
  struct Work {
    const Loader* loader;
    const Batch* batch;
    i64 step;
    const BatchMemory* memory;
  };
  const Work work{this, &b, step, &memory};
  crew->run(
      [](const void* given, i64 part, i64 parts) {
        const Work& w = *static_cast<const Work*>(given);
        w.loader->fill_share(*w.batch, w.step, *w.memory, part, parts);
      },
      &work);
}

Loader::Share Loader::share_of(const Batch& b, size_t feed, const BatchMemory& memory, i64 part,
                               i64 parts) {
  Share share{0, b.rows, memory.row(feed, b.part->streams[feed].elements, b.rows)};
  const auto cut = [&](i64& first, i64& count) {
    first = count * part / parts;
    count = count * (part + 1) / parts - first;
  };
  if (share.row.bands == 1)
    cut(share.first, share.rows);
  else
    cut(share.row.first, share.row.count);
  return share;
}

void Loader::fill_share(const Batch& b, i64 step, const BatchMemory& memory, i64 part,
                        i64 parts) const {
  for (size_t i = 0; i < b.part->streams.size(); ++i) {
    const Stream& s = b.part->streams[i];
    const Share share = share_of(b, i, memory, part, parts);
    const i64 first = b.first + share.first;
    const std::uint32_t* rows = b.part->rows ? b.part->rows + first : nullptr;
    if (s.gather == nullptr) {
      auto* numbers = static_cast<std::int32_t*>(memory.data[i]) + share.first;
      for (i64 r = 0; r < share.rows; ++r)
        numbers[r] =
            static_cast<std::int32_t>(rows ? i64{rows[r]} : b.part->data->chosen[first + r]);
      continue;
    }
    s.gather(at(memory.data[i], share.first * s.row_bytes),
             rows ? s.stored : at(s.stored, first * s.stored_bytes), rows, share.rows, share.row);
  }
  if (b.part->rows && step + 1 < steps_) fetch_ahead(batch(step + 1), memory, part, parts);
}

/// Asks for the rows of the next batch: they are random, and arrive while the step runs.
void Loader::fetch_ahead(const Batch& b, const BatchMemory& memory, i64 part, i64 parts) const {
  asm volatile("");  // else gcc takes this for a function without effect and leaves its calls out
  constexpr i64 line = 64;
  i64 left = 128 * 1024;  // bytes; a part of the second-level cache
  for (size_t k = 0; k < b.part->streams.size(); ++k) {
    const Stream& s = b.part->streams[k];
    if (s.role != GatherRole::input || s.gather == nullptr) continue;
    const Share share = share_of(b, k, memory, part, parts);
    const i64 band = s.stored_bytes / share.row.bands, bytes = share.row.count * band;
    const i64 rows = std::min(share.rows, left / (bytes + 1));
    left -= rows * bytes;
    for (i64 r = share.first; r < share.first + rows; ++r) {
      const i64 row = b.part->rows[b.first + r];
      const auto* from =
          static_cast<const char*>(at(s.stored, row * s.stored_bytes + share.row.first * band));
      for (i64 i = 0; i < bytes; i += line) __builtin_prefetch(from + i, 0, 2);
    }
  }
}

}  // namespace goneuron
