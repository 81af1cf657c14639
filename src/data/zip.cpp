#include "data/zip.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "core/message.h"

namespace goneuron::data {

namespace {

constexpr i64 end_bytes = 22, end64_bytes = 56, locator_bytes = 20, file_bytes = 46,
              local_bytes = 30;
constexpr i64 all_ones32 = 0xFFFFFFFF, all_ones16 = 0xFFFF;

[[noreturn]] void fail(const RandomBytes& bytes, i64 at, const std::string& what,
                       const std::string& hint = "download or copy the file again") {
  throw_format({bytes.where(), what, {{"file", bytes.file()}, {"byte", std::to_string(at)}}, hint});
}

i64 number(const std::uint8_t* at, int bytes) {
  std::uint64_t value = 0;
  for (int i = bytes; i-- > 0;) value = value << 8 | at[i];
  return static_cast<i64>(value);
}

/// `count` bytes at `at`, or an error that `what` ends early.
void read(const RandomBytes& bytes, i64 at, void* out, i64 count, const char* what) {
  if (at < 0 || count > bytes.size() || at > bytes.size() - count)
    fail(bytes, std::clamp<i64>(at, 0, bytes.size()),
         std::string(what) + " reaches beyond the end of the archive");
  bytes.read_at(at, out, static_cast<size_t>(count));
}

struct Directory {
  i64 at = 0, bytes = 0, entries = 0;
};

/// Where the record is that ends the archive: behind it only its comment follows.
i64 find_end(const RandomBytes& bytes) {
  const i64 size = bytes.size(), most = std::min<i64>(size, end_bytes + all_ones16);
  std::vector<std::uint8_t> tail(static_cast<size_t>(most));
  bytes.read_at(size - most, tail.data(), tail.size());
  for (i64 at = most - end_bytes; at >= 0; --at)
    if (number(&tail[static_cast<size_t>(at)], 4) == 0x06054B50 &&
        number(&tail[static_cast<size_t>(at) + 20], 2) == most - at - end_bytes)
      return size - most + at;
  fail(bytes, size, "the archive's list of files is missing at the end; expected a ZIP archive",
       "the file is truncated, or was not made by numpy.savez()");
}

Directory find_directory(const RandomBytes& bytes) {
  const i64 end = find_end(bytes);
  std::uint8_t record[end64_bytes];
  read(bytes, end, record, end_bytes, "the end record");
  if (number(record + 4, 2) != 0 || number(record + 6, 2) != 0)
    fail(bytes, end + 4, "the archive is split over several files; expected one",
         "join them: zip -s 0 parts.zip --out whole.zip");
  Directory found{number(record + 16, 4), number(record + 12, 4), number(record + 10, 2)};
  if (found.at != all_ones32 && found.bytes != all_ones32 && found.entries != all_ones16)
    return found;
  read(bytes, end - locator_bytes, record, locator_bytes, "the ZIP64 locator");
  // Without one the numbers are just that large.
  if (number(record, 4) != 0x07064B50) return found;
  const i64 end64 = number(record + 8, 8);
  read(bytes, end64, record, end64_bytes, "the ZIP64 end record");
  if (number(record, 4) != 0x06064B50) fail(bytes, end64, "the ZIP64 end record is damaged");
  return {number(record + 48, 8), number(record + 40, 8), number(record + 32, 8)};
}

/// Puts in the numbers that did not fit, from the field of ZIP64.
void read_extra(const RandomBytes& bytes, i64 place, const std::vector<std::uint8_t>& extra,
                ZipEntry& entry) {
  for (size_t at = 0; at + 4 <= extra.size();) {
    const i64 id = number(&extra[at], 2);
    const auto length = static_cast<size_t>(number(&extra[at + 2], 2));
    at += 4;
    if (at + length > extra.size()) break;
    if (id == 1) {
      size_t used = 0;
      for (i64* value : {&entry.size, &entry.packed, &entry.at}) {
        if (*value != all_ones32) continue;
        if (used + 8 > length) fail(bytes, place, "the ZIP64 sizes of a file are missing");
        *value = number(&extra[at + used], 8);
        used += 8;
      }
    }
    at += length;
  }
}

/// The entry at `at` of the list, which moves behind it.
ZipEntry read_entry(const RandomBytes& bytes, i64& at, i64 end) {
  std::uint8_t record[file_bytes];
  const i64 place = at;
  if (end - at < file_bytes) fail(bytes, at, "the archive's list of files ends early");
  read(bytes, at, record, file_bytes, "the list of files");
  if (number(record, 4) != 0x02014B50) fail(bytes, at, "the archive's list of files is damaged");
  const i64 name = number(record + 28, 2), extra = number(record + 30, 2);
  const i64 whole = file_bytes + name + extra + number(record + 32, 2);
  if (whole > end - at) fail(bytes, at, "the archive's list of files ends early");
  ZipEntry entry;
  entry.name.resize(static_cast<size_t>(name));
  read(bytes, at + file_bytes, entry.name.data(), name, "a name");
  std::vector<std::uint8_t> fields(static_cast<size_t>(extra));
  read(bytes, at + file_bytes + name, fields.data(), extra, "a field");
  entry.method = static_cast<int>(number(record + 10, 2));
  entry.checksum = static_cast<std::uint32_t>(number(record + 16, 4));
  entry.packed = number(record + 20, 4);
  entry.size = number(record + 24, 4);
  entry.at = number(record + 42, 4);
  read_extra(bytes, place, fields, entry);
  if ((number(record + 8, 2) & 1) != 0)
    fail(bytes, place, "a file of the archive is encrypted; expected none",
         "unpack it with its password first");
  if (entry.method != 0 && entry.method != 8)
    fail(bytes, place,
         "a file is packed by method " + std::to_string(entry.method) +
             "; expected 0 (stored) or 8 (deflated)",
         "numpy.savez() and numpy.savez_compressed() write those");
  if (entry.size < 0 || entry.packed < 0 || (entry.method == 0 && entry.size != entry.packed))
    fail(bytes, place, "the sizes of a file contradict each other");
  at += whole;
  return entry;
}

/// A part of the archive, in order.
class PartSource : public ByteSource {
 public:
  PartSource(const RandomBytes& bytes, const ZipEntry& entry, i64 at)
      : ByteSource(bytes.where(), bytes.file() + " (" + entry.name + ")"),
        bytes_(bytes),
        at_(at),
        left_(entry.packed) {}
  size_t read(std::uint8_t* out, size_t count) override {
    count = static_cast<size_t>(std::min(static_cast<i64>(count), left_));
    bytes_.read_at(at_, out, count);
    at_ += static_cast<i64>(count);
    left_ -= static_cast<i64>(count);
    return count;
  }
  i64 remaining() const override { return left_; }

 private:
  const RandomBytes& bytes_;
  i64 at_, left_;
};

/// What an entry unpacks to, with its size and checksum verified at the end.
class EntrySource : public ByteSource {
 public:
  EntrySource(PartSource packed, const ZipEntry& entry)
      : ByteSource(packed.where(), packed.file()), packed_(std::move(packed)), entry_(entry) {
    if (entry.method == 8 && inflateInit2(&stream_, -15) != Z_OK)
      throw_memory({where(), "no memory to unpack", {{"file", file()}}, "free some memory"});
  }
  EntrySource(const EntrySource&) = delete;
  EntrySource& operator=(const EntrySource&) = delete;
  ~EntrySource() override {
    if (entry_.method == 8) inflateEnd(&stream_);
  }

  size_t read(std::uint8_t* out, size_t count) override {
    const size_t found = entry_.method == 0 ? packed_.read(out, count) : inflated(out, count);
    for (size_t i = 0; i < found; i += 1U << 30)
      checksum_ = static_cast<std::uint32_t>(
          crc32(checksum_, out + i, static_cast<uInt>(std::min<size_t>(found - i, 1U << 30))));
    done_ += static_cast<i64>(found);
    if (found < count) {
      if (done_ != entry_.size)
        corrupt("it unpacks to " + std::to_string(done_) + " bytes; expected " +
                std::to_string(entry_.size));
      if (checksum_ != entry_.checksum) corrupt("its checksum is wrong");
    }
    return found;
  }
  /// The size that a deflated entry declares is not believed.
  i64 remaining() const override { return entry_.method == 0 ? packed_.remaining() : -1; }

 private:
  [[noreturn]] void corrupt(const std::string& what) const {
    throw_format({where(),
                  "\"" + entry_.name + "\" of the archive is damaged: " + what,
                  {{"file", file()}},
                  "download or copy the file again"});
  }
  size_t inflated(std::uint8_t* out, size_t count) {
    size_t done = 0;
    while (done < count && !finished_) {
      if (stream_.avail_in == 0) {
        stream_.next_in = input_;
        stream_.avail_in = static_cast<uInt>(packed_.read(input_, sizeof input_));
      }
      const auto step = static_cast<uInt>(std::min<size_t>(count - done, 1U << 30));
      stream_.next_out = out + done;
      stream_.avail_out = step;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      done += step - stream_.avail_out;
      finished_ = result == Z_STREAM_END;
      if (result == Z_MEM_ERROR)
        throw_memory({where(), "no memory to unpack", {{"file", file()}}, "free some memory"});
      if (result == Z_BUF_ERROR && stream_.avail_in == 0 && packed_.remaining() == 0)
        corrupt("its data ends too early");
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        corrupt(stream_.msg != nullptr ? stream_.msg : "unexpected data");
    }
    return done;
  }

  PartSource packed_;
  ZipEntry entry_;
  z_stream stream_ = {};
  bool finished_ = false;
  std::uint32_t checksum_ = 0;
  i64 done_ = 0;
  std::uint8_t input_[1 << 15];
};

}  // namespace

std::vector<ZipEntry> zip_entries(const RandomBytes& bytes) {
  const Directory directory = find_directory(bytes);
  if (directory.entries < 0 || directory.entries > zip_max_entries)
    fail(bytes, bytes.size(),
         "the archive holds " + std::to_string(directory.entries) + " files; expected at most " +
             std::to_string(zip_max_entries),
         "the archive is damaged, or must be split");
  if (directory.at < 0 || directory.bytes < 0 || directory.bytes > bytes.size() ||
      directory.at > bytes.size() - directory.bytes)
    fail(bytes, bytes.size(), "the archive's list of files lies outside of it");
  std::vector<ZipEntry> entries;
  std::set<std::string> names;
  i64 at = directory.at, packed = 0;
  for (i64 i = 0; i < directory.entries; ++i) {
    const i64 place = at;
    entries.push_back(read_entry(bytes, at, directory.at + directory.bytes));
    // Files that share bytes would let a small archive unpack to any size.
    if (entries.back().packed > bytes.size() - packed)
      fail(bytes, place, "the files are larger together than the archive");
    packed += entries.back().packed;
    if (!names.insert(entries.back().name).second)
      fail(bytes, place, "two files of the archive have one name; expected one each",
           "numpy.savez() cannot have made it");
  }
  return entries;
}

std::unique_ptr<ByteSource> zip_source(const RandomBytes& bytes, const ZipEntry& entry) {
  std::uint8_t record[local_bytes];
  read(bytes, entry.at, record, local_bytes, "the header of a file");
  if (number(record, 4) != 0x04034B50) fail(bytes, entry.at, "the header of a file is damaged");
  const i64 first = entry.at + local_bytes + number(record + 26, 2) + number(record + 28, 2);
  if (entry.packed > bytes.size() || first > bytes.size() - entry.packed)
    fail(bytes, entry.at, "a file reaches beyond the end of the archive");
  return std::make_unique<EntrySource>(PartSource(bytes, entry, first), entry);
}

}  // namespace goneuron::data
