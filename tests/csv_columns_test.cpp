// Files whose columns stand in another order, or among others, than in the table learned from.
#include <gtest/gtest.h>

#include <sstream>

#include "csv_files.h"
#include "error_text.h"
#include "goneuron/goneuron.h"

namespace goneuron {
namespace {

using namespace data;

/// Each row of `text` with its cells in another order, and cells of other columns among them.
std::string stirred(const std::string& text, const std::vector<size_t>& order) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line); out += "\n") {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (const char c : line) {
      quoted ^= c == '"';
      if (c == ',' && !quoted)
        cells.emplace_back();
      else
        cells.back() += c;
    }
    const std::string more = out.empty() ? "more," : "7,", last = out.empty() ? "z" : "\"x,y\"";
    out += more;
    for (const size_t i : order) out += cells.at(i) + ",";
    out += last;
  }
  return out;
}

TEST(CsvColumns, FindsAnotherFilesColumnsByTheirNames) {
  std::string text = "id,a,b,city,when,class,y\n";
  for (int i = 0; i < 300; ++i)
    text += std::to_string(i) + "," + std::to_string(i * 37 % 101) + ".5,1e" +
            std::to_string(i % 5) + ",\"" + (i % 3 == 0 ? "Rome, IT" : "Oslo") + "\",2020-01-" +
            std::to_string(10 + i % 20) + "," + (i % 2 == 0 ? "good" : "bad") + "," +
            std::to_string(i) + "\n";
  for (const std::vector<std::string>& targets :
       std::vector<std::vector<std::string>>{{"y"}, {"class", "y"}})
    for (const i64 memory : {i64{1} << 30, i64{0}}) {
      const CsvOptions options{.target = targets, .ignore = {"id"}, .memory = memory, .block = 64};
      const Table plain = csv(temporary("in_order.csv", text), options);
      // Numbers side by side and apart, and without the column that is not used.
      for (const std::vector<size_t>& order : std::vector<std::vector<size_t>>{
               {0, 1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}, {3, 1, 2, 5, 6, 4}}) {
        const std::string other = stirred(text, order);
        const Table found = csv(temporary("stirred.csv", other), plain.preprocessing, options);
        const Samples a = plain.data.all_arrays(), b = found.data.all_arrays();
        EXPECT_TRUE(a.x[0] == b.x[0]);
        ASSERT_EQ(a.y.size(), b.y.size());
        for (size_t i = 0; i < a.y.size(); ++i) EXPECT_TRUE(a.y[i] == b.y[i]);
        EXPECT_TRUE(plain.preprocessing.inputs_of_csv(other) == a.x[0]);
      }
      const std::string bad = "y,class,when,city,b,more,a\n1,good,2020-01-10,Oslo,1,x,two\n";
      EXPECT_NE(message_of<DataError>([&] {
                  csv(temporary("bad.csv", bad), plain.preprocessing, options);
                }).find("column   7, \"a\""),
                std::string::npos);
    }
}

}  // namespace
}  // namespace goneuron
