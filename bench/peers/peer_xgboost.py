# SPDX-License-Identifier: Apache-2.0
import ctypes
import json

import xgboost
from xgboost.core import _LIB as library

from houses import DEPTH, TREES
from peer import Peer


class XGBoost(Peer):
    """Rows in place instead of predict(DMatrix), which answers a second time from its cache."""

    def train(self, prepared, threads):
        # It draws without replacement: 0.632 of the rows is what a bootstrap sample has of different ones.
        return xgboost.XGBRFRegressor(
            n_estimators=TREES, max_depth=DEPTH, tree_method="hist", subsample=0.632, colsample_bynode=1.0,
            learning_rate=1.0, reg_lambda=0.0, min_child_weight=1, n_jobs=threads, random_state=42,
        ).fit(*prepared)

    def serve(self, model):
        self.booster = model.get_booster()
        self.booster.set_param({"nthread": 1})
        self.options = json.dumps(
            {"type": 0, "training": False, "iteration_begin": 0, "iteration_end": 0, "strict_shape": False,
             "missing": float("nan"), "cache_id": 0}
        ).encode()
        self.shape, self.dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
        self.answer = ctypes.POINTER(ctypes.c_float)()

    def predict(self, batch):
        return self.booster.inplace_predict(batch)

    # A row through the C API: two thirds of the time of inplace_predict.

    def row_input(self, row):
        interface = {key: value for key, value in row.__array_interface__.items() if key != "descr"}
        return json.dumps(interface).encode()

    def predict_row(self, row):
        library.XGBoosterPredictFromDense(
            self.booster.handle, row, self.options, None, ctypes.byref(self.shape), ctypes.byref(self.dimensions),
            ctypes.byref(self.answer),
        )
        return self.answer[0]
