// predict_rows(): raw rows of a table through the model's preprocessing, and its outputs as the
// target's classes and units.
#include "core/message.h"
#include "goneuron/csv.h"
#include "train/model_impl.h"

namespace goneuron {

namespace {

const data::Preprocessing& need_preprocessing(const ModelImpl& m, const char* function, Site site) {
  if (!m.preprocessing)
    throw_graph({.where = user_place(function, site),
                 .what = "the model has no preprocessing; expected that of the table it was "
                         "trained on",
                 .hint = "model.set_preprocessing(table.preprocessing) before the model is saved"});
  return *m.preprocessing;
}

[[noreturn]] void fail_output(const data::TableColumn& column, const Tensor& output,
                              const std::string& expected) {
  throw_shape({.where = user_place("predict_rows", {}),
               .what = "the output for the target \"" + column.name + "\" is " +
                       output.shape().str() + "; expected " + expected,
               .hint = "give the model an output that fits its table, or set_preprocessing() of "
                       "the table it was trained on"});
}

std::vector<std::string> labels_of(const data::TableColumn& column, const Tensor& output) {
  const auto count = static_cast<i64>(column.categories.size());
  const i64 rows = output.shape()[0], width = rows == 0 ? 0 : output.size() / rows;
  if (output.shape().rank() > 2 || (width != count && !(width == 1 && count == 2)))
    fail_output(column, output,
                "[rows, " + std::to_string(count) + "]" + (count == 2 ? " or [rows, 1]" : ""));
  std::vector<std::string> labels;
  const Tensor best = width == 1 ? Tensor() : output.argmax();
  for (i64 r = 0; r < rows; ++r) {
    const i64 place = count == 1   ? 0
                      : width == 1 ? (output.reshape({rows}).at({r}) > 0.5 ? 1 : 0)
                                   : best.data<std::int32_t>()[r];
    labels.push_back(column.categories[static_cast<size_t>(place)]);
  }
  return labels;
}

/// Numbers of `targets`, from the first one on, in their own units.
Tensor restored(const data::Preprocessing& table, const std::vector<int>& targets, int first,
                int count, const Tensor& output) {
  if (!table.normalize_target) return output;
  const i64 rows = output.shape()[0];
  if (output.size() != rows * count)
    fail_output(table.columns[static_cast<size_t>(targets[static_cast<size_t>(first)])], output,
                "[rows, " + std::to_string(count) + "]");
  Tensor out = output.to(DType::f32).clone();
  float* at = out.data();
  for (i64 r = 0; r < rows; ++r)
    for (int t = 0; t < count; ++t, ++at) *at = static_cast<float>(table.restored(first + t, *at));
  return out;
}

std::vector<TargetPrediction> predictions(const Model& model, const data::Preprocessing& table,
                                          const Tensor& x, Site site) {
  const auto outputs = model.predict_all(x, 256, site);
  const auto targets = table.with_role(data::ColumnRole::target);
  const size_t expected = table.joined_targets() ? 1 : targets.size();
  if (!targets.empty() && outputs.size() != expected)
    throw_graph({.where = user_place("predict_rows", site),
                 .what = "the model has " + counted(static_cast<i64>(outputs.size()), "output") +
                         ", its table " + counted(static_cast<i64>(expected), "target"),
                 .hint = "give the model one output for each target"});
  std::vector<TargetPrediction> all;
  for (size_t i = 0; i < outputs.size(); ++i) {
    TargetPrediction one;
    one.output = outputs[i];
    const auto column = [&](size_t t) -> const data::TableColumn& {
      return table.columns[static_cast<size_t>(targets[t])];
    };
    if (targets.empty()) {
      one.name = model.output_names()[i];
    } else if (table.joined_targets()) {
      for (size_t t = 0; t < targets.size(); ++t) one.name += (t > 0 ? ", " : "") + column(t).name;
      one.output = restored(table, targets, 0, static_cast<int>(targets.size()), outputs[i]);
    } else {
      one.name = column(i).name;
      if (column(i).kind == data::ColumnKind::category)
        one.labels = labels_of(column(i), outputs[i]);
      else
        one.output = restored(table, targets, static_cast<int>(i), 1, outputs[i]);
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

std::vector<TargetPrediction> Model::predict_rows(const std::vector<std::vector<std::string>>& rows,
                                                  Site site) const {
  const UserCall user("predict_rows", site);
  const auto& table = need_preprocessing(need(impl_), "predict_rows", site);
  return predictions(*this, table, table.inputs(rows, site), site);
}

std::vector<TargetPrediction> Model::predict_csv(const std::string& text, Site site) const {
  const UserCall user("predict_csv", site);
  const auto& table = need_preprocessing(need(impl_), "predict_csv", site);
  return predictions(*this, table, table.inputs_of_csv(text, site), site);
}

void Model::set_preprocessing(const data::Preprocessing& preprocessing, Site site) {
  const UserCall user("set_preprocessing", site);
  need(impl_).preprocessing = std::make_shared<const data::Preprocessing>(preprocessing);
}

bool Model::has_preprocessing() const { return need(impl_).preprocessing != nullptr; }

data::Preprocessing Model::preprocessing(Site site) const {
  return need_preprocessing(need(impl_), "preprocessing", site);
}

}  // namespace goneuron
