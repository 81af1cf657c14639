// Any bytes as a CSV table, the first two of them options: an error of ours, or a table whose rows
// are the same in memory and in blocks, and whose preprocessing survives its JSON and reads the
// text again. Memory: twice the text and what comes of it (numbers, and what is kept of columns),
// and 1 MB; of what is refused, what could have come of it counts.
#include <algorithm>
#include <cstring>
#include <memory>

#include "data/csv_read.h"
#include "data/dataset.h"
#include "goneuron/error.h"
#include "malloc_limit.h"

namespace {

using namespace goneuron;
using namespace goneuron::data;

void check(bool right) {
  if (!right) __builtin_trap();
}

CsvOptions options_of(unsigned first, unsigned second) {
  CsvOptions options;
  options.target = first & 1 ? ColumnList(-1) : ColumnList({0, -1});
  options.task = static_cast<Task>((first >> 1) % 3);
  options.missing = static_cast<Missing>((first >> 3) % 3);
  options.normalize = static_cast<Normalize>((first >> 5) % 3);
  options.encode = static_cast<Encode>(second & 1);
  options.header = static_cast<Header>((second >> 1) % 3);
  options.normalize_target = (second & 8) != 0;
  if (second & 16) options.decimal = ',';
  if (second & 32) options.date_format = "D";  // refused
  if (second & 64)
    options.date_features = {DateFeature::days, DateFeature::month, DateFeature::weekday,
                             DateFeature::day, DateFeature::hour};
  options.delimiter = (second & 128) != 0 ? ';' : '\0';
  options.block = 3;
  return options;
}

using Inputs = std::vector<std::shared_ptr<const CsvInput>>;

size_t decoded_bytes(const Table& table) {
  size_t bytes = 0;
  for (const TableColumn& column : table.preprocessing.columns) {
    bytes += sizeof column + column.name.size();
    for (const std::string& category : column.categories)
      bytes += sizeof category + category.size();
  }
  for (const auto* columns : {&table.data.impl()->x, &table.data.impl()->y})
    for (const Column& column : *columns) bytes += static_cast<size_t>(column.stored.bytes());
  return bytes;
}

/// Every row of the source is the row in memory.
void compare(const Table& whole, const Table& parts) {
  check(whole.rows == parts.rows && whole.dropped == parts.dropped);
  const DatasetImpl& a = *whole.data.impl();
  const Source& source = *parts.data.impl()->source;
  std::vector<const Column*> columns;
  for (const auto* list : {&a.x, &a.y})
    for (const Column& column : *list) columns.push_back(&column);
  std::vector<std::vector<char>> found;
  std::vector<void*> memory;
  for (const Column* column : columns)
    found.emplace_back(static_cast<size_t>(column->stored.bytes() / whole.rows));
  for (auto& one : found) memory.push_back(one.data());
  for (i64 row = whole.rows - 1; row >= 0; --row) {
    source.read(&row, 1, memory.data());
    for (size_t c = 0; c < columns.size(); ++c)
      check(std::memcmp(found[c].data(),
                        static_cast<const char*>(columns[c]->stored.raw()) +
                            static_cast<size_t>(row) * found[c].size(),
                        found[c].size()) == 0);
  }
}

void use(const Table& whole, const Inputs& inputs, const std::string& text, CsvOptions options) {
  options.memory = 0;
  compare(whole, read_table(inputs, options, "fuzz"));
  const Preprocessing& kept = whole.preprocessing;
  const std::string json = kept.json();
  const Preprocessing back = Preprocessing::from_json(json);
  check(back.json() == json);
  check(static_cast<i64>(back.feature_names().size()) == whole.data.x_shape()[0]);
  const Table again = read_table_like(inputs, back, {}, "fuzz");
  check(again.rows == whole.rows && again.data.arrays().x == whole.data.arrays().x);
  try {  // what has no line may be refused: a row without its target, for one
    const Tensor x = back.inputs_of_csv(text);
    if (whole.dropped == 0) check(x == whole.data.arrays().x);
  } catch (const DataError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  if (size < 2) return 0;
  const CsvOptions options = options_of(bytes[0], bytes[1]);
  const std::string text(reinterpret_cast<const char*>(bytes) + 2, size - 2);
  size_t columns = 1;  // at most
  for (const char c : text) columns += c == ',' || c == ';' || c == '\t' || c == '|' ? 1 : 0;
  try {
    const fuzz::AllocationPeak peak;
    const Inputs inputs = {csv_memory(text, "text", "fuzz")};
    Table whole;
    size_t decoded = text.size();
    try {
      whole = read_table(inputs, options, "fuzz");
      decoded += decoded_bytes(whole);
    } catch (const Error&) {
      const size_t categories = std::min(text.size() / 2, columns * 100 + 20'000);
      peak.expect_at_most(
          decoded + columns * sizeof(TableColumn) + categories * sizeof(std::string), "refused");
      throw;
    }
    peak.expect_at_most(decoded, "table");
    if (whole.data.targets() == 1) use(whole, inputs, text, options);
  } catch (const FormatError&) {
  } catch (const DataError&) {
  }
  return 0;
}
