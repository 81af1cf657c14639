// Tables of the HTML report; each is empty where the report has nothing for it. Used by
// html_report.cpp.
#pragma once

#include <string>

#include "io/html_report.h"

namespace goneuron {

std::string confusion_html(const Report& report);
std::string samples_html(const Report& report);
std::string layers_html(const Report& report);

}  // namespace goneuron
