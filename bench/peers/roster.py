# SPDX-License-Identifier: Apache-2.0
"""The peers by the names that --peer takes. Needs nothing but Python, unlike what it names."""
import dataclasses

WORST_RMSE = 0.58  # a forest of this shape that is worse on the test rows was set up wrongly


@dataclasses.dataclass(frozen=True)
class Entry:
    title: str  # with a place for the version
    package: str  # whose version is shown
    module: str
    type: str
    million_runs: int  # trainings on a million rows; 0 = it cannot train, or takes too long
    note: str  # what a reader of the table must know


PEERS = {
    "scikit-learn": Entry(
        "scikit-learn {}", "scikit-learn", "peer_scikit_learn", "ScikitLearn", 1,
        "exact thresholds; `predict` of the forest with `n_jobs=1`"),
    "xgboost": Entry(
        "XGBoost {}", "xgboost-cpu", "peer_xgboost", "XGBoost", 3,
        "`XGBRFRegressor`, hist, 256 bins, `subsample=0.632` in place of the bootstrap; batches by `inplace_predict`, "
        "rows by `XGBoosterPredictFromDense` of its C interface"),
    "lightgbm": Entry(
        "LightGBM {}", "lightgbm", "peer_lightgbm", "LightGBM", 3,
        "`boosting=rf`, 255 bins, `bagging_fraction=0.632` in place of the bootstrap; rows by "
        "`LGBM_BoosterPredictForMatSingleRowFast` of its C interface"),
    "ydf": Entry(
        "YDF {}, exact", "ydf", "peer_ydf", "YdfExact", 1,
        "its fast engine; one row by its own benchmark of its C++ interface, a mean"),
    "ydf-discretised": Entry(
        "YDF {}, discretised", "ydf", "peer_ydf", "YdfDiscretised", 1,
        "255 bins; its fast engine does not take this forest; one row as above"),
    "onnxruntime": Entry(
        "ONNX Runtime {}", "onnxruntime", "peer_onnxruntime", "OnnxRuntime", 0,
        "scikit-learn's forest through skl2onnx; one row by bound memory"),
    "tl2cgen": Entry(
        "TL2cgen {}", "tl2cgen", "peer_tl2cgen", "Tl2cgen", 0,
        "scikit-learn's forest through treelite, quantised thresholds, compiled with gcc; one row by the compiled "
        "function itself"),
    "spark": Entry(
        "Spark ML {}", "pyspark", "peer_spark", "SparkMl", 0,
        "`local[1]` on one core, `local[2]`; heap 4 GiB, warm; 32 bins, its default; predictions by `model.predict` "
        "inside of the JVM"),
}
