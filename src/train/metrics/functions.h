// The functions behind the metrics that can be had by name: of means, one number a sample, [batch];
// and their names.
#pragma once

#include "goneuron/metric.h"

namespace goneuron {

Symbol accuracy(const Symbol& y_true, const Symbol& y_pred);
Symbol categorical_accuracy(const Symbol& y_true, const Symbol& y_pred);
Symbol sparse_categorical_accuracy(const Symbol& y_true, const Symbol& y_pred);
Symbol mean_absolute_error(const Symbol& y_true, const Symbol& y_pred);
Symbol mean_absolute_percentage_error(const Symbol& y_true, const Symbol& y_pred);
Symbol cosine_similarity(const Symbol& y_true, const Symbol& y_pred);
Evidence mean_squared_error(const Symbol& y_true, const Symbol& y_pred);
Evidence root_mean_squared_error(const Symbol& y_true, const Symbol& y_pred);
Evidence r2_score(const Symbol& y_true, const Symbol& y_pred);

/// Whether these are two names of one metric: "mae", "mean_absolute_error".
bool same_metric(const std::string& name, const std::string& other);

}  // namespace goneuron
