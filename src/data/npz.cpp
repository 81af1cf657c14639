#include "data/npz.h"

#include <algorithm>

#include "core/message.h"
#include "data/npy.h"

namespace goneuron::data {

NamedTensors::NamedTensors(std::vector<Tensors::Item> items) : items_(std::move(items)) {}

std::vector<std::string> NamedTensors::names() const {
  std::vector<std::string> all;
  for (const Tensors::Item& item : items_) all.push_back(item.name);
  return all;
}

bool NamedTensors::has(const std::string& name) const {
  return std::any_of(items_.begin(), items_.end(),
                     [&](const Tensors::Item& item) { return item.name == name; });
}

const Tensor& NamedTensors::get(const std::string& name, Site site) const {
  for (const Tensors::Item& item : items_)
    if (item.name == name) return item.tensor;
  throw_data({user_place("data::NamedTensors::get", site),
              "there is no array \"" + name + "\"; expected one of " +
                  (items_.empty() ? "none" : quoted_list(names())),
              {},
              "numpy.savez(\"x.npz\", " + name + "=..) gives arrays their names"});
}

NamedTensors decode_npz(const RandomBytes& bytes) {
  std::vector<Tensors::Item> items;
  i64 total = 0;
  for (const ZipEntry& entry : zip_entries(bytes)) {
    const std::string& name = entry.name;
    const bool npy = name.size() > 4 && name.compare(name.size() - 4, 4, ".npy") == 0;
    if (!npy)
      throw_format({bytes.where(),
                    "\"" + name + "\" of the archive is no array; expected names ending in .npy",
                    {{"file", bytes.file()}},
                    "make it by numpy.savez(\"x.npz\", a=a, b=b)"});
    const auto source = zip_source(bytes, entry);
    Tensor tensor = decode_npy(*source);
    total += tensor.bytes();
    if (total > npy_max_bytes)
      throw_format({bytes.where(),
                    "the arrays are larger than " + std::to_string(npy_max_bytes) +
                        " bytes together; expected less",
                    {{"file", bytes.file()}},
                    "save them in several files"});
    items.emplace_back(name.substr(0, name.size() - 4), std::move(tensor));
  }
  return NamedTensors(std::move(items));
}

NamedTensors npz(const std::string& path, Site site) {
  return decode_npz(
      *random_file(path, user_place("data::npz", site),
                   "check the path; numpy.savez(\"x.npz\", x=x, y=y) writes such files"));
}

}  // namespace goneuron::data
