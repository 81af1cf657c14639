// HTML report of a training run: curves, facts, confusion matrix, predictions, time of the layers,
// in one page that opens offline. Used by the HTMLReport callback, `goneuron report` and the demo.
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

/// A line of the table of predictions, for what is no image.
struct ReportSample {
  std::string input, predicted, actual;
  bool wrong = false;  ///< marked
};

/// A line of the table of times.
struct ReportLayer {
  std::string name;
  double seconds = 0, flops = 0, bytes = 0;  ///< of a training step
};

struct Report {
  std::string title;
  std::string subtitle;
  std::vector<std::pair<std::string, std::string>>
      facts;                             ///< {"test accuracy", "0.912"}: shown large
  History history;                       ///< every number, with val_* where they exist
  std::vector<double> learning_rates;    ///< one an epoch; drawn where it is not empty
  Tensor confusion;                      ///< [classes, classes], rows are targets; or empty
  std::string confusion_of;              ///< "10000 test images"
  std::vector<std::string> class_names;  ///< of the matrix; empty: numbers
  std::vector<ReportImage> images;       ///< wrong ones are marked
  std::vector<ReportSample> samples;
  std::string samples_of = "test images";  ///< what images and samples are
  std::vector<ReportLayer> layers;
  std::vector<std::pair<std::string, std::string>>
      listings;  ///< {"Memory", text}: shown as they are
};

/// The page as a string.
std::string report_html(const Report& report);
/// Written to a temporary file and renamed. Throws FormatError when it cannot be written.
void write_report(const std::string& path, const Report& report);

}  // namespace goneuron
