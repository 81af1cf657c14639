// The scan of CSV text: where cells and rows end, 64 bytes at a time, with the quoting checked on
// the way. Used by csv_reader.cpp.
#pragma once

#include "goneuron/shape.h"

namespace goneuron::data {

/// What the bytes before tell about the next one.
struct ScanCarry {
  std::uint64_t in_quote = 0;     // all ones inside quotes
  std::uint64_t after_end = 1;    // 1: a cell or row ended before
  std::uint64_t after_close = 0;  // 1: a quote closed
  std::uint64_t after_cr = 0;     // 1: a carriage return outside of quotes
};

enum class ScanFault : std::uint8_t { none, nul, bare_cr, quote_inside, after_quote };

struct Scan {
  std::uint32_t* ends;  // of cells, places in the text; room for one a byte and 8 more
  size_t cells = 0;     // filled so far
  std::uint32_t*
      row_ends;  // number of the cell end that ends a row; room for one a byte and 8 more
  size_t rows = 0;
  i64 lines = 0;  // line feeds, those inside quotes too
  ScanFault fault = ScanFault::none;
  std::uint32_t fault_at = 0;
};

/// Scans text[begin, begin + 64 * stretches) and appends to `scan`; stops at the first fault.
void scan_csv(const char* text, size_t begin, size_t stretches, char delimiter, char quote,
              ScanCarry& carry, Scan& scan);

}  // namespace goneuron::data
