// Text as samples: files, and windows of characters, bytes or lines.
#include "goneuron/text.h"

#include <algorithm>

#include "core/message.h"
#include "data/byte_source.h"
#include "data/utf8.h"

namespace goneuron::data {

namespace {

constexpr i64 text_max_bytes = i64{1} << 33;

Text windows_of(const std::string& text, const Vocabulary& vocabulary, const TextOptions& options,
                Site site) {
  const Tensor tokens = vocabulary.encode(text, site);
  return {token_windows(tokens, {.context = options.context, .stride = options.stride}, site),
          vocabulary};
}

}  // namespace

std::string text_file(const std::string& path, Site site) {
  const auto source = file_source(path, user_place("data::text_file", site),
                                  "check the path, or the folder that the program runs in");
  std::string text;
  constexpr size_t piece = 1 << 20;
  for (size_t read = piece; read == piece;) {
    const size_t before = text.size();
    text.resize(before + piece);
    read = source->read(reinterpret_cast<std::uint8_t*>(text.data()) + before, piece);
    text.resize(before + read);
    if (static_cast<i64>(text.size()) > text_max_bytes)
      throw_format({source->where(),
                    "the text is longer than 8 GiB; expected less",
                    {{"file", path}},
                    "split the file"});
  }
  for (size_t at = 0; at < text.size();)
    if (next_code(text, at) < 0)
      throw_format({source->where(),
                    "the text is no UTF-8 in " + text_place(text, at),
                    {{"file", path}, {"byte", std::to_string(at)}},
                    "convert it: iconv -f ISO-8859-1 -t UTF-8"});
  return text;
}

Text characters(const std::string& text, const TextOptions& options, Site site) {
  const UserCall call("data::characters", site);
  const Vocabulary vocabulary =
      options.vocabulary ? options.vocabulary : Vocabulary::characters(text, options.options, site);
  return windows_of(text, vocabulary, options, site);
}

Text bytes(const std::string& text, const TextOptions& options, Site site) {
  const UserCall call("data::bytes", site);
  return windows_of(text, Vocabulary::bytes(), options, site);
}

Text lines(const std::string& text, const TextOptions& options, Site site) {
  const UserCall call("data::lines", site);
  const std::string where = user_place("data::lines", site);
  if (options.context < 1 || options.stride != 0)
    throw_data({where,
                "a context of " + std::to_string(options.context) + " and a stride of " +
                    std::to_string(options.stride) + "; expected a context and no stride",
                {},
                "every line is one sample"});
  const Vocabulary vocabulary = options.vocabulary
                                    ? options.vocabulary
                                    : Vocabulary::characters(text + "\n", options.options, site);
  const Tensor tokens = vocabulary.encode(text + "\n", site);
  const std::int32_t end = vocabulary.encode("\n", site).data<std::int32_t>()[0];
  const auto* begin = tokens.data<std::int32_t>();
  std::vector<std::int32_t> x, y;
  i64 count = 0;
  for (const std::int32_t *at = begin, *last = begin + tokens.size(); at < last;) {
    const std::int32_t* stop = std::find(at, last, end);
    const i64 length = std::min(stop - at, options.context);
    if (length > 0) {
      ++count;
      x.push_back(end);
      x.insert(x.end(), at, at + std::min(length, options.context - 1));
      x.resize(static_cast<size_t>(count * options.context), end);
      y.insert(y.end(), at, at + length);
      if (length < options.context) y.push_back(end);
      y.resize(static_cast<size_t>(count * options.context), -1);
    }
    at = stop + 1;
  }
  if (count == 0)
    throw_data(
        {where, "there is no line with text; expected at least one", {}, "lines end with \\n"});
  const Shape shape{count, options.context};
  return {Dataset(Tensor(x, shape), Tensor(y, shape), site), vocabulary};
}

}  // namespace goneuron::data
