// Five steps of every optimizer on a vector with given gradients against PyTorch: the update ops in
// f32 and f64. golden_training_test takes the same steps through Model::train_on_batch.
#include <cmath>

#include "golden_evaluate.h"
#include "golden_optimizer.h"

namespace goneuron::golden {
namespace {

class GoldenOptimizer : public testing::TestWithParam<std::tuple<std::string, DType>> {};

std::shared_ptr<Variable> variable(const Tensor& value, Role role) {
  auto made = std::make_shared<Variable>();
  made->name = role == Role::slot ? "slot" : "weight";
  made->role = role;
  made->type = {value.shape(), DType::f32};
  made->value = value;
  return made;
}

/// The update op that `optimizer` stands for, on a parameter, its gradient, and slots that start at
/// zero.
Symbol update(const Optimizer& optimizer, const std::shared_ptr<Variable>& parameter,
              const Symbol& gradient) {
  const auto slot = [&] {
    return variable_symbol(
        variable(Tensor(parameter->value.shape(), parameter->value.dtype()), Role::slot));
  };
  const Symbol p = variable_symbol(parameter);
  if (optimizer.kind == Optimizer::Kind::sgd) {
    std::vector<Symbol> inputs{p, gradient};
    if (optimizer.momentum > 0) inputs.push_back(slot());
    return make("sgd_update", inputs,
                {{"momentum", optimizer.momentum},
                 {"nesterov", i64{optimizer.nesterov}},
                 {"weight_decay", optimizer.weight_decay}});
  }
  return make("adam_update", {p, gradient, slot(), slot()},
              {{"beta1", optimizer.beta1},
               {"beta2", optimizer.beta2},
               {"epsilon", optimizer.epsilon},
               {"weight_decay", optimizer.weight_decay},
               {"decoupled", i64{optimizer.kind == Optimizer::Kind::adamw}}});
}

TEST_P(GoldenOptimizer, FiveSteps) {
  const auto& [name, precision] = GetParam();
  const Json& one = case_named("optimizers", name);
  const Optimizer optimizer = optimizer_of(one);
  const auto parameter = variable(tensor_of(one.at("start"), precision), Role::parameter);
  const Symbol gradient = input_symbol({shape_of(one.at("start")), DType::f32}, "gradient");
  const Symbol step = update(optimizer, parameter, gradient);
  StepScalars scalars;
  scalars.learning_rate = optimizer.learning_rate;
  for (size_t i = 0; i < one.at("gradients").size(); ++i) {
    scalars.step = static_cast<double>(i + 1);
    scalars.correction1 = 1 - std::pow(optimizer.beta1, scalars.step);
    scalars.correction2 = 1 - std::pow(optimizer.beta2, scalars.step);
    apply({step}, {{gradient, tensor_of(one.at("gradients")[i], precision)}}, precision, scalars);
    expect_close(parameter->value, one.at("after")[i], tolerance(precision),
                 "weights after step " + std::to_string(i + 1));
  }
}

INSTANTIATE_TEST_SUITE_P(PyTorch, GoldenOptimizer,
                         testing::Combine(testing::ValuesIn(case_names("optimizers")),
                                          testing::Values(DType::f32, DType::f64)),
                         CaseName{});

}  // namespace
}  // namespace goneuron::golden
