#include "data/jpeg_memory.h"

#include <fcntl.h>
#include <jerror.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace goneuron::data {

namespace {

/// For the tables of codes, which come after the arrays; those of a scan take 12 KiB.
constexpr size_t for_tables = size_t{32} << 10;

}  // namespace

/// Row r of blocks is rows[r]: for good where r < kept, else when place r % strip holds it.
struct JpegMemory::Array {
  Array* next;
  JDIMENSION blocks, count, strip;  // of a row; rows; the most that are asked for at once
  JDIMENSION kept;
  JBLOCKARRAY rows;
  struct Place {
    JDIMENSION row;  // none: count
    bool changed;
  } * places;
  long offset;  // of row `kept` in the file

  size_t row_bytes() const { return blocks * sizeof(JBLOCK); }
};

namespace {

JpegMemory& memory_of(j_common_ptr jpeg) { return *static_cast<JpegMemory*>(jpeg->client_data); }

[[noreturn]] void leave(j_common_ptr jpeg) {
  jpeg->err->error_exit(jpeg);
  std::abort();  // error_exit does not return
}

void count(j_common_ptr jpeg, size_t bytes) {
  JpegMemory& memory = memory_of(jpeg);
  memory.taken += bytes;
  if (memory.taken <= memory.allowed) return;
  memory.refused = true;
  leave(jpeg);
}

[[noreturn]] void fail_file(j_common_ptr jpeg, const char* what, int error) {
  JpegMemory& memory = memory_of(jpeg);
  std::snprintf(memory.file_fault, sizeof memory.file_fault,
                "the JPEG of several scans needs a temporary file of %ld bytes, and %s: %s",
                memory.file_bytes, what, std::strerror(error));
  leave(jpeg);
}

/// A file without a name, in TMPDIR or /tmp; -1 and errno where there can be none.
int open_temporary() {
  const char* set = std::getenv("TMPDIR");
  const std::string folder = set != nullptr && *set != '\0' ? set : "/tmp";
  std::string path = folder + "/goneuron_XXXXXX";
  const int file = ::mkostemp(path.data(), O_CLOEXEC);
  if (file >= 0) ::unlink(path.c_str());
  return file;
}

/// The row of a place to the file, or from it.
void transfer(j_common_ptr jpeg, const JpegMemory::Array& array, JDIMENSION row, bool write) {
  char* bytes = reinterpret_cast<char*>(array.rows[row]);
  const size_t size = array.row_bytes();
  const long at = array.offset + static_cast<long>((row - array.kept) * size);
  for (size_t done = 0; done < size;) {
    const int file = memory_of(jpeg).file;
    const off_t from = at + static_cast<long>(done);
    const ssize_t moved = write ? ::pwrite(file, bytes + done, size - done, from)
                                : ::pread(file, bytes + done, size - done, from);
    if (moved < 0 && errno == EINTR) continue;
    if (moved <= 0)
      fail_file(jpeg, write ? "writing to it failed" : "reading it failed",
                moved < 0 ? errno : EIO);
    done += static_cast<size_t>(moved);
  }
}

jvirt_barray_ptr request_array(j_common_ptr jpeg, int pool, boolean /*zeroed: always*/,
                               JDIMENSION blocks, JDIMENSION rows, JDIMENSION at_once) {
  JpegMemory& memory = memory_of(jpeg);
  auto* array = static_cast<JpegMemory::Array*>(
      jpeg->mem->alloc_small(jpeg, pool, sizeof(JpegMemory::Array)));
  *array = {memory.arrays, blocks, rows, std::min(at_once, rows), rows, nullptr, nullptr, 0};
  memory.arrays = array;
  return reinterpret_cast<jvirt_barray_ptr>(array);
}

void realize(j_common_ptr jpeg, JpegMemory::Array& array) {
  JpegMemory& memory = memory_of(jpeg);
  const JDIMENSION in_memory = array.kept + (array.kept < array.count ? array.strip : 0);
  JBLOCKARRAY rows = jpeg->mem->alloc_barray(jpeg, JPOOL_IMAGE, array.blocks, in_memory);
  for (JDIMENSION r = 0; r < in_memory; ++r) std::memset(rows[r], 0, array.row_bytes());
  array.rows = static_cast<JBLOCKARRAY>(
      jpeg->mem->alloc_large(jpeg, JPOOL_IMAGE, array.count * sizeof(JBLOCKROW)));
  for (JDIMENSION r = 0; r < array.count; ++r)
    array.rows[r] = rows[r < array.kept ? r : array.kept + r % array.strip];
  if (array.kept == array.count) return;
  array.places = static_cast<JpegMemory::Array::Place*>(
      jpeg->mem->alloc_small(jpeg, JPOOL_IMAGE, array.strip * sizeof(JpegMemory::Array::Place)));
  std::fill_n(array.places, array.strip, JpegMemory::Array::Place{array.count, false});
  array.offset = memory.file_bytes;
  memory.file_bytes += static_cast<long>((array.count - array.kept) * array.row_bytes());
}

/// As many rows of each array are kept as there is room for, in proportion.
void realize_arrays(j_common_ptr jpeg) {
  JpegMemory& memory = memory_of(jpeg);
  size_t all = 0, least = for_tables;
  for (const auto* array = memory.arrays; array != nullptr; array = array->next) {
    all += array->count * array->row_bytes();
    least += array->strip * (array->row_bytes() + sizeof *array->places) +
             array->count * sizeof(JBLOCKROW);
  }
  const size_t room = memory.allowed - std::min(memory.allowed, memory.taken + least);
  for (auto* array = memory.arrays; array != nullptr; array = array->next) {
    if (all > room) {
      const double part = static_cast<double>(room) / static_cast<double>(all);
      array->kept = static_cast<JDIMENSION>(part * array->count);
      if (array->kept + array->strip >= array->count) array->kept = array->count;
    }
    realize(jpeg, *array);
  }
  memory.library.realize_virt_arrays(jpeg);
  if (memory.file_bytes == 0) return;
  memory.file = open_temporary();
  memory.has_file = memory.file >= 0;
  if (!memory.has_file) fail_file(jpeg, "it cannot be made", errno);
  // Rows that were never written read as zeros.
  if (::ftruncate(memory.file, memory.file_bytes) != 0)
    fail_file(jpeg, "it cannot be made so large", errno);
}

JBLOCKARRAY access_array(j_common_ptr jpeg, jvirt_barray_ptr pointer, JDIMENSION start,
                         JDIMENSION rows, boolean writable) {
  JpegMemory::Array& array = *reinterpret_cast<JpegMemory::Array*>(pointer);
  if (rows > array.strip || start > array.count - rows || array.rows == nullptr) {
    jpeg->err->msg_code = JERR_BAD_VIRTUAL_ACCESS;
    leave(jpeg);
  }
  // Smoothing in libjpeg-turbo 2.1 looks at a row more than it asks for.
  if (writable == FALSE) rows = std::min(array.strip, array.count - start);
  for (JDIMENSION r = std::max(start, array.kept); r < start + rows; ++r) {
    JpegMemory::Array::Place& place = array.places[r % array.strip];
    if (place.row != r) {
      if (place.changed) transfer(jpeg, array, place.row, true);
      transfer(jpeg, array, r, false);
      place = {r, false};
    }
    place.changed |= writable != FALSE;
  }
  return array.rows + start;
}

// What libjpeg takes for itself. Its arrays call its other functions past these.
void* take_small(j_common_ptr jpeg, int pool, size_t bytes) {
  count(jpeg, bytes);
  return memory_of(jpeg).library.alloc_small(jpeg, pool, bytes);
}
void* take_large(j_common_ptr jpeg, int pool, size_t bytes) {
  count(jpeg, bytes);
  return memory_of(jpeg).library.alloc_large(jpeg, pool, bytes);
}
JSAMPARRAY take_samples(j_common_ptr jpeg, int pool, JDIMENSION width, JDIMENSION rows) {
  count(jpeg, rows * (size_t{width} + 64 + sizeof(JSAMPROW)));
  return memory_of(jpeg).library.alloc_sarray(jpeg, pool, width, rows);
}
JBLOCKARRAY take_blocks(j_common_ptr jpeg, int pool, JDIMENSION blocks, JDIMENSION rows) {
  count(jpeg, rows * (blocks * sizeof(JBLOCK) + sizeof(JBLOCKROW)));
  return memory_of(jpeg).library.alloc_barray(jpeg, pool, blocks, rows);
}

}  // namespace

void JpegMemory::set_up(j_common_ptr jpeg, size_t most) {
  allowed = most;
  library = *jpeg->mem;
  jpeg->mem->alloc_small = take_small;
  jpeg->mem->alloc_large = take_large;
  jpeg->mem->alloc_sarray = take_samples;
  jpeg->mem->alloc_barray = take_blocks;
  jpeg->mem->request_virt_barray = request_array;
  jpeg->mem->realize_virt_arrays = realize_arrays;
  jpeg->mem->access_virt_barray = access_array;
}

void JpegMemory::finish() {
  if (has_file) ::close(file);
  has_file = false;
}

}  // namespace goneuron::data
