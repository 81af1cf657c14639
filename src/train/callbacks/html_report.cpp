// HTMLReport: a page about the training, at its end or every few epochs.
#include "io/html_report.h"

#include <fmt/format.h>

#include "core/message.h"
#include "goneuron/callbacks.h"
#include "goneuron/device.h"
#include "goneuron/metric.h"
#include "train/callbacks/line_file.h"
#include "train/callbacks/monitor.h"
#include "train/callbacks/profiling.h"
#include "train/callbacks/report_samples.h"

namespace goneuron {

namespace {

constexpr const char* kind = "HTMLReport";

class HTMLReportCallback : public CallbackBase {
 public:
  HTMLReportCallback(const std::string& path, const HTMLReportOptions& options, Site site)
      : path_(path), options_(options), where_(user_place(kind, site)) {}

  void on_train_begin(TrainingState& state) override {
    make_folders_for(where_, path_);
    rates_.clear();
    seconds_ = samples_ = waited_ = 0;
    layers_.clear();
    if (options_.profile) profile_ = begin_profile(state, 3, 20);
  }

  void on_step_end(TrainingState& state) override {
    if (profile_ && profile_->done()) take_profile(state);
  }

  void on_epoch_end(TrainingState& state) override {
    rates_.push_back(state.learning_rate);
    seconds_ += state.step_seconds;
    waited_ += state.waited;
    samples_ += static_cast<double>(state.samples);
    if (options_.every == 0 || (state.epoch + 1) % options_.every != 0) return;
    History history = *state.history;
    history.epochs.push_back(*state.logs);
    write(state, history);
  }

  void on_train_end(TrainingState& state) override {
    if (profile_) take_profile(state);
    write(state, *state.history);
  }

  void save(CallbackState& state) const override {
    state.numbers = {{"seconds", seconds_}, {"samples", samples_}, {"waited", waited_}};
    Tensor rates(Shape{static_cast<i64>(rates_.size())}, DType::f64);
    for (size_t i = 0; i < rates_.size(); ++i) rates.data<double>()[i] = rates_[i];
    if (!rates.empty()) state.tensors.emplace_back("rates", rates);
  }
  void load(const CallbackState& state) override {
    seconds_ = number_in(state, kind, "seconds");
    samples_ = number_in(state, kind, "samples");
    waited_ = number_in(state, kind, "waited");
    rates_.clear();
    for (const auto& [name, rates] : state.tensors)
      for (i64 i = 0; i < rates.size(); ++i) rates_.push_back(rates.at({i}));
  }

 private:
  void take_profile(const TrainingState& state) {
    for (const auto& row : profile_->layers())
      if (profile_->timed() > 0) layers_.push_back({row.name, row.seconds, row.flops, row.bytes});
    end_profile(state, profile_);
  }

  void add_facts(Report& report, const TrainingState& state) const {
    const auto& epochs = report.history.epochs;
    if (!epochs.empty())
      for (const char* name : {"val_loss", "val_accuracy", "loss", "accuracy"})
        if (epochs.back().has(name) && report.facts.size() < 2)
          report.facts.emplace_back(
              name[0] == 'v' ? "validation " + std::string(name + 4) : std::string(name),
              fmt::format("{:.4f}", epochs.back()[name]));
    report.facts.emplace_back("epochs", std::to_string(epochs.size()));
    report.facts.emplace_back("training time", fmt::format("{:.1f} s", seconds_));
    if (seconds_ > 0)
      report.facts.emplace_back("samples / s", fmt::format("{:.0f}", samples_ / seconds_));
    report.facts.emplace_back("waited for data", fmt::format("{:.2f} s", waited_));
    report.subtitle = fmt::format("{} weights, trained on {} samples in batches of {}, {}.",
                                  state.model->parameters(), state.data->size(), state.batch_size,
                                  counted(threads(), "thread"));
  }

  void write(const TrainingState& state, const History& history) const {
    Report report;
    report.title = options_.title;
    report.history = history;
    report.learning_rates = rates_;
    report.class_names = options_.class_names;
    report.layers = layers_;
    add_facts(report, state);
    for (const char* prefix : {"val_", ""})
      if (report.confusion.empty() && !history.epochs.empty() &&
          history.epochs.back().has(std::string(prefix) + "confusion_matrix[0,0]")) {
        report.confusion = confusion_matrix(history.epochs.back(), prefix);
        report.confusion_of = *prefix != '\0' ? "the validation data" : "the training data";
      }
    const bool validated = state.validation != nullptr;
    if (options_.samples > 0)
      add_predictions(
          report, *state.model, validated ? *state.validation : *state.data, options_.samples,
          validated ? "samples of the validation data" : "samples of the training data");
    report.listings = {{"Model", state.model->summary(state.batch_size)},
                       {"Memory", state.model->memory_report(state.batch_size)}};
    write_report(path_, report);
  }

  std::string path_;
  HTMLReportOptions options_;
  std::string where_;
  std::shared_ptr<StepProfile> profile_;
  std::vector<ReportLayer> layers_;
  std::vector<double> rates_;
  double seconds_ = 0, samples_ = 0, waited_ = 0;
};

}  // namespace

Callback HTMLReport(const std::string& path, const HTMLReportOptions& options, Site site) {
  need_path(kind, path, site);
  need_option(options.samples >= 0, kind, site,
              std::to_string(options.samples) + " samples to show; expected 0 or more",
              "0 shows none");
  need_option(options.every >= 0, kind, site,
              "a page every " + std::to_string(options.every) + " epochs; expected 0 or more",
              "0 writes it at the end alone");
  return std::make_shared<HTMLReportCallback>(path, options, site);
}

}  // namespace goneuron
