// SPDX-License-Identifier: Apache-2.0
#include "storage/log.hpp"

namespace penstock::storage {

const char* name_of(commit_outcome outcome) {
  switch (outcome) {
  case commit_outcome::committed:
    return "committed";
  case commit_outcome::aborted:
    return "aborted";
  case commit_outcome::fenced:
    return "fenced";
  case commit_outcome::in_doubt:
    return "in_doubt";
  }
  return "unknown";
}

} // namespace penstock::storage
