// SPDX-License-Identifier: Apache-2.0
// Predictions inside of the JVM, called from peer_spark.py: a call from Python for each row would measure the way there.
import java.nio.{ByteBuffer, ByteOrder}
import java.nio.file.{Files, Paths}
import org.apache.spark.ml.linalg.{Vector, Vectors}
import org.apache.spark.ml.regression.RandomForestRegressionModel

object RowLoop {
  /** n×features float32, little-endian, row-major. */
  private def read(path: String, features: Int): Array[Vector] = {
    val floats = ByteBuffer.wrap(Files.readAllBytes(Paths.get(path))).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer()
    Array.fill(floats.remaining() / features)(Vectors.dense(Array.fill(features)(floats.get().toDouble)))
  }

  /** The answers. */
  def predict(model: RandomForestRegressionModel, path: String, features: Int): Array[Double] =
    read(path, features).map(model.predict)

  /** Nanoseconds of each of so many passes through all rows. */
  def passes(model: RandomForestRegressionModel, path: String, features: Int, count: Int): Array[Double] = {
    val rows = read(path, features)
    Array.fill(count) {
      val begin = System.nanoTime()
      var sum = 0.0
      rows.foreach(row => sum += model.predict(row))
      if (sum.isNaN) throw new IllegalStateException("an answer is no number")
      (System.nanoTime() - begin).toDouble
    }
  }

  /** Median nanoseconds of a call. */
  def call(model: RandomForestRegressionModel, path: String, features: Int): Double = {
    val times = read(path, features).map { row =>
      val begin = System.nanoTime()
      if (model.predict(row).isNaN) throw new IllegalStateException("an answer is no number")
      (System.nanoTime() - begin).toDouble
    }
    times.sorted.apply(times.length / 2)
  }
}
