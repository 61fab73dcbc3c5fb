// SPDX-License-Identifier: Apache-2.0
#include "ml/model_package.hpp"

#include "base/bytes.hpp"
#include "ml/package_description.hpp"
#include "ml/sealed_block.hpp"

#include <cstring>

namespace penstock::ml {

namespace {

// A package is four sealed blocks: head (empty; its version is that of the whole), description, golden rows, model.
constexpr std::string_view head_magic = "PENSTPKG";
constexpr std::string_view description_magic = "PKG_DESC";
constexpr std::string_view golden_magic = "PKG_GOLD";
constexpr std::string_view model_section_magic = "PKG_MODL";
constexpr std::uint32_t package_version = 1;
constexpr std::uint32_t section_version = 2; // 2: golden rows with several outputs, importances

std::string encode_golden(const std::vector<golden_row>& rows, const model& by) {
  byte_writer writer;
  writer.number(static_cast<std::uint32_t>(rows.size()));
  writer.number(static_cast<std::uint32_t>(by.features()));
  writer.number(static_cast<std::uint32_t>(by.outputs()));
  for (const auto& row : rows) {
    for (float feature : row.features) {
      writer.number(feature);
    }
    for (double output : row.prediction) {
      writer.number(output);
    }
  }
  return std::move(writer).bytes();
}

result<std::vector<golden_row>> decode_golden(std::string_view bytes, const model& by) {
  byte_reader reader(bytes);
  const std::size_t rows = reader.number<std::uint32_t>();
  const std::size_t features = reader.number<std::uint32_t>();
  const std::size_t outputs = reader.number<std::uint32_t>();
  if (!reader.ok() || features != by.features() || outputs != by.outputs()) {
    return fail(errc::invalid, "golden rows have {} features and {} outputs, the model {} and {}", features, outputs,
                by.features(), by.outputs());
  }
  const auto row_size = features * sizeof(float) + outputs * sizeof(double);
  if (reader.rest().size() % row_size != 0 || reader.rest().size() / row_size != rows) {
    return fail(errc::invalid, "{} golden rows are announced, which {} bytes do not hold", rows, reader.rest().size());
  }
  std::vector<golden_row> golden(rows);
  for (auto& row : golden) {
    row.features.resize(features);
    for (float& feature : row.features) {
      feature = reader.number<float>();
    }
    row.prediction.resize(outputs);
    for (double& output : row.prediction) {
      output = reader.number<double>();
    }
  }
  return golden;
}

bool holds(const model& model, const golden_row& row) {
  std::vector<double> prediction(model.outputs());
  model.predict(row.features, prediction);
  return std::memcmp(prediction.data(), row.prediction.data(), prediction.size() * sizeof(double)) == 0;
}

/// Takes the next section off `rest`.
result<std::string_view> next_section(std::string_view& rest, std::string_view magic, const char* what) {
  auto block = unseal(rest, magic, section_version, what);
  if (!block) {
    return block.error();
  }
  if (block->version != section_version) {
    return fail(errc::invalid, "{}: was written by an older build that this one does not read; train the model again",
                what);
  }
  rest = block->rest;
  return block->body;
}

struct sections {
  std::string_view description;
  std::string_view golden;
  std::string_view model;
};

result<sections> open_sections(std::string_view bytes) {
  auto head = unseal(bytes, head_magic, package_version, "model package");
  if (!head) {
    return head.error();
  }
  auto rest = head->rest;
  auto description = next_section(rest, description_magic, "model package: description");
  if (!description) {
    return description.error();
  }
  auto golden = next_section(rest, golden_magic, "model package: golden rows");
  if (!golden) {
    return golden.error();
  }
  auto model = next_section(rest, model_section_magic, "model package: model");
  if (!model) {
    return model.error();
  }
  if (!head->body.empty() || !rest.empty()) {
    return fail(errc::invalid, "model package: {} bytes too many", head->body.size() + rest.size());
  }
  return sections{*description, *golden, *model};
}

status check_agreement(const model_package& package) {
  if (package.learner.type != package.model->type()) {
    return fail(errc::invalid, "model package: is described as {} but holds a {}", package.learner.type,
                package.model->type());
  }
  if (package.input.size() != package.model->features()) {
    return fail(errc::invalid, "model package: its schema has {} features, its model {}", package.input.size(),
                package.model->features());
  }
  const auto classes = package.model->outputs() > 1 ? package.model->outputs() : 0;
  if (package.output.size() != 1 || package.output.fields()[0].one_of.size() != classes) {
    return fail(errc::invalid, "model package: its schema does not name the {} classes of its model", classes);
  }
  for (std::size_t i = 0; i < package.golden.size(); ++i) {
    if (!holds(*package.model, package.golden[i])) {
      return fail(errc::invalid,
                  "model package: the model does not give the recorded prediction for golden row {}; it was made by an "
                  "incompatible build or is damaged; train it again",
                  i);
    }
  }
  return {};
}

} // namespace

std::string model_package::encode() const {
  byte_writer writer;
  writer.raw(seal(head_magic, package_version, {}));
  writer.raw(seal(description_magic, section_version, encode_description(*this)));
  writer.raw(seal(golden_magic, section_version, encode_golden(golden, *model)));
  writer.raw(seal(model_section_magic, section_version, encoded_model));
  return std::move(writer).bytes();
}

result<loaded_package> decode_package(std::string_view bytes, std::string_view expected_digest) {
  auto digest = sha256_hex(bytes);
  if (!expected_digest.empty() && digest != expected_digest) {
    return fail(errc::invalid, "model package: its SHA-256 is {}, expected was {}; the file is damaged or another one",
                digest, expected_digest);
  }
  auto parts = open_sections(bytes);
  if (!parts) {
    return parts.error();
  }
  auto package = std::make_shared<model_package>();
  if (auto described = decode_description(parts->description, *package); !described) {
    return described.error().in("model package");
  }
  auto decoded = decode_model(parts->model);
  if (!decoded) {
    return decoded.error().in("model package");
  }
  package->model = *std::move(decoded);
  auto golden = decode_golden(parts->golden, *package->model);
  if (!golden) {
    return golden.error().in("model package");
  }
  package->golden = *std::move(golden);
  if (auto agrees = check_agreement(*package); !agrees) {
    return agrees.error();
  }
  return loaded_package{std::move(package), std::move(digest)};
}

bool golden_rows_hold(const model_package& package) {
  return package.golden.empty() || holds(*package.model, package.golden.front());
}

} // namespace penstock::ml
