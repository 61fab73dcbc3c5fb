// SPDX-License-Identifier: Apache-2.0
#include "actors/local_client.hpp"

#include "base/spelling.hpp"

#include <algorithm>

namespace penstock::actors {

namespace {

time_point from_now(duration limit) {
  return std::chrono::steady_clock::now() + limit;
}

} // namespace

// -- asking ---------------------------------------------------------------------

template <class Answer, class Question>
result<Answer> local_client::ask(const std::string& address, const Question& question, time_point deadline) {
  const auto left = deadline - std::chrono::steady_clock::now();
  if (left <= duration::zero())
    return fail(errc::timeout, "{} was not asked: the time limit had passed", address);
  const auto handle = ground_.directory.handle(address);
  if (!handle)
    return fail(errc::try_again, "{} is restarting", address);
  std::optional<Answer> answer;
  std::string failure;
  caf::scoped_actor self{system_};
  self->request(handle, left, question)
      .receive([&](const Answer& given) { answer = given; },
               [&](const caf::error& why) { failure = why == caf::sec::request_timeout ? "" : caf::to_string(why); });
  if (answer)
    return std::move(*answer);
  if (failure.empty())
    return fail(errc::timeout, "{} did not answer in time", address);
  return fail(errc::try_again, "{} did not answer: {}", address, failure);
}

template <class Answer>
std::vector<Answer> local_client::ask_all(const std::string& kind, time_point deadline) {
  std::vector<Answer> out;
  for (const auto& record : ground_.directory.of_kind(kind)) {
    if (auto answer = ask<Answer>(record->address(), describe{}, deadline))
      out.push_back(std::move(*answer));
  }
  return out;
}

result<control_view> local_client::control(time_point deadline) {
  return ask<control_view>(address::control, view_control{}, deadline);
}

// -- the node -------------------------------------------------------------------

result<node_info> local_client::node(duration limit) {
  const auto deadline = from_now(limit);
  node_info out;
  if (ground_.application)
    out.application = ground_.application->name;
  out.log_url = ground_.log_url;
  out.trainings = ask_all<training_info>("trainer", deadline);
  out.sources = ask_all<source_info>("source", deadline);
  out.shards = ask_all<shard_info>("shard", deadline);
  add_ends(out.shards);
  for (const auto& shard : out.shards) {
    for (const auto& partition : shard.partitions)
      out.input_end += static_cast<std::uint64_t>(partition.end);
  }
  out.restarts = ground_.restarts;
  out.process_restarts = ground_.settings.incarnation - 1;
  out.commit_p50 = ground_.metrics->commit_quantile(0.5);
  out.commit_p99 = ground_.metrics->commit_quantile(0.99);
  const auto all = ground_.directory.all();
  out.ready =
      control(deadline).ok() && std::ranges::all_of(all, [](const auto& record) { return bool{record->handle()}; });
  add_failure(out);
  return out;
}

void local_client::add_ends(std::vector<shard_info>& shards) {
  for (auto& shard : shards) {
    for (auto& partition : shard.partitions) {
      if (const auto range = ground_.log->offsets(partition.of))
        partition.end = range->end;
    }
  }
}

void local_client::add_failure(node_info& out) const {
  const auto take = [&](const std::string& what, const std::string& text, const std::optional<errc>& code) {
    if (!code || out.final_failure)
      return;
    out.final_failure = code;
    out.failure = what + ": " + text;
  };
  for (const auto& one : out.trainings)
    take("training " + one.training, one.cause, one.final_failure);
  for (const auto& one : out.sources)
    take("source " + one.name, one.failure, one.final_failure);
  for (const auto& one : out.shards)
    take(one.name, one.failure, one.final_failure);
}

result<std::vector<actor_info>> local_client::actors(duration) {
  const auto now = std::chrono::steady_clock::now();
  std::vector<actor_info> out;
  for (const auto& record : ground_.directory.all())
    out.push_back(record->info(now));
  return out;
}

result<actor_info> local_client::actor(const std::string& address, duration) {
  const auto record = ground_.directory.find(address);
  if (!record)
    return fail(errc::not_found, "no actor has the address {}", address);
  return record->info(std::chrono::steady_clock::now());
}

result<std::vector<shard_info>> local_client::shards(duration limit) {
  auto out = ask_all<shard_info>("shard", from_now(limit));
  add_ends(out);
  return out;
}

// -- the control tables ------------------------------------------------------------

result<runtime::registry_table> local_client::registry(duration limit) {
  auto view = control(from_now(limit));
  if (!view)
    return view.error();
  return *view->registry;
}

result<runtime::runs_table> local_client::runs(duration limit) {
  auto view = control(from_now(limit));
  if (!view)
    return view.error();
  return *view->runs;
}

result<std::vector<runtime::event_noted>> local_client::events(duration limit) {
  auto view = control(from_now(limit));
  if (!view)
    return view.error();
  const auto& events = view->events->events();
  return std::vector<runtime::event_noted>{events.begin(), events.end()};
}

// -- topics -----------------------------------------------------------------------

result<std::vector<storage::topic_info>> local_client::topics(duration) {
  return ground_.log->topics();
}

result<storage::fetched> local_client::read(const storage::position& from, std::size_t most, duration limit) {
  auto reader = ground_.log->open_reader();
  if (!reader)
    return reader.error();
  if (auto assigned = (*reader)->assign({from}); !assigned)
    return assigned.error();
  auto found = (*reader)->poll(most, std::size_t{4} << 20, limit);
  if (!found)
    return found.error();
  if (found->empty()) {
    storage::fetched nothing;
    nothing.from = from.of;
    nothing.next = from.next;
    nothing.at_end = true;
    return nothing;
  }
  return std::move(found->front());
}

result<std::vector<dead_letter>> local_client::dead_letters(const std::string& stream, std::size_t most, duration) {
  const auto* spec = ground_.application ? ground_.application->find_stream(stream) : nullptr;
  if (!spec)
    return fail(errc::not_found, "no stream is called {}", stream);
  auto topic = ground_.log->describe(spec->dead_letters);
  if (!topic)
    return topic.error();
  std::vector<dead_letter> out;
  for (std::size_t p = 0; p < topic->partitions.size(); ++p) {
    const auto& range = topic->partitions[p];
    const storage::partition_id of{spec->dead_letters, static_cast<std::int32_t>(p)};
    const auto from = std::max(range.start, range.end - static_cast<std::int64_t>(most));
    if (from >= range.end)
      continue;
    auto found = read({of, from}, most, std::chrono::milliseconds{100});
    if (!found)
      return found.error();
    for (std::size_t i = 0; i < found->records.size(); ++i) {
      const auto record = found->records[i];
      out.push_back({of, record.offset, record.timestamp, std::string{record.key}, std::string{record.value},
                     storage::decode_headers(record.headers)});
    }
  }
  std::ranges::stable_sort(out, std::greater{}, &dead_letter::timestamp);
  if (out.size() > most)
    out.resize(most);
  return out;
}

// -- models -----------------------------------------------------------------------

result<std::shared_ptr<const runtime::serving_model>> local_client::model(const std::string& name,
                                                                          const std::string& alias, duration limit) {
  const auto deadline = from_now(limit);
  auto view = control(deadline);
  if (!view)
    return view.error();
  if (!view->registry->find(name))
    return fail(errc::not_found, "no model is called {}", name);
  const auto* version = view->registry->find(name, alias);
  if (!version)
    return fail(errc::not_found, "model {} has no version or alias {}", name, alias);
  auto loaded = ask<model_loaded>(address::model_store, load_model{version->digest}, deadline);
  if (!loaded)
    return loaded.error();
  if (!loaded->package)
    return *loaded->why;
  auto out = std::make_shared<runtime::serving_model>();
  *out = {name, version->number, 0, version->digest, loaded->package, loaded->size};
  return std::shared_ptr<const runtime::serving_model>{std::move(out)};
}

status local_client::cancel_training(const std::string& name, duration limit) {
  const auto deadline = from_now(limit);
  std::vector<std::string> known;
  for (const auto& record : ground_.directory.of_kind("trainer")) {
    const auto info = ask<training_info>(record->address(), describe{}, deadline);
    if (!info)
      return info.error();
    const auto own = info->training.substr(info->training.rfind('/') + 1);
    known.push_back(own);
    if (name != own && name != info->training)
      continue;
    const auto answer = ask<cancel_answered>(record->address(), actors::cancel_training{}, deadline);
    if (!answer)
      return answer.error();
    return answer->refused ? status{*answer->refused} : status{};
  }
  const auto near = nearest(name, known);
  return fail(errc::not_found, "there is no training \"{}\"{}", name, near ? ", did you mean \"" + *near + "\"?" : "");
}

std::string local_client::metrics() {
  return ground_.metrics->registry().exposition();
}

} // namespace penstock::actors
