// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_client.hpp"
#include "web/router.hpp"

namespace penstock::web {

/// Predictions by the models of this node:
/// - `POST /v1/models/{model}:predict`, `GET /v1/models`, `GET /v1/models/{model}` as KServe's V1 data plane;
///   The predictions of a classifier are classes; `:predict?probabilities=true` adds `"probabilities"`, one object
///   `{class: probability}` for each instance.
/// - `POST /predict`: one row as JSON (answered as JSON) or as a form (answered as the page);
/// - `GET /`: the page with a form made of the model's input schema; `?model=NAME` chooses among several.
/// `/predict` takes the model's name as `_model`; it may be left out when there is only one.
void add_prediction_routes(router& to, actors::node_client& client);

} // namespace penstock::web
