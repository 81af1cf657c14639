// Text and series as samples: characters, bytes or lines as numbers, and windows over sequences.
// The samples are read where the sequence lies; windows that overlap are no copies.
#pragma once

#include <string>

#include "goneuron/dataset.h"

namespace goneuron {

namespace data {

struct VocabularyOptions {
  /// Adds the token 0, "\uFFFD", for characters that the vocabulary does not have; without it they
  /// are an error.
  bool unknown = false;
  /// Characters that come less often are unknown.
  i64 min_count = 1;
};

/// Tokens, which are pieces of text, and their numbers from 0 on; a handle.
class Vocabulary {
 public:
  Vocabulary() = default;
  /// The characters of a text in UTF-8, by code point. Throws DataError for other text.
  static Vocabulary characters(const std::string& text, const VocabularyOptions& options = {},
                               Site site = Site::here());
  /// The 256 bytes.
  static Vocabulary bytes();
  /// Characters in an order of your own, such as tokens() gave; the first is "\uFFFD" where
  /// unknown ones are allowed.
  explicit Vocabulary(const std::vector<std::string>& characters, Site site = Site::here());

  i64 size() const;
  std::vector<std::string> tokens() const;
  /// The text of one token.
  std::string operator[](const Index& token) const;
  /// [characters] i32. Throws DataError naming line and column of what is no UTF-8 or not known.
  Tensor encode(const std::string& text, Site site = Site::here()) const;
  /// The text of whole numbers of any shape, in order.
  std::string decode(const Tensor& tokens, Site site = Site::here()) const;

  explicit operator bool() const { return table_ != nullptr; }
  struct Table;

 private:
  Shared<const Table> table_;
};

struct TextOptions {
  i64 context = 128;               ///< tokens a sample
  i64 stride = 0;                  ///< between the beginnings of two samples; 0: the context
  Vocabulary vocabulary = {};      ///< that of the training text, for other text; empty: made of it
  VocabularyOptions options = {};  ///< of a vocabulary that is made
};
struct Text {
  Dataset data;
  Vocabulary vocabulary;
};

/// A file of text in UTF-8, plain or gzip. Throws FormatError naming file, line and column.
std::string text_file(const std::string& path, Site site = Site::here());
/// Windows of `context` characters: x [context] i32, y [context] i32, the characters that follow
/// each. Throws DataError for text that is not longer than the context.
Text characters(const std::string& text, const TextOptions& options = {}, Site site = Site::here());
/// The same with bytes, of any encoding or none.
Text bytes(const std::string& text, const TextOptions& options = {}, Site site = Site::here());
/// Each line that is not empty as one sample: x [context] begins with the end of a line, y
/// [context] ends with it; behind it x is padded with ends of lines and y with -1, the
/// `ignore_index` for the loss. Lines are cut to the context.
Text lines(const std::string& text, const TextOptions& options = {}, Site site = Site::here());

struct TokenOptions {
  i64 context = 128;
  i64 stride = 0;  ///< 0: the context
};
/// Windows of numbers [count] i32 that were made elsewhere: x and y [context] i32, y one later.
Dataset token_windows(const Tensor& tokens, const TokenOptions& options = {},
                      Site site = Site::here());

struct WindowOptions {
  i64 length = 32;                ///< steps that the model sees
  i64 stride = 1;                 ///< between the beginnings of two samples
  i64 horizon = 1;                ///< steps that follow them and are the target
  std::vector<i64> targets = {};  ///< the features that are; empty: all
};
/// Samples of a series [time, features] or [time]: x [length, features] and y, what follows it,
/// [horizon, targets], or [targets] where the horizon is 1; of the series' dtype. Throws DataError
/// where it is too short.
Dataset windows(const Tensor& series, const WindowOptions& options = {}, Site site = Site::here());

}  // namespace data
}  // namespace goneuron
