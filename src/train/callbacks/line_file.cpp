#include "train/callbacks/line_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/message.h"

namespace goneuron {

void make_folders_for(const std::string& where, const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error)
    throw_format({.where = where,
                  .what = "cannot make the folder: " + error.message(),
                  .lines = {{"folder", folder.string()}},
                  .hint = "choose one whose parent may be written and is no file"});
}

LineFile::~LineFile() {
  if (file_ >= 0) close(file_);
}

void LineFile::fail(const char* what) const {
  throw_format({.where = where_,
                .what = std::string(what) + ": " + std::strerror(errno),
                .lines = {{"file", path_}},
                .hint = "choose a path that may be written and has room"});
}

void LineFile::open(const std::string& where, const std::string& path, bool keep) {
  if (file_ >= 0) close(file_);
  where_ = where, path_ = path;
  make_folders_for(where, path);
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | (keep ? 0 : O_TRUNC), 0666);
  if (file_ < 0) fail("cannot open the file");
  size_ = lseek(file_, 0, SEEK_END);
  if (size_ < 0) fail("cannot go to the end of the file");
}

void LineFile::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(file_, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) fail("cannot write to the file");
    size_ += done;
    text.remove_prefix(static_cast<size_t>(done));
  }
}

void LineFile::cut(i64 size) {
  if (size >= size_) return;
  if (ftruncate(file_, size) != 0 || lseek(file_, size, SEEK_SET) < 0) fail("cannot cut the file");
  size_ = size;
}

std::string LineFile::first_line() const {
  std::string line;
  char part[4096];
  for (i64 at = 0; at < size_; at += static_cast<i64>(sizeof part)) {
    const ssize_t got = pread(file_, part, sizeof part, at);
    if (got < 0) fail("cannot read the file");
    line.append(part, static_cast<size_t>(got));
    const size_t end = line.find('\n');
    if (end != std::string::npos) return line.substr(0, end);
    if (got < static_cast<ssize_t>(sizeof part)) break;
  }
  return line;
}

}  // namespace goneuron
