#include "data/csv_source.h"

#include <algorithm>
#include <cstring>
#include <list>
#include <mutex>

#include "core/message.h"

namespace goneuron::data {

namespace {

constexpr i64 cache_bytes = i64{8} << 20;
constexpr i64 fewest_blocks = 4;

/// Bytes of one row of each column: x, then the targets.
std::vector<size_t> column_bytes(const RowDecoder& decoder) {
  std::vector<size_t> bytes = {static_cast<size_t>(decoder.features()) * sizeof(float)};
  for (const RowDecoder::Target& target : decoder.targets())
    bytes.push_back(static_cast<size_t>(target.width) * sizeof(float));
  return bytes;
}

class CsvSource : public Source {
 public:
  explicit CsvSource(std::shared_ptr<const CsvTable> table)
      : table_(std::move(table)),
        decoder_(table_->preprocessing, table_->cells),
        bytes_(column_bytes(decoder_)),
        kept_(std::max(fewest_blocks, cache_bytes / (table_->block * row_bytes(decoder_)))) {}

  i64 size() const override { return table_->rows; }
  i64 block() const override { return table_->block; }
  void read(const i64* rows, i64 count, void* const* memory) const override {
    std::shared_ptr<const Block> block;
    for (i64 i = 0; i < count; ++i) {
      const i64 number = rows[i] / table_->block;
      if (!block || block->number != number) block = block_of(number);
      const auto row = static_cast<size_t>(rows[i] % table_->block);
      for (size_t c = 0; c < bytes_.size(); ++c)
        std::memcpy(static_cast<char*>(memory[c]) + static_cast<size_t>(i) * bytes_[c],
                    block->columns[c].data() + row * bytes_[c], bytes_[c]);
    }
  }

 private:
  struct Block {
    i64 number = -1;
    mutable std::once_flag once;
    std::vector<std::vector<char>> columns;
  };

  /// Parsed by the first thread that asks; others wait for it.
  std::shared_ptr<const Block> block_of(i64 number) const {
    std::shared_ptr<Block> block;
    {
      const std::lock_guard lock(mutex_);
      const auto at = std::find_if(blocks_.begin(), blocks_.end(),
                                   [number](const auto& b) { return b->number == number; });
      if (at != blocks_.end()) {
        blocks_.splice(blocks_.begin(), blocks_, at);
      } else {
        if (static_cast<i64>(blocks_.size()) >= kept_) blocks_.pop_back();
        blocks_.push_front(std::make_shared<Block>());
        blocks_.front()->number = number;
      }
      block = blocks_.front();
    }
    std::call_once(block->once, [&] { parse(*block); });
    return block;
  }

  void parse(Block& block) const {
    const i64 first = block.number * table_->block;
    const i64 count = std::min(table_->block, table_->rows - first);
    std::vector<void*> memory;
    block.columns.resize(bytes_.size());
    for (size_t c = 0; c < bytes_.size(); ++c) {
      block.columns[c].resize(static_cast<size_t>(count) * bytes_[c]);
      memory.push_back(block.columns[c].data());
    }
    const CsvPlace& place = table_->blocks[static_cast<size_t>(block.number)];
    const i64 found = decode_rows(table_->layout, decoder_, place, count, memory.data());
    if (found < count) {
      const auto source = table_->layout.inputs[place.file]->from(0);
      throw_data({source->where(),
                  "the rows end early: " + std::to_string(first + found) + " of " +
                      std::to_string(table_->rows) + " are there",
                  {{"file", source->file()}},
                  "the file was changed since it was first read; read it again"});
    }
  }

  std::shared_ptr<const CsvTable> table_;
  RowDecoder decoder_;
  std::vector<size_t> bytes_;
  i64 kept_;
  mutable std::mutex mutex_;
  mutable std::list<std::shared_ptr<Block>> blocks_;  // asked for last: first
};

}  // namespace

i64 row_bytes(const RowDecoder& decoder) {
  i64 sum = 0;
  for (const size_t bytes : column_bytes(decoder)) sum += static_cast<i64>(bytes);
  return sum;
}

void describe_columns(const RowDecoder& decoder, DatasetImpl& out) {
  Column x;
  x.shape = Shape({decoder.features()});
  out.x = {x};
  for (const RowDecoder::Target& target : decoder.targets()) {
    Column y;
    if (!target.classes) y.shape = Shape({target.width});
    y.dtype = target.classes ? DType::i32 : DType::f32;
    out.y.push_back(y);
  }
}

i64 decode_rows(const CsvLayout& layout, const RowDecoder& decoder, const CsvPlace& begin,
                i64 count, void* const* memory) {
  CsvRows rows(layout, begin);
  const auto bytes = column_bytes(decoder);
  auto* x = static_cast<float*>(memory[0]);
  std::vector<void*> y(memory + 1, memory + bytes.size());
  std::string scratch;
  i64 done = 0;
  try {
    while (done < count && rows.next()) {
      if (!decoder.decode(rows.row(), x, y.data(), scratch)) continue;
      ++done;
      x += decoder.features();
      for (size_t c = 0; c < y.size(); ++c) y[c] = static_cast<char*>(y[c]) + bytes[c + 1];
    }
  } catch (const CellFault& fault) {
    rows.fail(decoder.cell_of(fault.column), fault.what, fault.hint);
  }
  return done;
}

std::shared_ptr<const Source> csv_source(std::shared_ptr<const CsvTable> table) {
  return std::make_shared<CsvSource>(std::move(table));
}

}  // namespace goneuron::data
