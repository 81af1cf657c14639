// Images: PNG and JPEG files as tensors, folders of them as data sets, and augmentation.
// Decoding and augmentation run on the loader's threads.
#pragma once

#include <string>

#include "goneuron/callable.h"
#include "goneuron/dataset.h"

namespace goneuron::data {

struct ImageReadOptions {
  /// 1: gray, 3: red, green, blue; 2 and 4: the same with alpha; 0: as in the file. Alpha is left
  /// out where it is not wanted.
  i64 channels = 0;
};
/// A PNG or JPEG file as [height, width, channels] u8, told by its first bytes. Samples of 16 bits
/// are rounded to 8, palettes resolved; colour profiles and the camera's orientation are not
/// applied. Reading takes at most twice the bytes of the pixels and 1 MiB, beside a file that gzip
/// packed, which is unpacked first; of a progressive JPEG that needs more, the rest waits in a
/// temporary file, in TMPDIR or /tmp. Throws FormatError,
/// before anything is decoded, for more than 67108864 pixels, for images of so few and wide rows
/// that a decoder's strip of them takes more than that, where the temporary file cannot be written,
/// and for files that are damaged, end early or hold CMYK.
Tensor image(const std::string& path, const ImageReadOptions& options = {},
             Site site = Site::here());
/// An image [height, width, channels], u8 or f32, in another size: bilinear, and averaged over all
/// the pixels that a smaller one covers (a triangle as wide as the ratio of the sizes).
Tensor resized(const Tensor& image, i64 height, i64 width, Site site = Site::here());

struct ImageOptions {
  /// Images are resized to this; 0: they are all of the size of the first.
  i64 height = 0, width = 0;
  i64 channels = 3;
};
struct Images {
  Dataset data;                          ///< x [height, width, channels] u8, y [] i32
  std::vector<std::string> class_names;  ///< sorted; a label is a place in here
  std::vector<std::string> files;        ///< of the samples, in order: by class, then by name
};
/// The PNG and JPEG files (by their endings .png, .jpg, .jpeg) of a folder with one subfolder a
/// class, read and resized when they are needed, by as many threads as prefetch() says. Throws
/// FormatError naming the file.
Images images(const std::string& folder, const ImageOptions& options = {},
              Site site = Site::here());

struct AugmentOptions {
  bool flip_horizontal = false;  ///< left and right exchanged in half of the samples
  bool flip_vertical = false;    ///< the same for top and bottom
  double rotation = 0;           ///< degrees at most, to either side, bilinear
  double zoom = 0;               ///< 0.2: 0.8 to 1.2 times as large, bilinear
  double shift = 0;       ///< share of height and of width at most, to either side; whole pixels
  i64 crop_pad = 0;       ///< pixels put around, then cut to the old size anywhere
  double noise = 0;       ///< standard deviation of normal noise, white being 1
  double brightness = 0;  ///< added at most, either sign, white being 1
  double contrast = 0;    ///< 0.2: 0.8 to 1.2 times the distance from the image's mean
  i64 cutout = 0;         ///< side of a square at a random place, in pixels; cut at the edges
  double mixup = 0;       ///< alpha of the shares' distribution Beta(alpha, alpha); 0: no mixing
  i64 classes = 0;        ///< for mixup of labels that are numbers: how many there are
};
/// Random changes of the first input of each sample, [height, width, channels] u8 or f32 (white
/// being 1): those that are asked for, in the order of the options. What comes from outside of the
/// image, and the square, is 0. The numbers depend on sample, epoch and seed alone. Targets stay,
/// but for mixup (https://arxiv.org/abs/1710.09412): it mixes every sample with another one of
/// `dataset`, changed like it, and targets by the same shares, as f32; labels become [classes].
/// Split a data set before it is augmented. Throws DataError for options and samples that do not
/// fit.
Dataset augment(const Dataset& dataset, const AugmentOptions& options, Site site = Site::here());

/// Samples made by a function of their number, 0 to size - 1, whenever they are needed; with
/// prefetch(threads) it is called by several threads at once. It must give the same for the same
/// number, and one shape and dtype for all. Throws DataError where it does not.
Dataset generator(i64 size, const Callable<Sample(i64 index)>& function, Site site = Site::here());
Dataset generator(i64 size, const Callable<Samples(i64 index)>& function, Site site = Site::here());

}  // namespace goneuron::data
