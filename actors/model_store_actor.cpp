// SPDX-License-Identifier: Apache-2.0
#include "actors/model_store_actor.hpp"

#include "base/logging.hpp"

#include <map>

namespace penstock::actors {

namespace {

struct model_store_state {
  std::map<std::string, std::weak_ptr<const ml::model_package>> loaded; ///< by digest, as long as somebody uses it
};
using self_pointer = shell<model_store_state>*;

model_loaded load(model_store_state& state, const storage::model_files& files, const std::string& digest) {
  if (auto known = state.loaded[digest].lock())
    return {digest, std::move(known), nullptr};
  auto bytes = files.read(digest);
  if (!bytes)
    return {digest, nullptr, std::make_shared<error>(bytes.error())};
  auto package = ml::decode_package(*bytes, digest);
  if (!package)
    return {digest, nullptr, std::make_shared<error>(package.error().in("model package " + digest))};
  state.loaded[digest] = package->package;
  logging::info("model.loaded", "package verified", {{"model", package->package->lineage.training}, {"cause", digest}});
  return {digest, package->package, nullptr};
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
