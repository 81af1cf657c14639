#include "train/callbacks/monitor.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/edit_distance.h"
#include "core/message.h"
#include "goneuron/dataset.h"
#include "train/metrics/functions.h"
#include "train/model_impl.h"

namespace goneuron {

namespace {

/// 1: the larger the better, -1: the smaller, 0: the name does not tell.
int direction_of(const std::string& name) {
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  for (const char* part :
       {"loss", "error", "perplexity", "bits_per_character", "mae", "mse", "mape"})
    if (has(part)) return -1;
  for (const char* part :
       {"acc", "auc", "precision", "recall", "f1", "r2_score", "cosine_similarity"})
    if (has(part)) return 1;
  return 0;
}

}  // namespace

void need_option(bool good, const char* callback, Site site, const std::string& what,
                 const std::string& hint) {
  if (!good) throw_graph({.where = user_place(callback, site), .what = what, .hint = hint});
}

void need_constant_rate(const char* callback, const TrainingState& state, Site site) {
  need_option(state.model->impl()->optimizer.schedule.constant(), callback, site,
              "the learning rate follows a schedule; expected a constant one, to be changed",
              "give a constant one, such as Adam(0.001), or leave out this callback");
}

void need_path(const char* callback, const std::string& path, Site site) {
  need_option(!path.empty(), callback, site, "the path is empty; expected that of a file",
              "say where to write, e.g. in a folder of the run");
}

namespace {
template <class List>
const auto& found_in(const List& list, const char* callback, const std::string& name) {
  const auto at = std::find_if(list.begin(), list.end(),
                               [&](const auto& entry) { return entry.first == name; });
  if (at == list.end())
    throw_data({.where = callback,
                .what = "the checkpoint's memory of it has no \"" + name + "\"",
                .hint = "resume with the callbacks that the run began with, in their order"});
  return at->second;
}
}  // namespace

double number_in(const CallbackState& state, const char* callback, const std::string& name) {
  return found_in(state.numbers, callback, name);
}
const std::string& text_in(const CallbackState& state, const char* callback,
                           const std::string& name) {
  return found_in(state.texts, callback, name);
}

Monitor::Monitor(const char* callback, const std::string& name, const std::string& mode,
                 double min_delta, Site site)
    : callback_(callback), name_(name), min_delta_(min_delta), site_(site) {
  need_option(!name.empty(), callback, site, "the monitor is empty; expected a name of the logs",
              "\"val_loss\" and \"loss\" are usual");
  need_option(mode == "auto" || mode == "min" || mode == "max", callback, site,
              "a mode of \"" + mode + "\"; expected \"min\", \"max\" or \"auto\"",
              "\"min\" where smaller is better, \"max\" where larger is");
  need_option(min_delta >= 0 && std::isfinite(min_delta), callback, site,
              "a min_delta of " + number_text(min_delta) + "; expected 0 or more",
              "it is the change below which nothing counts as improvement");
  const int direction = mode == "auto" ? direction_of(name) : mode == "max" ? 1 : -1;
  need_option(direction != 0, callback, site,
              "the name \"" + name + "\" does not tell whether more is better; expected a mode",
              "give {.mode = \"max\"} or {.mode = \"min\"}");
  up_ = direction > 0;
  best = worst();
}

double Monitor::worst() const {
  return up_ ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
}

bool Monitor::improves(double value, double than) const {
  return up_ ? value - min_delta_ > than : value + min_delta_ < than;
}

namespace {
/// The name of the logs that was meant: the other name of a metric, one that begins so, or
/// one of nearly the same letters; empty where there is none.
std::string meant(const std::string& wanted, const std::vector<std::string>& names) {
  const std::string prefix = wanted.starts_with("val_") ? "val_" : "";
  const std::string metric = wanted.substr(prefix.size());
  for (const std::string& name : names)
    if (name.starts_with(prefix) && same_metric(name.substr(prefix.size()), metric)) return name;
  for (const std::string& name : names)
    if (name.starts_with(wanted) || edit_distance(name, wanted) <= 2) return name;
  return "";
}
}  // namespace

void Monitor::fail_unknown(const std::vector<std::string>& names, bool validated) const {
  const std::string near = meant(name_, names);
  throw_graph({.where = user_place(callback_.c_str(), site_),
               .what = "there is no value \"" + name_ +
                       "\" to monitor; expected one of the names "
                       "below",
               .lines = {{"names", quoted_list(names)}},
               .hint = !validated && name_.starts_with("val_")
                           ? "val_ names need {.validation = data} or a validation_split in fit()"
                       : near.empty() ? "use one of these, or give the metric to compile()"
                                      : "did you mean \"" + near + "\"?"});
}

void Monitor::check(const TrainingState& state) const {
  if (state.logs == nullptr) return;
  std::vector<std::string> names = state.logs->names;
  const bool validated = state.validation != nullptr;
  if (validated)
    for (const std::string& name : state.logs->names)
      if (name != "learning_rate") names.push_back("val_" + name);
  if (std::find(names.begin(), names.end(), name_) == names.end()) fail_unknown(names, validated);
}

double Monitor::value(const TrainingState& state) const {
  const Logs& logs = *state.logs;
  if (!logs.has(name_)) fail_unknown(logs.names, state.validation != nullptr);
  return logs.values[static_cast<size_t>(std::find(logs.names.begin(), logs.names.end(), name_) -
                                         logs.names.begin())];
}

}  // namespace goneuron
