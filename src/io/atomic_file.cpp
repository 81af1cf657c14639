#include "io/atomic_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/message.h"

namespace goneuron {

namespace {
std::string hint_for(int error) {
  if (error == ENOSPC || error == EDQUOT) return "make room on the disk, or save to another one";
  if (error == ENOENT || error == ENOTDIR) return "make the folder first, or check the path";
  if (error == EACCES || error == EPERM || error == EROFS)
    return "save to a folder that this user may write to";
  if (error == EFBIG)
    return "the limit on file sizes is too low (ulimit -f), or the file system's own is";
  return "save to another path";
}

std::string folder_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// Where a chain of links ends, so that saving through a link changes the file and not the link.
std::string follow_links(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0 || !S_ISLNK(info.st_mode)) return path;
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real ? std::string(real.get()) : path;
}
}  // namespace

void AtomicFile::fail(const std::string& what, int error) {
  throw_format({.where = path_,
                .what = fmt::format("{}: {}", what, std::strerror(error)),
                .hint = hint_for(error)});
}

AtomicFile::AtomicFile(const std::string& path) : path_(path), target_(follow_links(path)) {
  struct stat info {};
  if (stat(target_.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    throw_format({.where = path_,
                  .what = S_ISDIR(info.st_mode)
                              ? "cannot be written: it is a folder"
                              : "cannot be written: it is a device or a pipe, not a file",
                  .hint = "give the path of a file; it is replaced as a whole"});
  static std::atomic<unsigned> counter{0};
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary_ = fmt::format("{}.tmp-{}-{}", target_, getpid(), counter++);
    file_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ >= 0 || errno != EEXIST) break;
  }
  if (file_ >= 0) return;
  const int error = errno;
  temporary_.clear();
  fail("cannot make a temporary file beside it", error);
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) close(file_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::write(const void* bytes, size_t count) {
  const auto* at = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t done = ::write(file_, at, std::min<size_t>(count, size_t{1} << 30));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail("writing failed", errno);
    if (done == 0) fail("writing failed", ENOSPC);
    at += done;
    count -= static_cast<size_t>(done);
  }
}

void AtomicFile::commit() {
  if (fsync(file_) != 0) fail("flushing to the disk failed", errno);
  const int closed = close(file_);
  file_ = -1;
  if (closed != 0) fail("closing failed", errno);
  if (rename(temporary_.c_str(), target_.c_str()) != 0)
    fail("renaming the temporary file failed", errno);
  temporary_.clear();
  sync_folder();
}

void AtomicFile::sync_folder() {
  const int folder = open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // A folder that may be written to but not read cannot be opened, and some file systems cannot
  // flush one: the file is there and complete, only its name may be lost in a power cut.
  if (folder < 0 && errno == EACCES) return;
  if (folder < 0) fail("opening its folder to flush it failed", errno);
  const int done = fsync(folder);
  const int error = errno;
  close(folder);
  if (done != 0 && error != EINVAL && error != ENOTSUP) fail("flushing its folder failed", error);
}

}  // namespace goneuron
