// SPDX-License-Identifier: Apache-2.0
#include "actors/model_store_actor.hpp"

#include "base/logging.hpp"

#include <map>

namespace penstock::actors {

namespace {

struct model_store_state {
  struct known_package {
    std::weak_ptr<const ml::model_package> package;
    std::uint64_t size = 0; ///< encoded
  };
  std::map<std::string, known_package> loaded; ///< by digest; the package as long as somebody uses it
};
using self_pointer = shell<model_store_state>*;

model_loaded load(model_store_state& state, const storage::model_files& files, const std::string& digest) {
  if (const auto known = state.loaded.find(digest); known != state.loaded.end())
    if (auto package = known->second.package.lock())
      return {digest, std::move(package), known->second.size, nullptr};
  auto bytes = files.read(digest);
  if (!bytes)
    return {digest, nullptr, 0, std::make_shared<error>(bytes.error())};
  auto package = ml::decode_package(*bytes, digest);
  if (!package)
    return {digest, nullptr, 0, std::make_shared<error>(package.error().in("model package " + digest))};
  state.loaded[digest] = {package->package, bytes->size()};
  logging::info("model.loaded", "package verified", {{"model", package->package->lineage.training}, {"cause", digest}});
  return {digest, package->package, bytes->size(), nullptr};
}

} // namespace

caf::actor spawn_model_store(caf::actor_system& system, std::shared_ptr<actor_record> record,
                             const storage::model_files& files) {
  auto start = [files](self_pointer self) -> caf::behavior {
    return {
        [=](const load_model& request) { return load(self->state, files, request.digest); },
        [=](stop_actor) { self->finish(); },
    };
  };
  return system.spawn<shell<model_store_state>>(std::move(record), std::move(start));
}

} // namespace penstock::actors
