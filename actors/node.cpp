// SPDX-License-Identifier: Apache-2.0
#include "actors/node.hpp"

#include "actors/local_client.hpp"
#include "actors/node_tree.hpp"
#include "base/file.hpp"
#include "base/logging.hpp"
#include "base/units.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <unistd.h>

namespace penstock::actors {

namespace {

constexpr auto watchdog_every = std::chrono::milliseconds{200};

/// Watches every actor's pulse from a thread of its own; a verdict ends the process, and the keeper starts it again.
class watchdog {
public:
  explicit watchdog(const actor_directory& directory) : directory_(directory), thread_([this] { run(); }) {}
  ~watchdog() {
    {
      std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

private:
  void run() {
    std::unique_lock lock{mutex_};
    while (!wake_.wait_for(lock, watchdog_every, [this] { return stopping_; })) {
      const auto records = directory_.all();
      std::vector<const runtime::pulse*> pulses;
      pulses.reserve(records.size());
      for (const auto& record : records)
        pulses.push_back(&record->pulse);
      if (const auto stuck = policy_.look(pulses, std::chrono::steady_clock::now()))
        end_process(*stuck);
    }
  }

  [[noreturn]] static void end_process(const runtime::watchdog_policy::verdict& stuck) {
    logging::error("watchdog.stuck",
                   "no progress in one message for " + format_duration(stuck.busy) +
                       "; this process ends and is started again",
                   {{"actor", stuck.actor}});
    _exit(runtime::watchdog_policy::exit_code);
  }

  const actor_directory& directory_;
  runtime::watchdog_policy policy_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

/// How the root supervisor ended; written by the actor system, awaited by main.
struct root_end {
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
  std::string cause; ///< empty = orderly
};

} // namespace

status check_files(const runtime::application_spec& application) {
  for (const auto& dataset : application.datasets) {
    if (::access(dataset.path.c_str(), R_OK) != 0)
      return system_error("Dataset " + dataset.name + ", path: cannot open", dataset.path, errno);
  }
  return {};
}

namespace {

std::string url_of(const node_settings& settings, const std::optional<runtime::application_spec>& application) {
  if (!settings.log_url.empty())
    return settings.log_url;
  if (application && !application->bootstrap_servers.empty())
    return "kafka://" + application->bootstrap_servers;
  return "rocksdb:" + (settings.data / "log").string();
}

/// Tries as often as the application says while the log is unavailable, and says at once what it waits for.
result<std::unique_ptr<storage::log>> connect(const std::string& url, const storage::log_options& options,
                                              const runtime::connect_spec& connect,
                                              const std::function<bool(duration)>& pause) {
  for (std::uint32_t attempt = 1;; ++attempt) {
    auto opened = storage::open_log(url, options);
    if (opened || opened.error().code() != errc::unavailable || attempt >= connect.attempts)
      return opened;
    logging::warning("log.unavailable", opened.error().text() + "; attempt " + std::to_string(attempt) + " of " +
                                            std::to_string(connect.attempts) + ", next in " +
                                            format_duration(connect.delay) +
                                            " (settings: --log, KAFKA_BOOTSTRAP_SERVERS)");
    if (!pause(connect.delay))
      return opened.error().in("interrupted while it waited for the log");
  }
}

status open_ground(node_ground& ground) {
  const auto& settings = ground.settings;
  runtime::connect_spec connect_policy;
  if (ground.application) {
    if (auto checked = check_files(*ground.application); !checked)
      return checked;
    connect_policy = ground.application->connect;
  }
  ground.log_url = url_of(settings, ground.application);
  auto log = connect(ground.log_url, settings.log, connect_policy, settings.pause);
  if (!log)
    return log.error();
  ground.log = std::move(*log);
  if (ground.application) {
    for (const auto& topic : ground.application->topics) {
      if (auto made = ground.log->create_topic(topic); !made)
        return made;
    }
  }
  const bool own_models = ground.application && !ground.application->models.empty();
  auto models = storage::model_files::open(own_models ? std::filesystem::path{ground.application->models}
                                                      : settings.data / "models");
  if (!models)
    return models.error();
  ground.models = std::move(*models);
  auto journal = runtime::crash_journal::open(settings.data / "crash-journal");
  if (!journal)
    return journal.error();
  ground.journal = std::move(*journal);
  ground.suspects = ground.journal->suspects(settings.last_death);
  ground.journal->clear();
  return {};
}

} // namespace

struct node::content {
  node_ground ground;
  caf::actor_system_config config;
  std::shared_ptr<root_end> end = std::make_shared<root_end>();
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<local_client> client;
  std::unique_ptr<watchdog> dog;
  bool stopped = false;
  std::optional<node_info> last;

  void start_system() {
    // The default policy `stealing` burns a tenth of a core on one timer; `sharing` does not.
    config.set("scheduler.policy", caf::atom("sharing"));
    config.set("scheduler.max-threads", std::size_t{ground.settings.worker_threads});
    config.set("scheduler.max-throughput", std::size_t{64});
    system = std::make_unique<caf::actor_system>(config);
    client = std::make_unique<local_client>(*system, ground);
    auto record = ground.directory.enrol(address::root, "supervisor", "", std::chrono::seconds{30});
    const auto root =
        spawn_supervisor(*system, record, root_spec(), node_children(*system, ground), shared_supervision(ground));
    record->born(root);
    root->attach_functor([end = end, record](const caf::error& reason) {
      std::lock_guard lock{end->mutex};
      end->ended = true;
      if (reason && reason != caf::exit_reason::normal)
        end->cause = record->cause().empty() ? caf::to_string(reason) : record->cause();
      end->changed.notify_all();
    });
    dog = std::make_unique<watchdog>(ground.directory);
  }
};

result<std::unique_ptr<node>> node::start(const node_settings& settings,
                                          const std::optional<runtime::application_spec>& application,
                                          metric_registry& metrics) {
  auto content = std::make_unique<node::content>();
  content->ground.settings = settings;
  content->ground.application = application;
  content->ground.metrics = std::make_unique<node_metrics>(metrics);
  if (auto opened = open_ground(content->ground); !opened)
    return opened.error();
  content->start_system();
  return std::unique_ptr<node>{new node{std::move(content)}};
}

node::node(std::unique_ptr<content> c) : content_(std::move(c)) {}

node::~node() {
  if (!stop(std::chrono::seconds{5}))
    _exit(static_cast<int>(errc::failed)); // an actor that never ends would hang the actor system for ever
}

node_client& node::client() {
  return *content_->client;
}

bool node::wait_failed(duration limit) {
  std::unique_lock lock{content_->end->mutex};
  content_->end->changed.wait_for(lock, limit, [this] { return content_->end->ended; });
  return content_->end->ended && !content_->stopped;
}

std::optional<error> node::failure() const {
  std::lock_guard lock{content_->end->mutex};
  if (!content_->end->ended || content_->stopped)
    return std::nullopt;
  return error{content_->ground.log_lost ? errc::unavailable : errc::failed, content_->end->cause};
}

const std::optional<node_info>& node::last_info() const {
  return content_->last;
}

bool node::stop(duration limit) {
  auto& c = *content_;
  if (!c.system)
    return true;
  auto before = c.client->node(std::chrono::milliseconds{500});
  if (const auto root = c.ground.directory.handle(address::root))
    caf::anon_send(root, stop_actor{});
  {
    std::unique_lock lock{c.end->mutex};
    if (!c.end->changed.wait_for(lock, limit, [&] { return c.end->ended; }))
      return false;
    c.stopped = c.end->cause.empty();
  }
  if (before && c.stopped) {
    c.ground.last_words.replace_in(*before);
    c.client->add_ends(before->shards);
    c.last = std::move(*before);
  }
  c.dog.reset();
  c.ground.directory.release_handles();
  c.system.reset();
  return true;
}

} // namespace penstock::actors
