// Vocabulary: characters or bytes and their numbers.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <unordered_map>

#include "core/message.h"
#include "core/ownership.h"
#include "core/tensor_values.h"
#include "data/utf8.h"
#include "goneuron/text.h"

namespace goneuron::data {

struct Vocabulary::Table {
  std::vector<std::string> tokens;
  std::unordered_map<std::int32_t, std::int32_t> numbers;  // by code point, or by byte
  bool bytes = false, unknown = false;
};

namespace {

constexpr std::int32_t replacement = 0xFFFD;

/// U+00E7 "ç"
std::string code_text(std::int32_t code) {
  char name[16];
  std::snprintf(name, sizeof name, "U+%04X", static_cast<unsigned>(code));
  return code < 0x20 || code == 0x7F ? name : name + (" \"" + utf8_of(code) + "\"");
}

[[noreturn]] void throw_no_utf8(const std::string& text, size_t at, const std::string& where) {
  char byte[8];
  std::snprintf(byte, sizeof byte, "0x%02X", static_cast<unsigned char>(text[at]));
  throw_data({where,
              "byte " + std::string(byte) + " in " + text_place(text, at) +
                  " does not begin a character; expected UTF-8",
              {},
              "convert the text: iconv -f ISO-8859-1 -t UTF-8; or take it as bytes"});
}

std::vector<std::int32_t> codes_of(const std::string& text, const std::string& where) {
  std::vector<std::int32_t> codes;
  codes.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const std::int32_t code = next_code(text, at);
    if (code < 0) throw_no_utf8(text, at, where);
    codes.push_back(code);
  }
  return codes;
}

const Vocabulary::Table& need(const Shared<const Vocabulary::Table>& table, const char* function,
                              Site site) {
  if (table == nullptr)
    throw_data({user_place(function, site),
                "the vocabulary is empty; expected tokens",
                {},
                "make it of a text: data::Vocabulary::characters(text)"});
  return *table;
}

}  // namespace

Vocabulary Vocabulary::characters(const std::string& text, const VocabularyOptions& options,
                                  Site site) {
  const std::string where = user_place("data::Vocabulary::characters", site);
  if (options.min_count < 1 || (options.min_count > 1 && !options.unknown))
    throw_data({where,
                "min_count is " + std::to_string(options.min_count) +
                    (options.unknown ? "" : " without unknown characters") +
                    "; expected at least 1, or more with .unknown = true",
                {},
                "rare characters become the unknown one"});
  std::map<std::int32_t, i64> counts;
  for (const std::int32_t code : codes_of(text, where)) ++counts[code];
  std::vector<std::string> tokens;
  if (options.unknown) tokens.push_back(utf8_of(replacement));
  for (const auto& [code, count] : counts)
    if (count >= options.min_count && !(options.unknown && code == replacement))
      tokens.push_back(utf8_of(code));
  return Vocabulary(tokens, site);
}

Vocabulary::Vocabulary(const std::vector<std::string>& characters, Site site) {
  const std::string where = user_place("data::Vocabulary", site);
  if (characters.empty())
    throw_data({where,
                "there are no characters; expected at least one",
                {},
                "give it text that is not empty"});
  auto table = std::make_shared<Table>();
  table->unknown = characters[0] == utf8_of(replacement);
  for (const std::string& token : characters) {
    size_t at = 0;
    const std::int32_t code = token.empty() ? -1 : next_code(token, at);
    const auto number = static_cast<std::int32_t>(table->tokens.size());
    if (code < 0 || at != token.size() || !table->numbers.emplace(code, number).second)
      throw_data({where,
                  "token " + std::to_string(number) + ", \"" + token +
                      "\", is no character that the others are not; expected one each",
                  {},
                  "give every character once"});
    table->tokens.push_back(token);
  }
  table_ = share(std::move(table));
}

Vocabulary Vocabulary::bytes() {
  auto table = std::make_shared<Table>();
  table->bytes = true;
  for (std::int32_t byte = 0; byte < 256; ++byte) {
    table->tokens.emplace_back(1, static_cast<char>(byte));
    table->numbers.emplace(byte, byte);
  }
  Vocabulary made;
  made.table_ = share(std::move(table));
  return made;
}

i64 Vocabulary::size() const {
  return table_ == nullptr ? 0 : static_cast<i64>(table_->tokens.size());
}
std::vector<std::string> Vocabulary::tokens() const {
  return table_ == nullptr ? std::vector<std::string>() : table_->tokens;
}

std::string Vocabulary::operator[](const Index& token) const {
  const Table& table = need(table_, "data::Vocabulary", token.site);
  if (token.value < 0 || token.value >= size())
    throw_data({user_place("data::Vocabulary", token.site),
                "there is no token " + std::to_string(token.value) + "; expected 0 to " +
                    std::to_string(size() - 1),
                {},
                "size() says how many there are"});
  return table.tokens[static_cast<size_t>(token.value)];
}

Tensor Vocabulary::encode(const std::string& text, Site site) const {
  const Table& table = need(table_, "data::Vocabulary::encode", site);
  const std::string where = user_place("data::Vocabulary::encode", site);
  std::vector<std::int32_t> numbers;
  numbers.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const std::int32_t code =
        table.bytes ? static_cast<unsigned char>(text[at++]) : next_code(text, at);
    if (code < 0) throw_no_utf8(text, at, where);
    const auto found = table.numbers.find(code);
    if (found == table.numbers.end() && !table.unknown)
      throw_data({where,
                  "the character " + code_text(code) + " in " + text_place(text, begin) +
                      " is not in the vocabulary of " + std::to_string(size()),
                  {},
                  "make the vocabulary of all text, or with {.unknown = true}"});
    numbers.push_back(found == table.numbers.end() ? 0 : found->second);
  }
  return Tensor(numbers);
}

std::string Vocabulary::decode(const Tensor& tokens, Site site) const {
  const Table& table = need(table_, "data::Vocabulary::decode", site);
  std::string text;
  for (i64 i = 0; i < tokens.size(); ++i) {
    double number = 0;
    load_values(tokens.raw(), tokens.dtype(), i, 1, &number);
    if (!(number >= 0 && number < static_cast<double>(size()) && number == std::floor(number)))
      throw_data({user_place("data::Vocabulary::decode", site),
                  "number " + std::to_string(i) + " is " + number_text(number) +
                      "; expected whole numbers from 0 to " + std::to_string(size() - 1),
                  {},
                  "decode what encode() made, or the argmax() of predictions"});
    text += table.tokens[static_cast<size_t>(number)];
  }
  return text;
}

}  // namespace goneuron::data
