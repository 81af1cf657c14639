#include "data/order.h"

#include <algorithm>
#include <numeric>

#include "core/rng.h"
#include "data/dataset.h"

namespace goneuron {

namespace {

// "SHUF", "BUCK", "BLOC", "WIND": no other stream is numbered so.
constexpr std::uint32_t shuffle_stream = 0x53485546, bucket_stream = 0x4255434B,
                        block_stream = 0x424C4F43, window_stream = 0x57494E44;

void shuffle(std::uint32_t* order, i64 count, std::uint64_t seed, std::uint32_t stream, i64 epoch) {
  std::iota(order, order + count, 0U);
  PhiloxStream random(seed, stream, static_cast<std::uint32_t>(epoch));
  for (i64 i = count - 1; i > 0; --i)
    std::swap(order[i], order[random.below(static_cast<std::uint32_t>(i + 1))]);
}

}  // namespace

void shuffled_order(std::uint32_t* order, i64 count, std::uint64_t seed, i64 epoch,
                    std::uint32_t part) {
  shuffle(order, count, seed, shuffle_stream + part, epoch);
}

void shuffled_batches(std::uint32_t* order, i64 count, std::uint64_t seed, i64 epoch) {
  shuffle(order, count, seed, bucket_stream, epoch);
}

BlockOrder::BlockOrder(const DatasetImpl& data, bool shuffled, i64 window_rows)
    : shuffled_(shuffled), window_size_(window_rows) {
  const i64 count = data.size();
  const RowList& chosen = data.chosen;
  if (shuffled && chosen.list) {
    sorted_.resize(static_cast<size_t>(count));
    std::iota(sorted_.begin(), sorted_.end(), 0U);
    std::stable_sort(sorted_.begin(), sorted_.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return chosen[a] < chosen[b]; });
  }
  i64 before = -1;
  for (i64 i = 0; i < count;) {
    const i64 row = chosen[sorted_.empty() ? i : i64{sorted_[static_cast<size_t>(i)]}];
    const i64 end = data.source->block_end(row);
    if (end != before) begins_.push_back(i);
    before = end;
    // Of a range the rest of the block follows.
    i += chosen.list ? 1 : std::min(count - i, end - row);
  }
  begins_.push_back(count);
  for (size_t b = 0; b + 1 < begins_.size(); ++b)
    largest_block_ = std::max(largest_block_, begins_[b + 1] - begins_[b]);
  if (shuffled) sequence_.resize(begins_.size() - 1);
  // Enough for every epoch: no window but the last is below its size.
  window_rows_.reserve(static_cast<size_t>(count / window_size_) + 2);
  window_blocks_.reserve(window_rows_.capacity());
}

void BlockOrder::start(std::uint64_t seed, i64 epoch) {
  key_ = seed;
  epoch_ = static_cast<std::uint32_t>(epoch);
  if (shuffled_) shuffle(sequence_.data(), blocks(), seed, block_stream, epoch);
  window_rows_.assign(1, 0);
  window_blocks_.assign(1, 0);
  i64 row = 0;
  for (i64 place = 0; place < blocks(); ++place) {
    row += block_rows(place);
    if (row - window_rows_.back() < window_size_ && place + 1 < blocks()) continue;
    window_rows_.push_back(row);
    window_blocks_.push_back(place + 1);
  }
}

i64 BlockOrder::window_of(i64 position) const {
  return std::upper_bound(window_rows_.begin(), window_rows_.end() - 1, position) -
         window_rows_.begin() - 1;
}

i64 BlockOrder::block_rows(i64 place) const {
  return begins_[number(place) + 1] - begins_[number(place)];
}

void BlockOrder::block(i64 place, std::uint32_t* samples) const {
  const i64 first = begins_[number(place)], rows = block_rows(place);
  if (sorted_.empty())
    std::iota(samples, samples + rows, static_cast<std::uint32_t>(first));
  else
    std::copy_n(sorted_.begin() + first, rows, samples);
}

void BlockOrder::mix(i64 window, std::uint32_t* order) const {
  // A key of its own for each window.
  const std::uint64_t key = key_ + 0x9E3779B97F4A7C15U * (static_cast<std::uint64_t>(window) + 1);
  if (shuffled_)
    shuffle(order, rows(window), key, window_stream, epoch_);
  else
    std::iota(order, order + rows(window), 0U);
}

}  // namespace goneuron
