// JSONLogger: an object for each epoch, a line each or all in one array.
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/message.h"
#include "goneuron/callbacks.h"
#include "io/atomic_file.h"
#include "train/callbacks/line_file.h"
#include "train/callbacks/monitor.h"

namespace goneuron {

namespace {

constexpr const char* kind = "JSONLogger";
using Json = nlohmann::ordered_json;

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
std::string text_of(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

class JSONLoggerCallback : public CallbackBase {
 public:
  JSONLoggerCallback(const std::string& path, const JSONLoggerOptions& options, Site site)
      : path_(path), options_(options), where_(user_place(kind, site)) {}

  void on_train_begin(TrainingState& state) override {
    const bool keep = options_.append || state.resumed;
    if (options_.lines) return file_.open(where_, path_, keep);
    make_folders_for(where_, path_);
    rows_ = keep ? rows_there() : Json::array();
    write_rows();  // what cannot be written is said before training
  }

  void on_epoch_end(TrainingState& state) override {
    Json row;
    row["epoch"] = state.epoch + 1;
    row["seconds"] = finite(state.seconds);
    row["waited"] = finite(state.waited);
    row["learning_rate"] = finite(state.learning_rate);
    for (size_t i = 0; i < state.logs->names.size(); ++i)
      row[state.logs->names[i]] = finite(state.logs->values[i]);
    if (options_.lines) return file_.write(text_of(row, -1));
    rows_.push_back(std::move(row));
    write_rows();
  }

  void save(CallbackState& state) const override {
    state.numbers = {{"bytes", static_cast<double>(file_.size())},
                     {"rows", static_cast<double>(rows_.size())}};
  }
  void load(const CallbackState& state) override {
    if (options_.lines) return file_.cut(static_cast<i64>(number_in(state, kind, "bytes")));
    const double rows = number_in(state, kind, "rows");
    while (static_cast<double>(rows_.size()) > rows) rows_.erase(rows_.size() - 1);
  }

 private:
  Json rows_there() const {
    std::ifstream file(path_, std::ios::binary);
    if (!file) return Json::array();
    Json rows = Json::parse(file, nullptr, false);
    if (!rows.is_array())
      throw_format({.where = where_,
                    .what = "the file is no JSON array; expected one to go on in",
                    .lines = {{"file", path_}},
                    .hint = "log to another file, or leave out .append to replace this one"});
    return rows;
  }
  void write_rows() const {
    AtomicFile file(path_);
    file.write(text_of(rows_, 1));
    file.commit();
  }

  std::string path_;
  JSONLoggerOptions options_;
  std::string where_;
  LineFile file_;
  Json rows_ = Json::array();
};

}  // namespace

Callback JSONLogger(const std::string& path, const JSONLoggerOptions& options, Site site) {
  need_path(kind, path, site);
  return std::make_shared<JSONLoggerCallback>(path, options, site);
}

}  // namespace goneuron
