#include "data/csv_date.h"

#include <array>
#include <cmath>

namespace goneuron::data {

namespace {

/// Days from 1970-01-01 to a date of the Gregorian calendar: years begin in March, so that the leap
/// day is a year's last.
i64 days_of(i64 year, i64 month, i64 day) {
  if (month <= 2) --year;
  const i64 era = (year >= 0 ? year : year - 399) / 400;
  const i64 year_of_era = year - era * 400;
  const i64 day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

struct Civil {
  i64 year, month, day;
};
Civil civil_of(i64 days) {
  const i64 shifted = days + 719'468;
  const i64 era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const i64 rest = shifted - era * 146'097;
  const i64 year = (rest - rest / 1460 + rest / 36'524 - rest / 146'096) / 365;
  const i64 of_year = rest - (365 * year + year / 4 - year / 100);
  const i64 part = (5 * of_year + 2) / 153;
  const i64 month = part < 10 ? part + 3 : part - 9;
  return {year + era * 400 + (month <= 2 ? 1 : 0), month, of_year - (153 * part + 2) / 5 + 1};
}

bool leap(i64 year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }
i64 month_days(i64 year, i64 month) {
  constexpr std::array<i64, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : days[static_cast<size_t>(month - 1)];
}

/// Takes what it reads from the front.
struct Text {
  std::string_view rest;

  bool take(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  /// `least` to `most` digits.
  bool number(int least, int most, i64& out) {
    int count = 0;
    out = 0;
    while (count < most && !rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
      out = out * 10 + (rest.front() - '0');
      rest.remove_prefix(1);
      ++count;
    }
    return count >= least;
  }
};

/// ".25" as a part of a second.
bool fraction(Text& text, double& out) {
  double unit = 0.1;
  int count = 0;
  for (i64 digit = 0; count < 9 && text.number(1, 1, digit); ++count, unit /= 10)
    out += static_cast<double>(digit) * unit;
  return count > 0;
}

/// "+01:00", "-0130", "+01" as minutes.
bool zone(Text& text, i64& minutes) {
  if (text.take('Z') || text.rest.empty()) return true;
  const bool west = text.take('-');
  i64 hours = 0, part = 0;
  if (!west && !text.take('+')) return false;
  if (!text.number(2, 2, hours) || hours > 14) return false;
  if (text.take(':') || !text.rest.empty())
    if (!text.number(2, 2, part) || part > 59) return false;
  minutes = (west ? -1 : 1) * (hours * 60 + part);
  return true;
}

/// What follows the date, as a part of a day.
bool time_of_day(Text& text, double& out) {
  if (text.rest.empty()) return true;
  i64 hour = 0, minute = 0, second = 0, offset = 0;
  double part = 0;
  if (!text.take('T') && !text.take(' ')) return false;
  if (!text.number(1, 2, hour) || !text.take(':') || !text.number(2, 2, minute)) return false;
  if (text.take(':')) {
    if (!text.number(2, 2, second)) return false;
    if (text.take('.') && !fraction(text, part)) return false;
  }
  if (hour > 23 || minute > 59 || second > 60 || !zone(text, offset)) return false;
  out = (static_cast<double>((hour * 60 + minute - offset) * 60 + second) + part) / 86'400;
  return true;
}

}  // namespace

std::optional<DateFormat> DateFormat::of(const std::string& format) {
  DateFormat out;
  if (format.empty()) return out;
  out.iso_ = false;
  Text text{format};
  std::string seen;
  for (int i = 0; i < 3; ++i) {
    if (text.rest.empty()) return std::nullopt;
    const char field = text.rest.front();
    if ((field != 'Y' && field != 'M' && field != 'D') || seen.find(field) != std::string::npos)
      return std::nullopt;
    seen += field;
    int letters = 0;
    while (text.take(field)) ++letters;
    if (letters != (field == 'Y' ? 4 : 2)) return std::nullopt;
    out.fields_[i] = field;
    if (i == 2) break;
    if (text.rest.empty() || (text.rest.front() >= '0' && text.rest.front() <= '9'))
      return std::nullopt;
    out.marks_[i] = text.rest.front();
    text.rest.remove_prefix(1);
  }
  if (!text.rest.empty()) return std::nullopt;
  return out;
}

std::optional<double> DateFormat::days(std::string_view from) const {
  Text text{from};
  i64 year = 0, month = 0, day = 0;
  char mark = marks_[0];
  if (iso_ && from.size() > 4 && from[4] == '/') mark = '/';
  for (int i = 0; i < 3; ++i) {
    const bool whole_year = fields_[i] == 'Y';
    i64& field = whole_year ? year : fields_[i] == 'M' ? month : day;
    if (!text.number(whole_year ? 4 : iso_ ? 2 : 1, whole_year ? 4 : 2, field)) return std::nullopt;
    if (i < 2 && !text.take(iso_ ? mark : marks_[i])) return std::nullopt;
  }
  if (month < 1 || month > 12 || day < 1 || day > month_days(year, month)) return std::nullopt;
  double time = 0;
  if (!time_of_day(text, time) || !text.rest.empty()) return std::nullopt;
  return static_cast<double>(days_of(year, month, day)) + time;
}

int date_width(DateFeature feature) { return feature == DateFeature::days ? 1 : 2; }

const char* date_feature_name(DateFeature feature) {
  constexpr const char* names[] = {"days", "month", "day", "weekday", "hour"};
  return names[static_cast<int>(feature)];
}

void date_numbers(DateFeature feature, double days, double* out) {
  constexpr double turn = 6.283185307179586;
  const double whole = std::floor(days);
  const auto day = static_cast<i64>(whole);
  const auto cycle = [out](double place) {
    out[0] = std::sin(turn * place);
    out[1] = std::cos(turn * place);
  };
  if (feature == DateFeature::days) {
    out[0] = days;
  } else if (feature == DateFeature::weekday) {
    cycle(static_cast<double>(((day + 3) % 7 + 7) % 7) / 7);  // 1970-01-01 was a Thursday
  } else if (feature == DateFeature::hour) {
    cycle(days - whole);
  } else {
    const Civil date = civil_of(day);
    if (feature == DateFeature::month)
      cycle(static_cast<double>(date.month - 1) / 12);
    else
      cycle(static_cast<double>(date.day - 1) /
            static_cast<double>(month_days(date.year, date.month)));
  }
}

}  // namespace goneuron::data
