// The reader of CSV: cells against Python's csv module, numbers against strtof, and what is
// malformed.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "data/csv_input.h"
#include "data/csv_number.h"
#include "data/csv_rows.h"
#include "error_text.h"
#include "goneuron/goneuron.h"

namespace goneuron::data {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows read_all(std::unique_ptr<ByteSource> source, Dialect dialect) {
  CsvReader reader(std::move(source), dialect);
  Rows rows;
  while (reader.next())
    for (i64 i = 0; i < reader.rows(); ++i) rows.push_back(cells_of(reader.row(i), dialect.quote));
  return rows;
}

Rows read_text(const std::string& text, Dialect dialect = {}) {
  return read_all(csv_memory(text, "text", "test")->from(0), dialect);
}

TEST(CsvReader, AgreesWithPythonsCsvModule) {
  std::string made = std::filesystem::temp_directory_path() / "goneuron_csv_XXXXXX";
  const std::filesystem::path folder = mkdtemp(made.data());
  const std::string command =
      "python3 " GONEURON_SOURCE_DIR "/tools/make_csv_cases.py " + folder.string() + " 500";
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::ifstream in(folder / "cases.json");
  const auto cases = nlohmann::json::parse(in);
  ASSERT_EQ(cases.size(), 500U);
  size_t cells = 0, quoted = 0;
  for (const auto& one : cases) {
    const std::string path = folder / one["file"].get<std::string>();
    const Dialect dialect{one["delimiter"].get<std::string>()[0], '"'};
    const Rows rows = read_all(csv_file(path, "test")->from(0), dialect);
    ASSERT_EQ(rows, one["rows"].get<Rows>()) << path;
    for (const auto& row : rows)
      for (const auto& cell : row) ++cells, quoted += cell.find('"') != std::string::npos;
  }
  EXPECT_GT(cells, 100'000U);
  EXPECT_GT(quoted, 10'000U);
  std::filesystem::remove_all(folder);
}

/// A text in pieces of any size, as a slow file gives it; only the last read may be short.
TEST(CsvReader, ReadsFromAnyPlaceOfEveryRow) {
  std::string text = "a,\"b\n\"\"\",c\r\n";
  for (int i = 0; i < 30'000; ++i)
    text += std::to_string(i) + ",\"x" + std::string(static_cast<size_t>(i % 90), '\n') + "\"," +
            std::to_string(i * 7) + "\r\n";
  const auto input = csv_memory(text, "text", "test");
  CsvReader reader(input->from(0), {});
  i64 count = 0, line = 1;
  while (reader.next())
    for (i64 i = 0; i < reader.rows(); ++i, ++count) {
      const auto cells = cells_of(reader.row(i), '"');
      ASSERT_EQ(cells.size(), 3U);
      ASSERT_EQ(cells[2], count == 0 ? "c" : std::to_string((count - 1) * 7));
      if (count % 997 == 0) {
        ASSERT_EQ(reader.line(i), line) << count;
        CsvReader again(input->from(reader.offset(i)), {}, reader.offset(i), line);
        ASSERT_TRUE(again.next());
        ASSERT_EQ(cells_of(again.row(0), '"'), cells);
      }
      for (const auto& cell : cells) line += std::count(cell.begin(), cell.end(), '\n');
      ++line;
    }
  EXPECT_EQ(count, 30'001);
}

struct Malformed {
  const char* text;
  const char* line;
  const char* column;
  const char* what;
};

TEST(CsvReader, RefusesWhatIsMalformedWithLineAndColumn) {
  const std::string nul("a,b\nc,\0", 7);
  const std::vector<Malformed> cases = {
      {"a,b\nc,d\"e\n", "2, byte 4", "2", "inside a cell"},
      {"a,b\n\"c\"d,e\n", "2, byte 4", "1", "follows the quote"},
      {"a,b\n\"c\" ,e\n", "2, byte 4", "1", "follows the quote"},
      {"a,b\nc, \"d\"\n", "2, byte 4", "2", "inside a cell"},
      {"a,b\n1,2\n\"c\n\nd,e\n", "3, byte 1", "1", "never closed"},
      {"a,\"", "1, byte 3", "2", "never closed"},
      {"a,\"\"\"", "1, byte 3", "2", "never closed"},
      {"a,b\rc,d\n", "1, byte 4", "2", "carriage return"},
      {nul.c_str(), "2, byte 3", "2", "zero byte"},
  };
  for (const Malformed& one : cases) {
    const std::string text = one.what[0] == 'z' ? nul : one.text;
    // Behind rows enough for several reads, and in front of some.
    for (const int before : {0, 1, 63, 20'000}) {
      std::string whole;
      for (int i = 0; i < before; ++i) whole += "1234,5\n";
      const std::string message = message_of<FormatError>([&] { read_text(whole + text); });
      const std::string line = one.line;
      const size_t comma = line.find(',');
      const std::string shifted = std::to_string(std::stoi(line) + before) + line.substr(comma);
      EXPECT_NE(message.find("line     " + shifted), std::string::npos) << text << message;
      EXPECT_NE(message.find(std::string("column   ") + one.column), std::string::npos) << message;
      EXPECT_NE(message.find(one.what), std::string::npos) << message;
    }
  }
}

TEST(CsvReader, RefusesWhatIsBeyondItsCaps) {
  const std::string wide(static_cast<size_t>(csv_max_columns), ',');
  EXPECT_NE(message_of<FormatError>([&] { read_text("a\n" + wide + "\n"); }).find("more than"),
            std::string::npos);
  EXPECT_EQ(read_text(wide.substr(1) + "\n")[0].size(), static_cast<size_t>(csv_max_columns));
  const std::string cell(static_cast<size_t>(csv_max_cell) + 1, 'x');
  EXPECT_NE(message_of<FormatError>([&] { read_text("a,b\n1," + cell + "\n"); }).find("longer"),
            std::string::npos);
  std::string row;
  while (row.size() <= static_cast<size_t>(csv_max_row)) row += cell.substr(2) + ",";
  EXPECT_NE(message_of<FormatError>([&] { read_text("a,b\n" + row); }).find("longer than"),
            std::string::npos);
  const std::string open = "\"" + std::string(static_cast<size_t>(2 * csv_max_row), '\n');
  EXPECT_NE(message_of<FormatError>([&] { read_text("a,b\n1," + open); }).find("not closed within"),
            std::string::npos);
  EXPECT_NE(message_of<FormatError>([&] {
              read_text(
                  "\xFF\xFE"
                  "a\0");
            }).find("UTF-16"),
            std::string::npos);
}

/// The float that strtof makes, and ours, as bits.
bool same_float(const std::string& text) {
  std::string padded = text + std::string(number_padding, '7');
  padded[text.size()] = ',';
  Number number;
  if (!parse_number(padded.data(), padded.data() + text.size(), number)) return false;
  const float ours = nearest_float(number, padded.data(), padded.data() + text.size());
  const float theirs = std::strtof(text.c_str(), nullptr);
  return std::memcmp(&ours, &theirs, sizeof ours) == 0;
}

std::string digits(std::mt19937_64& random, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += static_cast<char>('0' + random() % 10);
  return out;
}

TEST(CsvNumber, IsTheNearestFloatOfAMillionTexts) {
  std::mt19937_64 random(7);
  int wrong = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    std::string text;
    char buffer[400];
    float value;
    double middle;
    const auto bits = static_cast<std::uint32_t>(random());
    std::memcpy(&value, &bits, sizeof value);
    switch (i % 8) {
      case 0:  // as people write them
        text = digits(random, 1 + static_cast<int>(random() % 4)) + "." +
               digits(random, static_cast<int>(random() % 7));
        break;
      case 1:  // of any length and power
        text = digits(random, static_cast<int>(random() % 40)) + "." +
               digits(random, 1 + static_cast<int>(random() % 60)) + "e" +
               std::to_string(static_cast<int>(random() % 120) - 70);
        break;
      case 2:  // any float, printed in full or in short
        if (!std::isfinite(value)) continue;
        std::snprintf(buffer, sizeof buffer, "%.*g", 6 + static_cast<int>(random() % 12), value);
        text = buffer;
        break;
      case 3:  // the middle between two floats, exactly, or off by the last digit
      case 4: {
        if (!std::isfinite(value)) continue;
        middle =
            (static_cast<double>(value) + static_cast<double>(std::nextafterf(value, INFINITY))) /
            2;
        if (!std::isfinite(middle)) continue;
        std::snprintf(buffer, sizeof buffer, "%.*e", i % 8 == 3 ? 150 : 20, middle);
        text = buffer;
        if (i % 3 == 0) text.insert(text.find('e'), "0000000001");
        break;
      }
      case 5:  // below the normal floats
        std::snprintf(buffer, sizeof buffer, "%.*e", 1 + static_cast<int>(random() % 25),
                      std::ldexp(static_cast<double>(random() % (1U << 25)), -151));
        text = buffer;
        break;
      case 6:  // whole numbers around 2^24, where floats begin to skip
        text = std::to_string(random() >> (random() % 64));
        break;
      default:  // around the largest, and far away
        text = "3.40282" + digits(random, static_cast<int>(random() % 20)) + "e" +
               std::to_string(36 + random() % 4);
        if (i % 5 == 0) text = digits(random, 3) + "e" + std::to_string(random() % 5000);
        if (i % 5 == 1) text = digits(random, 3) + "e-" + std::to_string(random() % 5000);
    }
    if (text.empty() || text == ".") continue;
    if (random() % 4 == 0 && text[0] != '-') text.insert(0, random() % 2 == 0 ? "-" : "+");
    if (same_float(text)) continue;
    if (++wrong <= 20) ADD_FAILURE() << text;
  }
  EXPECT_EQ(wrong, 0);
}

TEST(CsvNumber, TakesNumbersAndNothingElse) {
  for (const char* text : {"0", "-0", "+5", "1.", ".5", "1e5", "1E+05", "1.5e-300", "00012",
                           "123456789012345678901234567890", "0.00000000000000000000000000012345"})
    EXPECT_TRUE(same_float(text)) << text;
  for (const char* text :
       {"",    "-",   "+",   ".",  "e5", "1e",   "1e+", "1.2.3", "--1",  "+-1",       "0x10",
        "1_0", "1,5", "12a", "1 ", " 1", "1e5.", "inf", "nan",   "1e5x", "12345678x", "1/2"}) {
    const std::string padded = text + std::string(number_padding, '\0');
    Number number;
    EXPECT_FALSE(parse_number(padded.data(), padded.data() + std::strlen(text), number)) << text;
  }
}

}  // namespace
}  // namespace goneuron::data
