// PNG through libpng. It reports errors by longjmp, which must cross no object with a destructor:
// what it can jump out of is a function of plain C.
#include <png.h>

#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <new>

#include "data/image.h"

namespace goneuron::data {

namespace {

struct Job {
  ImageInput* input;
  png_structp png;
  png_infop info;
  std::uint8_t* rows;
  png_uint_32 width, height;
  int depth, type, packed_channels, channels;
  size_t allowed, taken;  // bytes of rows and the like, once the size is known
  bool refused;
  char message[160];
};

void on_error(png_structp png, png_const_charp text) {
  auto* job = static_cast<Job*>(png_get_error_ptr(png));
  std::strncpy(job->message, text, sizeof job->message - 1);
  std::longjmp(png_jmpbuf(png), 1);
}
void on_warning(png_structp /*png*/, png_const_charp /*text*/) {}

png_voidp on_malloc(png_structp png, png_alloc_size_t size) {
  auto* job = static_cast<Job*>(png_get_mem_ptr(png));
  job->taken += size;
  job->refused = job->allowed > 0 && job->taken > job->allowed;
  return job->refused ? nullptr : std::malloc(size);
}
void on_free(png_structp /*png*/, png_voidp memory) { std::free(memory); }

void on_read(png_structp png, png_bytep out, size_t count) {
  auto* job = static_cast<Job*>(png_get_io_ptr(png));
  if (job->input->read(out, count) < count) png_error(png, "the file ends too early");
}

bool read_header(Job* job) {
  if (setjmp(png_jmpbuf(job->png)) != 0) return false;
  png_set_read_fn(job->png, job, on_read);
  png_set_user_limits(job->png, 1 << 26, 1 << 26);
  png_set_chunk_malloc_max(job->png, 1 << 18);
  // Text, profiles and the like are passed over: they could unpack to anything.
  png_set_keep_unknown_chunks(job->png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(job->png, job->info);
  png_get_IHDR(job->png, job->info, &job->width, &job->height, &job->depth, &job->type, nullptr,
               nullptr, nullptr);
  job->packed_channels = png_get_channels(job->png, job->info);
  const bool colour = (job->type & PNG_COLOR_MASK_COLOR) != 0;
  const bool alpha = (job->type & PNG_COLOR_MASK_ALPHA) != 0 ||
                     png_get_valid(job->png, job->info, PNG_INFO_tRNS) != 0;
  job->channels = (colour ? 3 : 1) + (alpha ? 1 : 0);
  return true;
}

/// Tells libpng to give 8 bits of each channel; it takes memory for two rows.
bool prepare(Job* job) {
  if (setjmp(png_jmpbuf(job->png)) != 0) return false;
  if (job->depth == 16) png_set_scale_16(job->png);
  png_set_expand(job->png);  // palettes, fewer bits, and transparent colours as alpha
  png_set_interlace_handling(job->png);
  png_read_update_info(job->png, job->info);
  if (png_get_channels(job->png, job->info) != job->channels) png_error(job->png, "odd channels");
  return true;
}

bool read_rows(Job* job) {
  if (setjmp(png_jmpbuf(job->png)) != 0) return false;
  const int passes = png_get_interlace_type(job->png, job->info) == PNG_INTERLACE_NONE ? 1 : 7;
  const size_t row = png_get_rowbytes(job->png, job->info);
  for (int pass = 0; pass < passes; ++pass)
    for (png_uint_32 y = 0; y < job->height; ++y)
      png_read_row(job->png, job->rows + y * row, nullptr);
  png_read_end(job->png, nullptr);
  return true;
}

struct Reader {
  Job job{};
  explicit Reader(ImageInput& input) {
    job.input = &input;
    job.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning, &job,
                                       on_malloc, on_free);
    job.info = job.png == nullptr ? nullptr : png_create_info_struct(job.png);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&job.png, &job.info, nullptr); }
};

}  // namespace

Pixels decode_png(ImageInput& input, const ImagePlace& place) {
  Reader reader(input);
  Job& job = reader.job;
  if (job.info == nullptr) throw std::bad_alloc();
  const auto corrupt = [&] {
    input.rethrow();
    if (job.refused) fail_wide_image(place);
    fail_image(place, std::string("the PNG data is corrupt near byte ") +
                          std::to_string(input.at()) + ": " + job.message);
  };
  if (!read_header(&job)) corrupt();
  check_image_size(job.height, job.width, place);
  // Deflate packs 1032 bytes into one at best: no memory for what cannot be there.
  const i64 row = (i64{job.width} * job.packed_channels * job.depth + 7) / 8;
  if (row * job.height / 1032 > static_cast<i64>(input.size()))
    fail_image(place, "the PNG file is too short for its " + std::to_string(job.height) + " x " +
                          std::to_string(job.width) + " pixels");
  Pixels image{job.height, job.width, job.channels, {}};
  const auto pixel_bytes = static_cast<size_t>(image.height * image.width * image.channels);
  job.allowed = memory_beside(pixel_bytes);
  if (!prepare(&job)) corrupt();
  image.values.resize(pixel_bytes);
  job.rows = image.values.data();
  if (!read_rows(&job)) corrupt();
  return image;
}

}  // namespace goneuron::data
