// SPDX-License-Identifier: Apache-2.0
#include "actors/node_tree.hpp"

#include "actors/control_actor.hpp"
#include "actors/metrics_actor.hpp"
#include "actors/model_store_actor.hpp"
#include "actors/predictor_actor.hpp"
#include "actors/shard_actor.hpp"
#include "actors/source_actor.hpp"
#include "actors/trainer_actor.hpp"

#include <algorithm>
#include <thread>

namespace penstock::actors {

namespace {

using runtime::application_spec;
using runtime::strategy;
using runtime::supervisor_spec;

std::string address_of(const application_spec& application, const std::string& kind, const std::string& index) {
  return application.name + "/" + kind + "/" + index;
}

supervisor_spec spec_of(std::string id, strategy how, std::uint32_t intensity, duration within) {
  supervisor_spec out;
  out.id = std::move(id);
  out.strategy = how;
  out.intensity = intensity;
  out.within = within;
  return out;
}

child plain_child(const std::string& id, const std::string& kind,
                  std::function<caf::actor(std::shared_ptr<actor_record>)> make) {
  child out;
  out.spec.id = id;
  out.kind = kind;
  out.make = std::move(make);
  return out;
}

/// Makes the children of one application. Predictors and shards are numbered over all its streams.
class tree_builder {
public:
  tree_builder(caf::actor_system& system, node_ground& ground) : system_(system), ground_(ground) {}

  [[nodiscard]] std::vector<child> children() {
    std::vector<child> out;
    out.push_back(metrics());
    out.push_back(model_store());
    out.push_back(control());
    if (ground_.application) {
      const auto& app = *ground_.application;
      out.push_back(group(app, "trainers", trainers(app)));
      out.push_back(group(app, "sources", sources(app)));
      out.push_back(group(app, "shards", shards(app)));
    }
    return out;
  }

private:
  [[nodiscard]] child group(const application_spec& app, const std::string& name, const std::vector<child>& children) {
    auto spec = spec_of(address_of(app, "supervisor", name), strategy::one_for_one, name == "shards" ? 2 : 5,
                        std::chrono::seconds{60});
    return supervisor_child(system_, spec, children, shared_supervision(ground_));
  }

  /// Only a new process can open the log again: supervisors need not try.
  [[nodiscard]] std::function<void(const std::string&)> log_lost() {
    return [ground = &ground_](const std::string& why) {
      if (ground->log_lost.exchange(true))
        return;
      if (const auto root = ground->directory.handle(address::root))
        caf::anon_send(root, give_up{why});
    };
  }

  [[nodiscard]] child metrics() {
    return plain_child(address::metrics, "metrics", [this_system = &system_, ground = &ground_](auto record) {
      return spawn_metrics(*this_system, std::move(record),
                           {&ground->directory, ground->metrics.get(), &ground->restarts});
    });
  }

  [[nodiscard]] child model_store() {
    return plain_child(address::model_store, "model-store", [this_system = &system_, ground = &ground_](auto record) {
      return spawn_model_store(*this_system, std::move(record), *ground->models);
    });
  }

  [[nodiscard]] child control() {
    control_setup setup;
    setup.topic = "penstock." + ground_.settings.cluster + ".control";
    setup.session.id = ground_.settings.cluster + ".control";
    setup.session.group = setup.session.id;
    setup.session.incarnation = ground_.settings.incarnation;
    setup.log = ground_.log.get();
    return plain_child(address::control, "control", [this_system = &system_, setup](auto record) {
      return spawn_control(*this_system, std::move(record), setup);
    });
  }

  [[nodiscard]] std::vector<child> trainers(const application_spec& app) {
    std::vector<child> out;
    for (const auto& training : app.trainings) {
      trainer_setup setup{app.name,
                          training,
                          *app.find_dataset(training.dataset),
                          *ground_.models,
                          ground_.settings.training_threads,
                          address::control,
                          &ground_.directory,
                          ground_.settings.incarnation,
                          ground_.settings.webhook};
      if (setup.threads == 0)
        setup.threads = std::max(1u, std::thread::hardware_concurrency());
      auto made = plain_child(address_of(app, "trainer", training.name), "trainer",
                              [this_system = &system_, setup](auto record) {
                                return spawn_trainer(*this_system, std::move(record), setup);
                              });
      out.push_back(std::move(made));
    }
    return out;
  }

  [[nodiscard]] std::vector<child> sources(const application_spec& app) {
    std::vector<child> out;
    for (const auto& source : app.sources) {
      source_setup setup;
      setup.application = app.name;
      setup.source = source;
      setup.dataset = *app.find_dataset(source.dataset);
      setup.partitions = app.find_topic(source.topic)->partitions;
      setup.session.id = ground_.settings.cluster + "." + app.name + ".source." + source.name;
      setup.session.group = setup.session.id;
      setup.session.states = {{source.name, 0}};
      setup.session.incarnation = ground_.settings.incarnation;
      setup.log = ground_.log.get();
      setup.note = shared_supervision(ground_).note;
      setup.log_lost = log_lost();
      setup.farewell = [words = &ground_.last_words](const source_info& how) { words->say(how); };
      out.push_back(
          plain_child(address_of(app, "source", source.name), "source", [this_system = &system_, setup](auto record) {
            return spawn_source(*this_system, std::move(record), setup);
          }));
    }
    return out;
  }

  [[nodiscard]] std::vector<child> shards(const application_spec& app) {
    std::vector<child> out;
    for (const auto& stream : app.streams) {
      for (std::uint32_t i = 0; i < stream.shards; ++i)
        out.push_back(shard(app, stream, i));
    }
    return out;
  }

  /// A shard with its predictors: rest_for_one, so that a new shard actor starts with new predictors.
  [[nodiscard]] child shard(const application_spec& app, const runtime::stream_spec& stream, std::uint32_t index) {
    const auto number = std::to_string(next_shard_++);
    shard_setup setup;
    setup.address = address_of(app, "shard", number);
    setup.stream = app.name + "/" + stream.name;
    setup.settings.application = app.name;
    setup.settings.stream = stream;
    setup.settings.shard = index;
    setup.settings.max_record_bytes = ground_.log->max_record_bytes();
    setup.settings.session = session_of(app, stream, index);
    setup.predictor_supervisor = address_of(app, "supervisor", "predictors-" + number);
    setup.control = address::control;
    setup.model_store = address::model_store;
    setup.log = ground_.log.get();
    setup.directory = &ground_.directory;
    setup.metrics = ground_.metrics.get();
    setup.note = shared_supervision(ground_).note;
    setup.log_lost = log_lost();
    setup.farewell = [words = &ground_.last_words](const shard_info& how) { words->say(how); };
    for (const auto& entry : ground_.suspects) {
      if (entry.group == setup.settings.session.group)
        setup.suspects.push_back(entry.what);
    }
    auto predictors = predictor_children(app, stream, setup);
    std::vector<child> children;
    children.push_back(plain_child(setup.address, "shard", [this_system = &system_, setup](auto record) {
      return spawn_shard(*this_system, std::move(record), setup);
    }));
    children.push_back(supervisor_child(
        system_, spec_of(setup.predictor_supervisor, strategy::one_for_one, 5, std::chrono::seconds{10}), predictors,
        shared_supervision(ground_), observer_of(setup)));
    return supervisor_child(
        system_,
        spec_of(address_of(app, "supervisor", "shard-" + number), strategy::rest_for_one, 2, std::chrono::seconds{30}),
        children, shared_supervision(ground_));
  }

  [[nodiscard]] storage::session_spec session_of(const application_spec& app, const runtime::stream_spec& stream,
                                                 std::uint32_t index) const {
    storage::session_spec out;
    out.group = ground_.settings.cluster + "." + app.name + "." + stream.name;
    out.id = out.group + "." + std::to_string(index);
    out.incarnation = ground_.settings.incarnation;
    const auto partitions = app.find_topic(stream.input_topic)->partitions;
    for (auto p = static_cast<std::int32_t>(index); p < partitions; p += static_cast<std::int32_t>(stream.shards))
      out.inputs.push_back({stream.input_topic, p});
    out.states = out.inputs;
    return out;
  }

  [[nodiscard]] std::vector<child> predictor_children(const application_spec& app, const runtime::stream_spec& stream,
                                                      shard_setup& shard) {
    std::vector<child> out;
    for (const auto& of : shard.settings.session.inputs) {
      const auto id = address_of(app, "predictor", std::to_string(next_predictor_++));
      shard.predictors[of] = id;
      const predictor_setup setup{
          stream, *app.find_schema(stream.schema), app.find_topic(stream.output_topic)->partitions,
          of,     shard.settings.session.group,    ground_.journal.get()};
      auto made = plain_child(id, "predictor", [this_system = &system_, setup](auto record) {
        return spawn_predictor(*this_system, std::move(record), setup);
      });
      made.stuck_after = stream.watchdog;
      out.push_back(std::move(made));
    }
    return out;
  }

  /// Lets the shard know which of its predictors live.
  [[nodiscard]] supervision_observer observer_of(const shard_setup& shard) {
    std::map<std::string, storage::partition_id> partitions;
    for (const auto& [of, id] : shard.predictors)
      partitions[id] = of;
    auto tell = [directory = &ground_.directory, to = shard.address](auto message) {
      if (const auto handle = directory->handle(to))
        caf::anon_send(handle, std::move(message));
    };
    return {[=](const std::string& id) { tell(predictor_up{partitions.at(id)}); },
            [=](const std::string& id, const std::string& cause) {
              tell(predictor_down{partitions.at(id), cause});
            }};
  }

  caf::actor_system& system_;
  node_ground& ground_;
  std::uint32_t next_shard_ = 0;
  std::uint32_t next_predictor_ = 0;
};

} // namespace

void last_words::replace_in(node_info& info) const {
  std::lock_guard lock{mutex_};
  for (auto& shard : info.shards) {
    if (const auto said = shards_.find(shard.name); said != shards_.end())
      shard = said->second;
  }
  for (auto& source : info.sources) {
    if (const auto said = sources_.find(source.name); said != sources_.end())
      source = said->second;
  }
}

std::vector<child> node_children(caf::actor_system& system, node_ground& ground) {
  return tree_builder{system, ground}.children();
}

supervisor_spec root_spec() {
  return spec_of(address::root, strategy::one_for_one, 3, std::chrono::seconds{60});
}

supervision shared_supervision(node_ground& ground) {
  return {
      &ground.directory, &ground.restarts,
      [directory = &ground.directory](const std::string& event, const std::string& subject, const std::string& text) {
        const auto control = directory->handle(address::control);
        if (!control)
          return;
        caf::anon_send(control, append_control{{runtime::event_noted{event, subject, text, system_clock().wall()}}});
      }};
}

} // namespace penstock::actors
