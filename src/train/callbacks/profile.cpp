// Profile: a table of how long each layer takes, from steps of the first epoch.
#include <fmt/core.h>

#include <cstdio>

#include "core/message.h"
#include "goneuron/callbacks.h"
#include "io/atomic_file.h"
#include "train/callbacks/monitor.h"
#include "train/callbacks/profiling.h"

namespace goneuron {

std::shared_ptr<StepProfile> begin_profile(const TrainingState& state, i64 first, i64 steps) {
  auto& profile = state.model->impl()->profile;
  if (!profile) profile = std::make_shared<StepProfile>(first, steps);
  return profile;
}

void end_profile(const TrainingState& state, std::shared_ptr<StepProfile>& profile) {
  if (state.model->impl()->profile == profile) state.model->impl()->profile.reset();
  profile.reset();
}

namespace {

constexpr const char* kind = "Profile";

class ProfileCallback : public CallbackBase {
 public:
  explicit ProfileCallback(const ProfileOptions& options) : options_(options) {}

  void on_train_begin(TrainingState& state) override {
    profile_ = begin_profile(state, options_.first_step, options_.steps);
    written_ = false;
  }
  void on_step_end(TrainingState&) override {
    if (!written_ && profile_->done()) write();
  }
  void on_train_end(TrainingState& state) override {
    // Fewer steps than were asked for are better than none.
    if (!written_ && profile_->timed() > 0) write();
    if (!written_)
      std::fprintf(stderr,
                   "Profile: no step was timed, as the training ended before step %lld; give "
                   "{.first_step = 0}\n",
                   static_cast<long long>(options_.first_step) + 1);
    end_profile(state, profile_);
  }

 private:
  void write() {
    written_ = true;
    const std::string table = profile_->layer_table();
    if (options_.path.empty()) {
      std::fprintf(stdout, "\n%s", table.c_str());
      std::fflush(stdout);
      return;
    }
    AtomicFile file(options_.path);
    file.write(table);
    file.commit();
  }

  ProfileOptions options_;
  std::shared_ptr<StepProfile> profile_;
  bool written_ = false;
};

}  // namespace

Callback Profile(const ProfileOptions& options, Site site) {
  need_option(options.steps >= 1, kind, site,
              std::to_string(options.steps) + " steps; expected 1 or more",
              "20 are enough for layers that take long");
  need_option(options.first_step >= 0, kind, site,
              "a first_step of " + std::to_string(options.first_step) + "; expected 0 or more",
              "the first steps touch their memory for the first time: leave out 3");
  return std::make_shared<ProfileCallback>(options);
}

}  // namespace goneuron
