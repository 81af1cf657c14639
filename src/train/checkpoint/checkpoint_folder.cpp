#include "train/checkpoint/checkpoint_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/message.h"
#include "io/json_text.h"

namespace goneuron {

namespace fs = std::filesystem;

namespace {

struct Found {
  i64 epoch = 0, step = 0;
  std::string path;
  bool operator<(const Found& o) const {
    return epoch != o.epoch ? epoch < o.epoch : step < o.step;
  }
};

std::string name_of(const RunPosition& p) {
  return fmt::format("checkpoint-{:04}-{:07}.safetensors", p.epoch, p.step);
}

/// Oldest first.
std::vector<Found> checkpoints_in(const std::string& folder) {
  std::vector<Found> all;
  for (const auto& entry : fs::directory_iterator(folder)) {
    long long epoch = 0, step = 0;
    int end = 0;
    const std::string name = entry.path().filename().string();
    if (std::sscanf(name.c_str(), "checkpoint-%lld-%lld.safetensors%n", &epoch, &step, &end) == 2 &&
        end == static_cast<int>(name.size()))
      all.push_back({epoch, step, entry.path().string()});
  }
  std::sort(all.begin(), all.end());
  return all;
}

bool half_written(const std::string& name) {
  return name.rfind("checkpoint-", 0) == 0 && name.find(".safetensors.tmp-") != std::string::npos;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ';');
  return text;
}

}  // namespace

CheckpointFolder::CheckpointFolder(const BackupRequest& request, const std::string& where)
    : folder_(request.folder), where_(where), keep_(request.options.keep) {
  const auto fail = [&](const std::string& what, const std::string& hint) {
    throw_format({.where = where_, .what = shown(folder_) + ": " + what, .hint = hint});
  };
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error && !fs::is_directory(folder_))
    fail("the folder cannot be made: " + error.message(), "name one that may be written to");
  lock_ = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0)
    fail(std::string("the folder cannot be read: ") + std::strerror(errno),
         "name one that this user may read and write");
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    close(lock_);
    fail("another run is training there; expected a folder of this run's own",
         "wait for it to end, stop it, or name another folder");
  }
  for (const auto& entry : fs::directory_iterator(folder_))
    if (half_written(entry.path().filename().string())) fs::remove(entry.path(), error);
}

CheckpointFolder::~CheckpointFolder() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      quit_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  close(lock_);
}

std::optional<Checkpoint> CheckpointFolder::newest() const {
  auto all = checkpoints_in(folder_);
  std::string why;
  for (; !all.empty(); all.pop_back()) {
    try {
      return read_checkpoint(all.back().path);
    } catch (const FormatError& error) {
      why = one_line(error.what());
      std::fprintf(stderr, "%s: a damaged checkpoint is passed over: %s\n", where_.c_str(),
                   why.c_str());
    }
  }
  if (!why.empty())
    throw_format(
        {.where = where_,
         .what = shown(folder_) + ": all its checkpoints are damaged; expected a whole one",
         .lines = {{"the last", why}},
         .hint = "remove them to begin the run anew, or bring back a copy of one"});
  return std::nullopt;
}

void CheckpointFolder::write(ModelImpl& model, const RunPosition& position) {
  const std::string path = (fs::path(folder_) / name_of(position)).string();
  ModelFileParts parts = checkpoint_parts(model, position, path);
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.wait(lock, [this] { return !waiting_; });
  waiting_.emplace(path, std::move(parts));
  lock.unlock();
  changed_.notify_all();
}

void CheckpointFolder::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !waiting_ && !busy_; });
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

std::string CheckpointFolder::last_path() {
  const std::lock_guard lock(mutex_);
  return written_;
}

void CheckpointFolder::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return quit_ || waiting_; });
    if (!waiting_) return;
    auto [path, parts] = std::move(*waiting_);
    waiting_.reset();
    busy_ = true;
    const bool failed_before = error_ != nullptr;
    lock.unlock();
    changed_.notify_all();
    std::exception_ptr error;
    try {
      write_checkpoint(path, std::move(parts));
      remove_old();
    } catch (const std::exception& e) {
      error = std::current_exception();
      if (!failed_before)
        std::fprintf(stderr, "%s: a checkpoint could not be written, training goes on: %s\n",
                     where_.c_str(), one_line(e.what()).c_str());
    }
    lock.lock();
    busy_ = false;
    if (!error) written_ = path;
    error_ = error;
    changed_.notify_all();
  }
}

/// After a new one is on the disk: whatever happens, `keep` whole ones stay.
void CheckpointFolder::remove_old() const {
  const auto all = checkpoints_in(folder_);
  for (size_t i = 0; i + static_cast<size_t>(keep_) < all.size(); ++i)
    if (unlink(all[i].path.c_str()) != 0 && errno != ENOENT)
      throw_format(
          {.where = all[i].path,
           .what = std::string("an old checkpoint cannot be removed: ") + std::strerror(errno),
           .hint = "let this user remove files in that folder"});
}

}  // namespace goneuron
