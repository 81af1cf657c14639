// A source of numbered samples, which notes what is read; and data sets over it or over arrays.
// Used by the tests of the loader and of sampling.
#pragma once

#include <goneuron/goneuron.h>

#include <mutex>
#include <string>
#include <vector>

#include "data/loader.h"

namespace goneuron {

/// Row i is {i, i + 0.5} with the label i % classes; reading row `broken` throws.
class Numbers : public Source {
 public:
  Numbers(i64 count, i64 block, i64 broken = -1, i64 classes = 1 << 30)
      : count_(count), block_(block), broken_(broken), classes_(classes) {}
  i64 size() const override { return count_; }
  i64 block() const override { return block_; }
  void read(const i64* rows, i64 count, void* const* memory) const override {
    auto* x = static_cast<float*>(memory[0]);
    auto* y = static_cast<std::int32_t*>(memory[1]);
    for (i64 i = 0; i < count; ++i) {
      if (rows[i] == broken_) throw DataError("row " + std::to_string(broken_) + " is broken");
      x[2 * i] = static_cast<float>(rows[i]);
      x[2 * i + 1] = static_cast<float>(rows[i]) + 0.5F;
      y[i] = static_cast<std::int32_t>(rows[i] % classes_);
    }
    const std::lock_guard lock(mutex_);
    seen_.insert(seen_.end(), rows, rows + count);
  }
  std::vector<i64> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  i64 count_, block_, broken_, classes_;
  mutable std::mutex mutex_;
  mutable std::vector<i64> seen_;
};

inline Dataset over(std::shared_ptr<const Source> source) {
  auto impl = std::make_shared<DatasetImpl>();
  impl->x.push_back({"", {}, Shape{2}, DType::f32});
  impl->y.push_back({"", {}, Shape{}, DType::i32});
  impl->source = std::move(source);
  return Dataset(share(std::move(impl)));
}
inline Dataset numbers(i64 count, i64 block, i64 classes = 1 << 30) {
  return over(std::make_shared<Numbers>(count, block, -1, classes));
}
inline Dataset arrays(i64 count, i64 classes = 1 << 30) {
  const Sample all = numbers(count, 1, classes).arrays();
  return {all.x, all.y};
}

struct Epoch {
  std::vector<float> x;
  std::vector<std::int32_t> y;
  std::vector<i64> samples;  // as the loader numbers them
  bool operator==(const Epoch& o) const { return x == o.x && y == o.y && samples == o.samples; }
};

/// From the batch `first` on.
inline Epoch read(Loader& loader, i64 epoch, i64 first = 0) {
  Epoch out;
  std::vector<float> x(static_cast<size_t>(loader.batch_size() * 2));
  std::vector<std::int32_t> y(static_cast<size_t>(loader.batch_size()));
  void* const memory[] = {x.data(), y.data()};
  loader.start_epoch(epoch, first);
  for (i64 step = first; const i64 rows = loader.next(memory); ++step) {
    out.x.insert(out.x.end(), x.begin(), x.begin() + rows * 2);
    out.y.insert(out.y.end(), y.begin(), y.begin() + rows);
    for (i64 r = 0; r < rows; ++r) out.samples.push_back(loader.sample(step, r));
  }
  return out;
}
inline Epoch read(const Dataset& data, i64 batch, bool shuffle, i64 epoch = 0, i64 first = 0) {
  Loader loader(data, batch, shuffle, 5, DType::f32, DType::i32);
  return read(loader, epoch, first);
}

}  // namespace goneuron
