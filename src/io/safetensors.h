// Safetensors: the file format of models, https://huggingface.co/docs/safetensors. Used by
// model_file and weights.
//   8 bytes           N, the header's length, unsigned little-endian, at most 100,000,000
//   N bytes           JSON {"__metadata__": {text: text}, NAME: {"dtype", "shape", "data_offsets":
//   [begin, end]}},
//                     padded with blanks
//   the rest          the tensors' bytes, little-endian, row-major, without holes or overlaps
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "goneuron/tensor.h"

namespace goneuron {

struct NamedTensor {
  std::string name;
  Tensor tensor;
  size_t byte = 0;  // where the file that it was read from speaks of it
};

/// A tensor of a file.
struct FileTensor {
  std::string name;
  const char* dtype = "";  // as in the file: "F32"
  Shape shape;
  Tensor tensor;
  bool readable = false;      // false: its dtype (I64, BOOL, ...) is one that Tensor does not have
  size_t begin = 0, end = 0;  // bytes of the data section
  size_t byte = 0;            // where the file speaks of it
};

struct Metadatum {
  std::string key, value;
  size_t byte = 0;  // of the value's first character
};

struct SafetensorsFile {
  std::string path;
  std::vector<FileTensor> tensors;  // by name
  std::vector<Metadatum> metadata;  // by key
  std::string_view header;          // in the file's memory, which `owner` keeps
  size_t memory_left = 0;           // of the reader's budget, twice the file + 1 MB
  std::shared_ptr<void> owner;

  /// Null when there is none of that name.
  const FileTensor* find(std::string_view name) const;
  const Metadatum* find_metadata(std::string_view key) const;
  /// The tensor `name`. FormatError when it is missing, or of a dtype that Tensor does not have.
  const Tensor& tensor(std::string_view name) const;
  /// The byte of the file that character `position` of a metadatum's value comes from.
  size_t byte_of(const Metadatum& metadatum, size_t position) const;
};

/// Reads a file. The tensors share its memory, mapped copy-on-write (those that the file does not
/// align are copied). FormatError: path, byte, what is wrong.
SafetensorsFile read_safetensors(const std::string& path);
/// The same from memory: `bytes` must outlive the result, or be kept alive by `owner`.
SafetensorsFile parse_safetensors(const std::uint8_t* bytes, size_t size, const std::string& name,
                                  std::shared_ptr<void> owner = nullptr);

using StringPairs = std::vector<std::pair<std::string, std::string>>;

/// Writes a file, atomically. Tensors are laid out by falling element size, so that each is
/// aligned; the same arguments give the same bytes. The header has at least `min_header` bytes.
/// FormatError when it cannot be written.
void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const StringPairs& metadata = {}, size_t min_header = 0);

}  // namespace goneuron
