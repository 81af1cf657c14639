// bench csv: how fast one core makes numbers of CSV text, beside how fast it reads memory.
#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/commands.h"
#include "core/message.h"
#include "data/csv_read.h"
#include "data/csv_source.h"

namespace goneuron::cli {
namespace {

constexpr i64 columns = 10, text_bytes = i64{64} << 20;

/// A folder that is removed with all in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    path_ = (std::filesystem::temp_directory_path() / "goneuron_bench_XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr)
      throw_format({.where = "bench csv",
                    .what = "cannot make the folder " + path_,
                    .hint = "set TMPDIR to a folder that can be written to"});
  }
  ~TemporaryFolder() {
    std::error_code ignored;  // what is left there harms nobody
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Numbers with six digits behind the point, about normal, the same in every run.
std::string numeric_text() {
  std::string text;
  for (i64 c = 0; c < columns; ++c) text += fmt::format("{}x{}", c > 0 ? "," : "", c);
  text += '\n';
  std::uint64_t state = 1;
  const auto uniform = [&state] {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(state >> 40) / (1 << 24);
  };
  while (static_cast<i64>(text.size()) < text_bytes)
    for (i64 c = 0; c < columns; ++c) {
      double sum = -6;
      for (int i = 0; i < 12; ++i) sum += uniform();
      fmt::format_to(std::back_inserter(text), "{:.6f}{}", sum, c + 1 < columns ? ',' : '\n');
    }
  return text;
}

/// The best MB/s of runs that fill `seconds`.
template <class Run>
double best_rate(double bytes, double seconds, Run run) {
  double best = 0, total = 0;
  for (int runs = 0; runs < 3 || total < seconds; ++runs) {
    const auto start = std::chrono::steady_clock::now();
    run();
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, bytes / took * 1e-6);
    total += took;
  }
  return best;
}

/// One core's, from memory that no cache holds.
double memory_read_rate(double seconds) {
  const std::vector<std::uint64_t> words((size_t{256} << 20) / sizeof(std::uint64_t), 1);
  std::uint64_t sum = 0;
  const double rate = best_rate(static_cast<double>(words.size() * sizeof words[0]), seconds, [&] {
    sum += std::accumulate(words.begin(), words.end(), std::uint64_t{0});
  });
  if (sum % words.size() != 0) fmt::print("memory is broken\n");  // and the sum is not left out
  return rate;
}

struct Rates {
  double parse = 0, first_pass = 0, both = 0, memory = 0;
};

void print(const Rates& rates, size_t bytes, i64 rows, bool json_only) {
  const nlohmann::ordered_json result = {{"workload", "csv"},
                                         {"threads", 1},
                                         {"bytes", bytes},
                                         {"rows", rows},
                                         {"columns", columns},
                                         {"parse_mb_per_s", std::round(rates.parse)},
                                         {"first_pass_mb_per_s", std::round(rates.first_pass)},
                                         {"both_mb_per_s", std::round(rates.both)},
                                         {"memory_read_mb_per_s", std::round(rates.memory)},
                                         {"version", GONEURON_VERSION}};
  if (!json_only)
    fmt::print(
        "csv (numbers, one core): {:.0f} MB/s from the file's cached text to floats; {:.0f} MB/s "
        "the first pass, for kinds and statistics; {:.0f} MB/s data::csv, which does both; this "
        "machine's memory is read at {:.0f} MB/s\n",
        rates.parse, rates.first_pass, rates.both, rates.memory);
  fmt::print("{}\n", result.dump());
}

}  // namespace

void bench_csv(const BenchOptions& options) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/numbers.csv";
  const std::string text = numeric_text();
  std::ofstream(path, std::ios::binary) << text;
  const auto bytes = static_cast<double>(text.size());
  const double seconds = options.seconds / 4;
  const std::vector<std::shared_ptr<const data::CsvInput>> inputs = {
      data::csv_file(path, "bench csv")};
  data::CsvOptions how;
  how.target = -1;
  const data::CsvTable table = data::read_columns(inputs, how, "bench csv");
  if (table.rows == 0 || table.layout.columns() != columns)
    throw_format({.where = "bench csv",
                  .what = "the file " + path + " was not written as it should be",
                  .hint = "free some space there, or set TMPDIR to another folder"});
  const data::RowDecoder decoder(table.preprocessing);
  std::vector<float> x(static_cast<size_t>(table.rows * (columns - 1)));
  std::vector<float> y(static_cast<size_t>(table.rows));
  void* const memory[] = {x.data(), y.data()};
  Rates rates;
  rates.parse = best_rate(
      bytes, seconds, [&] { data::decode_rows(table.layout, decoder, {}, table.rows, memory); });
  rates.first_pass =
      best_rate(bytes, seconds, [&] { data::read_columns(inputs, how, "bench csv"); });
  rates.both = best_rate(bytes, seconds, [&] { data::csv(path, how, {}); });
  rates.memory = memory_read_rate(seconds);
  print(rates, text.size(), table.rows, options.json_only);
}

}  // namespace goneuron::cli
