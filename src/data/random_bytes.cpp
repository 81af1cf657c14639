#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/message.h"
#include "data/zip.h"

namespace goneuron::data {

namespace {

class MemoryBytes : public RandomBytes {
 public:
  MemoryBytes(const std::uint8_t* bytes, size_t size, const std::string& name)
      : RandomBytes(name, name), bytes_(bytes), size_(size) {}
  i64 size() const override { return static_cast<i64>(size_); }
  void read_at(i64 at, void* out, size_t count) const override {
    if (count > 0) std::memcpy(out, bytes_ + at, count);
  }

 private:
  const std::uint8_t* bytes_;
  size_t size_;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

class FileBytes : public RandomBytes {
 public:
  FileBytes(std::FILE* file, i64 size, const std::string& where, const std::string& path)
      : RandomBytes(where, path), file_(file), size_(size) {}
  i64 size() const override { return size_; }
  void read_at(i64 at, void* out, size_t count) const override {
    if (count == 0 ||
        (fseeko(file_.get(), at, SEEK_SET) == 0 && std::fread(out, 1, count, file_.get()) == count))
      return;
    throw_format({where(),
                  "reading failed: " + std::string(std::ferror(file_.get()) != 0
                                                       ? std::strerror(errno)
                                                       : "the file has become shorter"),
                  {{"file", file()}, {"byte", std::to_string(at)}},
                  "check that it is a regular file on a disk that works"});
  }

 private:
  std::unique_ptr<std::FILE, CloseFile> file_;
  i64 size_;
};

}  // namespace

std::unique_ptr<RandomBytes> random_file(const std::string& path, const std::string& where,
                                         const std::string& missing_hint) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    const int error = errno;
    throw_format({where,
                  std::string("cannot open the file: ") + std::strerror(error),
                  {{"file", path}},
                  error == ENOENT ? missing_hint : "make the file readable for this user"});
  }
  struct stat info = {};
  const bool regular = fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode);
  auto made = std::make_unique<FileBytes>(file, info.st_size, where, path);
  if (!regular)
    throw_format({where,
                  "this is no regular file; expected one that can be read at any place",
                  {{"file", path}},
                  "copy it to a file first"});
  return made;
}

std::unique_ptr<RandomBytes> random_memory(const std::uint8_t* bytes, size_t size,
                                           const std::string& name) {
  return std::make_unique<MemoryBytes>(bytes, size, name);
}

}  // namespace goneuron::data
