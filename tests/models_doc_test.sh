#!/usr/bin/env bash
# Compiles and runs the program that docs/models.md is made of, against the build given as $1. The values in its comments
# are those that it computes; what the page says in words alone about freezing is tried at its end.
set -euo pipefail
. "$(dirname "$0")/doc_page.sh"
build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

run_page models "$build" '
  Layer norm = BatchNorm();
  norm.set_trainable(false);
  auto normed = Sequential({norm, Dense(3)});
  normed.compile(SGD(1e-9), CrossEntropy({.from_logits = true}));
  const double of_batch = normed.train_on_batch(x.slice(0, 10), kind.slice(0, 10))["loss"];
  const double of_running = normed.test_on_batch(x.slice(0, 10), kind.slice(0, 10))["loss"];
  doc::expect(of_batch == of_running, "true", "the loss of a frozen BatchNorm", "training and inference");
  for (const Weight& weight : norm.weights()) {
    const double begin = weight.name.find("var") != std::string::npos || weight.name.ends_with("weight") ? 1 : 0;
    doc::expect(weight.value.at({0}) != begin, "false", weight.name.c_str(), "moved when frozen");
  }
  encoder.set_trainable(false);
  doc::expect(code.weights()[0].trainable, "false", "a layer in a frozen model", "trainable");
  try {
    tuned.compile(Adam(0.01, {.groups = {{"nothing/*", {}}}}), CrossEntropy);
    return 1;
  } catch (const GraphError&) {
  }
  std::puts(normed.summary(8).c_str());
}'
checks=$(grep -c '^doc::expect' models.cc)
[ "$checks" -gt 20 ] || { echo "docs/models.md: $checks values were compared; expected more than 20" >&2; exit 1; }
grep -q "frozen" output.txt || { echo "summary() does not mark what is frozen" >&2; exit 1; }
