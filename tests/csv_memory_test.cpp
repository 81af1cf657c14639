// Memory of reading CSV: at most twice what is read and what comes of it (the numbers, and the
// columns' names, statistics and categories) and 1 MiB, with many columns as with few.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "allocation_peak.h"
#include "error_text.h"

namespace goneuron::data {
namespace {

using Cell = std::function<std::string(i64 row, i64 column)>;

class File {
 public:
  explicit File(const std::string& text) {
    path_ = std::filesystem::temp_directory_path() / "goneuron_csv_XXXXXX";
    ::close(mkstemp(path_.data()));
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~File() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string text_of(i64 rows, i64 columns, const Cell& cell) {
  std::string text;
  for (i64 r = 0; r < rows; ++r)
    for (i64 c = 0; c < columns; ++c) text += cell(r, c) + (c + 1 < columns ? "," : "\n");
  return text;
}

long long heap_bytes(const std::string& text) {
  return text.capacity() > std::string().capacity() ? static_cast<long long>(text.capacity()) : 0;
}
/// Of what the caller gets.
long long bytes_of(const Table& table) {
  const Sample arrays = table.data.arrays();
  long long bytes = arrays.x.bytes() + arrays.y.bytes();
  for (const TableColumn& column : table.preprocessing.columns) {
    bytes += static_cast<long long>(sizeof column) + heap_bytes(column.name);
    for (const std::string& category : column.categories)
      bytes += static_cast<long long>(sizeof category) + heap_bytes(category);
  }
  return bytes;
}

/// How much more than the bound was taken, in bytes.
long long beyond(const std::string& text, CsvOptions options) {
  const File file(text);
  options.header = Header::no;
  const AllocationPeak peak;
  const Table table = csv(file.path(), options);
  long long most = peak.bytes();
  // Large tensors are mapped: malloc does not see them, at whatever time.
  const Tensor& x = table.data.arrays().x;
  const AllocationPeak probe;
  const Tensor same(x.shape(), x.dtype());
  if (probe.bytes() < x.bytes()) most += x.bytes();
  EXPECT_GT(most, x.bytes()) << "what counts does not";
  return most - 2 * (static_cast<long long>(text.size()) + bytes_of(table)) - (1 << 20);
}

CsvOptions last_column(Task task) {
  CsvOptions options;
  options.target = -1;
  options.task = task;
  return options;
}

constexpr i64 most_cells = 1'000'000;  // more take long to write, and show nothing more

TEST(CsvMemory, Numbers) {
  const Cell digit = [](i64 r, i64 c) { return std::to_string((r * 31 + c * 7) % 10); };
  const Cell longer = [](i64 r, i64 c) { return std::to_string(r - 5) + "." + std::to_string(c); };
  for (const i64 columns : {2, 100, 2000, 65'536})
    for (const i64 rows : {1, 3, 10, 100}) {
      if (rows * columns > most_cells) continue;
      EXPECT_LE(beyond(text_of(rows, columns, digit), last_column(Task::regression)), 0)
          << rows << " x " << columns;
      EXPECT_LE(beyond(text_of(rows, columns, longer), last_column(Task::regression)), 0)
          << rows << " x " << columns;
    }
  EXPECT_LE(beyond(text_of(300'000, 3, longer), last_column(Task::regression)), 0);
}

TEST(CsvMemory, TextsAndDates) {
  const Cell letter = [](i64 r, i64 c) {
    return std::string(1, static_cast<char>('a' + (r + c) % 7));
  };
  const Cell quoted = [](i64 r, i64 c) { return '"' + std::to_string((r + c) % 9) + "\""; };
  const Cell date = [](i64 r, i64 c) { return std::to_string(1900 + (r + c) % 200) + "-01-31"; };
  const Cell gap = [](i64 r, i64 c) {
    return (r + c) % 2 == 0 ? std::string("1.5") : std::string();
  };
  for (const i64 columns : {2, 100, 2000, 65'536})
    for (const i64 rows : {2, 10, 100})
      for (const Cell& cell : {letter, quoted, date, gap}) {
        if (rows * columns > most_cells) continue;
        const Cell with_target = [&](i64 r, i64 c) {
          return c + 1 == columns ? std::to_string(r % 2) : cell(r, c);
        };
        EXPECT_LE(beyond(text_of(rows, columns, with_target), last_column(Task::regression)), 0)
            << rows << " x " << columns << ", " << cell(0, 0);
      }
}

TEST(CsvMemory, LongCellsAndRows) {
  const std::string million(size_t{1} << 20, 'x');
  CsvOptions options = last_column(Task::regression);
  options.ignore = {0};
  EXPECT_LE(beyond(million + ",1,2\n" + "y,3,4\n", options), 0);
  std::string row;
  for (int i = 0; i < 15; ++i) {
    row += million + ',';
    options.ignore.columns.emplace_back(i);
  }
  options.ignore.columns.erase(options.ignore.columns.begin());
  EXPECT_LE(beyond(row + "1,2\n" + row + "3,4\n", options), 0);
}

}  // namespace
}  // namespace goneuron::data
