#include "data/csv_labels.h"

#include <limits>

namespace goneuron::data {

bool Labels::count_few(std::string_view text) {
  for (size_t at = 0; at < few_.size(); at += header + length(at)) {
    if (std::string_view(few_).substr(at + header, length(at)) != text) continue;
    const Count more = count(at) + 1;
    std::memcpy(few_.data() + at + 1, &more, sizeof more);
    if (more == std::numeric_limits<Count>::max()) spill();
    return true;
  }
  return false;
}

void Labels::insert(std::string_view text) {
  const bool fits = text.size() <= std::numeric_limits<unsigned char>::max() &&
                    few_.size() + header + text.size() <= most_bytes;
  if (many_ == nullptr && !fits) spill();
  if (many_ != nullptr) {
    many_->emplace(text, 1);
    return;
  }
  constexpr Count once = 1;
  char counted[sizeof once];
  std::memcpy(counted, &once, sizeof once);
  few_ += static_cast<char>(text.size());
  few_.append(counted, sizeof counted).append(text);
  ++few_count_;
}

std::vector<std::string> Labels::take() {
  std::vector<std::string> texts;
  texts.reserve(static_cast<size_t>(size()));
  if (many_ != nullptr)  // one by one: there may be many, and long ones
    while (!many_->empty()) texts.push_back(std::move(many_->extract(many_->begin()).key()));
  else
    each([&](std::string_view text, i64) { texts.emplace_back(text); });
  clear();
  return texts;
}

void Labels::spill() {
  auto many = std::make_unique<std::map<std::string, i64, std::less<>>>();
  each([&](std::string_view text, i64 count) { many->emplace(text, count); });
  many_ = std::move(many);
  few_ = {};
}

}  // namespace goneuron::data
