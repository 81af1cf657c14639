// Labels: the different texts of a column, and how often each came. Used by ColumnScan.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "goneuron/shape.h"

namespace goneuron::data {

/// A table may have as many columns as a row has cells, with few labels each: those lie behind each
/// other in one short string, where a node of a map for each would take eighty bytes.
class Labels {
 public:
  /// Counts `text`; calls check_new() before it is kept for the first time, which may throw.
  template <class Check>
  void add(std::string_view text, const Check& check_new) {
    if (many_ == nullptr && count_few(text)) return;
    if (many_ != nullptr)
      if (const auto at = many_->find(text); at != many_->end()) {
        ++at->second;
        return;
      }
    check_new();
    insert(text);
  }
  i64 size() const { return many_ ? static_cast<i64>(many_->size()) : few_count_; }
  void clear() { *this = {}; }
  /// The texts; none are left.
  std::vector<std::string> take();
  /// f(text, count) for each label.
  template <class F>
  void each(const F& f) const {
    if (many_ != nullptr)
      for (const auto& [text, count] : *many_) f(std::string_view(text), count);
    else
      for (size_t at = 0; at < few_.size(); at += header + length(at))
        f(std::string_view(few_).substr(at + header, length(at)), i64{count(at)});
  }

 private:
  // Of each label in few_: its length, one byte, how often it came, and its bytes.
  using Count = std::uint32_t;
  static constexpr size_t header = 1 + sizeof(Count), most_bytes = 256;

  size_t length(size_t at) const { return static_cast<unsigned char>(few_[at]); }
  Count count(size_t at) const {
    Count value;
    std::memcpy(&value, few_.data() + at + 1, sizeof value);
    return value;
  }
  bool count_few(std::string_view text);
  void insert(std::string_view text);
  void spill();

  std::string few_;
  i64 few_count_ = 0;
  std::unique_ptr<std::map<std::string, i64, std::less<>>> many_;  // null: in few_
};

}  // namespace goneuron::data
