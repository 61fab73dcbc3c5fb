// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_client.hpp"

#include <algorithm>
#include <map>
#include <mutex>

namespace penstock::web {

/// A model that adds its features up.
class sum_model final : public ml::model {
public:
  explicit sum_model(std::size_t features) : features_(features) {}
  std::string_view type() const override { return "sum"; }
  std::size_t features() const override { return features_; }
  void predict(std::span<const float> rows, std::span<double> out) const override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = 0;
      for (std::size_t k = 0; k < features_; ++k)
        out[i] += static_cast<double>(rows[i * features_ + k]);
    }
  }
  std::size_t memory() const override { return sizeof(*this); }

private:
  std::size_t features_;
};

inline ml::field_spec feature(const std::string& name, ml::field_type type = ml::field_type::float64) {
  ml::field_spec out;
  out.name = name;
  out.type = type;
  return out;
}

inline actors::actor_info an_actor(const std::string& address, const std::string& kind, const std::string& cause = "") {
  actors::actor_info out;
  out.address = address;
  out.kind = kind;
  out.state = "running";
  out.last_cause = cause;
  return out;
}

inline storage::topic_info a_topic(const std::string& name, std::vector<storage::offset_range> partitions) {
  storage::topic_info out;
  out.spec.name = name;
  out.spec.partitions = static_cast<std::int32_t>(partitions.size());
  out.partitions = std::move(partitions);
  return out;
}

/// A served model named `name` with these features that predicts their sum as `total`.
inline std::shared_ptr<const runtime::serving_model> sum_of(const std::string& name, std::uint64_t version,
                                                            std::vector<ml::field_spec> features) {
  auto package = std::make_shared<ml::model_package>();
  package->model = std::make_shared<sum_model>(features.size());
  package->input = *ml::schema::make(std::move(features));
  package->output = *ml::schema::make({feature("total")});
  auto out = std::make_shared<runtime::serving_model>();
  out->name = name;
  out->version = version;
  out->package = package;
  return out;
}

/// Answers its features as probabilities of these classes.
class echo_model final : public ml::model {
public:
  explicit echo_model(std::size_t classes) : classes_(classes) {}
  std::string_view type() const override { return "echo"; }
  std::size_t features() const override { return classes_; }
  std::size_t outputs() const override { return classes_; }
  void predict(std::span<const float> rows, std::span<double> out) const override {
    std::copy(rows.begin(), rows.end(), out.begin());
  }
  ml::kernel_description kernel() const override { return {"by_hand", "a test needs no other"}; }
  std::size_t memory() const override { return 4096; }

private:
  std::size_t classes_;
};

inline std::shared_ptr<const runtime::serving_model>
classifier(const std::string& name, const std::vector<std::string>& classes, ml::field_type type) {
  auto package = std::make_shared<ml::model_package>();
  package->model = std::make_shared<echo_model>(classes.size());
  std::vector<ml::field_spec> features;
  for (std::size_t i = 0; i < classes.size(); ++i)
    features.push_back(feature("p" + std::to_string(i)));
  package->input = *ml::schema::make(std::move(features));
  auto answer = feature("kind", type);
  answer.one_of = classes;
  package->output = *ml::schema::make({answer});
  package->learner = {"echo", {{"volume", "11"}}};
  package->metrics = {{"accuracy", 0.75}};
  package->importances = {{"p0", 0.25}, {"p1", 0.75}};
  auto out = std::make_shared<runtime::serving_model>();
  *out = {name, 4, 0, "d4", package, 777};
  return out;
}

/// A node in memory: what a test sets is what the node says. Set `broken` and every call fails with it.
class stub_client final : public actors::node_client {
public:
  actors::node_info info;
  std::vector<actors::actor_info> known_actors;
  runtime::registry_table table;
  runtime::runs_table known_runs;
  std::vector<runtime::event_noted> known_events;
  std::vector<storage::topic_info> known_topics;
  std::map<storage::partition_id, storage::record_batch> records;
  std::map<std::string, std::vector<actors::dead_letter>> letters;
  std::map<std::string, std::shared_ptr<const runtime::serving_model>> models;
  std::optional<error> broken;
  std::function<void()> on_call; ///< before every answer

  result<actors::node_info> node(duration) override { return answer(info); }
  result<std::vector<actors::actor_info>> actors(duration) override { return answer(known_actors); }
  result<actors::actor_info> actor(const std::string& address, duration) override {
    for (const auto& each : known_actors)
      if (each.address == address)
        return answer(each);
    return fail(errc::not_found, "no actor {}", address);
  }
  result<std::vector<actors::shard_info>> shards(duration) override { return answer(info.shards); }
  result<runtime::registry_table> registry(duration) override { return answer(table); }
  result<runtime::runs_table> runs(duration) override { return answer(known_runs); }
  result<std::vector<runtime::event_noted>> events(duration) override { return answer(known_events); }
  result<std::vector<storage::topic_info>> topics(duration) override { return answer(known_topics); }
  result<storage::fetched> read(const storage::position& from, std::size_t most, duration) override {
    storage::fetched out;
    out.from = from.of;
    out.next = from.next;
    const auto& all = records[from.of];
    for (std::size_t i = 0; i < all.size() && out.records.size() < most; ++i) {
      const auto record = all[i];
      if (record.offset < from.next)
        continue;
      if (record.tombstone)
        out.records.add_tombstone(record.key, record.headers, record.timestamp, record.offset);
      else
        out.records.add(record.key, record.value, record.headers, record.timestamp, record.offset);
      out.next = record.offset + 1;
    }
    return answer(out);
  }
  result<std::vector<actors::dead_letter>> dead_letters(const std::string& stream, std::size_t, duration) override {
    return answer(letters[stream]);
  }
  result<std::shared_ptr<const runtime::serving_model>> model(const std::string& name, const std::string&,
                                                              duration) override {
    const auto found = models.find(name);
    if (!broken && found == models.end())
      return fail(errc::not_found, "no model is called {}", name);
    return answer(found == models.end() ? nullptr : found->second);
  }
  status cancel_training(const std::string& name, duration) override {
    if (broken)
      return *broken;
    for (auto& each : info.trainings)
      if (each.training == name || each.training.ends_with("/" + name)) {
        if (each.state == "completed")
          return fail(errc::conflict, "training {} has completed", name);
        each.state = "cancelled";
        return {};
      }
    return fail(errc::not_found, "no training {}", name);
  }
  std::string metrics() override { return "# HELP penstock_up Up\n# TYPE penstock_up gauge\npenstock_up 1\n"; }

private:
  template <class T>
  result<T> answer(const T& value) {
    if (on_call)
      on_call();
    return broken ? result<T>(*broken) : result<T>(value);
  }
};

/// Registers a version of a model, as the control topic would.
inline void register_model(stub_client& client, const std::string& name, std::uint64_t version) {
  const auto next = client.table.applied() + 1;
  client.table.apply(next, runtime::model_registered{name, version, "d" + std::to_string(version), "run-1", {}, 1});
  client.table.apply(next + 1, runtime::alias_set{name, "champion", version, 1});
}

} // namespace penstock::web
