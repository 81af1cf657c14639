// data::generator: samples that a function of the user's makes of their number.
#include <cstring>

#include "core/message.h"
#include "data/dataset.h"
#include "goneuron/images.h"

namespace goneuron::data {

namespace {

/// "x [2] f32, y [] i32"
std::string types_text(const Samples& sample) {
  std::string text;
  for (const auto* tensors : {&sample.x, &sample.y})
    for (const Tensor& t : *tensors)
      text += (text.empty() ? "" : ", ") + std::string(tensors == &sample.x ? "x " : "y ") +
              type_text(t);
  return text;
}

class GeneratorSource : public Source {
 public:
  GeneratorSource(i64 size, Callable<Samples(i64)> function, std::string types, std::string where)
      : size_(size),
        function_(std::move(function)),
        types_(std::move(types)),
        where_(std::move(where)) {}
  i64 size() const override { return size_; }
  i64 probes() const override { return 0; }
  void read(const i64* rows, i64 count, void* const* memory) const override {
    for (i64 i = 0; i < count; ++i) {
      const Samples sample = made(rows[i]);
      if (types_text(sample) != types_)
        throw_data({where_,
                    "sample " + std::to_string(rows[i]) +
                        " is unlike sample 0; expected one shape and dtype",
                    {{"found", types_text(sample)}, {"sample 0", types_}},
                    "make the same shapes and dtypes for every number"});
      size_t c = 0;
      for (const auto* tensors : {&sample.x, &sample.y})
        for (const Tensor& t : *tensors)
          std::memcpy(static_cast<char*>(memory[c++]) + i * t.bytes(), t.raw(),
                      static_cast<size_t>(t.bytes()));
    }
  }

 private:
  Samples made(i64 row) const {
    const UserCode code;
    return function_(row);
  }

  i64 size_;
  Callable<Samples(i64)> function_;
  std::string types_, where_;
};

}  // namespace

Dataset generator(i64 size, const Callable<Sample(i64)>& function, Site site) {
  if (!function) return generator(size, Callable<Samples(i64)>(), site);
  return generator(size, Callable<Samples(i64)>([function](i64 index) {
                     const Sample sample = function(index);
                     return Samples{{sample.x}, {sample.y}};
                   }),
                   site);
}

Dataset generator(i64 size, const Callable<Samples(i64)>& function, Site site) {
  const std::string where = user_place("data::generator", site);
  if (size < 1 || !function)
    throw_data({where,
                function ? counted(size, "sample") + "; expected at least one"
                         : std::string("the function is empty; expected one of the number"),
                {},
                "data::generator(1000, [](i64 index) -> Sample { return {x, y}; })"});
  Samples first;
  {
    const UserCode code;
    first = function(0);
  }
  bool empty = first.x.empty() || first.y.empty();
  for (const auto* tensors : {&first.x, &first.y})
    for (const Tensor& t : *tensors) empty |= t.empty();
  if (empty)
    throw_data({where,
                "sample 0 is empty; expected inputs and targets of one element or more",
                {{"found", types_text(first)}},
                "return both x and y"});
  auto impl = std::make_shared<DatasetImpl>();
  for (const Tensor& t : first.x) impl->x.push_back({"", {}, t.shape(), t.dtype()});
  for (const Tensor& t : first.y) impl->y.push_back({"", {}, t.shape(), t.dtype()});
  impl->source = std::make_shared<GeneratorSource>(size, function, types_text(first), where);
  return Dataset(share(std::move(impl)));
}

}  // namespace goneuron::data
