#include "data/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "core/message.h"

namespace goneuron::data {

namespace {

/// Gives back the bytes that were read to tell the format, then the rest.
class PrefixedSource : public ByteSource {
 public:
  PrefixedSource(std::unique_ptr<ByteSource> rest, const std::uint8_t* prefix, size_t count)
      : ByteSource(rest->where(), rest->file()), rest_(std::move(rest)), count_(count) {
    std::copy(prefix, prefix + count, prefix_);
  }
  size_t read(std::uint8_t* out, size_t count) override {
    const size_t first = std::min(count, count_ - at_);
    if (first > 0) std::memcpy(out, prefix_ + at_, first);
    at_ += first;
    return first + (first < count ? rest_->read(out + first, count - first) : 0);
  }
  i64 remaining() const override {
    const i64 rest = rest_->remaining();
    return rest < 0 ? rest : rest + static_cast<i64>(count_ - at_);
  }

 private:
  std::unique_ptr<ByteSource> rest_;
  std::uint8_t prefix_[2] = {};
  size_t count_, at_ = 0;
};

class GzipSource : public ByteSource {
 public:
  explicit GzipSource(std::unique_ptr<ByteSource> packed)
      : ByteSource(packed->where(), packed->file()), packed_(std::move(packed)) {
    // 16: the gzip header and its checksum.
    if (inflateInit2(&stream_, 15 + 16) != Z_OK)
      throw_memory({where(), "no memory to unpack gzip", {{"file", file()}}, "free some memory"});
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override { inflateEnd(&stream_); }

  size_t read(std::uint8_t* out, size_t count) override {
    size_t done = 0;
    while (done < count) {
      if (finished_ && !next_member()) break;
      if (stream_.avail_in == 0) refill();
      const auto step = static_cast<uInt>(std::min<size_t>(count - done, 1U << 30));
      stream_.next_out = out + done;
      stream_.avail_out = step;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      done += step - stream_.avail_out;
      if (result == Z_STREAM_END) {
        finished_ = true;
      } else if (result != Z_OK) {
        corrupt(result);
      }
    }
    return done;
  }
  i64 remaining() const override { return -1; }

 private:
  i64 packed_at() const { return packed_read_ - static_cast<i64>(stream_.avail_in); }

  void refill() {
    const size_t found = packed_->read(input_, sizeof input_);
    packed_read_ += static_cast<i64>(found);
    stream_.next_in = input_;
    stream_.avail_in = static_cast<uInt>(found);
    if (found > 0 || finished_) return;
    throw_format(
        {where(),
         "the gzip data ends too early",
         {{"file", file()}, {"byte", std::to_string(packed_read_) + " of the packed file"}},
         "the file is truncated; download or copy it again"});
  }

  [[noreturn]] void corrupt(int result) {
    if (result == Z_MEM_ERROR)
      throw_memory({where(), "no memory to unpack gzip", {{"file", file()}}, "free some memory"});
    throw_format({where(),
                  std::string("the gzip data is corrupt: ") +
                      (stream_.msg != nullptr ? stream_.msg : "unexpected data"),
                  {{"file", file()}, {"byte", std::to_string(packed_at()) + " of the packed file"}},
                  "download or copy the file again"});
  }

  /// A gzip file may be several, one after the other; false at the end.
  bool next_member() {
    if (stream_.avail_in == 0) refill();
    if (stream_.avail_in == 0) return false;
    if (*stream_.next_in != 0x1F)
      throw_format(
          {where(),
           "bytes follow the end of the gzip data",
           {{"file", file()}, {"byte", std::to_string(packed_at()) + " of the packed file"}},
           "the file is damaged or two files were joined; download or copy it again"});
    inflateReset(&stream_);
    finished_ = false;
    return true;
  }

  std::unique_ptr<ByteSource> packed_;
  z_stream stream_ = {};
  i64 packed_read_ = 0;
  bool finished_ = false;
  std::uint8_t input_[1 << 16];
};

}  // namespace

std::unique_ptr<ByteSource> gunzip(std::unique_ptr<ByteSource> packed) {
  std::uint8_t magic[2];
  const size_t found = packed->read(magic, 2);
  const bool gzip = found == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
  auto whole = std::make_unique<PrefixedSource>(std::move(packed), magic, found);
  if (!gzip) return whole;
  return std::make_unique<GzipSource>(std::move(whole));
}

}  // namespace goneuron::data
