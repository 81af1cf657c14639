// The reader of safetensors files: checks everything before it uses it, in this order: header
// length, JSON, dtypes, shapes, offsets, then the whole data section.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/message.h"
#include "core/ownership.h"
#include "io/json_text.h"
#include "io/safetensors.h"
#include "io/safetensors_dtype.h"

namespace goneuron {

namespace {
constexpr size_t max_header = 100'000'000;  // as the reference implementation
constexpr size_t slack = 1 << 20;

[[noreturn]] void fail(const std::string& name, size_t byte, const std::string& what,
                       const std::string& hint) {
  throw_format({.where = name, .what = fmt::format("byte {}: {}", byte, what), .hint = hint});
}
constexpr auto damaged = "the file is truncated or damaged: copy or save it again";

size_t header_length(const std::uint8_t* bytes, size_t size, const std::string& name) {
  if (size < 8)
    fail(name, size, fmt::format("the file ends here, expected the 8 bytes of the header's length"),
         "it is no safetensors file, or it is truncated");
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | bytes[i];
  if (length > max_header)
    fail(name, 0, fmt::format("the header's length is {}, expected at most {}", length, max_header),
         "it is no safetensors file, or it is damaged");
  if (length > size - 8)
    fail(name, 0,
         fmt::format("the header's length is {}, but the file has only {} bytes after it", length,
                     size - 8),
         damaged);
  return static_cast<size_t>(length);
}

struct Counts {
  size_t tensors = 0, metadata = 0, text = 0;
};

// Goes through the header. With a file: keeps what it reads; without: counts it, so that nothing is
// allocated before it is known how much.
class HeaderReader {
 public:
  HeaderReader(std::string_view header, const std::string& name, SafetensorsFile* file)
      : json_(header, name, [](size_t at) { return at + 8; }), file_(file) {}

  Counts read() {
    if (json_.peek() != '{' || json_.position() != 0)
      json_.fail_at(0, "a header that does not start with '{'");
    json_.begin('{');
    while (json_.more()) {
      const size_t byte = json_.position() + 8;
      std::string name = json_.key();
      if (name == "__metadata__")
        read_metadata(byte);
      else
        read_tensor(std::move(name), byte);
    }
    json_.finish();
    return counts_;
  }

 private:
  void read_metadata(size_t byte) {
    if (seen_metadata_) json_.fail_at(byte - 8, "\"__metadata__\" comes twice");
    seen_metadata_ = true;
    json_.begin('{');
    while (json_.more()) {
      std::string key = json_.key();
      const size_t at = json_.position() + 9;  // past the quote
      std::string value = json_.string();
      ++counts_.metadata;
      counts_.text += key.size() + value.size() + 2;
      if (file_) file_->metadata.push_back({std::move(key), std::move(value), at});
    }
  }

  void read_tensor(std::string name, size_t byte) {
    FileTensor tensor{.name = std::move(name), .byte = byte};
    bool has_dtype = false, has_shape = false, has_offsets = false;
    json_.begin('{');
    while (json_.more()) {
      const size_t at = json_.position();
      const std::string field = json_.key();
      bool& seen = field == "dtype" ? has_dtype : field == "shape" ? has_shape : has_offsets;
      if (field != "dtype" && field != "shape" && field != "data_offsets")
        json_.fail_at(at, fmt::format("{} has a field {}, expected dtype, shape and data_offsets",
                                      shown(tensor.name), shown(field)));
      if (seen)
        json_.fail_at(at, fmt::format("{} has the field \"{}\" twice", shown(tensor.name), field));
      seen = true;
      if (field == "dtype")
        read_dtype(tensor);
      else if (field == "shape")
        read_shape(tensor);
      else
        read_offsets(tensor);
    }
    if (!has_dtype || !has_shape || !has_offsets)
      json_.fail_at(byte - 8, fmt::format("{} has no {}", shown(tensor.name),
                                          !has_dtype   ? "dtype"
                                          : !has_shape ? "shape"
                                                       : "data_offsets"));
    ++counts_.tensors;
    counts_.text += tensor.name.size() + 1;
    if (file_) file_->tensors.push_back(std::move(tensor));
  }

  void read_dtype(FileTensor& tensor) {
    const size_t at = json_.position();
    const std::string text = json_.string();
    const FileDType* dtype = file_dtype(text);
    if (!dtype)
      json_.fail_at(at, fmt::format("{} has the dtype {}, expected one of {}", shown(tensor.name),
                                    shown(text), file_dtype_names()));
    tensor.dtype = dtype->name;
  }

  void read_shape(FileTensor& tensor) {
    const size_t at = json_.position();
    std::vector<i64> dims;
    json_.begin('[');
    while (json_.more()) {
      if (dims.size() == Shape::max_rank)
        json_.fail_at(
            at, fmt::format("{} has more than {} dimensions", shown(tensor.name), Shape::max_rank));
      dims.push_back(json_.integer(0, INT64_MAX, "a dimension"));
    }
    tensor.shape = Shape(dims);
  }

  void read_offsets(FileTensor& tensor) {
    json_.begin('[');
    for (size_t* offset : {&tensor.begin, &tensor.end}) {
      if (!json_.more())
        json_.fail(fmt::format("{} has too few data_offsets, expected 2", shown(tensor.name)));
      *offset = static_cast<size_t>(json_.integer(0, INT64_MAX, "an offset"));
    }
    json_.end();
  }

  JsonReader json_;
  SafetensorsFile* file_;
  Counts counts_;
  bool seen_metadata_ = false;
};

// Bytes that the shape and dtype of a tensor need.
size_t needed_bytes(const FileTensor& tensor, const std::string& path) {
  i64 bytes = file_dtype(tensor.dtype)->size;
  bool zero = false;
  for (const i64 dim : tensor.shape) {
    zero = zero || dim == 0;
    if (dim != 0 && __builtin_mul_overflow(bytes, dim, &bytes))
      fail(path, tensor.byte,
           fmt::format("{} has the shape {}, whose size does not fit in 64 bits",
                       shown(tensor.name), tensor.shape.str()),
           damaged);
  }
  return zero ? 0 : static_cast<size_t>(bytes);
}

// Every byte of the data section belongs to one tensor.
void check_layout(SafetensorsFile& file, size_t start, size_t data_size) {
  std::sort(file.tensors.begin(), file.tensors.end(), [](const FileTensor& a, const FileTensor& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  size_t at = 0;
  for (const FileTensor& tensor : file.tensors) {
    const auto bad = [&](const std::string& what) {
      fail(file.path, tensor.byte,
           fmt::format("{} is at [{}, {}] of the data, {}", shown(tensor.name), tensor.begin,
                       tensor.end, what),
           damaged);
    };
    if (tensor.begin > tensor.end) bad("which ends before it begins");
    if (tensor.end > data_size)
      bad(fmt::format("which has only {} bytes (from byte {} to the file's end at {})", data_size,
                      start, start + data_size));
    if (const size_t needed = needed_bytes(tensor, file.path); needed != tensor.end - tensor.begin)
      bad(fmt::format("{} bytes; its shape {} of {} needs {}", tensor.end - tensor.begin,
                      tensor.shape.str(), tensor.dtype, needed));
    if (tensor.begin < at)
      bad(fmt::format("which overlaps the tensor before it, that ends at {}", at));
    if (tensor.begin > at) bad(fmt::format("which leaves a hole after {}", at));
    at = tensor.end;
  }
  if (at != data_size)
    fail(file.path, start + at,
         fmt::format("the last tensor ends here, but {} more bytes follow", data_size - at),
         damaged);
}

template <class Items, class Name>
void sort_by_name(Items& items, Name name, const std::string& path, const char* what) {
  std::sort(items.begin(), items.end(), [&](const auto& a, const auto& b) {
    return std::tie(name(a), a.byte) < std::tie(name(b), b.byte);
  });
  const auto twice = std::adjacent_find(
      items.begin(), items.end(), [&](const auto& a, const auto& b) { return name(a) == name(b); });
  if (twice != items.end())
    fail(path, (twice + 1)->byte,
         fmt::format("the {} {} comes twice, first at byte {}", what, shown(name(*twice)),
                     twice->byte),
         "names must differ: write the file again");
}

void check_budget(SafetensorsFile& file, const Counts& counts, size_t size) {
  const size_t budget = 2 * size + slack;
  const size_t used =
      counts.tensors * sizeof(FileTensor) + counts.metadata * sizeof(Metadatum) + counts.text;
  if (used > budget)
    fail(file.path, 8,
         fmt::format("{} tensors and {} metadata in {} bytes: keeping track of them would take {} "
                     "bytes, over the "
                     "limit of twice the file's size + 1 MB",
                     counts.tensors, counts.metadata, size, used),
         "join small tensors into larger ones");
  file.memory_left = budget - used;
}

// Tensors over the file's memory; those that are not aligned for their dtype are copied.
void make_tensors(SafetensorsFile& file, std::uint8_t* data) {
  for (FileTensor& entry : file.tensors) {
    const FileDType& known = *file_dtype(entry.dtype);
    entry.readable = known.has_tensor;
    if (!entry.readable) continue;
    std::uint8_t* at = data + entry.begin;
    const size_t bytes = entry.end - entry.begin;
    if (bytes == 0) {
      entry.tensor = Tensor(entry.shape, known.dtype);
    } else if (reinterpret_cast<std::uintptr_t>(at) % static_cast<size_t>(known.size) == 0) {
      entry.tensor = Tensor::adopt(owned(file.owner), at, entry.shape, known.dtype);
    } else {
      entry.tensor = Tensor(entry.shape, known.dtype);
      std::memcpy(entry.tensor.raw(), at, bytes);
      file.memory_left -= std::min(file.memory_left, bytes);
    }
  }
}
}  // namespace

SafetensorsFile parse_safetensors(const std::uint8_t* bytes, size_t size, const std::string& name,
                                  std::shared_ptr<void> owner) {
  const size_t length = header_length(bytes, size, name);
  SafetensorsFile file{.path = name,
                       .header = {reinterpret_cast<const char*>(bytes) + 8, length},
                       .owner = std::move(owner)};
  const Counts counts = HeaderReader(file.header, name, nullptr).read();
  check_budget(file, counts, size);
  file.tensors.reserve(counts.tensors);
  file.metadata.reserve(counts.metadata);
  HeaderReader(file.header, name, &file).read();
  check_layout(file, 8 + length, size - 8 - length);
  sort_by_name(
      file.tensors, [](const FileTensor& t) -> const std::string& { return t.name; }, name,
      "tensor");
  sort_by_name(
      file.metadata, [](const Metadatum& m) -> const std::string& { return m.key; }, name,
      "metadata key");
  make_tensors(file, const_cast<std::uint8_t*>(bytes) + 8 + length);
  return file;
}

SafetensorsFile read_safetensors(const std::string& path) {
  const auto failed = [&](const char* what, int error) {
    throw_format({.where = path,
                  .what = fmt::format("{}: {}", what, std::strerror(error)),
                  .hint = "check the path, and that this user may read the file"});
  };
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) failed("cannot be opened", errno);
  const std::shared_ptr<void> closer(nullptr, [descriptor](void*) { close(descriptor); });
  struct stat info {};
  if (fstat(descriptor, &info) != 0) failed("cannot be examined", errno);
  if (!S_ISREG(info.st_mode))
    throw_format({.where = path,
                  .what = S_ISDIR(info.st_mode)
                              ? "is a folder, expected a .safetensors file"
                              : "is a device or a pipe, expected a .safetensors file",
                  .hint = "give the path of a file"});
  const auto size = static_cast<size_t>(info.st_size);
  if (size < 8) return parse_safetensors(nullptr, size, path);
  // Private and writable: a tensor of the file may be changed without changing the file.
  void* memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0);
  if (memory == MAP_FAILED) failed("cannot be mapped into memory", errno);
  const std::shared_ptr<void> owner(memory, [size](void* mapped) { munmap(mapped, size); });
  return parse_safetensors(static_cast<const std::uint8_t*>(memory), size, path, owner);
}

}  // namespace goneuron
