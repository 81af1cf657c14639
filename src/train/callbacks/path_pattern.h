// PathPattern: a path with {names} for numbers, "model-{epoch:02}-{val_loss:.3f}". Used by
// ModelCheckpoint.
#pragma once

#include <string>
#include <vector>

#include "goneuron/callback.h"

namespace goneuron {

class PathPattern {
 public:
  /// Throws GraphError for a brace that does not end and a format that no number has.
  PathPattern(const char* callback, const std::string& pattern, Site site);
  /// Throws GraphError listing the names there are.
  void check(const std::vector<std::string>& names) const;
  /// {epoch} and {step} from 1.
  std::string path(i64 epoch, i64 step, const Logs& logs) const;

 private:
  struct Part {
    std::string text;          // before the name
    std::string name, format;  // "" at the end
  };
  std::string callback_;
  Site site_;
  std::vector<Part> parts_;
};

}  // namespace goneuron
