// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_tree.hpp"

namespace penstock::actors {

/// `node_client` of the node in this process: asks its actors, each with what is left of the time limit.
class local_client final : public node_client {
public:
  local_client(caf::actor_system& system, node_ground& ground) : system_(system), ground_(ground) {}

  [[nodiscard]] result<node_info> node(duration limit) override;
  [[nodiscard]] result<std::vector<actor_info>> actors(duration limit) override;
  [[nodiscard]] result<actor_info> actor(const std::string& address, duration limit) override;
  [[nodiscard]] result<std::vector<shard_info>> shards(duration limit) override;
  [[nodiscard]] result<runtime::registry_table> registry(duration limit) override;
  [[nodiscard]] result<runtime::runs_table> runs(duration limit) override;
  [[nodiscard]] result<std::vector<runtime::event_noted>> events(duration limit) override;
  [[nodiscard]] result<std::vector<storage::topic_info>> topics(duration limit) override;
  [[nodiscard]] result<storage::fetched> read(const storage::position& from, std::size_t most, duration limit) override;
  [[nodiscard]] result<std::vector<dead_letter>> dead_letters(const std::string& stream, std::size_t most,
                                                              duration limit) override;
  [[nodiscard]] result<std::shared_ptr<const runtime::serving_model>>
  model(const std::string& name, const std::string& alias, duration limit) override;
  [[nodiscard]] status cancel_training(const std::string& name, duration limit) override;
  [[nodiscard]] std::string metrics() override;

  /// Fills in where the inputs of shards end now.
  void add_ends(std::vector<shard_info>& shards);

private:
  template <class Answer, class Question>
  [[nodiscard]] result<Answer> ask(const std::string& address, const Question& question, time_point deadline);
  template <class Answer>
  [[nodiscard]] std::vector<Answer> ask_all(const std::string& kind, time_point deadline);
  [[nodiscard]] result<control_view> control(time_point deadline);
  void add_failure(node_info& out) const;

  caf::actor_system& system_;
  node_ground& ground_;
};

} // namespace penstock::actors
