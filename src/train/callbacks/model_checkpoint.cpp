// ModelCheckpoint: saves the model, or its weights, at the end of epochs or every few steps.
#include <cmath>
#include <cstdio>
#include <memory>

#include "core/message.h"
#include "goneuron/callbacks.h"
#include "goneuron/model.h"
#include "train/callbacks/line_file.h"
#include "train/callbacks/monitor.h"
#include "train/callbacks/path_pattern.h"

namespace goneuron {

namespace {

constexpr const char* kind = "ModelCheckpoint";

class ModelCheckpointCallback : public CallbackBase {
 public:
  ModelCheckpointCallback(const std::string& path, const ModelCheckpointOptions& options, Site site)
      : options_(options),
        pattern_(kind, path, site),
        // Without save_best_only nothing is monitored, whatever the name says.
        monitor_(kind, options.monitor, options.save_best_only ? options.mode : "min", 0, site),
        site_(site) {
    if (options.initial_value_threshold) monitor_.best = *options.initial_value_threshold;
  }

  void check(const TrainingState& state) const override {
    std::vector<std::string> names = state.logs->names;
    if (state.validation != nullptr && options_.save_freq == 0)
      for (const std::string& name : state.logs->names)
        if (name != "learning_rate") names.push_back("val_" + name);
    pattern_.check(names);
    if (options_.save_best_only) monitor_.check(state);
  }

  void on_step_end(TrainingState& state) override {
    if (options_.save_freq > 0 && ++steps_ % options_.save_freq == 0) save_model(state);
  }
  void on_epoch_end(TrainingState& state) override {
    if (options_.save_freq == 0) save_model(state);
  }

  void save(CallbackState& state) const override {
    state.numbers = {{"best", monitor_.best}, {"steps", static_cast<double>(steps_)}};
    for (const std::string& file : files_) state.texts.emplace_back("file", file);
  }
  void load(const CallbackState& state) override {
    monitor_.best = number_in(state, kind, "best");
    steps_ = static_cast<i64>(number_in(state, kind, "steps"));
    files_.clear();
    for (const auto& [name, file] : state.texts) files_.push_back(file);
  }

 private:
  void save_model(const TrainingState& state) {
    if (options_.save_best_only) {
      const double value = monitor_.value(state);
      if (!monitor_.improves(value, monitor_.best)) return;
      monitor_.best = value;
    }
    const std::string path = pattern_.path(state.epoch + 1, state.step + 1, *state.logs);
    make_folders_for(user_place(kind, site_), path);
    if (options_.save_weights_only)
      state.model->save_weights(path, site_);
    else
      state.model->save(path, site_);
    if (options_.verbose) std::printf("ModelCheckpoint: saved %s\n", path.c_str());
    keep_last(path);
  }

  void keep_last(const std::string& path) {
    if (options_.keep_last == 0) return;
    std::erase(files_, path);
    files_.push_back(path);
    while (files_.size() > static_cast<size_t>(options_.keep_last)) {
      std::remove(files_.front().c_str());  // one that someone else has removed is gone as well
      files_.erase(files_.begin());
    }
  }

  ModelCheckpointOptions options_;
  PathPattern pattern_;
  Monitor monitor_;
  Site site_;
  i64 steps_ = 0;
  std::vector<std::string> files_;  // oldest first; empty where all are kept
};

}  // namespace

Callback ModelCheckpoint(const std::string& path, const ModelCheckpointOptions& options,
                         Site site) {
  need_path(kind, path, site);
  need_option(options.save_freq >= 0, kind, site,
              "a save_freq of " + std::to_string(options.save_freq) + "; expected 0 or more steps",
              "0 saves at the end of each epoch");
  need_option(options.keep_last >= 0, kind, site,
              "a keep_last of " + std::to_string(options.keep_last) + "; expected 0 or more files",
              "0 keeps all of them");
  need_option(!options.initial_value_threshold || !std::isnan(*options.initial_value_threshold),
              kind, site, "an initial_value_threshold of nan; expected a number",
              "leave it out when there is none");
  return std::make_shared<ModelCheckpointCallback>(path, options, site);
}

}  // namespace goneuron
