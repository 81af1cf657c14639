// Tensors: the inputs or the targets of a model that has several, by position or by name.
// Taken by Dataset, and by the functions of Model that take data.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "goneuron/tensor.h"

namespace goneuron {

/// {a, b} in the model's order, or {{"image", a}, {"size", b}} in any order.
class Tensors {
 public:
  struct Item {
    Item(const std::string& name, const Tensor& tensor) : name(name), tensor(tensor) {}
    std::string name;
    Tensor tensor;
  };

  Tensors() = default;
  Tensors(const Tensor& one);                   // NOLINT: converts
  Tensors(std::initializer_list<Tensor> list);  // NOLINT: converts
  Tensors(const std::vector<Tensor>& list);     // NOLINT: converts
  Tensors(std::initializer_list<Item> list);    // NOLINT: converts
  Tensors(const std::vector<Item>& list);       // NOLINT: converts

  std::vector<std::string> names;  ///< empty: by position
  std::vector<Tensor> tensors;
};

}  // namespace goneuron
