// data::images: a folder with one subfolder of PNG and JPEG files a class, decoded when needed.
#include "goneuron/images.h"

#include <algorithm>
#include <filesystem>

#include "core/message.h"
#include "data/dataset.h"
#include "data/image.h"

namespace goneuron::data {

namespace {

namespace fs = std::filesystem;

class ImageSource : public Source {
 public:
  ImageSource(std::vector<std::string> files, std::vector<std::int32_t> labels, Shape shape,
              bool any_size, std::string where)
      : files_(std::move(files)),
        labels_(std::move(labels)),
        shape_(shape),
        any_size_(any_size),
        where_(std::move(where)) {}
  i64 size() const override { return static_cast<i64>(files_.size()); }
  void read(const i64* rows, i64 count, void* const* memory) const override {
    void* const labels[] = {memory[1]};
    for (i64 i = 0; i < count; ++i)
      decode(files_[static_cast<size_t>(rows[i])],
             static_cast<std::uint8_t*>(memory[0]) + i * shape_.elements());
    read_targets(rows, count, labels);
  }
  bool read_targets(const i64* rows, i64 count, void* const* memory) const override {
    for (i64 i = 0; i < count; ++i)
      static_cast<std::int32_t*>(memory[0])[i] = labels_[static_cast<size_t>(rows[i])];
    return true;
  }

 private:
  void decode(const std::string& file, std::uint8_t* out) const {
    const Pixels image = with_channels(read_image(file, where_), shape_[2]);
    if (!any_size_ && (image.height != shape_[0] || image.width != shape_[1]))
      fail_image({where_, file},
                 "the image has " + std::to_string(image.height) + " x " +
                     std::to_string(image.width) + " pixels, the first one " +
                     std::to_string(shape_[0]) + " x " + std::to_string(shape_[1]) +
                     "; expected one size",
                 "give a size: data::images(folder, {.height = 224, .width = 224})");
    resize(image, shape_[0], shape_[1], out);
  }

  std::vector<std::string> files_;
  std::vector<std::int32_t> labels_;
  Shape shape_;
  bool any_size_;
  std::string where_;
};

bool is_image(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

/// Sorted; hidden ones are left out.
std::vector<fs::path> entries_of(const fs::path& folder, const std::string& where) {
  std::error_code error;
  std::vector<fs::path> all;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().filename().string()[0] != '.') all.push_back(at->path());
  if (error)
    throw_format({where,
                  "cannot list the folder: " + error.message(),
                  {{"folder", folder.string()}},
                  "check the path; it must be a folder with one subfolder a class"});
  std::sort(all.begin(), all.end());
  return all;
}

void check(const ImageOptions& options, const std::string& where) {
  if (options.height < 0 || options.width < 0 || (options.height == 0) != (options.width == 0) ||
      (options.width > 0 && options.height > image_max_pixels / options.width))
    throw_data({where,
                "a size of " + std::to_string(options.height) + " x " +
                    std::to_string(options.width) + "; expected two numbers of pixels, or none",
                {},
                "{.height = 224, .width = 224}"});
  if (options.channels < 1 || options.channels > 4)
    throw_data({where,
                std::to_string(options.channels) + " channels; expected 1 to 4",
                {},
                "1 is gray, 3 colours; 2 and 4 have alpha"});
}

}  // namespace

Images images(const std::string& folder, const ImageOptions& options, Site site) {
  const std::string where = user_place("data::images", site);
  check(options, where);
  Images found;
  std::vector<std::int32_t> labels;
  for (const fs::path& subfolder : entries_of(folder, where)) {
    if (!fs::is_directory(subfolder)) continue;
    const auto label = static_cast<std::int32_t>(found.class_names.size());
    const size_t before = found.files.size();
    for (const fs::path& file : entries_of(subfolder, where))
      if (is_image(file)) found.files.push_back(file.string());
    if (found.files.size() == before)
      throw_format({where,
                    "the folder holds no .png, .jpg or .jpeg; expected the images of a class",
                    {{"folder", subfolder.string()}},
                    "remove the folder, or put the images right into it"});
    labels.resize(found.files.size(), label);
    found.class_names.push_back(subfolder.filename().string());
  }
  if (found.files.empty())
    throw_format({where,
                  "the folder has no subfolders; expected one a class",
                  {{"folder", folder}},
                  "put the images in folder/cats/, folder/dogs/, .."});
  Shape shape{options.height, options.width, options.channels};
  if (options.height == 0) {
    const Pixels first = read_image(found.files[0], where);
    shape = Shape{first.height, first.width, options.channels};
  }
  auto impl = std::make_shared<DatasetImpl>();
  impl->source = std::make_shared<ImageSource>(found.files, std::move(labels), shape,
                                               options.height > 0, where);
  impl->x.push_back({"", {}, shape, DType::u8});
  impl->y.push_back({"", {}, Shape{}, DType::i32});
  found.data = Dataset(share(std::move(impl)));
  return found;
}

}  // namespace goneuron::data
