// data::fashion_mnist (Xiao et al. 2017) and data::mnist (LeCun et al. 1998): four IDX files of the
// same names.
#include <unistd.h>

#include "core/message.h"
#include "data/idx.h"
#include "goneuron/dataset.h"

namespace goneuron::data {

namespace {

constexpr const char* debian_directory = "/usr/share/datasets/fashion-mnist";

struct Origin {
  std::string directory, where, missing_hint;
};

/// The plain file where it is there, else the gzip one, which then is the one errors name.
std::string find_file(const Origin& from, const std::string& name) {
  const std::string plain = from.directory + "/" + name;
  return access(plain.c_str(), F_OK) == 0 ? plain : plain + ".gz";
}

Tensor read_images(const Origin& from, const std::string& path) {
  const Tensor images = read_idx(path, from.where, from.missing_hint);
  const Shape& shape = images.shape();
  if (shape.rank() != 3 || images.dtype() != DType::u8)
    throw_format({from.where,
                  "the images are " + shape.str() + " " + dtype_name(images.dtype()) +
                      ", expected [count, height, width] u8",
                  {{"file", path}, {"byte", "2"}},
                  "check that the file is the one its name says"});
  return images.reshape({shape[0], shape[1], shape[2], 1});
}

Tensor read_labels(const Origin& from, const std::string& path) {
  Tensor labels = read_idx(path, from.where, from.missing_hint);
  if (labels.shape().rank() != 1 || labels.dtype() != DType::u8)
    throw_format({from.where,
                  "the labels are " + labels.shape().str() + " " + dtype_name(labels.dtype()) +
                      ", expected [count] u8",
                  {{"file", path}, {"byte", "2"}},
                  "check that the file is the one its name says"});
  return labels;
}

Dataset read_part(const Origin& from, const std::string& part, Site site) {
  const std::string image_path = find_file(from, part + "-images-idx3-ubyte");
  const std::string label_path = find_file(from, part + "-labels-idx1-ubyte");
  const Tensor x = read_images(from, image_path);
  const Tensor y = read_labels(from, label_path);
  if (x.shape()[0] != y.shape()[0])
    throw_format(
        {from.where,
         std::to_string(x.shape()[0]) + " images but " + std::to_string(y.shape()[0]) + " labels",
         {{"images", image_path}, {"labels", label_path}, {"byte", "4 of either"}},
         "both files must come from the same data set"});
  return {x, y, site};
}

std::string at(Site site) {
  const std::string text = site_text(site);
  return text.empty() ? "" : " (" + text + ")";
}

}  // namespace

TrainTest fashion_mnist(const std::string& directory, Site site) {
  const Origin from{
      directory.empty() ? debian_directory : directory, "data::fashion_mnist" + at(site),
      directory.empty() ? "`apt-get install dataset-fashion-mnist`"
                        : "put the four files there, plain or .gz, or `apt-get install "
                          "dataset-fashion-mnist` and leave the directory out"};
  return {read_part(from, "train", site), read_part(from, "t10k", site)};
}

TrainTest mnist(const std::string& directory, Site site) {
  const Origin from{directory, "data::mnist" + at(site),
                    "put MNIST's four files there, plain or .gz (Fashion-MNIST has the same names: "
                    "`apt-get install dataset-fashion-mnist`, data::fashion_mnist())"};
  return {read_part(from, "train", site), read_part(from, "t10k", site)};
}

}  // namespace goneuron::data
