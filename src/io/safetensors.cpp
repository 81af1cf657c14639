// What reader and writer of safetensors share: the dtypes, lookups by name, and the writer itself.
#include "io/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "core/message.h"
#include "io/atomic_file.h"
#include "io/json_text.h"
#include "io/safetensors_dtype.h"

namespace goneuron {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

namespace {
constexpr FileDType file_dtypes[] = {
    {"F32", 4, true, DType::f32},  {"F64", 8, true, DType::f64},      {"BF16", 2, true, DType::bf16},
    {"F16", 2, true, DType::f16},  {"I32", 4, true, DType::i32},      {"I16", 2, true, DType::i16},
    {"I8", 1, true, DType::i8},    {"U8", 1, true, DType::u8},        {"I64", 8, false, DType::f32},
    {"BOOL", 1, false, DType::u8}, {"U16", 2, false, DType::f32},     {"U32", 4, false, DType::f32},
    {"U64", 8, false, DType::f32}, {"F8_E4M3", 1, false, DType::f32}, {"F8_E5M2", 1, false, DType::f32},
    {"C64", 8, false, DType::f32}};
}  // namespace

const FileDType* file_dtype(std::string_view name) {
  for (const FileDType& dtype : file_dtypes)
    if (dtype.name == name) return &dtype;
  return nullptr;
}

const FileDType& file_dtype(DType dtype) {
  const FileDType* found = &file_dtypes[0];
  while (!found->has_tensor || found->dtype != dtype) ++found;
  return *found;
}

std::string file_dtype_names() {
  std::string names;
  for (const FileDType& dtype : file_dtypes) names += fmt::format("{}{}", names.empty() ? "" : ", ", dtype.name);
  return names;
}

const FileTensor* SafetensorsFile::find(std::string_view name) const {
  const auto at = std::lower_bound(tensors.begin(), tensors.end(), name,
                                   [](const FileTensor& tensor, std::string_view wanted) { return tensor.name < wanted; });
  return at != tensors.end() && at->name == name ? &*at : nullptr;
}

const Metadatum* SafetensorsFile::find_metadata(std::string_view key) const {
  const auto at = std::lower_bound(metadata.begin(), metadata.end(), key,
                                   [](const Metadatum& item, std::string_view wanted) { return item.key < wanted; });
  return at != metadata.end() && at->key == key ? &*at : nullptr;
}

const Tensor& SafetensorsFile::tensor(std::string_view name) const {
  const FileTensor* found = find(name);
  if (!found)
    throw_format({.where = path,
                  .what = fmt::format("there is no tensor {} among its {}", shown(name), tensors.size()),
                  .hint = "the file belongs to another model, or is damaged"});
  if (!found->readable)
    throw_format({.where = path,
                  .what = fmt::format("byte {}: the tensor {} is {}, which tensors here cannot be", found->byte,
                                      shown(name), found->dtype),
                  .hint = "convert it to F32 or I32 in the program that writes the file"});
  return found->tensor;
}

size_t SafetensorsFile::byte_of(const Metadatum& metadatum, size_t position) const {
  // One character of the value comes from one of the file, or from an escape of 2, 6 or (surrogates) 12.
  const std::string_view raw = header.substr(metadatum.byte - 8);
  size_t at = 0, value = 0;
  while (value < position && at < raw.size() && raw[at] != '"') {
    if (raw[at] != '\\') {
      ++at, ++value;
    } else if (raw[at + 1] != 'u') {
      at += 2, ++value;
    } else {
      const size_t length = std::max<size_t>(1, utf8_length(metadatum.value, value));
      at += length == 4 ? 12 : 6;
      value += length;
    }
  }
  return metadatum.byte + at;
}

namespace {
std::string entry_text(const NamedTensor& item, i64 begin, i64 end) {
  std::string dims;
  for (const i64 dim : item.tensor.shape()) dims += fmt::format("{}{}", dims.empty() ? "" : ",", dim);
  return fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", json_quote(item.name),
                     file_dtype(item.tensor.dtype()).name, dims, begin, end);
}

void check_names(const std::string& path, const std::vector<NamedTensor>& tensors, const StringPairs& metadata) {
  std::vector<std::string_view> names, keys;
  for (const NamedTensor& item : tensors) names.push_back(item.name);
  for (const auto& item : metadata) keys.push_back(item.first);
  names.push_back("__metadata__");
  for (auto* list : {&names, &keys}) {
    std::sort(list->begin(), list->end());
    const auto twice = std::adjacent_find(list->begin(), list->end());
    if (twice != list->end())
      throw_format({.where = path, .what = fmt::format("two of its entries would be called {}", shown(*twice)),
                    .hint = "give layers and weights different names"});
  }
}
}  // namespace

void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors, const StringPairs& metadata,
                       size_t min_header) {
  check_names(path, tensors, metadata);
  std::vector<const NamedTensor*> order;
  for (const NamedTensor& item : tensors) order.push_back(&item);
  std::stable_sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return dtype_size(a->tensor.dtype()) > dtype_size(b->tensor.dtype());
  });
  std::string header = "{";
  const auto separate = [&] { header += header.size() > 1 ? "," : ""; };
  if (!metadata.empty()) {
    std::string pairs;
    for (const auto& [key, value] : metadata)
      pairs += fmt::format("{}{}:{}", pairs.empty() ? "" : ",", json_quote(key), json_quote(value));
    header += "\"__metadata__\":{" + pairs + "}";
  }
  i64 at = 0;
  for (const NamedTensor* item : order) {
    separate();
    header += entry_text(*item, at, at + item->tensor.bytes());
    at += item->tensor.bytes();
  }
  header += "}";
  // Padded so that the data starts at a multiple of 8.
  header.resize((std::max(header.size(), min_header) + 7) / 8 * 8, ' ');
  if (header.size() > 100'000'000)
    throw_format({.where = path,
                  .what = fmt::format("its header would have {} bytes, the format's limit is 100000000", header.size()),
                  .hint = "the model has too many layers or too long names for one file"});
  AtomicFile file(path);
  const std::uint64_t length = header.size();
  file.write(&length, sizeof length);
  file.write(header);
  for (const NamedTensor* item : order) file.write(item->tensor.raw(), static_cast<size_t>(item->tensor.bytes()));
  file.commit();
}

}  // namespace goneuron
