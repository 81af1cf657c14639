// The rows of a table as tensors, and as a Source that parses blocks of them when they are asked
// for. Used by data::csv.
#pragma once

#include <memory>

#include "data/csv_decode.h"
#include "data/csv_infer.h"
#include "data/dataset.h"

namespace goneuron::data {

/// Columns of the data set, without tensors: x, then the targets.
void describe_columns(const RowDecoder& decoder, DatasetImpl& out);
/// Bytes of one decoded row.
i64 row_bytes(const RowDecoder& decoder);
/// Decodes up to `count` rows from `begin` on, those that are not dropped, to memory[c], column by
/// column of the data set; returns how many. Throws DataError naming the cell.
i64 decode_rows(const CsvLayout& layout, const RowDecoder& decoder, const CsvPlace& begin,
                i64 count, void* const* memory);
/// Keeps few blocks, those asked for last.
std::shared_ptr<const Source> csv_source(std::shared_ptr<const CsvTable> table);

}  // namespace goneuron::data
