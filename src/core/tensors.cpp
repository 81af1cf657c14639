// Tensors: its constructors, out of a header that every program reads.
#include "goneuron/tensors.h"

namespace goneuron {

Tensors::Tensors(const Tensor& one) : tensors(1, one) {}
Tensors::Tensors(std::initializer_list<Tensor> list) : tensors(list) {}
Tensors::Tensors(const std::vector<Tensor>& list) : tensors(list) {}
Tensors::Tensors(std::initializer_list<Item> list) : Tensors(std::vector<Item>(list)) {}
Tensors::Tensors(const std::vector<Item>& list) {
  for (const Item& item : list) {
    names.push_back(item.name);
    tensors.push_back(item.tensor);
  }
}

}  // namespace goneuron
