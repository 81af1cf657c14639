#include "data/csv_decode.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace goneuron::data {

namespace {

constexpr int few_categories = 8;  // they are compared one by one

[[noreturn]] void fault(int column, std::string what, std::string hint) {
  throw CellFault{column, std::move(what), std::move(hint)};
}

}  // namespace

ColumnScale scale_of(const TableColumn& column, Normalize normalize) {
  // A constant column stays as it is, but for its shift.
  const auto inverse = [](double width) {
    return width > std::numeric_limits<double>::min() ? 1 / width : 1;
  };
  if (normalize == Normalize::standard) return {column.mean, inverse(column.deviation)};
  if (normalize == Normalize::minmax) return {column.min, inverse(column.max - column.min)};
  return {};
}

RowDecoder::RowDecoder(const Preprocessing& table, std::vector<int> cells)
    : table_(table), cells_(std::move(cells)), rules_(table), plan_of_(table.columns.size(), -1) {
  const auto used = static_cast<size_t>(
      std::count_if(table.columns.begin(), table.columns.end(),
                    [](const TableColumn& c) { return c.role != ColumnRole::ignored; }));
  plans_.reserve(used);
  for (auto* numbers : {&shifts_, &scales_}) numbers->reserve(used);
  if (table.joined_targets()) targets_.push_back({false, 0});
  for (size_t i = 0; i < table.columns.size(); ++i)
    if (table.columns[i].role != ColumnRole::ignored) add_plan(i);
}

void RowDecoder::add_plan(size_t i) {
  const TableColumn& column = table_.columns[i];
  const bool input = column.role == ColumnRole::input;
  const bool category = column.kind == ColumnKind::category;
  Plan plan = {};
  plan.column = static_cast<int>(i);
  plan.cell = cell_of(plan.column);
  const Normalize rule = input || table_.normalize_target ? table_.normalize : Normalize::none;
  const auto [shift, scale] = scale_of(column, rule);
  plan.normalized = rule != Normalize::none;
  plan.shift = shift;
  plan.scale = scale;
  plan.categories = static_cast<int>(column.categories.size());
  if (category && plan.categories > few_categories) {
    plan.places = std::make_unique<std::unordered_map<std::string_view, int>>();
    plan.places->reserve(column.categories.size());
    for (size_t k = 0; k < column.categories.size(); ++k)
      plan.places->emplace(column.categories[k], static_cast<int>(k));
  }
  if (!input) {
    plan.action = category ? Action::target_class : Action::target_number;
    if (!table_.joined_targets()) targets_.push_back({category, 0});
    plan.tensor = static_cast<int>(targets_.size()) - 1;
    plan.out = static_cast<int>(targets_.back().width++);
  } else {
    plan.out = static_cast<int>(features_);
    plan.filled = scaled(plan, column.mean);
    plan.action = !category                          ? Action::number
                  : table_.encode == Encode::one_hot ? Action::one_hot
                                                     : Action::index;
    if (column.kind == ColumnKind::date) plan.action = Action::date;
    if (plan.action == Action::date)
      for (const DateFeature feature : table_.date_features) features_ += date_width(feature);
    else
      features_ += plan.action == Action::one_hot ? plan.categories : 1;
  }
  plan_of_[i] = static_cast<int>(plans_.size());
  if (column.kind == ColumnKind::number)
    add_to_run(plan);
  else
    others_.push_back(plan_of_[i]);
  plans_.push_back(std::move(plan));
}

void RowDecoder::add_to_run(const Plan& plan) {
  const int tensor = plan.action == Action::number ? -1 : plan.tensor;
  const Run* last = runs_.empty() ? nullptr : &runs_.back();
  if (last == nullptr || last->column + last->count != plan.column ||
      last->cell + last->count != plan.cell || last->tensor != tensor)
    runs_.push_back({plan.column, plan.cell, 0, tensor, plan.out, shifts_.size(), plan.normalized});
  ++runs_.back().count;
  shifts_.push_back(plan.shift);
  scales_.push_back(plan.scale);
}

bool RowDecoder::decode(const CsvRow& row, float* x, void* const* y, std::string& scratch) const {
  for (const Run& run : runs_)
    if (!decode_run(run, row, x, y, scratch)) return false;
  for (const int i : others_) {
    const Plan& plan = plans_[static_cast<size_t>(i)];
    if (!put(plan, row.begin(plan.cell), row.end(plan.cell), x, y, scratch)) return false;
  }
  return true;
}

bool RowDecoder::decode_run(const Run& run, const CsvRow& row, float* x, void* const* y,
                            std::string& scratch) const {
  constexpr i64 at_once = 64;
  double values[at_once];
  for (i64 done = 0; done < run.count;) {
    const i64 cell = run.cell + done, count = std::min(at_once, run.count - done);
    const i64 found = rules_.numbers(row, cell, count, values);
    float* out = (run.tensor < 0 ? x : static_cast<float*>(y[run.tensor])) + run.out + done;
    const double* shifts = shifts_.data() + run.first + done;
    const double* scales = scales_.data() + run.first + done;
    bool clear = true;
    for (i64 i = 0; i < found; ++i) {
      const double value = (values[i] - shifts[i]) * scales[i];
      out[i] = static_cast<float>(value);
      clear &= std::fabs(value) <= std::numeric_limits<float>::max() &&
               (run.normalized || rounds_clearly(value));
    }
    // Those that need a closer look, and the one that is no plain number.
    for (i64 i = clear ? found : 0; i < std::min(found + 1, count); ++i) {
      const auto column = static_cast<size_t>(run.column + done + i);
      const Plan& plan = plans_[static_cast<size_t>(plan_of_[column])];
      if (!put(plan, row.begin(cell + i), row.end(cell + i), x, y, scratch)) return false;
    }
    done += std::min(found + 1, count);
  }
  return true;
}

void RowDecoder::put_input(size_t column, std::string_view text, float* x,
                           std::string& scratch) const {
  const Plan& plan = plans_[static_cast<size_t>(plan_of_[column])];
  // The text is a cell already: a quote at its front is one of its characters.
  if (rules_.is_missing(trimmed(text)) && table_.missing != Missing::error)
    return put_missing(plan, x);
  std::string quoted;
  if (!text.empty() && text.front() == rules_.quote()) {
    quoted += rules_.quote();
    for (const char c : text) quoted.append(c == rules_.quote() ? 2 : 1, c);
    text = quoted += rules_.quote();
  }
  put(plan, text.data(), text.data() + text.size(), x, nullptr, scratch);
}

void RowDecoder::put_missing(const Plan& plan, float* x) const {
  float* out = x + plan.out;
  if (plan.action == Action::date)
    return put_dates(plan, table_.columns[static_cast<size_t>(plan.column)].mean, out);
  if (plan.action == Action::one_hot)
    std::fill_n(out, plan.categories, 0.0F);
  else
    *out = plan.action == Action::number ? plan.filled : 0;
}

void RowDecoder::put_dates(const Plan& plan, double days, float* out) const {
  for (const DateFeature feature : table_.date_features) {
    double numbers[2];
    date_numbers(feature, days, numbers);
    if (feature == DateFeature::days) numbers[0] = (numbers[0] - plan.shift) * plan.scale;
    for (int i = 0; i < date_width(feature); ++i) *out++ = static_cast<float>(numbers[i]);
  }
}

/// -1: none.
int RowDecoder::place_of(const Plan& plan, std::string_view category) const {
  if (plan.places) {
    const auto at = plan.places->find(category);
    return at == plan.places->end() ? -1 : at->second;
  }
  const auto& all = table_.columns[static_cast<size_t>(plan.column)].categories;
  const auto at = std::find(all.begin(), all.end(), category);
  return at == all.end() ? -1 : static_cast<int>(at - all.begin());
}

bool RowDecoder::put_category(const Plan& plan, std::string_view text, float* x,
                              void* const* y) const {
  const int place = place_of(plan, text);
  if (plan.action == Action::target_class) {
    if (place < 0)
      fault(plan.column, "the class " + shown_cell(text) + " was not seen in training",
            "leave such rows out, or train again with them");
    static_cast<std::int32_t*>(y[plan.tensor])[plan.out] = place;
    return true;
  }
  float* out = x + plan.out;
  if (plan.action == Action::index) {
    *out = static_cast<float>(place + 1);
    return true;
  }
  std::fill_n(out, plan.categories, 0.0F);
  if (place >= 0) out[place] = 1;
  return true;
}

bool RowDecoder::put(const Plan& plan, const char* begin, const char* end, float* x, void* const* y,
                     std::string& scratch) const {
  const bool target = plan.action == Action::target_class || plan.action == Action::target_number;
  const std::string_view text = trimmed(cell_text(begin, end, rules_.quote(), scratch));
  if (rules_.is_missing(text)) {
    if (y != nullptr && table_.missing == Missing::drop) return false;
    if (target || table_.missing == Missing::error)
      fault(plan.column, std::string("the ") + (target ? "target" : "cell") + " is missing",
            target ? "expected a value in every row; .missing = data::Missing::drop leaves such "
                     "rows out"
                   : "give it a value: the table was read with .missing = data::Missing::error");
    put_missing(plan, x);
    return true;
  }
  if (table_.columns[static_cast<size_t>(plan.column)].kind == ColumnKind::category)
    return put_category(plan, text, x, y);
  if (table_.columns[static_cast<size_t>(plan.column)].kind == ColumnKind::date)
    put_date(plan, text, x, y);
  else
    put_number(plan, begin, end, x, y);
  return true;
}

void RowDecoder::put_date(const Plan& plan, std::string_view text, float* x, void* const* y) const {
  const auto days = rules_.dates().days(text);
  if (!days)
    fault(plan.column, "found " + shown_cell(text) + "; expected a date",
          "dates are YYYY-MM-DD unless .date_format says otherwise");
  if (plan.action == Action::date)
    put_dates(plan, *days, x + plan.out);
  else
    static_cast<float*>(y[plan.tensor])[plan.out] = scaled(plan, *days);
}

void RowDecoder::put_number(const Plan& plan, const char* begin, const char* end, float* x,
                            void* const* y) const {
  std::string copy;
  const Cell cell = rules_.read(begin, end, copy);
  if (cell.kind != Cell::Kind::number)
    fault(plan.column, "found " + shown_cell(cell.text) + "; expected a number",
          "the column holds numbers in the rows it was learned from");
  const float out = plan.normalized ? scaled(plan, cell.number.value) : cell.nearest();
  if (!(std::fabs(out) <= std::numeric_limits<float>::max()))
    fault(plan.column, shown_cell(cell.text) + " is beyond the range of a float",
          "measure it in another unit, or leave the column out by .ignore");
  (plan.action == Action::target_number ? static_cast<float*>(y[plan.tensor]) : x)[plan.out] = out;
}

}  // namespace goneuron::data
