// AtomicFile: writes a file so that its path holds either the old content or all of the new one.
// Used by everything that saves: model files, reports, histories.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace goneuron {

/// Bytes go to a temporary file beside `path`; commit() flushes it to the disk and renames it.
/// Without commit() the temporary file is removed. Every failing call is a FormatError with the
/// path and the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what, int error);
  void sync_folder();

  std::string path_;       // as given, for messages
  std::string target_;     // path_ with a final symbolic link followed
  std::string temporary_;  // empty once renamed
  int file_ = -1;
};

}  // namespace goneuron
