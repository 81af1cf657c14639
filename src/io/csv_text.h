// Fields of a CSV file (RFC 4180) as text. Used by histories and loggers.
#pragma once

#include <string>
#include <vector>

namespace goneuron {

/// A text as a field, in quotes where it needs them.
std::string csv_field(const std::string& text, const std::string& separator = ",");
/// The shortest number that reads back as every bit; "nan", "inf", "-inf".
std::string csv_number(double value);
/// The records of `text`, quotes taken off. Lines end in LF or CRLF. False where a quote does not
/// end, or text follows one; then `line` is that record's, from 1.
bool csv_records(const std::string& text, std::vector<std::vector<std::string>>& records,
                 size_t& line);

}  // namespace goneuron
