#include "io/csv_text.h"

#include <charconv>
#include <cmath>

namespace goneuron {

std::string csv_field(const std::string& text, const std::string& separator) {
  if (text.find_first_of("\"\r\n" + separator) == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string csv_number(double value) {
  if (std::isnan(value)) return "nan";
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

bool csv_records(const std::string& text, std::vector<std::vector<std::string>>& records,
                 size_t& line) {
  line = 1;
  for (size_t at = 0; at < text.size();) {
    const size_t first_line = line;
    std::vector<std::string> record(1);
    for (bool ends = false; !ends;) {
      std::string& field = record.back();
      if (at < text.size() && text[at] == '"') {
        for (++at;; ++at) {
          if (at == text.size()) return line = first_line, false;
          if (text[at] == '\n') ++line;
          if (text[at] == '"' && (at + 1 == text.size() || text[at + 1] != '"')) break;
          if (text[at] == '"') ++at;
          field += text[at];
        }
        ++at;
      } else {
        while (at < text.size() && text[at] != ',' && text[at] != '\n' && text[at] != '\r')
          field += text[at++];
      }
      if (at < text.size() && text[at] == ',') {
        record.emplace_back();
        ++at;
        continue;
      }
      if (at < text.size() && text[at] == '\r') ++at;
      if (at < text.size() && text[at] != '\n') return line = first_line, false;
      ends = true;
      ++at, ++line;
    }
    records.push_back(std::move(record));
  }
  return true;
}

}  // namespace goneuron
