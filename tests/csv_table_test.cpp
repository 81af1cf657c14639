// Tables: kinds, statistics and categories against closed forms, streaming against memory, and
// preprocessing that survives its JSON and its model's file.
#include <gtest/gtest.h>
#include <malloc.h>
#include <zlib.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "csv_files.h"
#include "data/csv_read.h"
#include "data/dataset.h"
#include "error_text.h"
#include "goneuron/goneuron.h"

namespace goneuron {
namespace {

using namespace data;

Table table(const std::string& text, const CsvOptions& options) {
  return csv(temporary("table.csv", text), options);
}

const TableColumn& column(const Table& table, const std::string& name) {
  for (const TableColumn& c : table.preprocessing.columns)
    if (c.name == name) return c;
  throw std::runtime_error("no column " + name);
}

std::vector<float> values(const Tensor& tensor) {
  return {tensor.data(), tensor.data() + tensor.size()};
}

TEST(CsvTable, InfersKindsRolesAndStatistics) {
  const Table t = table(
      "rooms,city,built,sold,note,price\n"
      "1,Rome,2000-01-01,yes,a b,10.5\n"
      "2,Oslo,2001-01-01,no,,20\n"
      "3,Rome,2002-01-01,yes,c,30.25\n",
      {.target = "price", .ignore = {"note"}});
  EXPECT_EQ(t.rows, 3);
  EXPECT_EQ(column(t, "rooms").kind, ColumnKind::number);
  EXPECT_EQ(column(t, "city").kind, ColumnKind::category);
  EXPECT_EQ(column(t, "city").categories, (std::vector<std::string>{"Oslo", "Rome"}));
  EXPECT_EQ(column(t, "built").kind, ColumnKind::date);
  EXPECT_EQ(column(t, "price").kind, ColumnKind::number);
  EXPECT_EQ(column(t, "price").role, ColumnRole::target);
  EXPECT_EQ(column(t, "note").role, ColumnRole::ignored);
  EXPECT_DOUBLE_EQ(column(t, "rooms").mean, 2);
  EXPECT_DOUBLE_EQ(column(t, "rooms").deviation, std::sqrt(2.0 / 3));
  EXPECT_DOUBLE_EQ(column(t, "built").min, 10957);  // days from 1970 to 2000
  const auto [x, y] = t.data.arrays();
  EXPECT_EQ(x.shape(), Shape({3, 6}));
  EXPECT_EQ(y.shape(), Shape({3, 1}));
  EXPECT_EQ(values(y), (std::vector<float>{10.5F, 20, 30.25F}));
  EXPECT_EQ(t.preprocessing.feature_names(),
            (std::vector<std::string>{"rooms", "city=Oslo", "city=Rome", "built.days", "sold=no",
                                      "sold=yes"}));
  const auto one = static_cast<float>(1 / std::sqrt(2.0 / 3));
  EXPECT_FLOAT_EQ(static_cast<float>(x.at({0, 0})), -one);
  EXPECT_EQ(x.at({0, 1}), 0);
  EXPECT_EQ(x.at({0, 2}), 1);
  EXPECT_EQ(x.at({1, 4}), 1);
  EXPECT_FLOAT_EQ(
      static_cast<float>(x.at({2, 3})),
      static_cast<float>((11688 - column(t, "built").mean) / column(t, "built").deviation));
}

TEST(CsvTable, TellsClassesFromNumbers) {
  std::string few = "x,y\n", floats = few, many = few, once = few, text = few;
  for (int i = 0; i < 60; ++i) {
    few += "1," + std::to_string(i % 3 * 5) + "\n";
    floats += "1," + std::to_string(i % 3) + ".5\n";
    many += "1," + std::to_string(i / 2) + "\n";
    once += "1," + std::to_string(i == 0 ? 7 : i % 2) + "\n";
    text += std::string("1,") + (i % 2 == 0 ? "b" : "a") + "\n";
  }
  const auto kind = [](const std::string& t, Task task = Task::automatic) {
    return column(table(t, {.target = "y", .task = task}), "y").kind;
  };
  EXPECT_EQ(kind(few), ColumnKind::category);
  EXPECT_EQ(kind(floats), ColumnKind::number);
  EXPECT_EQ(kind(many), ColumnKind::number);
  EXPECT_EQ(kind(once), ColumnKind::number);
  EXPECT_EQ(kind(text), ColumnKind::category);
  EXPECT_EQ(kind(few, Task::regression), ColumnKind::number);
  EXPECT_EQ(kind(many, Task::classification), ColumnKind::category);
  const Table t = table(few, {.target = -1});
  EXPECT_EQ(column(t, "y").categories, (std::vector<std::string>{"0", "5", "10"}));
  const auto [x, y] = t.data.arrays();
  EXPECT_EQ(y.dtype(), DType::i32);
  EXPECT_EQ(y.shape(), Shape({60}));
  EXPECT_EQ(y.at({2}), 2);
}

TEST(CsvTable, FillsDropsOrRefusesMissingCells) {
  const std::string text = "a,b,y\n1,u,1.5\n?,v,2.5\n3,,3.5\n5,u,4.5\n";
  const Table mean = table(text, {.target = "y"});
  EXPECT_EQ(column(mean, "a").missing, 1);
  EXPECT_DOUBLE_EQ(column(mean, "a").mean, 3);
  EXPECT_EQ(values(mean.data.arrays().x.slice(1, 3))[0], 0);  // the mean, standardised
  EXPECT_EQ(mean.data.arrays().x.at({2, 1}), 0);
  EXPECT_EQ(mean.data.arrays().x.at({2, 2}), 0);
  const Table dropped = table(text, {.target = "y", .missing = Missing::drop});
  EXPECT_EQ(dropped.rows, 2);
  EXPECT_EQ(dropped.dropped, 2);
  EXPECT_EQ(values(dropped.data.arrays().y), (std::vector<float>{1.5F, 4.5F}));
  EXPECT_DOUBLE_EQ(column(dropped, "a").max, 5);
  const std::string refused =
      message_of<DataError>([&] { table(text, {.target = "y", .missing = Missing::error}); });
  EXPECT_NE(refused.find("line     3"), std::string::npos) << refused;
  EXPECT_NE(refused.find("1, \"a\""), std::string::npos) << refused;
  EXPECT_NE(message_of<DataError>([&] {
              table("a,y\n1,2.5\n1,\n", {.target = "y"});
            }).find("the target is missing"),
            std::string::npos);
}

TEST(CsvTable, ScalesAndEncodesAsAsked) {
  const std::string text = "a,b,y\n1,u,1\n2,w,2\n5,v,6\n";
  const Table t = table(text, {.target = "y",
                               .task = Task::regression,
                               .normalize = Normalize::minmax,
                               .normalize_target = true,
                               .encode = Encode::index});
  EXPECT_EQ(values(t.data.arrays().x), (std::vector<float>{0, 1, 0.25F, 3, 1, 2}));
  EXPECT_EQ(values(t.data.arrays().y), (std::vector<float>{0, 0.2F, 1}));
  EXPECT_DOUBLE_EQ(t.preprocessing.restored(0, 0.2), 2);
  const Table plain = table(
      text,
      {.target = "y", .categories = {"a"}, .task = Task::regression, .normalize = Normalize::none});
  EXPECT_EQ(values(plain.data.arrays().x.slice(0, 1)), (std::vector<float>{1, 0, 0, 1, 0, 0}));
  EXPECT_EQ(values(plain.data.arrays().y), (std::vector<float>{1, 2, 6}));
}

TEST(CsvTable, MakesFeaturesOfDates) {
  const Table t = table("when;y\n31.03.2024 18:00;1,5\n1.12.1969;2,5\n",
                        {.target = "y",
                         .decimal = ',',
                         .normalize = Normalize::none,
                         .date_features = {DateFeature::days, DateFeature::month, DateFeature::day,
                                           DateFeature::weekday, DateFeature::hour},
                         .date_format = "DD.MM.YYYY"});
  const Tensor x = t.data.arrays().x;
  ASSERT_EQ(x.shape(), Shape({2, 9}));
  const double turn = 2 * std::acos(-1.0);
  const double expected[2][5] = {{19813.75, 2.0 / 12, 30.0 / 31, 6.0 / 7, 0.75},
                                 {-31, 11.0 / 12, 0, 0, 0}};
  for (i64 r = 0; r < 2; ++r) {
    EXPECT_EQ(x.at({r, 0}), expected[r][0]);
    for (i64 k = 1; k < 5; ++k) {
      EXPECT_NEAR(x.at({r, 2 * k - 1}), std::sin(turn * expected[r][k]), 1e-6) << r << " " << k;
      EXPECT_NEAR(x.at({r, 2 * k}), std::cos(turn * expected[r][k]), 1e-6) << r << " " << k;
    }
  }
  EXPECT_EQ(t.data.arrays().y.at({1, 0}), 2.5);
  // Every day of a leap year and the ones around it, with times and zones, from the C library.
  std::string text = "when,y\n";
  const i64 first = 1'700'000'000;
  for (i64 i = 0; i < 800; ++i) {
    const std::time_t at = first + i * 86'400 + i * 61;
    std::tm tm = {};
    gmtime_r(&at, &tm);
    char buffer[64];
    std::strftime(buffer, sizeof buffer,
                  i % 2 == 0 ? "%Y-%m-%dT%H:%M:%SZ" : "%Y/%m/%d %H:%M:%S+01:00", &tm);
    text += std::string(buffer) + ",0.5\n";
  }
  const Table days = table(text, {.target = "y", .normalize = Normalize::none});
  for (i64 i = 0; i < 800; ++i)
    EXPECT_EQ(
        static_cast<float>(days.data.arrays().x.at({i, 0})),
        static_cast<float>(static_cast<double>(first + i * 86'461 - (i % 2) * 3600) / 86'400));
}

/// Rows with all kinds of columns, quotes, and missing cells.
std::string mixed_rows(int count, unsigned seed) {
  std::mt19937 random(seed);
  std::string text = "id,a,b,city,when,class,y\r\n";
  const char* cities[] = {"\"Rome, old\"", "Oslo", "\"a \"\"b\"\"\"", "\"two\nlines\""};
  for (int i = 0; i < count; ++i) {
    text += "row " + std::to_string(i) + "," +
            (random() % 50 == 0
                 ? "NA"
                 : std::to_string(random() % 1000) + "." + std::to_string(random() % 1000)) +
            ",-" + std::to_string(random() % 7) + "e-2," + cities[random() % 4] + ",20" +
            std::to_string(10 + random() % 80) + "-0" + std::to_string(1 + random() % 9) + "-11," +
            (random() % 2 == 0 ? "good" : "bad") + "," + std::to_string(random() % 100'000) +
            ".25\r\n";
    if (random() % 100 == 0) text += "\r\n";
  }
  return text;
}

std::vector<std::vector<char>> read_rows(const Dataset& data, const std::vector<i64>& rows) {
  const DatasetImpl& impl = *data.impl();
  std::vector<std::vector<char>> out;
  std::vector<void*> memory;
  for (const auto* columns : {&impl.x, &impl.y})
    for (const Column& c : *columns)
      out.emplace_back(rows.size() * static_cast<size_t>(c.shape.elements() * dtype_size(c.dtype)));
  for (auto& column : out) memory.push_back(column.data());
  impl.source->read(rows.data(), static_cast<i64>(rows.size()), memory.data());
  return out;
}

TEST(CsvTable, StreamsTheSameRowsAsInMemory) {
  for (const Missing missing : {Missing::mean, Missing::drop}) {
    const Files files = {temporary("1.csv", mixed_rows(3000, 1)),
                         temporary("2.csv", mixed_rows(1, 2)),
                         temporary("3.csv", mixed_rows(2500, 3))};
    CsvOptions options = {.target = {"class", "y"}, .ignore = {"id"}, .missing = missing};
    const Table whole = csv(files, options);
    options.memory = 0;
    options.block = 256;
    const Table parts = csv(files, options);
    ASSERT_TRUE(whole.in_memory);
    ASSERT_FALSE(parts.in_memory);
    ASSERT_EQ(whole.rows, parts.rows);
    ASSERT_EQ(whole.rows + whole.dropped, 5501);
    EXPECT_EQ(missing == Missing::drop, whole.dropped > 0);
    EXPECT_EQ(parts.data.impl()->source->block(), 256);
    ASSERT_EQ(parts.data.impl()->source->size(), whole.rows);
    const Samples all = whole.data.all_arrays();
    ASSERT_EQ(all.y.size(), 2U);
    // From several threads at once, in no order.
    const auto check = [&](unsigned seed) {
      std::mt19937 random(seed);
      for (int round = 0; round < 30; ++round) {
        std::vector<i64> rows(64);
        for (i64& row : rows) row = random() % whole.rows;
        const auto found = read_rows(parts.data, rows);
        const Tensor* tensors[] = {&all.x[0], &all.y[0], &all.y[1]};
        for (size_t c = 0; c < 3; ++c) {
          const auto bytes = static_cast<size_t>(tensors[c]->bytes() / whole.rows);
          for (size_t i = 0; i < rows.size(); ++i)
            EXPECT_EQ(std::memcmp(found[c].data() + i * bytes,
                                  static_cast<const char*>(tensors[c]->raw()) +
                                      static_cast<size_t>(rows[i]) * bytes,
                                  bytes),
                      0);
        }
      }
    };
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t) threads.emplace_back(check, t);
    for (auto& thread : threads) thread.join();
  }
}

TEST(CsvTable, ManyThreadsDecodeWhatOneDoes) {
  const std::string path = temporary("many.csv", mixed_rows(300'000, 8));  // several stretches
  CsvOptions options = {.target = "y", .ignore = {"id"}, .missing = Missing::drop};
  const Table whole = csv(path, options);
  options.memory = 0;
  const Table parts = csv(path, options);
  ASSERT_GT(whole.rows, 200'000);
  const Sample all = whole.data.arrays(), read = parts.data.arrays();
  EXPECT_TRUE(all.x == read.x);
  EXPECT_TRUE(all.y == read.y);
}

TEST(CsvTable, TrainsFromBlocksAsFromMemory) {
  const std::string path = temporary("blocks.csv", mixed_rows(3000, 4));
  CsvOptions options = {.target = "class", .ignore = {"id"}};
  const Table whole = csv(path, options);
  options.memory = 0;
  options.block = 200;
  const Table parts = csv(path, options);
  const auto trained = [](const Table& table, bool shuffle) {
    auto model = Sequential({Dense(8, ReLU), Dense(2, Softmax)});
    model.compile(Adam(0.01), CrossEntropy, {Accuracy});
    const History history = model.fit(table, {.epochs = 3, .batch_size = 64, .shuffle = shuffle});
    EXPECT_TRUE(std::isfinite(history["loss"].back()));
    return model.weights()[0].value;
  };
  EXPECT_TRUE(trained(whole, false) == trained(parts, false));
  EXPECT_TRUE(trained(parts, true) == trained(parts, true));
  EXPECT_FALSE(trained(parts, true) == trained(parts, false));
}

TEST(CsvTable, RefusesAFileThatChanges) {
  const std::string path = temporary("changing.csv", mixed_rows(1000, 1));
  const Table t = csv(path, {.target = "y", .ignore = {"id"}, .memory = 0, .block = 100});
  read_rows(t.data, {0, 999});
  std::ofstream(path, std::ios::app) << "more\n";
  EXPECT_NE(message_of<FormatError>([&] { read_rows(t.data, {500}); }).find("changed"),
            std::string::npos);
}

TEST(CsvTable, ReadsPackedFilesAndATestSetAsTheTrainingSet) {
  const std::string text = mixed_rows(500, 5), path = temporary("plain.csv", text);
  const std::string packed = temporary("packed.csv.gz", "");
  gzFile file = gzopen(packed.c_str(), "wb");
  ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())),
            static_cast<int>(text.size()));
  gzclose(file);
  const CsvOptions options = {.target = "y", .ignore = {"id"}};
  const Table plain = csv(path, options), unpacked = csv(packed, options);
  EXPECT_EQ(plain.preprocessing.json(), unpacked.preprocessing.json());
  EXPECT_TRUE(plain.data.arrays().x == unpacked.data.arrays().x);
  const Table again = csv(path, plain.preprocessing);
  EXPECT_TRUE(plain.data.arrays().x == again.data.arrays().x);
  EXPECT_TRUE(plain.data.arrays().y == again.data.arrays().y);
  const Table other = csv(temporary("other.csv", mixed_rows(50, 6)), plain.preprocessing);
  EXPECT_EQ(other.data.x_shape(), plain.data.x_shape());
  // The same numbers by the training set's statistics.
  const double a = std::stod("123.5");
  const Table one = csv(temporary("one.csv",
                                  "id,a,b,city,when,class,y\n0,123.5,0,Paris,2020-01-01,"
                                  "good,1.25\n"),
                        plain.preprocessing);
  EXPECT_FLOAT_EQ(static_cast<float>(one.data.arrays().x.at({0, 0})),
                  static_cast<float>((a - column(plain, "a").mean) / column(plain, "a").deviation));
  EXPECT_NE(message_of<DataError>([&] {
              csv(temporary("bad.csv", "id,a\n1,2\n"), plain.preprocessing);
            }).find("no column \"b\", \"city\", "),
            std::string::npos);
}

TEST(CsvTable, PreprocessingSurvivesItsJson) {
  const Table t = csv(temporary("json.csv", mixed_rows(300, 9)),
                      {.target = {"class", "y"},
                       .ignore = {"id"},
                       .normalize = Normalize::minmax,
                       .normalize_target = true,
                       .date_features = {DateFeature::days, DateFeature::weekday}});
  const std::string json = t.preprocessing.json();
  const Preprocessing back = Preprocessing::from_json(json);
  EXPECT_EQ(back.json(), json);
  EXPECT_EQ(back.features(), t.data.x_shape()[0]);
  const std::vector<std::vector<std::string>> rows = {
      {"any", "12.5", "-3e-2", "two\nlines", "2020-02-02", "good", "1"},
      {"any", "NA", "1", "unknown", "", "", ""}};
  EXPECT_TRUE(back.inputs(rows) == t.preprocessing.inputs(rows));
  // Any damage is refused.
  for (size_t cut = 0; cut < json.size(); cut += 7)
    EXPECT_THROW(Preprocessing::from_json(json.substr(0, cut)), FormatError);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"minmax\"", "\"other\""},
           {"\"format\":1", "\"format\":2"},
           {"\"delimiter\":\",\"", "\"delimiter\":\"7\""},
           {"\"name\":\"b\"", "\"name\":\"a\""},
           {"[\"bad\",\"good\"]", "[\"bad\",\"bad\"]"},
           {"\"kind\":\"category\"", "\"kind\":\"number\""}}) {
    std::string changed = json;
    ASSERT_NE(changed.find(from), std::string::npos) << from;
    changed.replace(changed.find(from), from.size(), to);
    EXPECT_THROW(Preprocessing::from_json(changed), FormatError) << to;
  }
}

TEST(CsvTable, TheModelKeepsItAndPredictsFromRawRows) {
  std::string text = "width,colour,kind\n";
  std::mt19937 random(3);
  for (int i = 0; i < 400; ++i) {
    const double width = static_cast<double>(random() % 1000) / 10;
    const bool red = random() % 2 == 0;
    text += std::to_string(width) + (red ? ",red," : ",blue,") +
            (red == (width > 50) ? "apple" : "pear") + "\n";
  }
  const Table t = table(text, {.target = "kind"});
  auto model = Sequential({Dense(16, ReLU), Dense(2, Softmax)});
  model.compile(Adam(0.02), CrossEntropy, {Accuracy});
  model.fit(t, {.epochs = 60});
  ASSERT_TRUE(model.has_preprocessing());  // of the data that it was trained on
  const std::string path = temporary("model.safetensors", "");
  model.save(path);
  const Model loaded = Model::load(path);
  ASSERT_TRUE(loaded.has_preprocessing());
  EXPECT_EQ(loaded.preprocessing().json(), t.preprocessing.json());
  const auto found = loaded.predict_rows({{"90", "red"}, {"10", "red"}, {"90.5", "blue"}})[0];
  EXPECT_EQ(found.name, "kind");
  EXPECT_EQ(found.labels, (std::vector<std::string>{"apple", "pear", "pear"}));
  EXPECT_EQ(found.output.shape(), Shape({3, 2}));
  const auto named = loaded.predict_csv("colour,width\nred,90\nred,10\nblue,90.5\n")[0];
  EXPECT_TRUE(named.output == found.output);
  const auto whole = loaded.predict_csv("90,red,\n10,red,\n90.5,blue,\n")[0];
  EXPECT_TRUE(whole.output == found.output);
}

TEST(CsvTable, PredictionsComeBackInTheTargetsUnit) {
  std::string text = "x,y\n";
  for (int i = 0; i < 200; ++i)
    text += std::to_string(i) + "," + std::to_string(1000 + 50 * i) + "\n";
  const Table t = table(text, {.target = "y", .normalize_target = true});
  auto model = Sequential({Dense(1)});
  model.compile(SGD(0.1), MSE);
  model.fit(t, {.epochs = 30});
  model.set_preprocessing(t.preprocessing);
  const auto found = model.predict_rows({{"0"}, {"100"}})[0];
  EXPECT_NEAR(found.output.at({0, 0}), 1000, 1);
  EXPECT_NEAR(found.output.at({1, 0}), 6000, 1);
  EXPECT_TRUE(found.labels.empty());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they keep what is freed
TEST(CsvTable, StreamingKeepsItsMemory) {
  const std::string path = temporary("long.csv", "");
  {
    std::ofstream out(path);
    out << "a,b,c,d,y\n";
    for (int i = 0; i < 2'000'000; ++i)
      out << i << ".5,0." << i << ",-" << i << ",1e-3," << i % 1000 << ".25\n";
  }
  const auto peak = [] {  // of what is resident
    std::ifstream status("/proc/self/status");
    i64 kilobytes = -1;
    for (std::string word; kilobytes < 0 && status >> word;)
      if (word == "VmHWM:") status >> kilobytes;
    return kilobytes * 1024;
  };
  malloc_trim(0);  // what earlier tests have freed
  if (!(std::ofstream("/proc/self/clear_refs") << 5 << std::flush))  // their peak
    GTEST_SKIP() << "/proc/self/clear_refs cannot be written here";
  const i64 before = peak();
  ASSERT_GT(before, 0);
  const Table t = csv(path, {.target = "y", .memory = 1 << 20});
  ASSERT_FALSE(t.in_memory);
  for (i64 row = 0; row + 64 <= t.rows; row += 4096 - 32) {
    std::vector<i64> rows(64);
    for (i64 i = 0; i < 64; ++i) rows[static_cast<size_t>(i)] = row + i;
    const auto found = read_rows(t.data, rows);
    float y = 0;
    std::memcpy(&y, found[1].data(), sizeof y);
    ASSERT_EQ(y, static_cast<float>(row % 1000) + 0.25F);
  }
  // The text takes 70 MB, the decoded rows 40 MB; of their blocks 8 MB are kept.
  EXPECT_LT(peak() - before, i64{20} << 20);
  EXPECT_GT(peak(), before) << "what measures does not";
  std::filesystem::remove(path);
}
#endif

TEST(CsvTable, FindsOutHowTheTextIsWritten) {
  const auto columns = [](const std::string& text, CsvOptions options = {}) {
    std::vector<std::string> names;
    for (const auto& c : csv_columns(temporary("layout.csv", text), options).columns)
      names.push_back(c.name);
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(columns("a,b\n1,2\n"), (Names{"a", "b"}));
  EXPECT_EQ(columns("\xEF\xBB\xBF"
                    "a;b\n1,5;2,5\n",
                    {.decimal = ','}),
            (Names{"a", "b"}));
  EXPECT_EQ(columns("a\tb c\r\n1\t2\r\n"), (Names{"a", "b c"}));
  EXPECT_EQ(columns("a|b\nx,y|z,w\n"), (Names{"a", "b"}));
  EXPECT_EQ(columns("1,2\n3,4\n"), (Names{"column_1", "column_2"}));
  EXPECT_EQ(columns("a,a\nb,c\n"), (Names{"column_1", "column_2"}));
  EXPECT_EQ(columns("2019,2020\n3,4\n", {.header = Header::yes}), (Names{"2019", "2020"}));
  EXPECT_EQ(columns("a,b\nc,d\n", {.header = Header::no}), (Names{"column_1", "column_2"}));
  EXPECT_EQ(columns(",a\n0,4\n"), (Names{"column_1", "a"}));
  EXPECT_EQ(columns("\n\na, b \n1,2\n"), (Names{"a", "b"}));
}

}  // namespace
}  // namespace goneuron
