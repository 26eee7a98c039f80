// Vectors of floats in the compiler's own notation: AVX-512, AVX2, NEON, whatever -march=native has.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__)
constexpr int LANES = 16, ROWS = 12;  // ROWS x 2 sums, 2 weights and 1 state fit the registers
#elif defined(__AVX__)
constexpr int LANES = 8, ROWS = 5;
#else
constexpr int LANES = 4, ROWS = 8;
#endif

typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t Integers __attribute__((vector_size(LANES * sizeof(float))));

inline Vector load(const float* from) {
    Vector v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

inline void store(float* to, Vector v) { std::memcpy(to, &v, sizeof v); }

inline Vector all(float x) { return x - Vector{}; }

inline Vector larger(Vector a, Vector b) { return a > b ? a : b; }

inline Vector smaller(Vector a, Vector b) { return a < b ? a : b; }

inline Vector lane_numbers() {
    Vector v;
    for (int i = 0; i < LANES; i++) v[i] = i;
    return v;
}

template <int N>
struct Part {
    typedef float Type __attribute__((vector_size(N * sizeof(float))));
};

// Folds a vector of N onto its lower half, and so on, until one number is left.
template <int N, class Join>
inline float fold(const void* vector, Join join) {
    if constexpr (N == 1) {
        return *static_cast<const float*>(vector);
    } else {
        typename Part<N / 2>::Type low, high;
        std::memcpy(&low, vector, sizeof low);
        std::memcpy(&high, static_cast<const char*>(vector) + sizeof low, sizeof high);
        low = join(low, high);
        return fold<N / 2>(&low, join);
    }
}

inline float sum(Vector v) {
    return fold<LANES>(&v, [](auto a, auto b) { return a + b; });
}

inline float largest(Vector v) {
    return fold<LANES>(&v, [](auto a, auto b) { return a > b ? a : b; });
}

// e^x for x <= 88, right to 1e-7 of itself, and 0 below -64: beside a largest term of 1 that changes no
// sum, and products with what is left never get so small that the processor falls out of step. The
// exponent's integer part is rounded off by adding 1.5 * 2^23, whose low bits then hold it; the rest is a
// Taylor polynomial.
inline Vector exponential(Vector x) {
    const auto gone = x < -64.0f;
    x = larger(x, all(-64.0f));
    const Vector shifted = x * 1.44269504f + 12582912.0f;
    const Vector whole = shifted - 12582912.0f;
    const Vector rest = x - whole * 0.693359375f + whole * 2.12194440e-4f;
    Vector y = all(1.0f / 5040);
    y = y * rest + 1.0f / 720;
    y = y * rest + 1.0f / 120;
    y = y * rest + 1.0f / 24;
    y = y * rest + 1.0f / 6;
    y = y * rest + 0.5f;
    y = y * rest + 1.0f;
    y = y * rest + 1.0f;
    y = (Vector)((Integers)y + ((Integers)shifted << 23));
    return gone ? Vector{} : y;
}

// GELU in its form with a hyperbolic tangent is x divided by this.
inline Vector gelu_divisor(Vector x) {
    const Vector u = -1.5957691216f * (x + 0.044715f * x * x * x);
    return 1.0f + exponential(u < 80.0f ? u : all(80.0f));
}
