// Monitor: a number of the logs that callbacks watch, and which way of it is better. Used by early
// stopping, checkpoints and rate reduction.
#pragma once

#include <string>

#include "goneuron/callback.h"

namespace goneuron {

class Monitor {
 public:
  /// Throws GraphError for an empty name, a mode that is not known, a delta below 0, and "auto"
  /// where the name does not tell.
  Monitor(const char* callback, const std::string& name, const std::string& mode, double min_delta,
          Site site);

  const std::string& name() const { return name_; }
  /// Throws GraphError listing the names there are, as soon as they are known: before training.
  void check(const TrainingState& state) const;
  double value(const TrainingState& state) const;
  /// True where `value` is better than `best` by more than min_delta; never for NaN.
  bool improves(double value, double best) const;
  /// What every number is better than.
  double worst() const;
  double best = 0;  // so far

 private:
  [[noreturn]] void fail_unknown(const std::vector<std::string>& names, bool validated) const;

  std::string callback_, name_;
  bool up_ = false;
  double min_delta_ = 0;
  Site site_;
};

/// A GraphError of a callback's options, unless `good`.
void need_option(bool good, const char* callback, Site site, const std::string& what,
                 const std::string& hint);
/// GraphError where the model's learning rate follows a schedule.
void need_constant_rate(const char* callback, const TrainingState& state, Site site);
/// "path" is not empty.
void need_path(const char* callback, const std::string& path, Site site);
/// The number, and the text, of that name; DataError where a checkpoint has none.
double number_in(const CallbackState& state, const char* callback, const std::string& name);
const std::string& text_in(const CallbackState& state, const char* callback,
                           const std::string& name);

}  // namespace goneuron
