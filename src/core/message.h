// The one format of error messages: what happened where, the values involved, and the fix.
// Used by everything that throws.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "goneuron/error.h"
#include "goneuron/shape.h"
#include "goneuron/site.h"

namespace goneuron {

/// "train.cpp:14"; empty when the site is unknown.
std::string site_text(Site site);

/// `Dense (train.cpp:14)`, `fit() (train.cpp:20)`; without the line where the site is unknown.
std::string place(const std::string& name, Site site);
std::string call_site(const char* function, Site site);

/// The call of the public API that is at work on this thread: put at the top of each public
/// function, so that every error below it can say which line of the user's program it comes from.
/// The outermost call counts, until the library calls back into the user's code.
class UserCall {
 public:
  /// Quiet: named only by errors that have no place of their own, and as it is, without "()".
  UserCall(const char* function, Site site, bool quiet = false);
  ~UserCall();
  UserCall(const UserCall&) = delete;
  UserCall& operator=(const UserCall&) = delete;

  std::string text() const;
  Site site() const { return site_; }
  bool quiet() const { return quiet_; }

 private:
  const char* function_;
  Site site_;
  bool quiet_;
  const UserCall* before_;
  bool inside_user_code_ = false;
};

/// Around a call into the user's code (a custom layer or loss, a map, a callback): the calls of the
/// API that are made in there count again.
class UserCode {
 public:
  UserCode();
  ~UserCode();
  UserCode(const UserCode&) = delete;
  UserCode& operator=(const UserCode&) = delete;

 private:
  bool before_;
};

/// Around the making of a layer: the place of errors that have none of their own.
class LayerPlace {
 public:
  explicit LayerPlace(std::string text);
  ~LayerPlace();
  LayerPlace(const LayerPlace&) = delete;
  LayerPlace& operator=(const LayerPlace&) = delete;

 private:
  std::string text_;
  const std::string* before_;
};

/// The place of an error in a function that the library uses too, such as Tensor::at: with `site`
/// where the user called it; empty where a UserCall, whose line is the one that helps, did.
std::string user_place(const char* function, Site site);

/// The library is at work for a call of its API, outside of the user's functions: what it calls of
/// its own API has no line of the user's.
bool in_library();

struct Message {
  std::string where;  // `Dense "dense_2" (train.cpp:14)`
  std::string what;   // found and expected, in one sentence without a full stop
  std::vector<std::pair<std::string, std::string>> lines =
      {};  // {"input", "[batch, 64]  from ..."}
  std::string hint = {};

  /// "ShapeError: where: what\n  label   text\n  hint    fix". The UserCall goes before a `where`
  /// without a line, else on a line of its own.
  std::string str(const char* kind) const;
};

[[noreturn]] void throw_shape(const Message& message);
[[noreturn]] void throw_type(const Message& message);
[[noreturn]] void throw_graph(const Message& message);
[[noreturn]] void throw_device(const Message& message);
[[noreturn]] void throw_memory(const Message& message);
[[noreturn]] void throw_format(const Message& message);
[[noreturn]] void throw_data(const Message& message);

/// "1 tensor", "2 tensors"
std::string counted(i64 count, const std::string& thing);
/// "a", "b", "c": for lists of names that exist.
std::string quoted_list(const std::vector<std::string>& names);
/// The shortest decimal that reads back as `value`.
std::string number_text(double value);

}  // namespace goneuron
