// History: the values of a training run, and their files.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/message.h"
#include "goneuron/model.h"
#include "io/csv_text.h"

namespace goneuron {

namespace {

/// Every name of any epoch, in order of appearance.
std::vector<std::string> all_names(const std::vector<Logs>& epochs) {
  std::vector<std::string> names;
  for (const Logs& logs : epochs)
    for (const std::string& name : logs.names)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

[[noreturn]] void cannot_write(const std::string& where, const std::string& path, int error) {
  throw_format({where,
                std::string("cannot write the file: ") + std::strerror(error),
                {{"file", path}},
                "choose a directory that exists, may be written and has room"});
}

/// The file is the old one or the whole new one, never a part.
void write_file(const std::string& where, const std::string& path, const std::string& text) {
  const std::string temporary = path + ".tmp" + std::to_string(getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "wbe");
  if (file == nullptr) cannot_write(where, path, errno);
  int error = 0;
  const auto keep = [&error](bool good) {
    if (!good && error == 0) error = errno != 0 ? errno : EIO;
  };
  keep(std::fwrite(text.data(), 1, text.size(), file) == text.size());
  keep(std::fflush(file) == 0);
  keep(fsync(fileno(file)) == 0);
  keep(std::fclose(file) == 0);
  if (error == 0) keep(std::rename(temporary.c_str(), path.c_str()) == 0);
  if (error == 0) return;
  std::remove(temporary.c_str());
  cannot_write(where, path, error);
}

}  // namespace

std::vector<double> History::operator[](const LogName& name) const {
  std::vector<double> values;
  for (const Logs& logs : epochs)
    if (logs.has(name.text)) values.push_back(logs[name]);
  if (!values.empty()) return values;
  throw_graph({user_place("History", name.site),
               "there is no value \"" + name.text + "\"; expected one of the names below",
               {{"names", quoted_list(all_names(epochs))}},
               name.text.starts_with("val_")
                   ? "val_ names need {.validation = data} or a validation_split in fit()"
                   : "use one of these, or give the metric to compile()"});
}

void History::save_csv(const std::string& path, Site site) const {
  const auto names = all_names(epochs);
  std::string text = "epoch";
  for (const auto& name : names) text += "," + csv_field(name);
  text += "\n";
  for (size_t i = 0; i < epochs.size(); ++i) {
    text += std::to_string(i + 1);
    for (const auto& name : names)
      text += "," + (epochs[i].has(name) ? csv_number(epochs[i][name]) : std::string());
    text += "\n";
  }
  write_file(user_place("History::save_csv", site), path, text);
}

void History::save_json(const std::string& path, Site site) const {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (size_t i = 0; i < epochs.size(); ++i) {
    nlohmann::ordered_json row;
    row["epoch"] = i + 1;
    // JSON knows no NaN or infinity: they are written as null.
    for (size_t n = 0; n < epochs[i].names.size(); ++n) {
      const double value = epochs[i].values.at(n);
      row[epochs[i].names[n]] = std::isfinite(value) ? nlohmann::ordered_json(value) : nullptr;
    }
    rows.push_back(std::move(row));
  }
  using Handler = nlohmann::ordered_json::error_handler_t;
  write_file(user_place("History::save_json", site), path,
             rows.dump(2, ' ', false, Handler::replace) + "\n");
}

}  // namespace goneuron
