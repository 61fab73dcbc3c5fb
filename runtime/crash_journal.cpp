// SPDX-License-Identifier: Apache-2.0
#include "runtime/crash_journal.hpp"

#include "base/file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <type_traits>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace penstock::runtime {

namespace {

constexpr std::array<char, 8> magic{'P', 'S', 'T', 'K', 'J', 'R', 'N', 'L'};
constexpr std::uint32_t version = 1;
/// Values of `slot::busy`, chosen so that garbage is neither.
constexpr std::uint32_t in_work = 0x6b726f57;
constexpr std::uint32_t at_rest = 0;
/// A predictor never has more in work; a longer range is garbage.
constexpr std::int64_t longest_range = 1'000'000;

struct header {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t length; ///< of the whole file, bytes
};

/// The durable form of a slot; little-endian as all durable formats.
struct slot {
  std::uint32_t busy; ///< written last by `begin`, first by `end`
  std::uint32_t alone;
  std::int64_t first;
  std::int64_t last;
  std::int32_t partition;
  std::uint16_t group_length;
  std::uint16_t topic_length;
  char group[224];
  char topic[256];
};
static_assert(std::is_trivially_copyable_v<slot> && sizeof(slot) == 512);

constexpr std::size_t header_bytes = 4096;
constexpr std::size_t file_bytes = header_bytes + crash_journal::slots * sizeof(slot);

std::optional<int> signal_of(std::string_view text) {
  constexpr std::string_view prefix = "signal:";
  if (!text.starts_with(prefix))
    return std::nullopt;
  text.remove_prefix(prefix.size());
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

/// `signal 11 (SIGSEGV)`, `watchdog`, `oom`.
std::string describe(const last_death& death) {
  const auto number = signal_of(death.text);
  if (!number)
    return death.text;
  const char* name = sigabbrev_np(*number);
  return "signal " + std::to_string(*number) + (name != nullptr ? " (SIG" + std::string(name) + ")" : "");
}

} // namespace

// -- how the last process died ------------------------------------------------------

bool last_death::makes_suspects() const {
  if (text == "watchdog" || text == "oom")
    return true;
  constexpr std::array guilty{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
  const auto number = signal_of(text);
  return number && std::ranges::find(guilty, *number) != guilty.end();
}

last_death last_death::from_environment() {
  const char* text = std::getenv("PENSTOCK_LAST_DEATH");
  return text == nullptr || *text == '\0' ? last_death{} : last_death{text};
}

// -- the file -------------------------------------------------------------------------

struct crash_journal::content {
  explicit content(void* at) : memory(static_cast<char*>(at)) {}
  content(const content&) = delete;
  content& operator=(const content&) = delete;
  ~content() { ::munmap(memory, file_bytes); }

  [[nodiscard]] slot& at(std::size_t index) {
    return *reinterpret_cast<slot*>(memory + header_bytes + index * sizeof(slot));
  }

  [[nodiscard]] bool is_ours() const {
    header found{};
    std::memcpy(&found, memory, sizeof found);
    return found.magic == magic && found.version == version && found.length == file_bytes;
  }

  void start_afresh() {
    std::memset(memory, 0, file_bytes);
    const header fresh{magic, version, static_cast<std::uint32_t>(file_bytes)};
    std::memcpy(memory, &fresh, sizeof fresh);
  }

  char* memory;
  std::mutex guard; ///< of `taken`
  std::array<bool, slots> taken{};
};

crash_journal::crash_journal(std::unique_ptr<content> c) : content_(std::move(c)) {}
crash_journal::~crash_journal() = default;

result<std::unique_ptr<crash_journal>> crash_journal::open(const std::filesystem::path& file) {
  const int handle = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (handle < 0)
    return system_error("opening the crash journal", file, errno);
  struct stat found {};
  const bool whole = ::fstat(handle, &found) == 0 && found.st_size == static_cast<off_t>(file_bytes);
  // The blocks are reserved now: a store into a hole of a full disk would be a SIGBUS.
  int problem = whole ? 0 : (::ftruncate(handle, 0) != 0 ? errno : 0);
  if (problem == 0)
    problem = ::posix_fallocate(handle, 0, static_cast<off_t>(file_bytes));
  void* memory = MAP_FAILED;
  if (problem == 0) {
    memory = ::mmap(nullptr, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    problem = memory == MAP_FAILED ? errno : 0;
  }
  ::close(handle);
  if (problem != 0)
    return system_error("mapping the crash journal", file, problem);
  auto mapped = std::make_unique<content>(memory);
  if (!mapped->is_ours())
    mapped->start_afresh();
  return std::unique_ptr<crash_journal>(new crash_journal(std::move(mapped)));
}

std::vector<crash_journal::entry> crash_journal::suspects(const last_death& death) const {
  std::vector<entry> out;
  if (!death.makes_suspects())
    return out;
  for (std::size_t i = 0; i < slots; ++i) {
    const auto& one = content_->at(i);
    if (one.busy != in_work || one.alone > 1 || one.first < 0 || one.last < one.first ||
        one.last - one.first >= longest_range || one.partition < 0 || one.group_length > sizeof one.group ||
        one.topic_length > sizeof one.topic)
      continue;
    entry found;
    found.group.assign(one.group, one.group_length);
    found.what.of = {std::string(one.topic, one.topic_length), one.partition};
    found.what.first = one.first;
    found.what.last = one.last;
    found.what.alone = one.alone == 1 && one.first == one.last;
    found.what.death = describe(death);
    out.push_back(std::move(found));
  }
  // With others in work it cannot be said who it was: only the one and only record has died alone.
  if (out.size() > 1)
    for (auto& one : out)
      one.what.alone = false;
  return out;
}

void crash_journal::clear() {
  for (std::size_t i = 0; i < slots; ++i)
    content_->at(i).busy = at_rest;
}

// -- slots ------------------------------------------------------------------------------

result<std::size_t> crash_journal::take(const std::string& group, const storage::partition_id& of) {
  if (group.size() > sizeof(slot::group) || of.topic.size() > sizeof(slot::topic))
    return fail(errc::invalid, "the crash journal has room for a group of {} and a topic of {} bytes, not {} and {}",
                sizeof(slot::group), sizeof(slot::topic), group.size(), of.topic.size());
  const std::lock_guard lock(content_->guard);
  const auto free = std::ranges::find(content_->taken, false);
  if (free == content_->taken.end())
    return fail(errc::unavailable, "the crash journal's {} slots are all taken: run fewer partitions on this node",
                slots);
  *free = true;
  const auto index = static_cast<std::size_t>(free - content_->taken.begin());
  auto& one = content_->at(index);
  one.busy = at_rest;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  one.partition = of.partition;
  one.group_length = static_cast<std::uint16_t>(group.size());
  one.topic_length = static_cast<std::uint16_t>(of.topic.size());
  group.copy(one.group, group.size());
  of.topic.copy(one.topic, of.topic.size());
  return index;
}

void crash_journal::give_back(std::size_t slot) {
  end(slot);
  const std::lock_guard lock(content_->guard);
  content_->taken.at(slot) = false;
}

void crash_journal::begin(std::size_t slot, std::int64_t first, std::int64_t last, bool alone) {
  auto& one = content_->at(slot);
  one.first = first;
  one.last = last;
  one.alone = alone ? 1 : 0;
  std::atomic_ref(one.busy).store(in_work, std::memory_order_release);
}

void crash_journal::end(std::size_t slot) {
  std::atomic_ref(content_->at(slot).busy).store(at_rest, std::memory_order_release);
  // The next `begin` must not be seen before this.
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

} // namespace penstock::runtime
