// Checkpoints on a disk that fails: processes killed while they write, every system call failing
// once, power cuts that lose all that was not flushed, files cut short at every byte. Whatever
// happens, the newest checkpoint that was finished is found again, and what could not be written is
// reported. This program's own write(), fsync(), ... stand in the place of the system's.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdarg>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "train/checkpoint/checkpoint_folder.h"
#include "training_runs.h"

namespace fs = std::filesystem;

namespace {

/// What the calls below do; nothing while `folder` is empty.
struct Disk {
  std::string folder;
  // Call number `fail_at` from 0 on, of those below, fails with `error`; with `forever` all after
  // it.
  int calls = 0, fail_at = -1, error = 0;
  bool forever = false;
  std::vector<std::string> log;  // their names
  // For power cuts: what is in memory, and what is on the disk.
  struct File {
    std::string now, flushed;
  };
  std::map<std::string, std::shared_ptr<File>> names, flushed_names;
  std::map<int, std::shared_ptr<File>> open_files;
  std::map<int, std::string> open_folders;
  std::function<void()> cut;  // called before each call and after it

  bool ours(const std::string& path) const { return !folder.empty() && path.rfind(folder, 0) == 0; }
  bool fails(const char* name) {
    log.emplace_back(name);
    const int call = calls++;
    if (fail_at < 0 || call < fail_at || (call > fail_at && !forever)) return false;
    errno = error;
    return true;
  }
  void maybe_cut() const {
    if (cut) cut();
  }
} disk;

}  // namespace

extern "C" {
int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = (flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0;
  va_end(arguments);
  const bool ours = disk.ours(path);
  if (ours && (flags & O_CREAT) != 0) {
    disk.maybe_cut();
    if (disk.fails("open")) return -1;
  }
  const auto file = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  if (!ours || file < 0) return file;
  if ((flags & O_CREAT) != 0)
    disk.open_files[file] = disk.names[path] = std::make_shared<Disk::File>();
  if ((flags & O_DIRECTORY) != 0) disk.open_folders[file] = path;
  disk.maybe_cut();
  return file;
}

ssize_t write(int file, const void* bytes, size_t count) {
  const auto found = disk.open_files.find(file);
  if (found != disk.open_files.end()) {
    disk.maybe_cut();
    if (disk.fails("write")) return -1;
    count = std::min<size_t>(count, 1000);  // a system may write less than it is given
  }
  const ssize_t done = syscall(SYS_write, file, bytes, count);
  if (found != disk.open_files.end() && done > 0)
    found->second->now.append(static_cast<const char*>(bytes), static_cast<size_t>(done));
  if (found != disk.open_files.end()) disk.maybe_cut();
  return done;
}

int fsync(int file) {
  const auto found = disk.open_files.find(file);
  const auto folder = disk.open_folders.find(file);
  const bool ours = found != disk.open_files.end() || folder != disk.open_folders.end();
  if (!ours) return static_cast<int>(syscall(SYS_fsync, file));
  disk.maybe_cut();
  if (disk.fails("fsync")) return -1;
  if (found != disk.open_files.end()) found->second->flushed = found->second->now;
  if (folder != disk.open_folders.end()) disk.flushed_names = disk.names;
  disk.maybe_cut();
  return 0;  // the disk of the test is in memory
}

int close(int file) {
  const bool ours = disk.open_files.erase(file) > 0;
  disk.open_folders.erase(file);
  if (ours && disk.fails("close")) {
    syscall(SYS_close, file);
    errno = disk.error;
    return -1;
  }
  return static_cast<int>(syscall(SYS_close, file));
}

int rename(const char* from, const char* to) noexcept {
  if (disk.ours(to)) {
    disk.maybe_cut();
    if (disk.fails("rename")) return -1;
    disk.names[to] = disk.names.at(from);
    disk.names.erase(from);
  }
  const auto done = static_cast<int>(syscall(SYS_rename, from, to));
  if (disk.ours(to)) disk.maybe_cut();
  return done;
}

int unlink(const char* path) noexcept {
  const bool checkpoint = disk.ours(path) && std::string(path).find(".tmp-") == std::string::npos;
  if (checkpoint) {
    disk.maybe_cut();
    if (disk.fails("unlink")) return -1;
  }
  if (disk.ours(path)) disk.names.erase(path);
  const auto done = static_cast<int>(syscall(SYS_unlink, path));
  if (checkpoint) disk.maybe_cut();
  return done;
}
}  // extern "C"

namespace goneuron {
namespace {

Model small_model() {
  auto model = Sequential({Dense(3, ReLU), Dense(2)});
  model.compile(Adam(0.01), MSE);
  model.train_on_batch(runs::noise({4, 5}, 1), runs::noise({4, 2}, 2));
  return model;
}

/// Every weight, and the history, say which checkpoint it is.
RunPosition mark(const Model& model, int number) {
  for (const Weight& weight : model.weights())
    for (i64 i = 0; i < weight.value.size(); ++i)
      const_cast<float*>(weight.value.data())[i] = static_cast<float>(number);
  RunPosition p;
  p.options = {.samples = 4, .batch = 4};
  p.names = {"loss"};
  p.epoch = number;
  for (int i = 0; i < number; ++i) p.rows.push_back({static_cast<double>(number)});
  return p;
}

/// The number of a whole one; -1 where there is none.
int number_of(const std::optional<Checkpoint>& checkpoint) {
  if (!checkpoint) return -1;
  const auto number = static_cast<int>(checkpoint->position.epoch);
  for (const NamedTensor& item : checkpoint->model.tensors)
    if (item.name.rfind("optimizer/", 0) != 0 && item.tensor.dtype() == DType::f32) {
      for (i64 i = 0; i < item.tensor.size(); ++i)
        EXPECT_EQ(item.tensor.data()[i], static_cast<float>(number)) << item.name;
    }
  for (const auto& row : checkpoint->position.rows) EXPECT_EQ(row.at(0), number);
  return number;
}

class CheckpointFaults : public testing::Test {
 protected:
  CheckpointFaults()
      : folder_((fs::path(testing::TempDir()) / ("faults_" + std::to_string(getpid()))).string()) {
    fs::create_directories(folder_);
  }
  ~CheckpointFaults() override {
    disk = {};
    fs::remove_all(folder_);
  }
  BackupRequest request(const std::string& name = "run") const {
    return {folder_ + "/" + name, {}, Site()};
  }
  int newest(const std::string& name = "run") const {
    return number_of(CheckpointFolder(request(name), "fit()").newest());
  }
  size_t files() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_ + "/run")) ++count;
    return count;
  }
  std::string folder_;
};

TEST_F(CheckpointFaults, AThousandKillsLoseNothingThatWasFinished) {
  const Model model = small_model();
  std::mt19937 random(7);
  int last = 0, most = 0;
  for (int kill_number = 0; kill_number < 1000; ++kill_number) {
    int ends[2] = {};
    ASSERT_EQ(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      CheckpointFolder folder(request(), "fit()");
      for (int number = last + 1;; ++number) {
        folder.write(*model.impl(), mark(model, number % 200));
        folder.finish();
        if (::write(ends[1], &number, sizeof number) != sizeof number) _exit(1);
        if (number % 200 == 199) _exit(0);  // the names start again
      }
    }
    ::close(ends[1]);
    int finished = last, read_now = 0;
    const auto wait = std::chrono::microseconds(random() % 4000);
    if (::read(ends[0], &read_now, sizeof read_now) == sizeof read_now) finished = read_now;
    std::this_thread::sleep_for(wait);
    kill(pid, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    while (::read(ends[0], &read_now, sizeof read_now) == sizeof read_now) finished = read_now;
    ::close(ends[0]);
    ASSERT_GT(finished, last);
    const int found = newest();
    ASSERT_GE(found, finished) << "kill " << kill_number;
    ASSERT_LE(files(), 3U);  // two kept, and the one that came when the kill hit the clearing
    last = found;
    most = std::max(most, found);
    if (last >= 190) {
      fs::remove_all(folder_ + "/run");
      last = 0;
    }
  }
  EXPECT_GT(most, 10);
}

TEST_F(CheckpointFaults, EveryCallThatFailsIsReportedAndTheLastOneStands) {
  const Model model = small_model();
  int failed = 0;
  std::map<std::string, int> kinds;
  testing::internal::CaptureStderr();
  for (const int error : {ENOSPC, EIO}) {
    for (int call = 0;; ++call) {
      fs::remove_all(folder_ + "/run");
      disk = {};
      CheckpointFolder folder(request(), "fit()");
      for (int number : {1, 2}) folder.write(*model.impl(), mark(model, number));
      folder.finish();
      disk.folder = folder_;
      disk.fail_at = call;
      disk.error = error;
      folder.write(*model.impl(), mark(model, 3));
      std::string reported;
      try {
        folder.finish();
      } catch (const FormatError& e) {
        reported = e.what();
      }
      const int calls = disk.calls;
      const std::string kind = call < calls ? disk.log[static_cast<size_t>(call)] : "";
      disk = {};
      if (call >= calls) break;  // none was left to fail
      ++failed;
      ++kinds[kind];
      EXPECT_NE(reported.find(std::strerror(error)), std::string::npos)
          << kind << " " << call << ": " << reported;
      const int found = number_of(folder.newest());
      // After the rename it is there, though it may be lost with the power.
      EXPECT_GE(found, 2) << kind << " " << call;
      for (const auto& entry : fs::directory_iterator(folder_ + "/run"))
        EXPECT_EQ(entry.path().extension(), ".safetensors") << entry.path();
      folder.write(*model.impl(), mark(model, 4));
      folder.finish();
      EXPECT_EQ(number_of(folder.newest()), 4);
    }
  }
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(kinds.size(), 6U);  // open, write, fsync, close, rename, unlink
  EXPECT_GT(failed, 20);
}

TEST_F(CheckpointFaults, APowerCutLosesNothingThatWasFinished) {
  const Model model = small_model();
  int cuts = 0, finished = -1;
  std::string broken;
  disk.folder = folder_ + "/run";
  disk.cut = [&] {
    const auto cut = std::exchange(disk.cut, nullptr);
    const std::string folder = std::exchange(disk.folder, "");
    // What was not flushed is lost; changes of the folder may have reached the disk, or not.
    for (const auto* names : {&disk.flushed_names, &disk.names}) {
      fs::remove_all(folder_ + "/after");
      fs::create_directories(folder_ + "/after");
      for (const auto& [path, file] : *names)
        std::ofstream(folder_ + "/after/" + fs::path(path).filename().string(), std::ios::binary)
            << file->flushed;
      const int found = newest("after");
      if (found < finished)
        broken = "after cut " + std::to_string(cuts) + ": " + std::to_string(found) +
                 ", finished was " + std::to_string(finished);
    }
    ++cuts;
    disk.folder = folder;
    disk.cut = cut;
  };
  CheckpointFolder folder(request(), "fit()");
  for (int number = 0; number < 5; ++number) {
    folder.write(*model.impl(), mark(model, number));
    folder.finish();
    finished = number;
  }
  EXPECT_EQ(broken, "");
  EXPECT_GT(cuts, 100);
}

TEST_F(CheckpointFaults, AFileCutShortAnywhereIsPassedOver) {
  const Model model = small_model();
  {
    CheckpointFolder folder(request(), "fit()");
    for (int number : {1, 2}) folder.write(*model.impl(), mark(model, number));
    folder.finish();
  }
  const std::string path = folder_ + "/run/checkpoint-0002-0000000.safetensors";
  std::ifstream in(path, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  testing::internal::CaptureStderr();
  for (size_t length = 0; length < whole.size(); ++length) {
    fs::resize_file(path, 0);
    std::ofstream(path, std::ios::binary) << whole.substr(0, length);
    ASSERT_EQ(newest(), 1) << length << " of " << whole.size();
  }
  const std::string reported = testing::internal::GetCapturedStderr();
  EXPECT_NE(reported.find("a damaged checkpoint is passed over"), std::string::npos);
  std::ofstream(path, std::ios::binary) << whole;
  EXPECT_EQ(newest(), 2);
}

TEST_F(CheckpointFaults, AChangedNumberIsNoticed) {
  const Model model = small_model();
  CheckpointFolder folder(request(), "fit()");
  folder.write(*model.impl(), mark(model, 1));
  folder.finish();
  const std::string path = folder_ + "/run/checkpoint-0001-0000000.safetensors";
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  for (size_t at = 8 + header; at < bytes.size(); ++at) {
    bytes[at] ^= 4;
    EXPECT_THROW(
        parse_checkpoint(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), "file"),
        FormatError);
    bytes[at] ^= 4;
  }
  parse_checkpoint(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), "file");
}

TEST_F(CheckpointFaults, TrainingGoesOnWithoutADiskAndSaysSo) {
  runs::Run run = runs::run_named("mlp");
  run.options.callbacks = {BackupAndRestore(folder_ + "/run", {.every_steps = 4})};
  disk.folder = folder_;
  disk.fail_at = 0;
  disk.error = ENOSPC;
  disk.forever = true;
  testing::internal::CaptureStderr();
  EXPECT_THROW(run.model.fit(run.data, run.options), FormatError);
  const std::string reported = testing::internal::GetCapturedStderr();
  disk = {};
  EXPECT_NE(reported.find("training goes on"), std::string::npos);
  EXPECT_NE(reported.find("No space left on device"), std::string::npos);
  EXPECT_EQ(reported.find("training goes on"), reported.rfind("training goes on"));  // once
  runs::Run free = runs::run_named("mlp");
  const History history = free.model.fit(free.data, free.options);
  EXPECT_EQ(runs::bytes_of(run.model, {}), runs::bytes_of(free.model, {}));
  EXPECT_EQ(history.epochs.size(), 3U);
}

TEST_F(CheckpointFaults, AFailureInTheMiddleIsMadeUpForByTheNextOne) {
  runs::Run run = runs::run_named("mlp");
  run.options.callbacks = {BackupAndRestore(folder_ + "/run", {.every_steps = 4})};
  disk.folder = folder_;
  disk.fail_at = 2;
  disk.error = EIO;
  testing::internal::CaptureStderr();
  run.model.fit(run.data, run.options);
  const std::string reported = testing::internal::GetCapturedStderr();
  disk = {};
  EXPECT_NE(reported.find("Input/output error"), std::string::npos);
  CheckpointFolder folder(request(), "fit()");
  EXPECT_EQ(folder.newest()->position.epoch, 3);
}

TEST_F(CheckpointFaults, TwoRunsDoNotShareAFolder) {
  const CheckpointFolder first(request(), "fit()");
  EXPECT_THROW(CheckpointFolder(request(), "fit()"), FormatError);
}

TEST_F(CheckpointFaults, AFolderWithNothingButDamageIsNoNewRun) {
  fs::create_directories(folder_ + "/run");
  std::ofstream(folder_ + "/run/checkpoint-0001-0000000.safetensors") << "nothing";
  testing::internal::CaptureStderr();
  EXPECT_THROW(newest(), FormatError);
  testing::internal::GetCapturedStderr();
}

}  // namespace
}  // namespace goneuron
