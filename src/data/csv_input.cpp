#include "data/csv_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/message.h"

namespace goneuron::data {

namespace {

/// An open file, and what it was like then.
class File {
 public:
  File(const std::string& path, const std::string& where) : path_(path), where_(where) {
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) {
      const int error = errno;
      throw_format({where,
                    std::string("cannot open the file: ") + std::strerror(error),
                    {{"file", path}},
                    error == ENOENT ? "check the path; plain and .gz files can be read"
                                    : "make the file readable for this user"});
    }
    if (::fstat(fd_, &info_) != 0 || !S_ISREG(info_.st_mode)) {
      ::close(fd_);
      throw_format({where,
                    "it is no regular file; expected one, since it is read twice",
                    {{"file", path}},
                    "write the text to a file first"});
    }
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  size_t read(std::uint8_t* out, size_t count, i64 offset) const {
    size_t done = 0;
    while (done < count) {
      const ssize_t found = ::pread(fd_, out + done, count - done, offset + static_cast<i64>(done));
      if (found < 0 && errno == EINTR) continue;
      if (found < 0)
        fail(std::string("reading failed: ") + std::strerror(errno),
             "check that it is on a disk that works");
      if (found == 0) break;
      done += static_cast<size_t>(found);
    }
    return done;
  }
  void check_unchanged() const {
    struct stat now = {};
    if (::fstat(fd_, &now) != 0 || now.st_size != info_.st_size ||
        now.st_mtim.tv_sec != info_.st_mtim.tv_sec || now.st_mtim.tv_nsec != info_.st_mtim.tv_nsec)
      fail("the file was changed since it was first read",
           "read it again; a data set needs a file that stays as it is");
  }
  i64 size() const { return info_.st_size; }
  const std::string& path() const { return path_; }
  const std::string& where() const { return where_; }

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& hint) const {
    throw_format({where_, what, {{"file", path_}}, hint});
  }

  std::string path_, where_;
  int fd_ = -1;
  struct stat info_ = {};
};

class FileRange : public ByteSource {
 public:
  FileRange(std::shared_ptr<const File> file, i64 offset)
      : ByteSource(file->where(), file->path()), file_(std::move(file)), at_(offset) {
    file_->check_unchanged();
  }
  size_t read(std::uint8_t* out, size_t count) override {
    const size_t found = file_->read(out, count, at_);
    at_ += static_cast<i64>(found);
    if (found < count) file_->check_unchanged();
    return found;
  }
  i64 remaining() const override { return std::max<i64>(file_->size() - at_, 0); }

 private:
  std::shared_ptr<const File> file_;
  i64 at_;
};

class FileInput : public CsvInput {
 public:
  FileInput(const std::string& path, const std::string& where)
      : file_(std::make_shared<const File>(path, where)) {
    std::uint8_t magic[2] = {};
    packed_ = file_->read(magic, 2, 0) == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
  }
  std::unique_ptr<ByteSource> from(i64 offset) const override {
    if (packed_) return file_source(file_->path(), file_->where(), "");
    return std::make_unique<FileRange>(file_, offset);
  }
  bool seekable() const override { return !packed_; }
  i64 bytes() const override { return file_->size(); }

 private:
  std::shared_ptr<const File> file_;
  bool packed_;
};

class MemoryRange : public ByteSource {
 public:
  MemoryRange(std::shared_ptr<const std::string> text, i64 offset, std::string where,
              std::string name)
      : ByteSource(std::move(where), std::move(name)),
        text_(std::move(text)),
        at_(std::min(static_cast<size_t>(offset), text_->size())) {}
  size_t read(std::uint8_t* out, size_t count) override {
    count = std::min(count, text_->size() - at_);
    if (count > 0) std::memcpy(out, text_->data() + at_, count);
    at_ += count;
    return count;
  }
  i64 remaining() const override { return static_cast<i64>(text_->size() - at_); }

 private:
  std::shared_ptr<const std::string> text_;
  size_t at_;
};

class MemoryInput : public CsvInput {
 public:
  MemoryInput(std::string text, std::string name, std::string where)
      : text_(std::make_shared<const std::string>(std::move(text))),
        name_(std::move(name)),
        where_(std::move(where)) {}
  std::unique_ptr<ByteSource> from(i64 offset) const override {
    return std::make_unique<MemoryRange>(text_, offset, where_, name_);
  }
  bool seekable() const override { return true; }
  i64 bytes() const override { return static_cast<i64>(text_->size()); }

 private:
  std::shared_ptr<const std::string> text_;
  std::string name_, where_;
};

}  // namespace

std::shared_ptr<const CsvInput> csv_file(const std::string& path, const std::string& where) {
  return std::make_shared<FileInput>(path, where);
}

std::shared_ptr<const CsvInput> csv_memory(std::string text, const std::string& name,
                                           const std::string& where) {
  return std::make_shared<MemoryInput>(std::move(text), name, where);
}

}  // namespace goneuron::data
