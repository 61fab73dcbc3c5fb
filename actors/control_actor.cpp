// SPDX-License-Identifier: Apache-2.0
#include "actors/control_actor.hpp"

#include "actors/io_thread.hpp"
#include "base/logging.hpp"

#include <deque>
#include <functional>

namespace penstock::actors {

namespace {

using namespace runtime;

/// The control topic as one thread sees it: a session to append, a reader that has read to its end.
class control_topic {
public:
  explicit control_topic(control_setup setup) : setup_(std::move(setup)) {}

  /// Opens the session, so that nobody else appends any more, and reads everything.
  [[nodiscard]] result<control_read> open() {
    storage::topic_spec spec;
    spec.name = setup_.topic;
    if (auto made = setup_.log->create_topic(spec); !made)
      return made.error();
    auto opened = setup_.log->open_session(setup_.session);
    if (!opened)
      return opened.error();
    session_ = std::move(opened->session);
    auto reader = setup_.log->open_reader();
    if (!reader)
      return reader.error();
    reader_ = std::move(*reader);
    if (auto assigned = reader_->assign({{{setup_.topic, 0}, 0}}); !assigned)
      return assigned.error();
    control_read out;
    out.opened = true;
    if (auto read = read_to_end(out); !read)
      return read.error();
    return out;
  }

  [[nodiscard]] result<control_read> append(const std::vector<control_record>& records) {
    storage::output output;
    output.to = {setup_.topic, 0};
    for (const auto& record : records)
      output.records.add("", encode(record), "", system_clock().wall());
    control_read out;
    storage::commit_request request;
    request.outputs.push_back(std::move(output));
    out.result = session_->commit(request);
    if (out.result.outcome == storage::commit_outcome::committed)
      if (auto read = read_to_end(out); !read)
        return read.error();
    return out;
  }

private:
  [[nodiscard]] status read_to_end(control_read& out) {
    const auto end = setup_.log->offsets({setup_.topic, 0});
    if (!end)
      return end.error();
    while (next_ < end->end) {
      auto found = reader_->poll(1000, std::size_t{4} << 20, std::chrono::seconds{1});
      if (!found)
        return found.error();
      for (const auto& batch : *found) {
        if (auto taken = take(batch, out); !taken)
          return taken;
      }
    }
    return {};
  }

  [[nodiscard]] status take(const storage::fetched& batch, control_read& out) {
    for (std::size_t i = 0; i < batch.records.size(); ++i) {
      const auto record = batch.records[i];
      auto decoded = decode_control(record.value);
      if (!decoded)
        return decoded.error().in(setup_.topic + " at offset " + std::to_string(record.offset));
      out.records.emplace_back(record.offset, std::move(*decoded));
    }
    next_ = batch.next;
    return {};
  }

  control_setup setup_;
  std::unique_ptr<storage::session> session_;
  std::unique_ptr<storage::reader> reader_;
  std::int64_t next_ = 0;
};

class control_core;
struct control_state {
  std::unique_ptr<control_core> core;
};
using self_pointer = shell<control_state>*;

class control_core {
public:
  control_core(self_pointer self, control_setup setup)
      : self_(self), topic_(std::move(setup)), thread_("control", [owner = self->address()](const std::string& text) {
          caf::anon_send(caf::actor_cast<caf::actor>(owner), io_failure{text});
        }) {
    run([this] { return topic_.open(); });
  }
  ~control_core() { thread_.stop(); }

  void read(const control_read& answer) {
    for (const auto& [offset, record] : answer.records) {
      registry_.apply(offset, record);
      runs_.apply(offset, record);
      events_.apply(offset, record);
    }
    if (answer.opened)
      open_ = true;
    else if (answer.result.outcome != storage::commit_outcome::committed)
      return self_->fail(std::string{"append to the control topic: "} + storage::name_of(answer.result.outcome) + ": " +
                         answer.result.reason);
    appending_ = false;
    tell_followers();
    while (open_ && !appending_ && !waiting_.empty()) {
      auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }

  /// Runs when the tables are complete and no append is under way: a decision never stands on tables that are behind.
  void when_settled(std::function<void()> step) {
    if (open_ && !appending_)
      step();
    else
      waiting_.push_back(std::move(step));
  }

  void append(std::vector<control_record> records) {
    appending_ = true;
    run([this, records = std::move(records)] { return topic_.append(records); });
  }

  void record(const record_run& request) {
    if (const auto* known = runs_.completed(request.run.training, request.run.inputs)) {
      if (const auto number = version_of(request.model, known->digest))
        return self_->send(request.reply_to, run_recorded{known->digest, number});
    }
    std::vector<control_record> records;
    records.emplace_back(request.run);
    const auto version = registry_.next_version(request.model);
    const auto at = request.run.at;
    records.emplace_back(
        model_registered{request.model, version, request.run.digest, request.run.run, request.run.metrics, at});
    records.emplace_back(alias_set{request.model, "champion", version, at});
    for (const auto& [stream, one] : followers_) {
      if (one.model == request.model && one.alias == "champion")
        records.emplace_back(generation_activated{stream, next_generation(stream), request.model, version, at});
    }
    records.emplace_back(event_noted{"training.completed", request.run.training,
                                     request.model + " version " + std::to_string(version), at});
    append(std::move(records));
    waiting_.push_front([this, request, version] {
      self_->send(request.reply_to, run_recorded{request.run.digest, version});
    });
  }

  void follow(const follow_stream& request) {
    followers_[request.stream] = {request.model, request.alias, request.follower, 0};
    const auto* version = registry_.find(request.model, request.alias);
    if (!registry_.serving_of(request.stream) && version)
      append({generation_activated{request.stream, 1, request.model, version->number, system_clock().wall()}});
    else
      tell_followers();
  }

  [[nodiscard]] control_view view() const {
    return {std::make_shared<registry_table>(registry_), std::make_shared<runs_table>(runs_),
            std::make_shared<events_table>(events_)};
  }

private:
  struct follower {
    std::string model;
    std::string alias;
    caf::actor who;
    std::uint64_t told = 0; ///< generation
  };

  void run(std::function<result<control_read>()> job) {
    thread_.submit([owner = self_->address(), job = std::move(job)] {
      auto target = caf::actor_cast<caf::actor>(owner);
      auto done = job();
      if (!done)
        return caf::anon_send(target, io_failure{done.error().text()});
      caf::anon_send(target, std::move(*done));
    });
  }

  [[nodiscard]] std::uint64_t next_generation(const std::string& stream) const {
    const auto serving = registry_.serving_of(stream);
    return serving ? serving->generation + 1 : 1;
  }

  [[nodiscard]] std::uint64_t version_of(const std::string& model, const std::string& digest) const {
    if (const auto* known = registry_.find(model))
      for (const auto& version : known->versions)
        if (version.digest == digest)
          return version.number;
    return 0;
  }

  void tell_followers() {
    for (auto& [stream, one] : followers_) {
      const auto serving = registry_.serving_of(stream);
      if (!serving || serving->generation == one.told)
        continue;
      const auto* version = registry_.find(serving->model, std::to_string(serving->version));
      if (!version)
        continue;
      one.told = serving->generation;
      self_->send(one.who,
                  serving_changed{stream, serving->generation, serving->model, serving->version, version->digest});
    }
  }

  self_pointer self_;
  control_topic topic_; ///< used by the thread alone
  registry_table registry_;
  runs_table runs_;
  events_table events_;
  std::map<std::string, follower> followers_;
  std::deque<std::function<void()>> waiting_;
  bool open_ = false;
  bool appending_ = false;
  io_thread thread_;
};

} // namespace

caf::actor spawn_control(caf::actor_system& system, std::shared_ptr<actor_record> record, control_setup setup) {
  auto start = [setup = std::move(setup)](self_pointer self) -> caf::behavior {
    self->state.core = std::make_unique<control_core>(self, setup);
    auto* core = self->state.core.get();
    return {
        [=](const control_read& m) { core->read(m); },
        [=](const append_control& m) { core->when_settled([=] { core->append(m.records); }); },
        [=](const record_run& m) { core->when_settled([=] { core->record(m); }); },
        [=](const follow_stream& m) { core->when_settled([=] { core->follow(m); }); },
        [=](view_control) {
          auto promise = self->make_response_promise<control_view>();
          core->when_settled([=]() mutable { promise.deliver(core->view()); });
          return promise;
        },
        [=](const io_failure& m) { self->fail(m.text); },
        [=](const stop_actor& m) {
          if (m.at_once)
            return self->finish();
          core->when_settled([=] { self->finish(); });
        },
    };
  };
  return system.spawn<shell<control_state>>(std::move(record), std::move(start));
}

} // namespace penstock::actors
