# SPDX-License-Identifier: Apache-2.0
import ctypes
import os
import time

import numpy
import tl2cgen
import treelite

from peer import Peer


class Tl2cgen(Peer):
    trains = False

    def serve(self, model):
        path = self.work / "tl2cgen-forest.so"
        begin = time.perf_counter()
        # Thresholds as numbers of bins: 1.6 times as fast as without. One C file a tree, so that gcc gets through.
        tl2cgen.export_lib(
            treelite.sklearn.import_model(model), toolchain="gcc", libpath=path, nthread=os.cpu_count(),
            params={"quantize": 1, "parallel_comp": model.n_estimators},
        )
        self.build_seconds = time.perf_counter() - begin
        self.predictor = tl2cgen.Predictor(path, nthread=1)
        self.library = ctypes.CDLL(str(path))
        self.library.predict.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
        self.library.predict.restype = None
        self.answer = numpy.zeros(1)
        self.address = self.answer.ctypes.data
        self.kept = []

    def batch_input(self, rows):
        return tl2cgen.DMatrix(rows.astype(numpy.float64), dtype="float64")

    def predict(self, batch):
        return self.predictor.predict(batch)

    # A row through the compiled function itself. It adds to the answer that it finds, and overwrites its input, so that
    # each call needs one of its own.

    def row_input(self, row):
        self.kept.append(row.astype(numpy.float64))
        return self.kept[-1].ctypes.data

    def predict_row(self, row):
        self.answer[0] = 0
        self.library.predict(row, 0, self.address)
        return self.answer[0]
