// `goneuron init`: a config for data, with comments; asks nothing.
#include "cli/init.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/run_folder.h"
#include "config/config.h"
#include "core/message.h"

namespace goneuron::cli {
namespace {
namespace fs = std::filesystem;
using config::Value;

/// The first bytes of a file.
std::string beginning_of(const std::string& path, size_t most = 1 << 16) {
  std::ifstream file(path, std::ios::binary);
  std::string text(most, '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(most)) && file.gcount() == 0)
    throw_format({.where = path,
                  .what = "the file is empty or cannot be read; expected data",
                  .hint = "give a CSV file, a text, an IDX file or a folder of images"});
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

bool is_table(const std::string& path, const std::string& text) {
  std::string ending = fs::path(path).extension().string();
  if (ending == ".gz") ending = fs::path(path).stem().extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (ending == ".csv" || ending == ".tsv" || ending == ".tab") return true;
  if (ending != "" && ending != ".dat" && ending != ".data") return false;
  // As many delimiters in each of the first lines.
  for (const char delimiter : {',', ';', '\t', '|'}) {
    std::vector<i64> counts;
    size_t at = 0;
    for (size_t end = 0; counts.size() < 5 && (end = text.find('\n', at)) != std::string::npos;
         at = end + 1)
      counts.push_back(std::count(text.begin() + static_cast<i64>(at),
                                  text.begin() + static_cast<i64>(end), delimiter));
    if (counts.size() > 1 && counts[0] > 0 &&
        std::all_of(counts.begin(), counts.end(), [&](i64 n) { return n == counts[0]; }))
      return true;
  }
  return false;
}

Draft draft_for(const std::string& path, const InitOptions& options) {
  std::error_code error;
  if (!fs::exists(path, error))
    throw_format({.where = path,
                  .what = "there is no such file or folder; expected data",
                  .hint = "give a CSV file, a text, an IDX file or a folder of images"});
  if (fs::is_directory(path, error)) {
    for (const char* name : {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"})
      if (fs::exists(fs::path(path) / name, error)) return draft_for_idx(fs::path(path) / name);
    return draft_for_images(path);
  }
  const std::string text = beginning_of(path);
  if (is_table(path, text)) return draft_for_table(path, options);
  if (!options.target.empty())
    throw_format(
        {.where = path,
         .what = "--target " + options.target + " for a file that is no table; expected none",
         .hint = "leave it out, or name the file .csv"});
  const bool gzip = text.size() > 2 && text[0] == '\x1F' && text[1] == '\x8B';
  const bool idx = text.size() > 4 && text[0] == 0 && text[1] == 0;
  if (idx || (gzip && path.find("idx") != std::string::npos)) return draft_for_idx(path);
  return draft_for_text(path);
}

/// Letters that a file's name can have.
std::string file_name(const std::string& name) {
  std::string out;
  for (const char c : name)
    out += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ? c : '_';
  return out.empty() ? "model" : out;
}

}  // namespace

Value option(const std::string& key, const std::string& text) {
  return config::member(key, config::scalar(text));
}

Value object(const std::string& name, std::vector<Value> options) {
  if (options.empty()) return config::scalar(name);
  return config::map_of({config::member(name, config::map_of(std::move(options)))});
}

Value draft_root(Value data, Value split, std::vector<Value> layers, Value loss,
                 std::vector<Value> metrics, Value optimizer, i64 epochs, i64 batch,
                 std::vector<Value> callbacks, const std::string& name) {
  using config::member;
  std::vector<Value> keys = {member("data", std::move(data))};
  if (!split.items.empty()) keys.push_back(member("split", std::move(split)));
  keys.push_back(member("model", config::list_of(std::move(layers))));
  keys.push_back(member("loss", std::move(loss)));
  keys.push_back(member("metrics", config::list_of(std::move(metrics))));
  keys.push_back(member("optimizer", std::move(optimizer)));
  keys.push_back(member("fit", config::map_of({option("epochs", std::to_string(epochs)),
                                               option("batch_size", std::to_string(batch))})));
  if (!callbacks.empty())
    keys.push_back(member("callbacks", config::list_of(std::move(callbacks))));
  keys.push_back(option("seed", "0"));
  keys.push_back(member("outputs", config::map_of({option("folder", "run/" + file_name(name))})));
  return config::map_of(std::move(keys));
}

void init(const std::string& path, const InitOptions& options) {
  const Draft draft = draft_for(path, options);
  const std::string file =
      options.output.empty() ? file_name(draft.name) + ".yaml" : options.output;
  if (exists(file) && !options.overwrite)
    throw_format({.where = file,
                  .what = "the file is there already; expected a new name",
                  .hint = "name another one by --output, or give --overwrite"});
  std::string text =
      "# What goneuron trains on " + path + ". Every key: goneuron train --help-config\n";
  for (size_t at = 0; at < draft.about.size();) {
    const size_t end = std::min(draft.about.find('\n', at), draft.about.size());
    text += "#   " + draft.about.substr(at, end - at) + "\n";
    at = end + 1;
  }
  text += "\n" + config::Config(draft.root).text();  // checked: what is written can be read
  config::Config::parse(text, file);
  write_text(file, text);
  fmt::print("{}\n", draft.about);
  fmt::print("wrote  {}\nnext   goneuron train {}\n", file, file);
}

}  // namespace goneuron::cli
