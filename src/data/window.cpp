#include "data/window.h"

#include <algorithm>

#include "core/checked_math.h"
#include "data/dataset.h"

namespace goneuron {

WindowReader::WindowReader(const DatasetImpl& data, bool shuffled, i64 window_rows,
                           const std::vector<i64>& row_bytes, Team& team)
    : data_(data), order_(data, shuffled, window_rows), row_bytes_(row_bytes), team_(team) {
  const i64 most = std::min(order_.largest(), data.size());
  for (Window& window : windows_) {
    window.samples.resize(static_cast<size_t>(most));
    window.slots.resize(static_cast<size_t>(most));
    window.rows.resize(static_cast<size_t>(most));
    window.first_row.reserve(static_cast<size_t>(std::min(most, order_.blocks())));
    for (const i64 bytes : row_bytes) {
      window.memory.emplace_back(Shape{checked_mul(bytes, most)}, DType::u8);
      window.columns.push_back(window.memory.back().raw());
    }
  }
  at_.assign(static_cast<size_t>(team.threads()), std::vector<void*>(row_bytes.size()));
}

void WindowReader::start(std::uint64_t seed, i64 epoch) {
  seed_ = seed;
  epoch_ = epoch;
  order_.start(seed, epoch);
  for (Window& window : windows_) window.number = -1;
}

WindowReader::Window& WindowReader::open(i64 number) {
  Window& window = windows_[number % 2];
  if (window.number == number) return window;
  window.number = number;
  window.blocks = 0;
  window.first_row.clear();
  i64 row = 0;
  for (i64 b = order_.first_block(number); b < order_.first_block(number + 1); ++b) {
    window.first_row.push_back(row);
    order_.block(b, window.samples.data() + row);
    row += order_.block_rows(b);
  }
  for (i64 i = 0; i < row; ++i)
    window.rows[static_cast<size_t>(i)] = data_.chosen[i64{window.samples[static_cast<size_t>(i)]}];
  order_.mix(number, window.slots.data());
  return window;
}

void WindowReader::read(Window& window, i64 blocks) {
  const i64 first = window.blocks, before = order_.first_block(window.number);
  if (blocks <= first) return;
  team_.run(blocks - first, [&](i64 piece, int thread) {
    const i64 row = window.first_row[static_cast<size_t>(first + piece)];
    auto& at = at_[static_cast<size_t>(thread)];
    for (size_t c = 0; c < at.size(); ++c)
      at[c] = static_cast<char*>(window.columns[c]) + row * row_bytes_[c];
    data_.source->read_epoch(window.rows.data() + row, order_.block_rows(before + first + piece),
                             at.data(), epoch_, seed_);
  });
  window.blocks = blocks;
}

void WindowReader::need(i64 first, i64 count) {
  const i64 last = order_.window_of(first + count - 1);
  for (i64 number = order_.window_of(first); number <= last; ++number)
    read(open(number), order_.first_block(number + 1) - order_.first_block(number));
}

void WindowReader::ahead(i64 position) {
  const i64 number = order_.window_of(position - 1), next = number + 1;
  if (next >= order_.windows()) return;
  const i64 blocks = order_.first_block(next + 1) - order_.first_block(next);
  const i64 done = position - order_.first_row(number), all = order_.rows(number);
  read(open(next), ceil_div(blocks * done, all));
}

WindowReader::Run WindowReader::run(i64 position, i64 count) const {
  const i64 number = order_.window_of(position), at = position - order_.first_row(number);
  const Window& window = windows_[number % 2];
  return {window.columns.data(), window.slots.data() + at, window.samples.data(),
          std::min(count, order_.rows(number) - at)};
}

i64 WindowReader::index(i64 position) const {
  const i64 number = order_.window_of(position);
  std::vector<std::uint32_t> samples(static_cast<size_t>(order_.rows(number))), slots = samples;
  i64 row = 0;
  for (i64 b = order_.first_block(number); b < order_.first_block(number + 1); ++b) {
    order_.block(b, samples.data() + row);
    row += order_.block_rows(b);
  }
  order_.mix(number, slots.data());
  return samples[slots[static_cast<size_t>(position - order_.first_row(number))]];
}

}  // namespace goneuron
