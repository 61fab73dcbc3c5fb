// SPDX-License-Identifier: Apache-2.0
#include "runtime/running_metrics.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace penstock::runtime {

namespace {

constexpr std::uint32_t magic = 0x4d525350; // "PSRM"
constexpr std::uint16_t version = 2;

double quotient(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

} // namespace

void running_metrics::add(double actual, double predicted) {
  const double difference = predicted - actual;
  ++evaluated;
  sum_absolute_error += std::abs(difference);
  sum_squared_error += difference * difference;
}

void running_metrics::add(std::uint32_t actual, std::uint32_t predicted, std::size_t classes, double probability) {
  constexpr double least = std::numeric_limits<double>::epsilon();
  ++classified;
  correct += actual == predicted ? 1 : 0;
  if (classes == 2) {
    positives += actual == 1 && predicted == 1 ? 1 : 0;
    false_positives += actual == 0 && predicted == 1 ? 1 : 0;
    false_negatives += actual == 1 && predicted == 0 ? 1 : 0;
  }
  sum_log_loss -= std::log(std::clamp(probability, least, 1 - least));
}

void running_metrics::merge(const running_metrics& other) {
  records += other.records;
  dead_letters += other.dead_letters;
  nulls += other.nulls;
  evaluated += other.evaluated;
  sum_absolute_error += other.sum_absolute_error;
  sum_squared_error += other.sum_squared_error;
  classified += other.classified;
  correct += other.correct;
  positives += other.positives;
  false_positives += other.false_positives;
  false_negatives += other.false_negatives;
  sum_log_loss += other.sum_log_loss;
}

double running_metrics::mae() const {
  return evaluated == 0 ? 0 : sum_absolute_error / static_cast<double>(evaluated);
}

double running_metrics::rmse() const {
  return evaluated == 0 ? 0 : std::sqrt(sum_squared_error / static_cast<double>(evaluated));
}

double running_metrics::accuracy() const {
  return quotient(correct, classified);
}

double running_metrics::log_loss() const {
  return classified == 0 ? 0 : sum_log_loss / static_cast<double>(classified);
}

double running_metrics::precision() const {
  return quotient(positives, positives + false_positives);
}

double running_metrics::recall() const {
  return quotient(positives, positives + false_negatives);
}

double running_metrics::f1() const {
  return quotient(2 * positives, 2 * positives + false_positives + false_negatives);
}

std::string running_metrics::encode() const {
  byte_writer body;
  body.number(records);
  body.number(dead_letters);
  body.number(nulls);
  body.number(evaluated);
  body.number(sum_absolute_error);
  body.number(sum_squared_error);
  for (const auto count : {classified, correct, positives, false_positives, false_negatives})
    body.number(count);
  body.number(sum_log_loss);
  byte_writer out;
  out.number(magic);
  out.number(version);
  out.string(body.bytes());
  return std::move(out).bytes();
}

result<running_metrics> running_metrics::decode(std::string_view bytes) {
  byte_reader in(bytes);
  if (in.number<std::uint32_t>() != magic)
    return fail(errc::invalid, "running metrics do not begin as such");
  const auto found = in.number<std::uint16_t>();
  if (in.ok() && found > version)
    return fail(errc::configuration, "running metrics have version {}, this Penstock reads up to {}: use a newer one",
                found, version);
  byte_reader body(in.string());
  running_metrics out;
  out.records = body.number<std::uint64_t>();
  out.dead_letters = body.number<std::uint64_t>();
  out.nulls = body.number<std::uint64_t>();
  out.evaluated = body.number<std::uint64_t>();
  out.sum_absolute_error = body.number<double>();
  out.sum_squared_error = body.number<double>();
  if (found >= 2) {
    for (auto* count : {&out.classified, &out.correct, &out.positives, &out.false_positives, &out.false_negatives})
      *count = body.number<std::uint64_t>();
    out.sum_log_loss = body.number<double>();
  }
  if (found == 0 || !in.ok() || !body.ok() || !in.at_end() || !body.at_end())
    return fail(errc::invalid, "running metrics of {} bytes are damaged", bytes.size());
  return out;
}

} // namespace penstock::runtime
