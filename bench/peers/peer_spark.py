# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import subprocess
import time

import numpy
import pyspark
from pyspark.ml.linalg import Vectors
from pyspark.ml.regression import RandomForestRegressor
from pyspark.sql import SparkSession

from houses import DEPTH, FEATURES, TREES
from peer import Peer

HERE = pathlib.Path(__file__).resolve().parent


class SparkMl(Peer):
    """One JVM; a session of local[1] on one core, or local[2]. The data frame is cached, with a partition a thread."""

    warms = True

    def __init__(self, work):
        super().__init__(work)
        self.session, self.jvm = None, None
        self.classes = work / "spark-classes"
        self.classes.mkdir(exist_ok=True)
        jars = pathlib.Path(pyspark.__file__).parent / "jars" / "*"
        scalac = ["java", "-cp", str(jars), "scala.tools.nsc.Main", "-usejavacp", "-d", str(self.classes)]
        subprocess.run([*scalac, str(HERE / "RowLoop.scala")], check=True)

    def start(self, threads):
        if self.session:
            self.session.stop()
        self.session = (
            SparkSession.builder.master(f"local[{threads}]")
            .config("spark.driver.memory", "4g")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.extraClassPath", str(self.classes))
            .config("spark.local.dir", str(self.work))
            .config("spark.sql.warehouse.dir", str(self.work / "spark-warehouse"))
            .config("spark.sql.shuffle.partitions", str(threads))
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.log.level", "ERROR")
            .getOrCreate()
        )
        self.java = self.session._jvm
        self.jvm = int(self.java.java.lang.ProcessHandle.current().pid())
        self.keep_to(threads)

    def keep_to(self, threads):
        """The JVM compiles and collects beside the one thread of local[1]: all of it on one core then."""
        cores = sorted(os.sched_getaffinity(0))
        for thread in pathlib.Path(f"/proc/{self.jvm}/task").iterdir():
            try:
                os.sched_setaffinity(int(thread.name), cores[-1:] if threads == 1 else cores)
            except ProcessLookupError:
                pass  # it has ended meanwhile

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.jvm}/stat").read_text().rsplit(")", 1)[1].split()
        return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def prepare(self, rows, prices, threads):
        self.start(threads)
        table = [(Vectors.dense(row.tolist()), float(price)) for row, price in zip(rows, prices)]
        frame = self.session.createDataFrame(table, ["features", "label"]).repartition(threads).cache()
        frame.count()
        return frame

    def train(self, prepared, threads):
        # 32 bins are its default, and faster than the 255 of the others.
        return RandomForestRegressor(
            numTrees=TREES, maxDepth=DEPTH, featureSubsetStrategy="all", minInstancesPerNode=1, maxBins=32, seed=42
        ).fit(prepared)

    def serve(self, model):
        self.model = model
        self.loop = self.java.RowLoop
        self.keep_to(1)

    def batch_input(self, rows):
        path = self.work / "spark-rows.f32"
        numpy.ascontiguousarray(rows, dtype=numpy.float32).tofile(path)
        return self.model._java_obj, str(path), FEATURES

    def predict(self, batch):
        return numpy.array(list(self.loop.predict(*batch)))

    def predict_row(self, row):
        return self.predict(row)[0]

    def batch_seconds(self, rows, size):
        """Model.predict of one row after the other: it has no batches outside of jobs, which cost 300 ms each."""
        batch = self.batch_input(rows)
        self.loop.passes(*batch, 10)
        passes, _, cores = self.timed(lambda: list(self.loop.passes(*batch, 5)))
        return float(numpy.median(passes)) * 1e-9 / len(rows), cores

    def row_seconds(self, rows):
        batch = self.batch_input(rows)
        self.loop.call(*batch)
        nanoseconds, _, cores = self.timed(lambda: self.loop.call(*batch))
        return nanoseconds * 1e-9, cores

    def frame_row_seconds(self, row):
        """p50 of the seconds of a data frame of one row."""

        def answer():
            frame = self.session.createDataFrame([(Vectors.dense(row.tolist()),)], ["features"])
            return self.model.transform(frame).select("prediction").collect()

        answer()
        return float(numpy.median([self.timed(answer, threads=2)[1] for _ in range(3)]))
