// Weights of samples: one more column behind the targets, which the training graph takes.
#include <cmath>
#include <cstring>

#include "core/message.h"
#include "data/dataset.h"

namespace goneuron {

namespace {

/// A source with a column in memory behind its own.
class WithColumn : public Source {
 public:
  WithColumn(std::shared_ptr<const Source> source, Tensor column, size_t before)
      : source_(std::move(source)), column_(std::move(column)), before_(before) {}
  i64 size() const override { return source_->size(); }
  i64 block() const override { return source_->block(); }
  i64 probes() const override { return source_->probes(); }
  void read(const i64* rows, i64 count, void* const* memory) const override {
    read_epoch(rows, count, memory, 0, 0);
  }
  i64 block_end(i64 row) const override { return source_->block_end(row); }
  bool in_memory() const override { return source_->in_memory(); }
  void read_epoch(const i64* rows, i64 count, void* const* memory, i64 epoch,
                  std::uint64_t seed) const override {
    source_->read_epoch(rows, count, memory, epoch, seed);
    auto* out = static_cast<float*>(memory[before_]);
    for (i64 i = 0; i < count; ++i) out[i] = column_.data()[rows[i]];
  }

 private:
  std::shared_ptr<const Source> source_;
  Tensor column_;  // [samples of the source]
  size_t before_;  // columns of it
};

}  // namespace

Dataset Dataset::weighted(const Tensor& weights, Site site) const {
  const auto fail = [&](const std::string& what, const std::string& hint) {
    throw_data({user_place("Dataset::weighted", site), what, {}, hint});
  };
  if (impl_ == nullptr)
    fail("the dataset has no samples; expected at least one",
         "make it from tensors, Dataset(x, y)");
  const DatasetImpl& from = *impl_;
  if (from.weighted) fail("the samples have weights already; expected none", "multiply them first");
  if (!from.buckets.empty() || from.chosen.list)
    fail("the samples are in buckets, or chosen from others; expected a data set as it was made",
         "call weighted() first, and then the function that chooses samples");
  if (weights.dtype() != DType::f32 || !(weights.shape() == Shape{size()}))
    fail("weights " + weights.shape().str() + " " + dtype_name(weights.dtype()) + " for " +
             counted(size(), "sample") + "; expected [" + std::to_string(size()) + "] f32",
         "give one number for each sample");
  for (i64 i = 0; i < weights.size(); ++i)
    if (!(weights.data()[i] >= 0) || !std::isfinite(weights.data()[i]))
      fail("the weight of sample " + std::to_string(i) + " is " + number_text(weights.data()[i]) +
               "; expected a finite number of at least 0",
           "1 is the usual weight, 0 leaves a sample out");
  const i64 stored = from.source ? from.source->size() : from.x[0].stored.shape()[0];
  Tensor column(Shape{stored});
  std::memcpy(column.data() + from.chosen.first, weights.data(),
              static_cast<size_t>(weights.bytes()));
  auto out = std::make_shared<DatasetImpl>(from);
  out->weighted = true;
  if (from.source)
    out->source = std::make_shared<WithColumn>(from.source, column, from.stored_types().size());
  if (!out->unmapped.empty()) out->unmapped.push_back({Shape{}, DType::f32});
  out->y.push_back({"", from.source ? Tensor() : column, Shape{}, DType::f32});
  return Dataset(share(std::move(out)));
}

}  // namespace goneuron
