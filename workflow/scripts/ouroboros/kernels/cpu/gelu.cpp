// GELU in its form with a hyperbolic tangent, and its gradient, in one pass each: the library's own takes
// four times as long for its tangent. Tested against PyTorch's.
#include <algorithm>

#include "vector.h"

// Runs `use(from, count)` over `size` numbers, `count` of them a vector at most.
template <class Use>
static void each_vector(int64_t size, int threads, Use use) {
#pragma omp parallel for num_threads(threads)
    for (int64_t from = 0; from < size; from += LANES) use(from, std::min<int64_t>(LANES, size - from));
}

static inline Vector read(const float* from, int64_t count) {
    if (count == LANES) return load(from);
    Vector v = {};
    std::memcpy(&v, from, count * sizeof(float));
    return v;
}

extern "C" void gelu_forward(const float* x, float* y, int64_t size, int threads) {
    each_vector(size, threads, [=](int64_t from, int64_t count) {
        const Vector v = read(x + from, count), result = v / gelu_divisor(v);
        std::memcpy(y + from, &result, count * sizeof(float));
    });
}

extern "C" void gelu_backward(const float* x, const float* grad, float* to_x, int64_t size, int threads) {
    each_vector(size, threads, [=](int64_t from, int64_t count) {
        const Vector v = read(x + from, count), share = 1.0f / gelu_divisor(v);
        const Vector slope = 1.5957691216f + 0.2140644488f * v * v;
        const Vector result = read(grad + from, count) * share * (1.0f + v * (1.0f - share) * slope);
        std::memcpy(to_x + from, &result, count * sizeof(float));
    });
}
