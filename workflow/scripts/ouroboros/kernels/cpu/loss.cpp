// Cross-entropy of a row of logits, and its gradient in the logits' place: a row stays in the cache
// for its three passes.
#include "vector.h"

// bfloat16 is the upper half of a float.
static inline Vector read(const float* from) { return load(from); }

static inline Vector read(const uint16_t* from) {
    Integers bits;
    for (int i = 0; i < LANES; i++) bits[i] = int32_t(uint32_t(from[i]) << 16);
    return (Vector)bits;
}

static inline void write(float* to, Vector v) { store(to, v); }

static inline void write(uint16_t* to, Vector v) {
    Integers bits = (Integers)v;
    bits += 0x7fff + ((bits >> 16) & 1);  // to nearest, ties to even
    for (int i = 0; i < LANES; i++) to[i] = uint16_t(uint32_t(bits[i]) >> 16);
}

template <class Number>
static void cross_entropy(Number* logits, const int64_t* targets, float* losses, int64_t rows,
                          int64_t vocabulary, int threads) {
    const int64_t whole = vocabulary / LANES * LANES, rest = vocabulary - whole;
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < rows; row++) {
        Number* mine = logits + row * vocabulary;
        Number tail[LANES];  // the last vector, filled up with copies of the row's first number
        for (int i = 0; i < LANES; i++) tail[i] = i < rest ? mine[whole + i] : mine[0];
        Vector most = read(tail);
        for (int64_t i = 0; i < whole; i += LANES) most = larger(most, read(mine + i));
        const float top = largest(most);
        Vector total = {};
        for (int64_t i = 0; i < whole; i += LANES) total += exponential(read(mine + i) - top);
        const Vector ends = exponential(read(tail) - top);
        double mass = sum(total);
        for (int i = 0; i < rest; i++) mass += ends[i];
        const float log = top + float(std::log(mass));

        const int64_t target = targets[row];
        const Number chosen = target < whole ? mine[target] : tail[target - whole];
        float value[LANES];
        Number copies[LANES];
        for (auto& copy : copies) copy = chosen;
        store(value, read(copies));
        losses[row] = log - value[0];

        for (int64_t i = 0; i < whole; i += LANES) write(mine + i, exponential(read(mine + i) - log));
        write(tail, exponential(read(tail) - log));
        for (int i = 0; i < rest; i++) mine[whole + i] = tail[i];
        store(value, all(std::exp(value[0] - log) - 1));
        write(copies, load(value));
        mine[target] = copies[0];
    }
}

// logits (rows, vocabulary), overwritten by probability minus one-hot of the target; losses (rows).
extern "C" void cross_entropy_float(float* logits, const int64_t* targets, float* losses, int64_t rows,
                                    int64_t vocabulary, int threads) {
    cross_entropy(logits, targets, losses, rows, vocabulary, threads);
}

extern "C" void cross_entropy_bfloat16(uint16_t* logits, const int64_t* targets, float* losses,
                                       int64_t rows, int64_t vocabulary, int threads) {
    cross_entropy(logits, targets, losses, rows, vocabulary, threads);
}
