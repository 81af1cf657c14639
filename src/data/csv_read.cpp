// data::csv: files as a table, in memory where it fits, else parsed when it is needed.
#include "data/csv_read.h"

#include <algorithm>
#include <optional>
#include <thread>

#include "core/checked_math.h"
#include "core/memory.h"
#include "core/message.h"
#include "data/csv_source.h"
#include "data/team.h"

namespace goneuron::data {

namespace {

bool is_mark(char c) {
  const auto byte = static_cast<unsigned char>(c);
  const bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
  const bool of_numbers = (byte >= '0' && byte <= '9') || c == '.' || c == '-' || c == '+';
  return (byte > 0x20 && byte < 0x7F && !letter && !of_numbers) || c == '\t' || c == ' ';
}

[[noreturn]] void fail_option(const std::string& where, const std::string& what,
                              const std::string& hint) {
  throw_data({where, what, {}, hint});
}

/// Columns that nothing can be learned from.
void check_columns(const CsvTable& table, const std::string& where) {
  std::string texts, empty;
  i64 text_count = 0, empty_count = 0;
  for (const TableColumn& column : table.preprocessing.columns) {
    if (column.role == ColumnRole::ignored) continue;
    const bool is_text = column.kind == ColumnKind::text;
    if (!is_text && column.missing < table.rows) continue;
    i64& count = is_text ? text_count : empty_count;
    (is_text ? texts : empty) += (count++ > 0 ? ", " : "") + shown_cell(column.name);
  }
  if (empty_count > 0)
    fail_option(where,
                "no cell has a value in " + counted(empty_count, "column") + ", " + empty +
                    "; expected at least one",
                "leave such columns out: .ignore = {" + empty + "}");
  if (text_count > 0)
    fail_option(where,
                counted(text_count, "column") + " of free text cannot be used: " + texts +
                    "; expected numbers, dates or few different texts",
                "leave free text out: .ignore = {" + texts +
                    "}; for more different texts, raise "
                    ".max_categories");
}

/// All rows into the data set's tensors: stretches of them by a thread each, where reading may
/// begin anywhere. Who reads what makes no difference to the numbers.
void decode_all(const CsvTable& table, const RowDecoder& decoder, DatasetImpl& data,
                bool seekable) {
  constexpr i64 least_rows = 1 << 16;
  const auto blocks = static_cast<i64>(table.blocks.size());
  const i64 stretch = seekable ? ceil_div(least_rows, table.block) : blocks;
  const i64 pieces = ceil_div(blocks, stretch);
  const i64 cores = std::clamp<i64>(std::thread::hardware_concurrency(), 1, 8);
  Team team(static_cast<int>(std::min(pieces, cores)));
  team.run(pieces, [&](i64 piece, int) {
    const i64 first = piece * stretch * table.block;
    const i64 count = std::min(stretch * table.block, table.rows - first);
    std::vector<void*> memory;
    for (auto* columns : {&data.x, &data.y})
      for (Column& column : *columns)
        memory.push_back(static_cast<char*>(column.stored.raw()) +
                         column.stored.bytes() / table.rows * first);
    const CsvPlace begin =
        seekable ? table.blocks[static_cast<size_t>(piece * stretch)] : CsvPlace();
    decode_rows(table.layout, decoder, begin, count, memory.data());
  });
}

Table table_of(std::shared_ptr<CsvTable> table, const CsvOptions& options,
               const std::string& where) {
  std::optional<RowDecoder> decoder(std::in_place, table->preprocessing, table->cells);
  if (decoder->features() == 0)
    fail_option(where, "no column is left as an input; expected at least one",
                "take columns out of .ignore, or read a file with more of them");
  auto data = std::make_shared<DatasetImpl>();
  describe_columns(*decoder, *data);
  const i64 bytes = checked_mul(table->rows, row_bytes(*decoder));
  const bool seekable = std::all_of(table->layout.inputs.begin(), table->layout.inputs.end(),
                                    [](const auto& input) { return input->seekable(); });
  Table out;
  out.in_memory = bytes <= options.memory;
  if (!out.in_memory && !seekable)
    fail_option(where,
                "the data takes " + bytes_text(bytes) +
                    " and its file is packed; expected at most " + bytes_text(options.memory),
                "unpack the file, so that it can be read in parts, or raise .memory");
  if (out.in_memory) {
    for (auto* columns : {&data->x, &data->y})
      for (Column& column : *columns)
        column.stored = Tensor(column.shape.with_batch(table->rows), column.dtype);
    decode_all(*table, *decoder, *data, seekable);
    decoder.reset();
    table->layout = {};
  } else {
    decoder.reset();
    data->source = csv_source(table);
  }
  out.preprocessing = table->preprocessing;
  data->preprocessing = std::shared_ptr<const Preprocessing>(table, &table->preprocessing);
  out.rows = table->rows;
  out.dropped = table->dropped;
  out.data = Dataset(share(std::move(data)));
  return out;
}

/// Rows that are parsed together: fewer where they are wide.
i64 block_rows(const CsvOptions& options, i64 columns) {
  constexpr i64 most_bytes = i64{16} << 20;
  return std::clamp<i64>(most_bytes / (columns * 4), 1, options.block);
}

/// Counts rows and finds the blocks, by decoding every row once.
void check_rows(CsvTable& table) {
  const RowDecoder decoder(table.preprocessing, table.cells);
  std::vector<float> x(static_cast<size_t>(decoder.features()));
  std::vector<std::vector<float>> targets;
  std::vector<void*> y;
  for (const RowDecoder::Target& target : decoder.targets())
    targets.emplace_back(static_cast<size_t>(target.width));
  for (auto& target : targets) y.push_back(target.data());
  CsvRows rows(table.layout);
  std::string scratch;
  try {
    while (rows.next()) {
      if (!decoder.decode(rows.row(), x.data(), y.data(), scratch)) {
        ++table.dropped;
        continue;
      }
      if (table.rows++ % table.block == 0) table.blocks.push_back(rows.place());
    }
  } catch (const CellFault& fault) {
    rows.fail(decoder.cell_of(fault.column), fault.what, fault.hint);
  }
}

}  // namespace

void check_options(const CsvOptions& options, const std::string& where) {
  if (options.delimiter != '\0' && !is_mark(options.delimiter))
    fail_option(where,
                "the delimiter is " + shown_cell(std::string(1, options.delimiter)) +
                    "; expected a mark, a tab or a blank",
                ".delimiter = ',', ';', '\\t' and '|' are usual; '\\0' finds out which");
  if (!is_mark(options.quote) || options.quote == ' ' || options.quote == '\t' ||
      options.quote == options.delimiter)
    fail_option(where,
                "the quote is " + shown_cell(std::string(1, options.quote)) +
                    "; expected a mark other than the delimiter",
                ".quote = '\"' is usual");
  if ((options.decimal != '.' && options.decimal != ',') || options.decimal == options.delimiter)
    fail_option(where,
                "the decimal mark is " + shown_cell(std::string(1, options.decimal)) +
                    "; expected '.' or ',', other than the delimiter",
                "1,5 needs .decimal = ',' and .delimiter = ';'");
  if (options.max_categories < 1 || options.memory < 0 || options.block < 1)
    fail_option(where,
                options.memory < 0
                    ? "a budget of " + std::to_string(options.memory) + " bytes; expected 0 or more"
                : options.block < 1
                    ? "blocks of " + std::to_string(options.block) + " rows; expected at least 1"
                    : "at most " + std::to_string(options.max_categories) +
                          " categories; expected at least 1",
                ".max_categories and .block are 1 or more, .memory is 0 or more");
  if (!DateFormat::of(options.date_format))
    fail_option(where,
                "the date format is " + shown_cell(options.date_format) +
                    "; expected YYYY, MM and DD in some order with marks between them",
                "\"DD.MM.YYYY\", for example");
  if (options.date_features.empty())
    fail_option(where, "there are no date features; expected at least one",
                "{data::DateFeature::days} is the default; leave dates out by .ignore");
}

Table read_table(const std::vector<std::shared_ptr<const CsvInput>>& inputs,
                 const CsvOptions& options, const std::string& where) {
  if (options.target.columns.empty()) {
    CsvLayout layout{inputs, {}, false, {}};
    check_options(options, where);
    detect_layout(layout, options);
    std::string names;
    for (size_t i = 0; i < layout.names.size() && i < 20; ++i)
      names += (i > 0 ? ", " : "") + shown_cell(layout.names[i]);
    throw_data({where,
                "no target is named; expected the column that is to be predicted",
                {{"columns", names}},
                "name it: {.target = " + shown_cell(layout.names.back()) + "}"});
  }
  auto table = std::make_shared<CsvTable>(read_columns(inputs, options, where));
  check_columns(*table, where);
  return table_of(table, options, where);
}

CsvTable read_columns(const std::vector<std::shared_ptr<const CsvInput>>& inputs,
                      const CsvOptions& options, const std::string& where) {
  check_options(options, where);
  CsvTable table;
  table.layout.inputs = inputs;
  detect_layout(table.layout, options);
  table.block = block_rows(options, table.layout.columns());
  infer_table(table, options, where);
  return table;
}

namespace {
std::string some_names(const std::vector<std::string>& names) {
  const auto end = names.begin() + static_cast<i64>(std::min<size_t>(20, names.size()));
  std::string text;
  for (auto name = names.begin(); name != end; ++name)
    text += (text.empty() ? "" : ", ") + shown_cell(*name);
  return text;
}

/// Which cell of a row is which column of `like`: by their names, where the file has some. The
/// layout of one without takes them over.
std::vector<int> cells_like(CsvLayout& layout, const Preprocessing& like,
                            const std::string& where) {
  std::vector<std::string> all, missing;
  for (const TableColumn& column : like.columns) all.push_back(column.name);
  if (!like.header && layout.names.size() == all.size()) {
    layout.names = all;
    return {};
  }
  std::vector<int> cells(all.size(), -1);
  const std::vector<int> found = columns_named(like, layout.names);
  for (size_t i = 0; i < found.size(); ++i)
    if (found[i] >= 0) cells[static_cast<size_t>(found[i])] = static_cast<int>(i);
  for (size_t i = 0; i < all.size(); ++i)
    if (cells[i] < 0 && like.columns[i].role != ColumnRole::ignored) missing.push_back(all[i]);
  if (like.header && missing.empty()) return cells;
  throw_data({where,
              like.header ? "the file has no column " + some_names(missing) +
                                "; expected all inputs and targets of the preprocessing"
                          : "the file has " + counted(layout.columns(), "column") + "; expected " +
                                std::to_string(all.size()) + ", those of the preprocessing",
              {{"file", layout.inputs[0]->from(0)->file()},
               {"found", some_names(layout.names)},
               {"expected", some_names(all)}},
              like.header ? "give the columns the names that they had in the file that the "
                            "preprocessing comes from; others may stand beside them, in any order"
                          : "write the columns as in the file that the preprocessing comes from"});
}
}  // namespace

Table read_table_like(const std::vector<std::shared_ptr<const CsvInput>>& inputs,
                      const Preprocessing& like, const CsvOptions& options,
                      const std::string& where) {
  check_options(options, where);
  auto table = std::make_shared<CsvTable>();
  table->layout.inputs = inputs;
  CsvOptions same;
  same.delimiter = like.delimiter;
  same.quote = like.quote;
  same.header = like.header ? Header::yes : Header::no;
  detect_layout(table->layout, same);
  table->cells = cells_like(table->layout, like, where);
  table->block = block_rows(options, table->layout.columns());
  table->preprocessing = like;
  check_rows(*table);
  if (table->rows == 0)
    throw_data({where,
                table->dropped > 0 ? "all rows have a missing cell" : "there are no rows",
                {{"file", inputs[0]->from(0)->file()}},
                "expected at least one row with all of its cells"});
  return table_of(table, options, where);
}

}  // namespace goneuron::data
