// Mixtures of experts: a router, and experts as one product over rows sorted by expert.
#include "goneuron/moe.h"

#include <cmath>
#include <cstring>

#include "core/message.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"
#include "nn/options.h"

namespace goneuron {

namespace {
/// What MoE and ExpertFeedForward have in common.
struct Mixture {
  i64 experts, top_k;
  bool bias, normalize;
  double balance, z_loss;
  bool log_experts;
  Initializer weight_init, bias_init;
  std::string name;
};

template <class Options>
Mixture mixture_of(i64 experts, i64 top_k, const Options& o) {
  return {experts,  top_k,         o.bias,        o.normalize, o.balance,
          o.z_loss, o.log_experts, o.weight_init, o.bias_init, o.name};
}

void check(const Mixture& m, const char* kind, Site site) {
  check_count(m.experts, "experts", kind, site);
  check_count(m.top_k, "experts for each token (top_k)", kind, site);
  require(m.top_k <= m.experts, kind, site,
          "a top_k of " + std::to_string(m.top_k) + "; expected at most the " +
              std::to_string(m.experts) + " experts",
          "a token uses each expert at most once: lower top_k or add experts");
  for (const auto& [name, value] : {std::pair{"balance", m.balance}, {"z_loss", m.z_loss}})
    require(value >= 0 && std::isfinite(value), kind, site,
            "a " + std::string(name) + " of " + number_text(value) +
                "; expected a finite weight from 0 up",
            "it weighs a loss that the layer adds; 0 leaves it out");
  check_initializer(m.weight_init, "weight_init", kind, site);
  check_initializer(m.bias_init, "bias_init", kind, site);
}

/// Sorted rows of a call: what its experts get.
class Router {
 public:
  Router(LayerContext& context, const Mixture& mixture) : context_(context), m_(mixture) {
    const Symbol& x = context.input();
    if (x.shape().rank() < 2)
      context.fail_shape("a sample is a single number; expected features on the last axis",
                         "add Reshape({1}) before it");
    const i64 width = x.shape()[-1];
    if (width == Any)
      context.fail_shape("the length of the last axis is not known; expected a number of features",
                         "give it to Input(), or build() the model");
    const Symbol router =
        context.parameter("router", {width, m_.experts}, m_.weight_init, width, m_.experts);
    // In floats even among products of bf16: choices hang on small differences (Fedus et al. 2021).
    logits_ = make("matmul", {x, router}, {{"bf16", i64{0}}});
    if (!m_.normalize || m_.balance > 0) probs_ = make("softmax", {logits_});
    // A softmax over the chosen logits is that over all, divided by the sum of the chosen.
    const Symbol chosen = make("top_k", {m_.normalize ? logits_ : probs_}, {{"k", m_.top_k}});
    weights_ = m_.normalize ? make("softmax", {chosen}) : chosen;
    choices_ = output_of(chosen, 1);
    route_ = make("expert_route", {choices_}, {{"experts", m_.experts}});
    rows_ = make("expert_dispatch", {x, route_, output_of(route_, 1)});
    add_statistics();
  }

  const Symbol& rows() const { return rows_; }

  /// Every row times the weight `name` [experts, in, out] of its expert, and its bias.
  Symbol product(const Symbol& rows, const std::string& name, i64 out) {
    const i64 in = rows.shape()[-1];
    std::vector<Symbol> inputs = {
        rows, context_.parameter(name.c_str(), {m_.experts, in, out}, m_.weight_init, in, out),
        output_of(route_, 2)};
    if (m_.bias) {
      const std::string bias = name == "weight" ? "bias" : name + "_bias";
      inputs.push_back(context_.parameter(bias.c_str(), {m_.experts, out}, m_.bias_init, in, out));
    }
    return make("expert_matmul", inputs, {{"tb", i64{0}}});
  }

  Symbol combine(const Symbol& rows) const {
    return make("expert_combine", {rows, weights_, output_of(route_, 1), route_});
  }

 private:
  void add_statistics() {
    const std::string prefix = m_.name.empty() ? "moe/" : m_.name + "/";
    if (m_.balance > 0)
      context_.add_loss(make("expert_balance", {probs_, choices_}), prefix + "balance", m_.balance);
    if (m_.z_loss > 0)
      context_.add_loss(make("square", {make("log_sum_exp", {logits_})}), prefix + "z", m_.z_loss);
    const Symbol share = make("expert_share", {choices_}, {{"experts", m_.experts}});
    const Attrs one{{"k", i64{1}}};
    context_.add_metric(prefix + "most", make("top_k", {share}, one));
    context_.add_metric(prefix + "least",
                        make("neg", {make("top_k", {make("neg", {share})}, one)}));
    for (i64 e = 0; m_.log_experts && e < m_.experts; ++e)
      context_.add_metric(prefix + "expert_" + std::to_string(e),
                          make("slice", {share}, {{"axis", i64{0}}, {"begin", e}, {"end", e + 1}}));
  }

  LayerContext& context_;
  const Mixture& m_;
  Symbol logits_, probs_, weights_, choices_, route_, rows_;
};

Layer mixture_layer(const char* kind, const char* prefix, const Mixture& mixture, Site site,
                    std::function<Symbol(LayerContext&)> build) {
  return make_layer({.kind = kind,
                     .prefix = prefix,
                     .name = mixture.name,
                     .site = site,
                     .build = std::move(build)});
}
}  // namespace

Layer MoE(i64 out, i64 experts, i64 top_k, const MoEOptions& options, Site site) {
  const Mixture m = mixture_of(experts, top_k, options);
  check_count(out, "units", "MoE", site);
  check(m, "MoE", site);
  return mixture_layer("MoE", "moe", m, site, [=, act = options.activation](LayerContext& c) {
    Router router(c, m);
    return router.combine(act(router.product(router.rows(), "weight", out), {}));
  });
}

Layer ExpertFeedForward(i64 hidden, i64 experts, i64 top_k, const ExpertOptions& options,
                        Site site) {
  const char* kind = "ExpertFeedForward";
  const Mixture m = mixture_of(experts, top_k, options);
  check_count(hidden, "hidden units", kind, site);
  check(m, kind, site);
  const FeedForward form = options.activation;
  require(form.kind >= 0 && form.kind <= 2, kind, site,
          "an activation of " + std::to_string(form.kind) +
              "; expected ReLU, GELU or SwiGLU, 0 to 2, or another activation by its name",
          "pass the name: .activation = SwiGLU");
  const auto build = [=](LayerContext& c) {
    Router router(c, m);
    const Symbol up = router.product(router.rows(), "up", form.gated ? 2 * hidden : hidden);
    const Symbol y = form.gated ? make("swiglu", {up}) : form.activation(up, {});
    return router.combine(router.product(y, "down", c.input().shape()[-1]));
  };
  return mixture_layer(kind, "experts", m, site, build);
}

Symbol expert_weights(const Layer& layer, Site site) {
  const UserCall user("expert_weights", site);
  const Symbol output = layer.output(site);
  const Expr& combine = *output.expr();
  if (!combine.op || std::string_view(combine.op->name) != "expert_combine")
    throw_graph(
        {.where = layer.impl()->describe(),
         .what = "it is not a mixture of experts; expected a MoE or ExpertFeedForward layer",
         .hint = "pass the layer itself: model.get_layer(\"moe\")"});
  const Symbol weights = combine.inputs[1];
  const bool softmax = std::string_view(weights.expr()->op->name) == "softmax";
  const Symbol chosen = softmax ? weights.expr()->inputs[0] : weights;
  return make("top_k_grad", {output_of(chosen, 1), weights, chosen.expr()->inputs[0]}, {}, site);
}

}  // namespace goneuron
