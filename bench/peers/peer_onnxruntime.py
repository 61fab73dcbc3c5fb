# SPDX-License-Identifier: Apache-2.0
import numpy
import onnxruntime
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType

from houses import FEATURES
from peer import Peer


class OnnxRuntime(Peer):
    trains = False

    def serve(self, model):
        graph = to_onnx(model, initial_types=[("rows", FloatTensorType([None, FEATURES]))])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self.answer = numpy.zeros((1, 1), numpy.float32)
        self.row = numpy.zeros((1, FEATURES), numpy.float32)
        self.binding = self.session.io_binding()
        output = self.session.get_outputs()[0].name
        for bind, name, array in (
            (self.binding.bind_input, "rows", self.row),
            (self.binding.bind_output, output, self.answer),
        ):
            bind(name, "cpu", 0, numpy.float32, array.shape, array.ctypes.data)

    def predict(self, batch):
        return self.session.run(None, {"rows": batch})[0]

    # A row through bound memory: four fifths of the time of session.run.

    def row_input(self, row):
        return row

    def predict_row(self, row):
        self.row[:] = row
        self.session.run_with_iobinding(self.binding)
        return self.answer[0, 0]
