// Dataset: samples with targets, and how to go through them; a cheap handle, built up by chaining.
// Arrays in memory are gathered straight into the step's input; files and maps are prefetched on a
// thread.
#pragma once

#include "goneuron/callable.h"
#include "goneuron/site.h"
#include "goneuron/tensors.h"

namespace goneuron {

struct DatasetImpl;

/// One sample and its target, without the batch axis.
struct Sample {
  Tensor x, y;
};
/// The same with several inputs and targets, in the order in which the data set was given them.
struct Samples {
  std::vector<Tensor> x, y;
};
struct TrainTest;

/// Random numbers of a sample: a function of what it was made from, whatever the thread. Fits the
/// distributions of <random>.
class SampleRandom {
 public:
  using result_type = std::uint32_t;
  SampleRandom(std::uint64_t seed, std::uint32_t epoch, std::uint32_t index, std::uint32_t stream);
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return 0xFFFFFFFF; }
  result_type operator()();
  /// In [low, high).
  double uniform(double low = 0, double high = 1);

 private:
  std::uint64_t seed_;
  std::uint32_t epoch_, index_, stream_, block_ = 0, used_ = 4;
  std::uint32_t words_[4] = {};
};

/// Which sample a map is given: what its random numbers must depend on, and nothing else, so that
/// training is the same for any number of threads and after going on in the middle of an epoch.
struct SampleContext {
  i64 epoch = 0, index = 0;  ///< the sample's place in the data set, whatever the order
  std::uint64_t seed = 0;    ///< of shuffle(), else fit()'s
  /// Numbers that another `stream` does not share.
  SampleRandom random(std::uint32_t stream = 0) const {
    return {seed, static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(index), stream};
  }
};

class Dataset {
 public:
  Dataset() = default;
  explicit Dataset(Shared<const DatasetImpl> impl)
      : impl_(static_cast<Shared<const DatasetImpl>&&>(impl)) {}
  /// Samples along the first axis, shared, not copied. Throws DataError when the counts differ or
  /// are 0.
  Dataset(const Tensor& x, const Tensor& y, Site site = Site::here());
  /// Several inputs and targets, {a, b} in the model's order or {{"a", a}, {"b", b}} by its names.
  Dataset(const Tensors& x, const Tensors& y, Site site = Site::here());

  /// Samples; inputs and targets; the shapes and dtypes of one. Of sequences in buckets the length
  /// is Any.
  i64 size() const;
  int inputs() const;
  int targets() const;
  Shape x_shape(int input = 0) const;
  Shape y_shape(int target = 0) const;
  DType x_dtype(int input = 0) const;
  DType y_dtype(int target = 0) const;

  /// Every sample through `function`, each time it is read; shapes must stay alike from sample to
  /// sample.
  Dataset map(Callable<Sample(const Sample&)> function, Site site = Site::here()) const;
  Dataset map(Callable<Samples(const Samples&)> function, Site site = Site::here()) const;
  /// The same for maps that are random: numbers from context.random() are those of the sample and
  /// the epoch. arrays() reads as epoch 0 with the seed 0.
  Dataset map(Callable<Sample(const Sample&, const SampleContext& context)> function,
              Site site = Site::here()) const;
  Dataset map(Callable<Samples(const Samples&, const SampleContext& context)> function,
              Site site = Site::here()) const;
  /// Another order in every epoch, decided by `seed` and the epoch alone. Files that are read from
  /// front to back are shuffled in two steps, which bounds the memory: stretches of the file, and
  /// the samples in each `buffer_rows` of the result. All else is shuffled as a whole.
  Dataset shuffle(std::uint64_t seed, i64 buffer_rows = 16384, Site site = Site::here()) const;
  /// Samples a batch, for fit(), evaluate() and predict() when they are given no batch size.
  Dataset batch(i64 size, Site site = Site::here()) const;
  /// On: the next batch is filled on another thread even for data in memory; off: never. Default:
  /// where a map is, or the data is not in memory.
  Dataset prefetch(bool on = true, Site site = Site::here()) const;
  /// On, with 1 to 64 threads that share the samples of a batch. Batches are the same for any
  /// number. A map runs on all of them at once.
  Dataset prefetch(int threads, Site site = Site::here()) const;
  /// The samples for which `wanted` is true, which is asked once, now; maps see epoch 0.
  Dataset filter(const Callable<bool(const Sample&)>& wanted, Site site = Site::here()) const;
  Dataset filter(const Callable<bool(const Samples&)>& wanted, Site site = Site::here()) const;
  /// The first `count` samples.
  Dataset take(i64 count, Site site = Site::here()) const;
  /// {the first fraction, the rest}. Throws DataError unless 0 < fraction < 1 leaves both with
  /// samples.
  TrainTest split(double fraction, Site site = Site::here()) const;
  /// The same with every class in these shares, one sample on each side at least; which ones is
  /// decided by `seed`. The class is a whole number, or the largest of several targets, such as
  /// one-hot ones. Throws DataError for other targets and for a class of one sample.
  TrainTest stratified_split(double fraction, std::uint64_t seed = 0,
                             Site site = Site::here()) const;
  /// Of `k` parts, picked by `seed`, {all but number `fold`, number `fold`}; `stratified`: each
  /// with its share of every class.
  TrainTest k_fold(i64 k, i64 fold, std::uint64_t seed = 0, bool stratified = false,
                   Site site = Site::here()) const;
  /// Every class as often as the largest: samples of the others come several times, and which ones
  /// once more than their fellows is decided by `seed`, for all epochs. Put it before random maps.
  Dataset balanced(std::uint64_t seed = 0, Site site = Site::here()) const;
  /// Part `index` of `count`, for several processes: every count-th sample from `index` on; of
  /// files that are read from front to back the part's stretch.
  Dataset shard(i64 index, i64 count, Site site = Site::here()) const;
  /// Every sample `times` times in an epoch; random maps give another result each time.
  Dataset repeat(i64 times, Site site = Site::here()) const;
  /// These samples, then those of `other`, of the same shapes, dtypes and names; batch size, seed
  /// and threads are this one's.
  Dataset concat(const Dataset& other, Site site = Site::here()) const;
  /// Each sample's loss counts `weights[i]` times, [samples] f32: fit() and evaluate() divide the
  /// sum by the number of samples, as Keras does; metrics are not weighed. Throws DataError for
  /// weights below 0 or not finite, and for samples in buckets or chosen from others.
  Dataset weighted(const Tensor& weights, Site site = Site::here()) const;
  /// The samples as two tensors {x, y}; no copy where the data is in memory as it stands.
  Sample arrays(Site site = Site::here()) const;
  Samples all_arrays(Site site = Site::here()) const;

  explicit operator bool() const { return impl_ != nullptr; }
  const Shared<const DatasetImpl>& impl() const { return impl_; }

 private:
  Shared<const DatasetImpl> impl_;
};

struct TrainTest {
  Dataset train, test;
};

namespace data {

struct BucketOptions {
  /// Lengths that sequences are padded to, ascending; a sequence takes the first that it fits.
  /// Empty: the powers of two from 8 on, and the longest length.
  std::vector<i64> lengths = {};
  double pad = 0;          ///< what inputs are padded with
  double target_pad = -1;  ///< what targets are: give it to the loss as its ignore_index
  bool mask = true;        ///< the second input, [time] f32: 1 for a step of the sequence, else 0
};
/// Sequences of several lengths, each [time, ..], with one target each, y [sequences, ..], as
/// batches of one padded length: x [time, ..] and, unless turned off, a mask [time] of floats as
/// second input. A training step is planned once for each length that occurs (and once for its
/// last, smaller batch), so memory and planning stay bounded. Shuffling mixes the sequences of a
/// length and the order of the batches, by seed and epoch alone. Throws DataError for a sequence
/// longer than the longest bucket, and where ranks, widths or counts differ.
Dataset buckets(const std::vector<Tensor>& sequences, const Tensor& y,
                const BucketOptions& options = {}, Site site = Site::here());
/// The same with a target for each step: y[i] is [time, ..] with the time of sequence i, padded
/// with it.
Dataset buckets(const std::vector<Tensor>& sequences, const std::vector<Tensor>& y,
                const BucketOptions& options = {}, Site site = Site::here());

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
