// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_world.hpp"

#include <deque>
#include <utility>
#include <variant>

namespace penstock::test {

namespace {

namespace act = runtime::shard;

struct scored_answer {
  std::uint64_t epoch, batch;
  runtime::scored_range made;
};
struct failed_answer {
  std::uint64_t epoch, batch;
};
struct golden_answer {
  std::uint64_t epoch, batch;
  bool holds;
};
struct fetched_answer {
  std::uint64_t round;
  std::vector<storage::fetched> batches;
};
struct assignment_answer {};
struct model_answer {
  std::uint64_t generation;
};
using answer = std::variant<scored_answer, failed_answer, golden_answer, fetched_answer, assignment_answer,
                            model_answer, session_line::answer>;

/// A predictor: its calls run one after the other; it may fall sick, and only a restart helps.
struct predictor {
  std::deque<std::variant<act::score, act::check_golden, act::restart_predictor>> calls;
  bool sick = false;
  std::uint64_t since_hiccup = 0;
  std::uint64_t since_restart = 0;
  std::uint32_t bad_restarts = 0; ///< in a row
};

/// Shell of a `shard_task`, with its reader and predictors.
class shard_host : public simulated_host {
public:
  shard_host(simulated_world& world, std::uint32_t shard, std::uint64_t node)
      : simulated_host(world, shard_name(shard), node), inputs_(settings_of(world, shard).session.inputs),
        task_(settings_of(world, shard), suspects(world, node)), reader_(std::move(*world.log.open_reader())),
        predictors_(inputs_.size()) {}

  void start() override {
    carry_out(task_.start(
        world_.now, std::chrono::duration_cast<std::chrono::milliseconds>(world_.now.time_since_epoch()).count()));
    // The control topic is read while the session opens: an older generation may be seen first.
    mail_.emplace_back(model_answer{1 + world_.below(world_.generation)});
    mail_.emplace_back(model_answer{world_.generation});
  }
  void stop() override { carry_out(task_.stop(world_.now)); }

  [[nodiscard]] std::size_t possible() override;
  void step(std::size_t which) override;
  void crash() override {
    line_.crash();
    mail_.clear();
  }

  [[nodiscard]] bool ended() const override { return ended_; }
  [[nodiscard]] std::string state() const override {
    const auto status = task_.status();
    return std::string(name_of(task_.phase())) + ", epoch " + std::to_string(status.epoch) + ", " +
           std::to_string(status.in_flight) + " in flight, " + std::to_string(status.commits) + " commits";
  }
  [[nodiscard]] std::optional<error> failure() const override {
    return task_.phase() == runtime::shard_task::phase::failed ? task_.failure() : std::nullopt;
  }
  [[nodiscard]] bool suspended() const override { return task_.phase() == runtime::shard_task::phase::suspended; }
  [[nodiscard]] bool brought_down() const override { return brought_down_; }
  [[nodiscard]] std::vector<runtime::suspect> in_work() const override;
  void model_changed() override { mail_.emplace_back(model_answer{world_.generation}); }

private:
  enum choice : int { session, mail, wake_up, reading, first_predictor };

  static std::vector<runtime::suspect> suspects(const simulated_world& world, std::uint64_t node) {
    const auto found = world.suspects.find(node);
    return found == world.suspects.end() ? std::vector<runtime::suspect>{} : found->second;
  }
  [[nodiscard]] std::size_t index_of(const storage::partition_id& of) const {
    return static_cast<std::size_t>(std::find(inputs_.begin(), inputs_.end(), of) - inputs_.begin());
  }

  void carry_out(runtime::shard_task::actions actions) {
    for (auto& one : actions)
      std::visit([this](auto& action) { perform(action); }, one);
  }
  void perform(act::open& action) { line_.open(action.spec, runtime::shard_task::state_key); }
  void perform(act::assign& action) {
    poll_.reset();
    if (!reader_->assign(action.positions))
      world_.violate("a partition cannot be assigned");
  }
  void perform(act::poll& action) {
    if (poll_)
      world_.violate("two polls are out");
    poll_ = action;
    poll_from_ = world_.now;
  }
  void perform(act::score& action) { predictors_[index_of(action.of)].calls.emplace_back(std::move(action)); }
  void perform(act::check_golden& action) { predictors_[index_of(action.of)].calls.emplace_back(action); }
  void perform(act::restart_predictor& action) { predictors_[index_of(action.of)].calls.emplace_back(action); }
  void perform(act::commit& action) { line_.commit(std::move(action.request)); }
  void perform(act::close_session&) { line_.close(); }
  void perform(act::check_assignment&) { mail_.emplace_back(assignment_answer{}); }
  void perform(act::wake_at& action) { wake_at(action.at); }
  void perform(act::finished&) { ended_ = true; }
  void perform(act::notice&) {}

  void read();
  void call(predictor& of);
  void run(predictor& on, const act::score& what);
  void run(predictor& on, const act::check_golden& what) {
    mail_.emplace_back(golden_answer{what.epoch, what.batch, !on.sick});
  }
  void run(predictor& on, const act::restart_predictor& what);
  [[nodiscard]] runtime::scored_range made_of(const act::score& what) const;
  void deliver(answer one);
  void put(answer one);

  std::vector<storage::partition_id> inputs_;
  runtime::shard_task task_;
  std::unique_ptr<storage::reader> reader_;
  std::optional<act::poll> poll_;
  time_point poll_from_{};
  std::vector<predictor> predictors_;
  std::vector<answer> mail_;
  std::vector<int> choices_;
  bool ended_ = false;
  bool brought_down_ = false;
};

std::size_t shard_host::possible() {
  choices_.clear();
  if (line_.has_work())
    choices_.push_back(session);
  if (!mail_.empty())
    choices_.push_back(mail);
  if (wake_is_due())
    choices_.push_back(wake_up);
  if (poll_ && world_.now >= poll_from_)
    choices_.push_back(reading);
  for (std::size_t i = 0; i < predictors_.size(); ++i)
    if (!predictors_[i].calls.empty())
      choices_.push_back(first_predictor + static_cast<int>(i));
  return choices_.size();
}

void shard_host::step(std::size_t which) {
  switch (const auto chosen = choices_[which]; chosen) {
  case session:
    if (auto made = line_.step())
      mail_.emplace_back(std::move(*made));
    break;
  case mail: {
    const auto index = world_.below(mail_.size());
    auto one = std::move(mail_[index]);
    mail_.erase(mail_.begin() + static_cast<std::ptrdiff_t>(index));
    deliver(std::move(one));
    break;
  }
  case wake_up:
    wake_.reset();
    carry_out(task_.tick(world_.now));
    break;
  case reading:
    read();
    break;
  default:
    call(predictors_[static_cast<std::size_t>(chosen - first_predictor)]);
  }
}

void shard_host::read() {
  auto got = reader_->poll(std::min<std::size_t>(poll_->max_records, 1 + world_.below(12)), poll_->max_bytes,
                           duration::zero());
  if (got->empty() && world_.chance(0.8)) {
    poll_from_ = world_.now + std::chrono::milliseconds(20); // it waits
    return;
  }
  put(fetched_answer{poll_->round, std::move(*got)});
  poll_.reset();
}

void shard_host::put(answer one) {
  if (world_.faulty && world_.chance(world_.settings.repeated_answer))
    mail_.push_back(one);
  mail_.push_back(std::move(one));
}

void shard_host::call(predictor& of) {
  auto what = std::move(of.calls.front());
  of.calls.pop_front();
  std::visit([&](const auto& one) { run(of, one); }, what);
}

void shard_host::run(predictor& on, const act::score& what) {
  ++on.since_hiccup;
  ++on.since_restart;
  // A fresh one stays sound for a while: a record that meets a sick one after each restart is rightly suspected.
  on.sick = on.sick || (world_.faulty && on.since_restart > 3 && world_.chance(world_.settings.predictor_sick));
  bool fails = on.sick;
  // Never two in a row: a record that fails twice while golden rows score is rightly condemned.
  if (world_.faulty && on.since_hiccup > 4 && world_.chance(world_.settings.predictor_hiccup)) {
    on.since_hiccup = 0;
    fails = true;
  }
  for (auto i = what.range.first; i < what.range.first + what.range.count; ++i) {
    const auto kind = world_.kind_of(row_of((*what.records)[i].value));
    fails = fails || kind == row_kind::poison;
    if (kind == row_kind::crash && !fails) {
      on.calls.emplace_front(what);
      brought_down_ = true;
      return;
    }
  }
  if (fails)
    put(failed_answer{what.epoch, what.batch});
  else
    put(scored_answer{what.epoch, what.batch, made_of(what)});
}

void shard_host::run(predictor& on, const act::restart_predictor& what) {
  on.sick = world_.faulty && on.bad_restarts < 2 && world_.chance(world_.settings.predictor_sick);
  on.since_restart = 0;
  on.bad_restarts = on.sick ? on.bad_restarts + 1 : 0;
  put(golden_answer{what.epoch, what.batch, !on.sick});
}

runtime::scored_range shard_host::made_of(const act::score& what) const {
  runtime::scored_range out;
  for (std::int32_t i = 0; i < world_.settings.output_partitions; ++i)
    out.outputs.push_back({{"out", i}, {}});
  for (auto i = what.range.first; i < what.range.first + what.range.count; ++i) {
    const auto record = (*what.records)[i];
    const auto row = row_of(record.value);
    if (world_.kind_of(row) == row_kind::bad) {
      runtime::add_dead_letter(out.dead_letters, record, what.of, {"bad", 1, "model", what.generation}, 0, 1000);
      continue;
    }
    const output_text text{what.of, record.offset, row, what.generation, predicted_for(row, what.generation)};
    auto& to = out.outputs[row % out.outputs.size()].records;
    to.add(record.key, text.encode(), {}, record.timestamp);
    out.evaluations.push_back({actual_of(row), text.predicted});
    ++out.scored;
  }
  return out;
}

void shard_host::deliver(answer one) {
  const auto now = world_.now;
  if (auto* scored = std::get_if<scored_answer>(&one))
    carry_out(task_.scored(scored->epoch, scored->batch, std::move(scored->made), now));
  else if (auto* failed = std::get_if<failed_answer>(&one))
    carry_out(task_.score_failed(failed->epoch, failed->batch, "predictor threw", now));
  else if (auto* golden = std::get_if<golden_answer>(&one))
    carry_out(task_.golden_checked(golden->epoch, golden->batch, golden->holds, now));
  else if (auto* fetched = std::get_if<fetched_answer>(&one))
    carry_out(task_.fetched(fetched->round, std::move(fetched->batches), now));
  else if (std::holds_alternative<assignment_answer>(one))
    carry_out(task_.assignment_checked(world_.owners[name_] == node_, now));
  else if (auto* model = std::get_if<model_answer>(&one))
    carry_out(task_.model_assigned({"model", model->generation, model->generation, "", nullptr}, now));
  else if (auto* line = std::get_if<session_line::answer>(&one)) {
    if (auto* opened = std::get_if<session_line::opened>(line))
      carry_out(task_.opened(opened->epoch, opened->offsets, opened->state, now));
    else if (auto* why = std::get_if<error>(line))
      carry_out(task_.open_failed(*why, now));
    else
      carry_out(task_.committed(std::get<storage::commit_result>(*line), now));
  }
}

std::vector<runtime::suspect> shard_host::in_work() const {
  std::vector<runtime::suspect> out;
  for (const auto& one : predictors_) {
    const auto* score = one.calls.empty() ? nullptr : std::get_if<act::score>(&one.calls.front());
    if (score == nullptr)
      continue;
    const auto& records = *score->records;
    out.push_back({score->of, records[score->range.first].offset,
                   records[score->range.first + score->range.count - 1].offset, score->alone, "signal 11 (SIGSEGV)"});
  }
  return out;
}

} // namespace

std::unique_ptr<simulated_host> make_shard_host(simulated_world& world, std::uint32_t shard, std::uint64_t node) {
  return std::make_unique<shard_host>(world, shard, node);
}

} // namespace penstock::test
