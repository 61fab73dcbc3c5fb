// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

namespace penstock::ml {

/// Rows of features as kernels want them for scoring: n×d float32, row-major. A missing value is NaN.
using row_matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Features as training wants them: n×d float32, column-major.
using column_matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;

/// n float64.
using vector = Eigen::VectorXd;

} // namespace penstock::ml
