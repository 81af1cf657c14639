// What libjpeg may take beside the pixels: it is counted, and the coefficients of a progressive
// image that find no room in it wait in a temporary file.
// Used by jpeg.cpp.
#pragma once

// libjpeg's header needs what stands before it.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
// clang-format on

namespace goneuron::data {

/// Takes the place of what libjpeg's memory manager does for arrays of coefficients, by the
/// pointers to functions that it has for that. An array's first rows of blocks stay in memory; the
/// others share a few rows, and are written to the file and read again as they are asked for.
/// Plain data, since libjpeg's errors are longjmps: they leave by its error_exit, with `refused` or
/// `file_fault` set where it is not the JPEG that is broken. Its client_data must be this.
struct JpegMemory {
  struct Array;
  size_t allowed;  // bytes in all
  size_t taken;
  bool has_file;
  int file;
  long file_bytes;
  Array* arrays;
  bool refused;             // more than `allowed` was needed
  char file_fault[160];     // empty: none
  jpeg_memory_mgr library;  // libjpeg's own functions

  /// To be called once the size of the image is known.
  void set_up(j_common_ptr jpeg, size_t most);
  /// Closes the file.
  void finish();
};

}  // namespace goneuron::data
