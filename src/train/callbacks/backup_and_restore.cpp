// BackupAndRestore: asks fit() for checkpoints; what writes and reads them is train/checkpoint.
#include <memory>

#include "core/message.h"
#include "goneuron/callback.h"

namespace goneuron {

namespace {
class Backup : public CallbackBase {
 public:
  explicit Backup(BackupRequest request) : request_(std::move(request)) {}
  const BackupRequest* backup() const override { return &request_; }

 private:
  BackupRequest request_;
};
}  // namespace

Callback BackupAndRestore(const std::string& folder, const BackupOptions& options, Site site) {
  const auto fail = [&](const std::string& what, const std::string& hint) {
    throw_graph({.where = place("BackupAndRestore", site), .what = what, .hint = hint});
  };
  if (folder.empty())
    fail("a folder without a name; expected where checkpoints are kept", "\"run\" is one");
  if (options.every_steps < 0)
    fail("every_steps is " + std::to_string(options.every_steps) + "; expected 0 or more",
         "0 writes none by the number of steps");
  if (!(options.every_seconds >= 0))
    fail("every_seconds is " + number_text(options.every_seconds) + "; expected 0 or more",
         "0 writes none by time");
  if (options.keep < 1)
    fail("keep is " + std::to_string(options.keep) + "; expected 1 or more",
         "2 keeps one more than the newest");
  return std::make_shared<Backup>(BackupRequest{folder, options, site});
}

}  // namespace goneuron
