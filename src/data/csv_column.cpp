#include "data/csv_column.h"

#include <algorithm>

namespace goneuron::data {

namespace {

constexpr i64 most_classes = 20;  // of a target of whole numbers
constexpr size_t longest_category = 1024;

/// Of texts that are all numbers by value, of others by bytes.
void sort_categories(std::vector<std::string>& texts) {
  std::vector<std::pair<double, std::string>> numbers;
  for (const std::string& text : texts) {
    const std::string padded = text + std::string(number_padding, '\0');
    Number number;
    if (!parse_number(padded.data(), padded.data() + text.size(), number)) {
      std::sort(texts.begin(), texts.end());
      return;
    }
    numbers.emplace_back(number.value, text);
  }
  std::sort(numbers.begin(), numbers.end());
  for (size_t i = 0; i < texts.size(); ++i) texts[i] = numbers[i].second;
}

}  // namespace

void Moments::merge(const BatchSums& batch) {
  if (batch.count == 0) return;
  const double from_shift = batch.sum / batch.count, total = count_ + batch.count;
  const double spread = std::max(batch.squares - batch.sum * from_shift, 0.0);
  const double apart = batch.shift + from_shift - mean_;
  m2_ += spread + apart * apart * (count_ * batch.count / total);
  mean_ += apart * (batch.count / total);
  count_ = total;
  min_ = std::min(min_, batch.min);
  max_ = std::max(max_, batch.max);
}

ColumnScan::ColumnScan(const Wanted& wanted)
    : wanted_(&wanted), labels_wanted_(wanted.maybe_classes) {
  if (wanted.ignored) mode_ = Mode::ignored;
  if (wanted.category) mode_ = Mode::texts;
  if (wanted.date) mode_ = Mode::dates, has_dates_ = true;
}

bool ColumnScan::mistaken() const {
  if (wanted_->category || !texts_) return false;
  const i64 count = texts_->count;
  return count > 0 && count < (regular() + count) / 10;
}

void ColumnScan::add_value(double value) {
  moments_.merge({.shift = value, .count = 1, .min = value, .max = value});
}

void ColumnScan::add(const char* begin, const char* end, const CellRules& rules,
                     const CsvRows& rows, std::string& scratch) {
  const Cell cell = rules.read(begin, end, scratch);
  if (cell.kind == Cell::Kind::missing) {
    ++missing_;
    if (wanted_->missing_is_a_fault)
      throw CellFault{0,
                      std::string("the ") + (wanted_->target ? "target" : "cell") + " is missing",
                      ".missing = data::Missing::drop leaves such rows out"};
    return;
  }
  if (mode_ == Mode::numbers && cell.kind == Cell::Kind::number) return add_number(cell);
  if (mode_ == Mode::numbers && cell.kind == Cell::Kind::special)
    throw CellFault{0, "found " + shown_cell(cell.text) + "; expected a finite number",
                    "add it to .missing_values, or leave the column out by .ignore"};
  add_text(cell, rules, rows);
}

void ColumnScan::add_number(const Cell& cell) {
  const double value = cell.number.value;
  if (std::fabs(value) > std::numeric_limits<float>::max())
    throw CellFault{0, shown_cell(cell.text) + " is beyond the range of a float",
                    "measure it in another unit, or leave the column out by .ignore"};
  add_value(value);
  if (!labels_wanted_) return;
  if (value == std::floor(value)) add_label(cell.text);
  if (value != std::floor(value) || texts_->labels.size() > most_classes) {
    labels_wanted_ = false;
    texts_.reset();
  }
}

void ColumnScan::add_text(const Cell& cell, const CellRules& rules, const CsvRows& rows) {
  if (mode_ == Mode::numbers && wanted_->number)
    throw CellFault{0, "found " + shown_cell(cell.text) + "; expected a number",
                    "add it to .missing_values, or do not name the column in .numbers"};
  const bool fresh = moments_.count() == 0;
  if ((mode_ == Mode::numbers && fresh) || mode_ == Mode::dates) {
    if (const auto days = rules.dates().days(cell.text)) {
      mode_ = Mode::dates;
      has_dates_ = true;
      return add_value(*days);
    }
  }
  if (mode_ == Mode::dates && wanted_->date)
    throw CellFault{0, "found " + shown_cell(cell.text) + "; expected a date",
                    "dates are YYYY-MM-DD unless .date_format says otherwise"};
  if (mode_ == Mode::numbers || mode_ == Mode::dates) mode_ = fresh ? Mode::texts : Mode::mixed;
  const bool number = cell.kind == Cell::Kind::number && !has_dates_;
  Texts& all = texts();
  if (!number && all.count == 0) all.first = {std::string(cell.text.substr(0, 64)), rows.place()};
  ++(number ? all.numbers : all.count);
  if (mode_ != Mode::texts) return;
  add_label(cell.text);
  if (all.labels.size() > wanted_->max_categories || cell.text.size() > longest_category) {
    mode_ = Mode::many;
    all.labels.clear();
  }
}

void ColumnScan::add_label(std::string_view text) {
  texts().labels.add(text, [&] {
    if (!is_utf8(text))
      throw CellFault{0, "the text " + shown_cell(text) + " is no UTF-8",
                      "convert the file: iconv -f LATIN1 -t UTF-8 FILE > NEW_FILE"};
  });
}

bool ColumnScan::labels_are_classes() const {
  if (!labels_wanted_ || !texts_ || texts_->labels.size() == 0) return false;
  bool all = true;
  texts_->labels.each([&](std::string_view, i64 count) { all &= count > 1; });
  return all;
}

void ColumnScan::describe(TableColumn& column) {
  column.missing = missing_;
  const bool classes = mode_ == Mode::numbers && labels_are_classes();
  column.kind = mode_ == Mode::texts || classes ? ColumnKind::category
                : mode_ == Mode::numbers        ? ColumnKind::number
                : mode_ == Mode::dates          ? ColumnKind::date
                                                : ColumnKind::text;
  if (column.kind == ColumnKind::category) {
    column.categories = texts().labels.take();
    texts_.reset();
    sort_categories(column.categories);
  } else if (moments_.count() > 0 && column.kind != ColumnKind::text) {
    column.mean = moments_.mean();
    column.deviation = moments_.deviation();
    column.min = moments_.min();
    column.max = moments_.max();
  }
}

}  // namespace goneuron::data
