// Files of arrays: NumPy's .npy and .npz, read by our own code with every size checked.
// For data that was prepared in Python, and for taking results there.
#pragma once

#include <string>
#include <utility>

#include "goneuron/tensors.h"

namespace goneuron::data {

/// Tensors by name, in the order of their file.
class NamedTensors {
 public:
  NamedTensors() = default;
  explicit NamedTensors(std::vector<Tensors::Item> items);
  i64 size() const { return static_cast<i64>(items_.size()); }
  std::vector<std::string> names() const;
  bool has(const std::string& name) const;
  /// Throws DataError listing the names that there are.
  const Tensor& get(const std::string& name, Site site = Site::here()) const;
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

 private:
  std::vector<Tensors::Item> items_;
};

/// A .npy file of the versions 1.0, 2.0 and 3.0, plain or gzip
/// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): C or Fortran order,
/// either byte order; bool and u1 as u8, i1, i2, i4, f2, f4, f8 as they are, u2 as i32, and u4, i8,
/// u8 as i32 where every number fits. Throws FormatError naming the file and the byte for other
/// types (complex numbers, text, Python objects) and for what is damaged.
Tensor npy(const std::string& path, Site site = Site::here());
/// The arrays of a .npz file (numpy.savez, numpy.savez_compressed), checksums verified; without
/// ".npy" behind the names. Throws FormatError naming the file and the array.
NamedTensors npz(const std::string& path, Site site = Site::here());
/// Writes version 1.0, which numpy.load() reads. Throws TypeError for bf16, which NumPy lacks, and
/// DataError where the file cannot be written.
void save_npy(const std::string& path, const Tensor& tensor, Site site = Site::here());

}  // namespace goneuron::data
