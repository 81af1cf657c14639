// Dates of CSV cells as days since 1970-01-01, and the features made of them.
// Used by the passes over a table.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "goneuron/csv.h"

namespace goneuron::data {

class DateFormat {
 public:
  /// As CsvOptions::date_format; nothing where it is not understood.
  static std::optional<DateFormat> of(const std::string& format);
  /// Days since 1970-01-01 00:00 UTC, the time as a fraction; nothing where the text is no date.
  std::optional<double> days(std::string_view text) const;

 private:
  char fields_[3] = {'Y', 'M', 'D'};
  char marks_[2] = {'-', '-'};
  bool iso_ = true;  // '/' may stand for '-'
};

/// Numbers that `feature` is made of: 1, or 2 for a place in a cycle.
int date_width(DateFeature feature);
const char* date_feature_name(DateFeature feature);
/// Writes them for a day; `days` itself is not normalised.
void date_numbers(DateFeature feature, double days, double* out);

}  // namespace goneuron::data
