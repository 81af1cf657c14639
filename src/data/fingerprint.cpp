#include "data/fingerprint.h"

#include <cstring>

namespace goneuron {

namespace {

constexpr i64 most_samples = 64, most_bytes = i64{4} << 20;

/// FNV-1a by eight bytes at a time.
class Hash {
 public:
  void add(std::uint64_t word) {
    sum_ = (sum_ ^ word) * 0x100000001B3U;
    sum_ ^= sum_ >> 29;  // what differs in high bits reaches low ones
  }
  void add(const void* bytes, size_t count) {
    const auto* at = static_cast<const char*>(bytes);
    for (std::uint64_t word = 0; count > 0; word = 0) {
      const size_t part = std::min(count, sizeof word);
      std::memcpy(&word, at, part);
      add(word);
      at += part, count -= part;
    }
  }
  void add(const std::string& text) { add(text.data(), text.size()); }
  std::uint64_t sum() const { return sum_; }

 private:
  std::uint64_t sum_ = 0xCBF29CE484222325U;
};

/// How many of the samples are read: those of one block where a block is read as a whole.
i64 probes(const DatasetImpl& data, i64 sample_bytes) {
  i64 count = std::min(most_samples, std::max<i64>(1, most_bytes / std::max<i64>(1, sample_bytes)));
  if (data.source) count = std::min(count, data.source->probes());
  return std::min(count, data.size());
}

void add_samples(const DatasetImpl& data, Hash& hash) {
  std::vector<Tensor> sample;
  std::vector<void*> memory;
  i64 bytes = 0;
  for (const StoredType& type : data.stored_types()) {
    memory.push_back(sample.emplace_back(type.shape, type.dtype).raw());
    bytes += type.bytes();
  }
  const i64 count = probes(data, bytes);
  const bool blocks = data.source && data.source->block() > 1;
  for (i64 i = 0; i < count; ++i) {
    const i64 at = blocks ? i : count > 1 ? i * (data.size() - 1) / (count - 1) : 0;
    if (blocks && data.source->block_end(data.chosen[at]) != data.source->block_end(data.chosen[0]))
      break;
    data.read(at, 1, memory.data());
    for (const Tensor& part : sample) hash.add(part.raw(), static_cast<size_t>(part.bytes()));
  }
}

}  // namespace

std::uint64_t fingerprint(const DatasetImpl& data) {
  Hash hash;
  hash.add(data.shuffle_seed ? *data.shuffle_seed + 1 : 0);
  hash.add(static_cast<std::uint64_t>(data.maps.size()));
  for (const DatasetImpl* part : data.parts()) {
    hash.add(static_cast<std::uint64_t>(part->size()));
    for (const auto* columns : {&part->x, &part->y})
      for (const Column& column : *columns)
        hash.add(column.name + type_text(column.shape, column.dtype));
    add_samples(*part, hash);
  }
  return hash.sum();
}

}  // namespace goneuron
