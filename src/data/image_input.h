// ImageInput: the bytes of an image file, piece by piece, for decoders written in C: what reading
// throws waits until they have returned.
// Used by image.cpp, png.cpp and jpeg.cpp.
#pragma once

#include <cstring>
#include <exception>

#include "data/byte_source.h"

namespace goneuron::data {

class ImageInput {
 public:
  ImageInput(const std::uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {}
  /// Of a source whose remaining() is known.
  explicit ImageInput(ByteSource& source)
      : source_(&source), size_(static_cast<size_t>(source.remaining())) {
    begin_size_ = source.read(begin_, sizeof begin_);
  }

  /// Bytes of the file.
  size_t size() const { return size_; }
  size_t at() const { return at_; }
  bool begins_with(const std::uint8_t* bytes, size_t count) const {
    const bool whole = source_ == nullptr;
    return count <= (whole ? size_ : begin_size_) &&
           std::memcmp(whole ? bytes_ : begin_, bytes, count) == 0;
  }
  /// How many; fewer at the end, and where reading failed.
  size_t read(std::uint8_t* out, size_t count) noexcept {
    try {
      const size_t done = read_once(out, count);
      at_ += done;
      return done;
    } catch (...) {
      failed_ = std::current_exception();
      return 0;
    }
  }
  /// Throws what read() did not.
  void rethrow() const {
    if (failed_) std::rethrow_exception(failed_);
  }

 private:
  size_t read_once(std::uint8_t* out, size_t count) {
    const bool whole = source_ == nullptr;
    const std::uint8_t* held = whole ? bytes_ : begin_;
    const size_t all = whole ? size_ : begin_size_,
                 first = at_ < all ? std::min(count, all - at_) : 0;
    if (first > 0) std::memcpy(out, held + at_, first);
    return first + (whole || first == count ? 0 : source_->read(out + first, count - first));
  }

  ByteSource* source_ = nullptr;
  const std::uint8_t* bytes_ = nullptr;
  std::uint8_t begin_[8] = {};
  size_t begin_size_ = 0, size_, at_ = 0;
  std::exception_ptr failed_;
};

}  // namespace goneuron::data
