// CSVLogger: a line of numbers for each epoch.
#include <memory>

#include "core/message.h"
#include "goneuron/callbacks.h"
#include "io/csv_text.h"
#include "train/callbacks/line_file.h"
#include "train/callbacks/monitor.h"

namespace goneuron {

namespace {

constexpr const char* kind = "CSVLogger";

class CSVLoggerCallback : public CallbackBase {
 public:
  CSVLoggerCallback(const std::string& path, const CSVLoggerOptions& options, Site site)
      : path_(path), options_(options), where_(user_place(kind, site)) {}

  void on_train_begin(TrainingState& state) override {
    file_.open(where_, path_, options_.append || state.resumed);
  }

  void on_epoch_end(TrainingState& state) override {
    const Logs& logs = *state.logs;
    std::string head = "epoch";
    for (const std::string& name : logs.names)
      head += options_.separator + csv_field(name, options_.separator);
    if (file_.size() == 0)
      file_.write(head + "\n");
    else if (const std::string found = file_.first_line(); found != head)
      throw_format({.where = where_,
                    .what = "the file has the columns " + found + "; expected " + head,
                    .lines = {{"file", path_}},
                    .hint = "log to another file, or leave out .append to replace this one"});
    std::string line = std::to_string(state.epoch + 1);
    for (const double value : logs.values) line += options_.separator + csv_number(value);
    file_.write(line + "\n");
  }

  /// Lines of epochs that are trained again are written again.
  void save(CallbackState& state) const override {
    state.numbers = {{"bytes", static_cast<double>(file_.size())}};
  }
  void load(const CallbackState& state) override {
    file_.cut(static_cast<i64>(number_in(state, kind, "bytes")));
  }

 private:
  std::string path_;
  CSVLoggerOptions options_;
  std::string where_;
  LineFile file_;
};

}  // namespace

Callback CSVLogger(const std::string& path, const CSVLoggerOptions& options, Site site) {
  need_path(kind, path, site);
  const std::string& s = options.separator;
  need_option(s.size() == 1 && s.find_first_of("\"\r\n.-+eE0123456789") == std::string::npos, kind,
              site, "a separator of \"" + s + "\"; expected one character that no number has",
              "\",\", \";\" and a tab are usual");
  return std::make_shared<CSVLoggerCallback>(path, options, site);
}

}  // namespace goneuron
