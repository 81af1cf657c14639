#include "goneuron/callable.h"

#include "core/message.h"

namespace goneuron {

void throw_empty_callable() {
  throw_graph({.what = "an empty function is called", .hint = "give a function, or a lambda"});
}

}  // namespace goneuron
