// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_world.hpp"

#include <variant>

namespace penstock::test {

namespace {

/// Shell of a `source_task`.
class source_host : public simulated_host {
public:
  source_host(simulated_world& world, std::uint64_t node)
      : simulated_host(world, source_name, node), task_(settings(world)) {}

  void start() override { carry_out(task_.start(world_.now)); }
  void stop() override { carry_out(task_.stop(world_.now)); }

  [[nodiscard]] std::size_t possible() override {
    choices_.clear();
    if (line_.has_work())
      choices_.push_back(0);
    if (answer_)
      choices_.push_back(1);
    if (asked_)
      choices_.push_back(2);
    if (wake_is_due())
      choices_.push_back(3);
    return choices_.size();
  }

  void step(std::size_t which) override {
    switch (choices_[which]) {
    case 0:
      if (auto made = line_.step())
        answer_ = std::move(made);
      break;
    case 1:
      deliver(*std::exchange(answer_, std::nullopt));
      break;
    case 2:
      asked_ = false;
      carry_out(task_.assignment_checked(world_.owners[name_] == node_, world_.now));
      break;
    default:
      wake_.reset();
      carry_out(task_.tick(world_.now));
    }
  }

  [[nodiscard]] bool ended() const override { return ended_; }
  [[nodiscard]] std::string state() const override {
    return std::string(name_of(task_.phase())) + ", " + std::to_string(task_.produced()) + " rows";
  }
  [[nodiscard]] std::optional<error> failure() const override { return task_.failure(); }

private:
  static runtime::source_settings settings(const simulated_world& world) {
    runtime::source_settings out;
    out.application = "application";
    out.source.name = source_name;
    out.source.topic = "in";
    out.source.interval = world.settings.source_interval;
    out.partitions = world.settings.partitions;
    out.session.id = std::string(source_group);
    out.session.group = source_group;
    out.session.states = {{source_name, 0}};
    out.file = {"/rows", 1, "digest", 0};
    out.rows = world.settings.rows;
    out.max_batch = 1 + static_cast<std::uint32_t>(world.settings.seed % 9);
    out.unavailable_is_final = false;
    out.open_attempts = 1000;
    return out;
  }

  void deliver(const session_line::answer& answer) {
    if (const auto* opened = std::get_if<session_line::opened>(&answer))
      carry_out(task_.opened(opened->epoch, opened->state.front(), world_.now));
    else if (const auto* why = std::get_if<error>(&answer))
      carry_out(task_.open_failed(*why, world_.now));
    else
      carry_out(task_.committed(std::get<storage::commit_result>(answer), world_.now));
  }

  void carry_out(runtime::source_task::actions actions) {
    for (auto& one : actions)
      std::visit([this](auto& action) { perform(action); }, one);
  }
  void perform(runtime::source::open& action) { line_.open(action.spec, runtime::source_task::state_key); }
  void perform(runtime::source::produce& action) {
    line_.commit({encode_rows(world_, action.first, action.count), {}, {action.state}});
  }
  void perform(runtime::source::close_session&) { line_.close(); }
  void perform(runtime::source::check_assignment&) { asked_ = true; }
  void perform(runtime::source::wake_at& action) { wake_at(action.at); }
  void perform(runtime::source::finished&) { ended_ = true; }
  void perform(runtime::source::notice&) {}

  runtime::source_task task_;
  std::vector<int> choices_;
  std::optional<session_line::answer> answer_;
  bool asked_ = false;
  bool ended_ = false;
};

} // namespace

std::unique_ptr<simulated_host> make_source_host(simulated_world& world, std::uint64_t node) {
  return std::make_unique<source_host>(world, node);
}

} // namespace penstock::test
