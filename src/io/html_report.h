// HTML report of a training run: curves, facts and a grid of predictions in one page that opens
// offline. Used by the demo.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "goneuron/model.h"

namespace goneuron {

/// One tile of the grid of predictions.
struct ReportImage {
  Tensor pixels;  ///< u8, [height, width] or [height, width, 1 or 3]
  std::string predicted, actual;
  double confidence = 0;  ///< of the prediction, in [0, 1]
};

struct Report {
  std::string title;
  std::string subtitle;
  std::vector<std::pair<std::string, std::string>>
      facts;                        ///< {"test accuracy", "0.912"}: shown large
  History history;                  ///< loss and accuracy, with val_* where they exist
  std::vector<ReportImage> images;  ///< wrong ones are marked
  std::vector<std::pair<std::string, std::string>>
      listings;  ///< {"Memory", text}: shown as they are
};

/// The page as a string.
std::string report_html(const Report& report);
/// Written to a temporary file and renamed. Throws FormatError when it cannot be written.
void write_report(const std::string& path, const Report& report);

}  // namespace goneuron
