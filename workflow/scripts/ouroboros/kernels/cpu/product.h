// The one matrix product of these kernels: a group of ROWS states with panels of weights.
#pragma once
#include "vector.h"

constexpr int PANEL = 2 * LANES;  // outputs of one product

// states (width, ROWS) and weights (outputs / PANEL, width, PANEL), padded with zeros; panel `number` of
// them -> columns of `out`, whose rows are `stride` apart.
static inline void multiply(const float* states, const float* weights, int width, int number, float* out,
                            int stride) {
    const float* panel = weights + int64_t(number) * width * PANEL;
    Vector sums[ROWS][2] = {};
    for (int k = 0; k < width; k++) {
        const Vector first = load(panel + k * PANEL), second = load(panel + k * PANEL + LANES);
#pragma GCC unroll 16
        for (int row = 0; row < ROWS; row++) {
            const Vector state = all(states[k * ROWS + row]);
            sums[row][0] += state * first;
            sums[row][1] += state * second;
        }
    }
#pragma GCC unroll 16
    for (int row = 0; row < ROWS; row++) {
        store(out + row * stride, sums[row][0]);
        store(out + row * stride + LANES, sums[row][1]);
    }
}
