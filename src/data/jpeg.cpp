// JPEG through libjpeg-turbo. It reports errors by longjmp, which must cross no object with a
// destructor: what it can jump out of is a function of plain C.
#include "data/jpeg_memory.h"
// libjpeg's other header needs the one above.
#include <jerror.h>

#include <csetjmp>
#include <cstring>
#include <memory>

#include "data/image.h"

namespace goneuron::data {

namespace {

/// Scans of a progressive file: each costs a pass over the image, and no camera makes as many.
constexpr int max_scans = 100;

struct Job : JpegMemory {
  jpeg_decompress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  std::jmp_buf escape;
  ImageInput* input;
  jpeg_source_mgr source;
  std::uint8_t piece[size_t{16} << 10];  // of the file
  std::uint8_t* rows;
  char message[JMSG_LENGTH_MAX];
};

Job* job_of(j_common_ptr jpeg) {
  return static_cast<Job*>(static_cast<JpegMemory*>(jpeg->client_data));
}

void on_error(j_common_ptr jpeg) {
  jpeg->err->format_message(jpeg, job_of(jpeg)->message);
  std::longjmp(job_of(jpeg)->escape, 1);
}
/// Warnings tell of damage that the library would paint gray; a few are harmless.
void on_message(j_common_ptr jpeg, int level) {
  const int code = jpeg->err->msg_code;
  if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM &&
      code != JWRN_JFIF_MAJOR)
    on_error(jpeg);
}
void on_output(j_common_ptr /*jpeg*/) {}
void on_progress(j_common_ptr jpeg) {
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= max_scans) return;
  std::strcpy(job_of(jpeg)->message, "more than 100 scans");
  std::longjmp(job_of(jpeg)->escape, 1);
}

void on_begin(j_decompress_ptr /*jpeg*/) {}
boolean on_read(j_decompress_ptr jpeg) {
  Job* job = job_of(reinterpret_cast<j_common_ptr>(jpeg));
  job->source.bytes_in_buffer = job->input->read(job->piece, sizeof job->piece);
  job->source.next_input_byte = job->piece;
  if (job->source.bytes_in_buffer > 0) return TRUE;
  jpeg->err->msg_code = JWRN_JPEG_EOF;
  on_error(reinterpret_cast<j_common_ptr>(jpeg));
  return FALSE;
}
void on_skip(j_decompress_ptr jpeg, long count) {
  jpeg_source_mgr& source = *jpeg->src;
  while (count > static_cast<long>(source.bytes_in_buffer)) {
    count -= static_cast<long>(source.bytes_in_buffer);
    on_read(jpeg);
  }
  if (count <= 0) return;
  source.next_input_byte += count;
  source.bytes_in_buffer -= static_cast<size_t>(count);
}

void set_up(Job* job) {
  job->jpeg.err = jpeg_std_error(&job->errors);
  job->errors.error_exit = on_error;
  job->errors.emit_message = on_message;
  job->errors.output_message = on_output;
  job->jpeg.client_data = static_cast<JpegMemory*>(job);
}

bool read_header(Job* job) {
  if (setjmp(job->escape) != 0) return false;
  jpeg_create_decompress(&job->jpeg);
  job->jpeg.client_data = static_cast<JpegMemory*>(job);
  job->progress.progress_monitor = on_progress;
  job->jpeg.progress = &job->progress;
  job->source.init_source = job->source.term_source = on_begin;
  job->source.fill_input_buffer = on_read;
  job->source.skip_input_data = on_skip;
  job->source.resync_to_restart = jpeg_resync_to_restart;
  job->jpeg.src = &job->source;
  jpeg_read_header(&job->jpeg, TRUE);
  if (job->jpeg.num_components == 1)
    job->jpeg.out_color_space = JCS_GRAYSCALE;
  else if (job->jpeg.jpeg_color_space != JCS_CMYK && job->jpeg.jpeg_color_space != JCS_YCCK)
    job->jpeg.out_color_space = JCS_RGB;
  jpeg_calc_output_dimensions(&job->jpeg);
  return true;
}

bool read_rows(Job* job) {
  if (setjmp(job->escape) != 0) return false;
  jpeg_start_decompress(&job->jpeg);
  const size_t row = static_cast<size_t>(job->jpeg.output_width) *
                     static_cast<size_t>(job->jpeg.output_components);
  while (job->jpeg.output_scanline < job->jpeg.output_height) {
    JSAMPROW at = job->rows + job->jpeg.output_scanline * row;
    jpeg_read_scanlines(&job->jpeg, &at, 1);
  }
  jpeg_finish_decompress(&job->jpeg);
  return true;
}

struct Reader {
  Job job{};
  explicit Reader(ImageInput& input) {
    job.input = &input;
    set_up(&job);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    jpeg_destroy_decompress(&job.jpeg);
    job.finish();
  }
};

}  // namespace

Pixels decode_jpeg(ImageInput& input, const ImagePlace& place, size_t memory) {
  const auto reader = std::make_unique<Reader>(input);
  Job& job = reader->job;
  const auto corrupt = [&] {
    input.rethrow();
    if (job.refused) fail_wide_image(place);
    if (job.file_fault[0] != '\0')
      fail_image(place, job.file_fault,
                 "set TMPDIR to a folder with room, or convert it: jpegtran in.jpg > out.jpg");
    fail_image(place, std::string("the JPEG data is corrupt: ") + job.message);
  };
  if (!read_header(&job)) corrupt();
  check_image_size(job.jpeg.image_height, job.jpeg.image_width, place);
  if (job.jpeg.out_color_space != JCS_GRAYSCALE && job.jpeg.out_color_space != JCS_RGB)
    fail_image(place, "the JPEG is CMYK; expected gray or RGB",
               "convert it: convert in.jpg -colorspace sRGB out.jpg");
  if (job.jpeg.arith_code != FALSE)
    fail_image(place, "the JPEG is coded arithmetically; expected Huffman codes",
               "convert it: jpegtran -copy none -optimize in.jpg > out.jpg");
  // Each block takes a bit at least: no memory for what cannot be there.
  i64 blocks = 0;
  for (int c = 0; c < job.jpeg.num_components; ++c)
    blocks += i64{job.jpeg.comp_info[c].width_in_blocks} * job.jpeg.comp_info[c].height_in_blocks;
  if (blocks / 8 > static_cast<i64>(input.size()))
    fail_image(place, "the JPEG file is too short for its " +
                          std::to_string(job.jpeg.image_height) + " x " +
                          std::to_string(job.jpeg.image_width) + " pixels");
  Pixels image{job.jpeg.image_height, job.jpeg.image_width, job.jpeg.output_components, {}};
  image.values.resize(static_cast<size_t>(image.height * image.width * image.channels));
  job.rows = image.values.data();
  job.set_up(reinterpret_cast<j_common_ptr>(&job.jpeg),
             memory > 0 ? memory : memory_beside(image.values.size()));
  if (!read_rows(&job)) corrupt();
  return image;
}

}  // namespace goneuron::data
