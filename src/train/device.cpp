// set_device() and set_threads(): process-wide choices that the next step obeys.
#include "goneuron/device.h"

#include <thread>

#include "backends/cpu/cpu_backend.h"
#include "backends/reference/reference_backend.h"
#include "core/memory.h"
#include "core/message.h"
#include "train/model_impl.h"

namespace goneuron {

namespace {
struct Devices {
  const Backend* current = &cpu_backend();
  int threads = 0;
  std::unique_ptr<WorkerPool> pool;
  std::mutex mutex;
};
Devices& all() {
  static Devices state;
  return state;
}
int wanted_threads() {
  const int set = all().threads;
  // Asked for once: the answer comes from the system, and takes longer than a small step.
  static const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return set > 0 ? set : cores;
}
}  // namespace

std::vector<std::string> backend_names() { return {"cpu", "reference"}; }

const Backend& backend_named(const std::string& name) {
  if (name == "cpu") return cpu_backend();
  if (name == "reference") return reference_backend();
  throw_device({.what = "there is no device \"" + name + "\"; expected one of those below",
                .lines = {{"devices", quoted_list(backend_names())}},
                .hint = "\"cpu\" is the fast one"});
}

void set_device(const std::string& name, Site site) {
  for (const std::string& known : backend_names())
    if (known == name) {
      all().current = &backend_named(name);
      return;
    }
  throw_device({.where = call_site("set_device", site),
                .what = "there is no device \"" + name + "\"; expected one of those below",
                .lines = {{"devices", quoted_list(backend_names())}},
                .hint = "\"cpu\" is the fast one"});
}

std::vector<std::string> devices() { return backend_names(); }

void set_threads(int count, Site site) {
  if (count < 0 || count > 1024)
    throw_graph(
        {.where = call_site("set_threads", site),
         .what = std::to_string(count) + " threads; expected 1 to 1024, or 0 for one a core",
         .hint = "leave it at 0 unless other programs need the cores"});
  const std::lock_guard lock(all().mutex);
  all().threads = count;
}

void set_memory_limit(i64 bytes, Site site) {
  if (bytes < 0)
    throw_graph({.where = call_site("set_memory_limit", site),
                 .what = "a limit of " + std::to_string(bytes) + " bytes; expected 0 or more",
                 .hint = "0 is no limit but the system's"});
  limit_memory(bytes);
}

int threads() { return wanted_threads(); }
const char* version() { return GONEURON_VERSION; }

WorkerPool& worker_pool() {
  Devices& devices = all();
  if (!devices.pool || devices.pool->workers() != wanted_threads()) {
    devices.pool.reset();
    devices.pool = std::make_unique<WorkerPool>(wanted_threads());
  }
  return *devices.pool;
}
std::mutex& worker_mutex() { return all().mutex; }
const Backend& current_backend() { return *all().current; }

}  // namespace goneuron
