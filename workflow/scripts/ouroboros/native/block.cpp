// What surrounds attention in a decode step of a narrow model: its weights stay in the cache, and a
// group of rows passes through all of a layer.
#include <algorithm>
#include <vector>

#include "product.h"

// Layer norm of up to ROWS rows (rows, width) -> states (width, ROWS).
static void normalise(const float* x, const float* gain, const float* shift, float epsilon, int rows,
                      int width, float* states) {
    for (int row = 0; row < rows; row++) {
        const float* from = x + row * width;
        float mean = 0, square = 0;
        for (int k = 0; k < width; k += LANES) mean += sum(load(from + k));
        mean /= width;
        for (int k = 0; k < width; k += LANES) {
            const Vector apart = load(from + k) - mean;
            square += sum(apart * apart);
        }
        const float scale = 1 / std::sqrt(square / width + epsilon);
        for (int k = 0; k < width; k++) states[k * ROWS + row] = (from[k] - mean) * scale * gain[k] + shift[k];
    }
}

static void transpose(const float* x, int rows, int width, float* states) {
    for (int row = 0; row < rows; row++)
        for (int k = 0; k < width; k++) states[k * ROWS + row] = x[row * width + k];
}

// All panels of a product: states (width, ROWS) -> out (ROWS, stride).
static void product(const float* states, const float* weights, int width, int outputs, float* out,
                    int stride) {
    for (int p = 0; p * PANEL < outputs; p++) multiply(states, weights, width, p, out + p * PANEL, stride);
}

// GELU in its form with a hyperbolic tangent, which is x times a sigmoid.
static inline Vector gelu(Vector x) {
    const Vector u = -1.5957691216f * (x + 0.044715f * x * x * x);
    return x / (1.0f + exponential(u < 80.0f ? u : all(80.0f)));
}

// Calls `use(first, rows, states)` for each group of up to ROWS of all rows; `states` is scratch.
template <class Use>
static void each_group(int64_t rows, int64_t width, int threads, Use use) {
#pragma omp parallel num_threads(threads)
    {
        std::vector<float> states(4 * width * ROWS), out(ROWS * (4 * width + PANEL));
#pragma omp for schedule(dynamic)
        for (int64_t first = 0; first < rows; first += ROWS)
            use(first, int(std::min<int64_t>(ROWS, rows - first)), states.data(), out.data());
    }
}

// Queries, keys and values: x (rows, width) -> qkv (rows, 3 * width). `width` is a multiple of LANES.
extern "C" void block_queries(const float* x, const float* gain, const float* shift, const float* weights,
                              float* qkv, int64_t rows, int64_t width, int threads) {
    each_group(rows, width, threads, [=](int64_t first, int count, float* states, float* out) {
        normalise(x + first * width, gain, shift, 1e-5f, count, width, states);
        const int stride = 4 * width + PANEL;
        product(states, weights, width, 3 * width, out, stride);
        for (int row = 0; row < count; row++)
            std::copy_n(out + row * stride, 3 * width, qkv + (first + row) * 3 * width);
    });
}

// What follows attention: adds its projection to x, and then the perceptron's; x (rows, width) in place.
extern "C" void block_rest(float* x, const float* attended, const float* out_weights, const float* out_bias,
                           const float* gain, const float* shift, const float* fc_weights,
                           const float* fc_bias, const float* proj_weights, const float* proj_bias,
                           int64_t rows, int64_t width, int threads) {
    each_group(rows, width, threads, [=](int64_t first, int count, float* states, float* out) {
        const int stride = 4 * width + PANEL;
        float* mine = x + first * width;
        auto add = [=](const float* bias) {
            for (int row = 0; row < count; row++)
                for (int k = 0; k < width; k++) mine[row * width + k] += out[row * stride + k] + bias[k];
        };
        transpose(attended + first * width, count, width, states);
        product(states, out_weights, width, width, out, stride);
        add(out_bias);
        normalise(mine, gain, shift, 1e-5f, count, width, states);
        product(states, fc_weights, width, 4 * width, out, stride);
        for (int row = 0; row < count; row++)
            for (int k = 0; k < 4 * width; k += LANES) {
                const Vector y = gelu(load(out + row * stride + k) + load(fc_bias + k));
                for (int i = 0; i < LANES; i++) states[(k + i) * ROWS + row] = y[i];
            }
        product(states, proj_weights, 4 * width, width, out, stride);
        add(proj_bias);
    });
}
