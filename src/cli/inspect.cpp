// `goneuron inspect`: what a file is and what is in it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "cli/commands.h"
#include "cli/results.h"
#include "config/config.h"
#include "core/message.h"
#include "data/idx.h"
#include "goneuron/arrays.h"
#include "goneuron/csv.h"
#include "goneuron/images.h"
#include "io/json_text.h"
#include "io/safetensors.h"

namespace goneuron::cli {
namespace {
namespace fs = std::filesystem;

void line(const std::string& text) { fmt::print("{}\n", text); }

/// "min -1.2, mean 0.01, max 1.3"; counts what is not finite.
std::string range_text(const Tensor& tensor) {
  double low = INFINITY, high = -INFINITY, sum = 0;
  i64 finite = 0;
  const Tensor flat = tensor.reshape({tensor.size()});
  const Tensor values = flat.to(DType::f64);
  for (const double v : std::span(values.data<double>(), static_cast<size_t>(values.size()))) {
    if (!std::isfinite(v)) continue;
    low = std::min(low, v), high = std::max(high, v), sum += v, ++finite;
  }
  std::string text = finite == 0 ? "no finite number"
                                 : fmt::format("min {:.4g}, mean {:.4g}, max {:.4g}", low,
                                               sum / static_cast<double>(finite), high);
  if (finite < tensor.size())
    text += fmt::format(", {} not finite", grouped(tensor.size() - finite));
  return text;
}

void inspect_tensors(const std::string& path) {
  const SafetensorsFile file = read_safetensors(path);
  const bool model = file.find_metadata("goneuron") != nullptr;
  const bool checkpoint = file.find_metadata("checkpoint") != nullptr;
  i64 numbers = 0;
  for (const FileTensor& t : file.tensors)
    if (t.name.rfind("optimizer/", 0) != 0) numbers += t.readable ? t.tensor.size() : 0;
  line(fmt::format("{}: {} ({}), {} tensors, {} numbers besides the optimizer's", path,
                   checkpoint ? "a checkpoint"
                   : model    ? "a model of goneuron"
                              : "tensors",
                   "safetensors", file.tensors.size(), grouped(numbers)));
  size_t width = 4;
  for (const FileTensor& t : file.tensors)
    width = std::max(width, std::min<size_t>(t.name.size(), 48));
  for (const FileTensor& t : file.tensors)
    line(fmt::format("  {:<{}}  {:<5} {:<18} {}", t.name, width, t.dtype, t.shape.str(),
                     t.readable && t.tensor.size() > 0 ? range_text(t.tensor) : ""));
  for (const Metadatum& m : file.metadata)
    line(fmt::format("  metadata {}: {}", shown(m.key),
                     m.value.size() <= 60 ? shown(m.value)
                                          : grouped(static_cast<i64>(m.value.size())) + " bytes"));
  if (model && !checkpoint) line("next   goneuron summary " + path);
}

void inspect_array(const std::string& path, const char* kind, const Tensor& tensor) {
  line(fmt::format("{}: {}, {} {}, {}", path, kind, tensor.shape().str(),
                   dtype_name(tensor.dtype()), tensor.size() > 0 ? range_text(tensor) : "empty"));
}

void inspect_table(const std::string& path) {
  const data::Preprocessing table = data::csv_columns(path, {}, {});
  line(fmt::format("{}: a table (CSV), {} columns\n{}", path, table.columns.size(),
                   columns_text(table)));
  line(fmt::format("next   goneuron init {} --target {}", path, table.columns.back().name));
}

void inspect_run(const std::string& path) {
  const RunFolder run = find_run(path);
  const config::Config config = config::Config::read(run.config());
  line(run.path + ": a run");
  for (const auto& entry : fs::directory_iterator(run.path))
    if (entry.is_regular_file())
      line(fmt::format("  {:<22} {:>12} bytes", entry.path().filename().string(),
                       grouped(static_cast<i64>(entry.file_size()))));
  if (!exists(run.history_json())) return line("next   goneuron resume " + run.path);
  const History history = History::load_json(run.history_json(), {});
  line(fmt::format(
      "  {} epochs done{}", history.epochs.size(),
      history.epochs.empty() ? "" : "; the last: " + numbers_text(history.epochs.back())));
  line("next   goneuron evaluate " + run.path);
}

void inspect_folder(const std::string& path) {
  if (exists(path + "/config.yaml")) return inspect_run(path);
  std::map<std::string, i64> counts;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) ++counts[fs::relative(entry.path().parent_path(), path).string()];
  line(fmt::format("{}: a folder of {} folders with files", path, counts.size()));
  i64 shown_lines = 0;
  for (const auto& [name, count] : counts)
    if (++shown_lines <= 50) line(fmt::format("  {:<30} {:>9} files", name, grouped(count)));
  line("next   goneuron init " + path);
}

void inspect_text(const std::string& path, const std::string& text) {
  i64 lines = std::count(text.begin(), text.end(), '\n'), characters = 0;
  bool utf8 = true;
  for (size_t at = 0; at < text.size() && utf8; ++characters) {
    const size_t length = utf8_length(text, at);
    utf8 = length > 0;
    at += length;
  }
  if (!utf8)
    return line(fmt::format("{}: {} bytes of no kind that is known here", path,
                            grouped(static_cast<i64>(text.size()))));
  line(fmt::format("{}: a text in UTF-8, {} bytes, {} characters, {} lines", path,
                   grouped(static_cast<i64>(text.size())), grouped(characters), grouped(lines)));
  line("next   goneuron init " + path);
}

}  // namespace

void inspect(const std::string& path) {
  std::error_code ignored;  // what is no folder is a file
  if (fs::is_directory(path, ignored)) return inspect_folder(path);
  const auto ends = [&](const char* with) { return path.ends_with(with); };
  if (ends(".safetensors")) return inspect_tensors(path);
  if (ends(".yaml") || ends(".yml")) return show_config(path);
  if (ends(".csv") || ends(".tsv") || ends(".csv.gz")) return inspect_table(path);
  const std::string text = read_text(path);
  const bool gzip = text.size() > 2 && text[0] == '\x1F' && text[1] == '\x8B';
  if (text.rfind("\x93NUMPY", 0) == 0)
    return inspect_array(path, "an array (NPY)", data::npy(path, {}));
  if (text.rfind("\x89PNG", 0) == 0 || text.rfind("\xFF\xD8", 0) == 0)
    return inspect_array(path, text[0] == '\x89' ? "an image (PNG)" : "an image (JPEG)",
                         data::image(path, {}, {}));
  if (ends(".npz")) {
    const data::NamedTensors all = data::npz(path, {});
    for (const auto& item : all)
      inspect_array(path + ": " + item.name, "an array (NPZ)", item.tensor);
    return;
  }
  if ((text.size() > 4 && text[0] == 0 && text[1] == 0) ||
      (gzip && path.find("idx") != std::string::npos))
    return inspect_array(path, "an array (IDX)", data::idx(path, {}));
  inspect_text(path, text);
}

}  // namespace goneuron::cli
