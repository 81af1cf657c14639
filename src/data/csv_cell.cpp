#include "data/csv_cell.h"

#include <algorithm>

namespace goneuron::data {

CellRules::CellRules(const Preprocessing& table)
    : missing_(table.missing_values),
      plain_(table.decimal == '.'),
      quote_(table.quote),
      dates_(DateFormat::of(table.date_format).value_or(DateFormat())) {
  for (const std::string& text : missing_)
    (text.empty() ? empty_is_missing_ : first_of_missing_[static_cast<unsigned char>(text[0])]) =
        true;
}

bool CellRules::is_missing(std::string_view text) const {
  if (text.empty()) return empty_is_missing_;
  return first_of_missing_[static_cast<unsigned char>(text[0])] &&
         std::find(missing_.begin(), missing_.end(), text) != missing_.end();
}

Cell CellRules::read(const char* begin, const char* end, std::string& scratch) const {
  Cell cell;
  cell.text = trimmed(cell_text(begin, end, quote_, scratch));
  if (is_missing(cell.text)) {
    cell.kind = Cell::Kind::missing;
    return cell;
  }
  // A copy, so that nothing behind it looks like a part of the number.
  const bool may_be =
      !cell.text.empty() &&
      (static_cast<unsigned char>(cell.text[0] - '0') < 10 || cell.text[0] == '-' ||
       cell.text[0] == '+' || cell.text[0] == '.' || (!plain_ && cell.text[0] == ','));
  if (may_be) {
    std::string copy(cell.text);
    if (!plain_) {
      std::replace(copy.begin(), copy.end(), '.', 'x');
      std::replace(copy.begin(), copy.end(), ',', '.');
    }
    const size_t size = copy.size();
    copy.append(number_padding, '\0');
    if (parse_number(copy.data(), copy.data() + size, cell.number)) {
      scratch = std::move(copy);
      cell.text = std::string_view(scratch).substr(0, size);
      cell.kind = Cell::Kind::number;
      return cell;
    }
  }
  if (is_special_number(cell.text)) cell.kind = Cell::Kind::special;
  return cell;
}

bool is_utf8(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  for (size_t i = 0; i < text.size();) {
    const unsigned first = byte(i);
    if (first < 0x80) {
      ++i;
      continue;
    }
    const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || length > text.size() - i) return false;
    for (size_t k = 1; k < length; ++k)
      if ((byte(i + k) & 0xC0) != 0x80) return false;
    const unsigned second = byte(i + 1);
    // Overlong forms, surrogates, and what lies beyond U+10FFFF.
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
      return false;
    i += length;
  }
  return true;
}

std::string shown_cell(std::string_view text) {
  constexpr size_t most = 40;
  std::string out = "\"";
  for (const char c : text.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  // It may be cut within a character, or be no UTF-8 at all.
  for (int i = 0; i < 3 && text.size() > most && !is_utf8(out); ++i) out.pop_back();
  if (!is_utf8(out))
    for (char& c : out)
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  return out + (text.size() > most ? "..\"" : "\"");
}

}  // namespace goneuron::data
