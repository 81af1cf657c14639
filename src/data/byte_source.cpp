#include "data/byte_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "core/message.h"
#include "data/gzip.h"

namespace goneuron::data {

namespace {

class MemorySource : public ByteSource {
 public:
  MemorySource(const std::uint8_t* bytes, size_t size, std::string where)
      : ByteSource(where, where), bytes_(bytes), size_(size) {}
  size_t read(std::uint8_t* out, size_t count) override {
    count = std::min(count, size_ - at_);
    if (count > 0) std::memcpy(out, bytes_ + at_, count);
    at_ += count;
    return count;
  }
  i64 remaining() const override { return static_cast<i64>(size_ - at_); }

 private:
  const std::uint8_t* bytes_;
  size_t size_, at_ = 0;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

class FileSource : public ByteSource {
 public:
  FileSource(std::FILE* file, const std::string& path, std::string where)
      : ByteSource(std::move(where), path), stream_(file) {
    struct stat info = {};
    if (fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode)) size_ = info.st_size;
  }
  size_t read(std::uint8_t* out, size_t count) override {
    const size_t found = std::fread(out, 1, count, stream_.get());
    at_ += static_cast<i64>(found);
    if (found < count && std::ferror(stream_.get()) != 0)
      throw_format({where(),
                    std::string("reading failed: ") + std::strerror(errno),
                    {{"file", file()}, {"byte", std::to_string(at_)}},
                    "check that it is a regular file on a disk that works"});
    return found;
  }
  i64 remaining() const override { return size_ ? std::max<i64>(*size_ - at_, 0) : -1; }

 private:
  std::unique_ptr<std::FILE, CloseFile> stream_;
  std::optional<i64> size_;
  i64 at_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> memory_source(const std::uint8_t* bytes, size_t size,
                                          std::string where) {
  return gunzip(std::make_unique<MemorySource>(bytes, size, std::move(where)));
}

std::unique_ptr<ByteSource> file_source(const std::string& path, std::string where,
                                        const std::string& missing_hint) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    const int error = errno;
    throw_format({where,
                  std::string("cannot open the file: ") + std::strerror(error),
                  {{"file", path}},
                  error == ENOENT ? missing_hint : "make the file readable for this user"});
  }
  return gunzip(std::make_unique<FileSource>(file, path, std::move(where)));
}

}  // namespace goneuron::data
