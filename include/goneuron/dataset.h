// Dataset: samples with targets, and how to go through them; a cheap handle, built up by chaining.
// Arrays in memory are gathered straight into the step's input; files and maps are prefetched on a
// thread.
#pragma once

#include <functional>

#include "goneuron/site.h"
#include "goneuron/tensor.h"

namespace goneuron {

struct DatasetImpl;

/// One sample and its target, without the batch axis.
struct Sample {
  Tensor x, y;
};
struct TrainTest;

class Dataset {
 public:
  Dataset() = default;
  explicit Dataset(std::shared_ptr<const DatasetImpl> impl)
      : impl_(static_cast<std::shared_ptr<const DatasetImpl>&&>(impl)) {}
  /// Samples along the first axis, shared, not copied. Throws DataError when the counts differ or
  /// are 0.
  Dataset(const Tensor& x, const Tensor& y, Site site = Site::here());

  /// Samples; the shapes of one.
  i64 size() const;
  Shape x_shape() const;
  Shape y_shape() const;
  DType x_dtype() const;
  DType y_dtype() const;

  /// Every sample through `function`, each time it is read; shapes must stay alike from sample to
  /// sample.
  Dataset map(std::function<Sample(const Sample&)> function, Site site = Site::here()) const;
  /// Another order in every epoch, decided by `seed` and the epoch alone.
  Dataset shuffle(std::uint64_t seed, Site site = Site::here()) const;
  /// Samples a batch, for fit() and evaluate() when they are given no batch size.
  Dataset batch(i64 size, Site site = Site::here()) const;
  /// On: the next batch is filled on another thread even for data in memory; off: never. Default:
  /// where a map is.
  Dataset prefetch(bool on = true, Site site = Site::here()) const;
  /// {the first fraction, the rest}. Throws DataError unless 0 < fraction < 1 leaves both with
  /// samples.
  TrainTest split(double fraction, Site site = Site::here()) const;
  /// The first `count` samples.
  Dataset take(i64 count, Site site = Site::here()) const;
  /// The samples as two tensors {x, y}; no copy where the data is in memory as it stands.
  Sample arrays(Site site = Site::here()) const;

  explicit operator bool() const { return impl_ != nullptr; }
  const std::shared_ptr<const DatasetImpl>& impl() const { return impl_; }

 private:
  std::shared_ptr<const DatasetImpl> impl_;
};

struct TrainTest {
  Dataset train, test;
};

namespace data {

/// An IDX file (http://yann.lecun.com/exdb/mnist), plain or gzip; types u8, i8, i16, i32, f32, f64,
/// any rank. Throws FormatError naming the file and the byte.
Tensor idx(const std::string& path, Site site = Site::here());
/// Fashion-MNIST from Debian's dataset-fashion-mnist, or from `directory`: x [60000, 28, 28, 1] u8,
/// read by models as f32 in [0, 1]; y [60000] u8.
TrainTest fashion_mnist(const std::string& directory = "", Site site = Site::here());
/// The four files of MNIST, plain or gzip, in `directory`.
TrainTest mnist(const std::string& directory, Site site = Site::here());

}  // namespace data
}  // namespace goneuron
