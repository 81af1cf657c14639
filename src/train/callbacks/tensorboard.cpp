// TensorBoard: scalars of epochs and steps, histograms of weights and gradients, as event files.
#include <optional>

#include "core/message.h"
#include "goneuron/callbacks.h"
#include "io/event_file.h"
#include "train/callbacks/monitor.h"
#include "train/model_impl.h"

namespace goneuron {

namespace {

constexpr const char* kind = "TensorBoard";

class TensorBoardCallback : public CallbackBase {
 public:
  TensorBoardCallback(const std::string& folder, const TensorBoardOptions& options, Site site)
      : folder_(folder), options_(options), where_(user_place(kind, site)) {}

  void on_train_begin(TrainingState& state) override {
    train_.emplace(where_, folder_ + "/train");
    if (state.validation != nullptr) validation_.emplace(where_, folder_ + "/validation");
  }

  void on_step_end(TrainingState& state) override {
    ++steps_;
    if (options_.update_freq == 0 || steps_ % options_.update_freq != 0) return;
    for (size_t i = 0; i < state.logs->names.size(); ++i)
      if (is_curve(state.logs->names[i]))
        train_->scalar("batch_" + state.logs->names[i], state.logs->values[i], steps_);
  }

  void on_epoch_end(TrainingState& state) override {
    const Logs& logs = *state.logs;
    for (size_t i = 0; i < logs.names.size(); ++i) {
      const std::string& name = logs.names[i];
      if (!is_curve(name) || name == "learning_rate") continue;
      if (name.starts_with("val_") && validation_)
        validation_->scalar("epoch_" + name.substr(4), logs.values[i], state.epoch);
      else
        train_->scalar("epoch_" + name, logs.values[i], state.epoch);
    }
    train_->scalar("epoch_learning_rate", state.learning_rate, state.epoch);
    if (options_.histogram_freq > 0 && state.epoch % options_.histogram_freq == 0)
      write_histograms(state);
  }

  void on_train_end(TrainingState&) override {
    train_.reset();
    validation_.reset();
  }

  void save(CallbackState& state) const override {
    state.numbers = {{"steps", static_cast<double>(steps_)}};
  }
  void load(const CallbackState& state) override {
    steps_ = static_cast<i64>(number_in(state, kind, "steps"));
  }

 private:
  /// The counts of a confusion matrix would be a curve each.
  static bool is_curve(const std::string& name) { return name.find('[') == std::string::npos; }

  void write_histogram(const std::string& tag, const Tensor& tensor, i64 epoch) {
    if (tensor.dtype() != DType::f32) return;
    train_->histogram(tag, {tensor.data<float>(), static_cast<size_t>(tensor.size())}, epoch);
  }
  void write_histograms(const TrainingState& state) {
    for (const Weight& weight : state.model->weights())
      write_histogram(weight.name, weight.value, state.epoch);
    if (!options_.write_gradients) return;
    for (const auto& [name, gradient] : last_gradients(*state.model->impl()))
      write_histogram(name + "/gradient", gradient, state.epoch);
  }

  std::string folder_;
  TensorBoardOptions options_;
  std::string where_;
  std::optional<EventFile> train_, validation_;
  i64 steps_ = 0;
};

}  // namespace

Callback TensorBoard(const std::string& folder, const TensorBoardOptions& options, Site site) {
  need_option(!folder.empty(), kind, site, "the folder has no name; expected one to write in",
              "\"logs\" is usual: tensorboard --logdir logs");
  need_option(options.histogram_freq >= 0, kind, site,
              "a histogram_freq of " + std::to_string(options.histogram_freq) +
                  "; expected 0 or more epochs",
              "1 writes histograms after each epoch, 0 none");
  need_option(
      options.update_freq >= 0, kind, site,
      "an update_freq of " + std::to_string(options.update_freq) + "; expected 0 or more steps",
      "0 writes at the ends of epochs alone");
  need_option(
      !options.write_gradients || options.histogram_freq > 0, kind, site,
      "write_gradients without a histogram_freq; expected both",
      "gradients are written as histograms: {.histogram_freq = 1, .write_gradients = true}");
  return std::make_shared<TensorBoardCallback>(folder, options, site);
}

}  // namespace goneuron
