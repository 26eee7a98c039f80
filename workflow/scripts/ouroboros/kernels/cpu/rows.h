// Layers of a narrow model with sequences, not features, side by side in the vectors: all sequences are
// at the same position, so that norms, softmax and attention never look across a vector.
#pragma once
#include "vector.h"

constexpr int GROUP = 2 * LANES;              // sequences that pass through a layer together
constexpr int OUTPUTS = LANES == 16 ? 8 : 4;  // of one tile of a product: its sums fill the registers

// States (width, GROUP) times weights (outputs / OUTPUTS, width, OUTPUTS): calls `use` with the number of
// an output and its two vectors.
template <class Use>
static inline void multiply(const float* states, const float* weights, int width, int outputs, Use use) {
    for (int output = 0; output < outputs; output += OUTPUTS, weights += width * OUTPUTS) {
        Vector sums[OUTPUTS][2] = {};
        for (int k = 0; k < width; k++) {
            const Vector first = load(states + k * GROUP), second = load(states + k * GROUP + LANES);
#pragma GCC unroll 8
            for (int i = 0; i < OUTPUTS; i++) {
                const Vector weight = all(weights[k * OUTPUTS + i]);
                sums[i][0] += weight * first;
                sums[i][1] += weight * second;
            }
        }
#pragma GCC unroll 8
        for (int i = 0; i < OUTPUTS; i++) use(output + i, sums[i][0], sums[i][1]);
    }
}

// x (width, GROUP) -> states (width, GROUP).
static void normalise(const float* x, const float* gain, const float* shift, int width, float* states) {
    for (int half = 0; half < GROUP; half += LANES) {
        Vector mean = {}, square = {};
        for (int k = 0; k < width; k++) mean += load(x + k * GROUP + half);
        mean /= float(width);
        for (int k = 0; k < width; k++) {
            const Vector apart = load(x + k * GROUP + half) - mean;
            square += apart * apart;
        }
        Vector scale = square / float(width) + 1e-5f;
        for (int i = 0; i < LANES; i++) scale[i] = 1 / std::sqrt(scale[i]);
        for (int k = 0; k < width; k++)
            store(states + k * GROUP + half, (load(x + k * GROUP + half) - mean) * scale * gain[k] + shift[k]);
    }
}

static inline Vector gelu(Vector x) { return x / gelu_divisor(x); }

// One position's attention: qkv (3, heads, head, GROUP) -> out (heads, head, GROUP). The new key and value
// go to `slot` of the rings (2 halves, heads, slots, head, LANES), and `seen` slots are looked at.
template <int HEAD>
static void attend(const float* qkv, float* keys, float* values, float* out, int heads, int width, int slots,
                   int slot, int seen, float* scores) {
    const int head = HEAD ? HEAD : width;
    for (int i = 0; i < 2 * heads; i++, keys += slots * head * LANES, values += slots * head * LANES) {
        const int at = i % heads * head * GROUP + i / heads * LANES;
        Vector most = all(-INFINITY), total = {}, query[HEAD ? HEAD : 128], sums[HEAD ? HEAD : 128] = {};
        for (int d = 0; d < head; d++) {
            query[d] = load(qkv + at + d * GROUP);
            store(keys + (slot * head + d) * LANES, load(qkv + at + (heads * head + d) * GROUP));
            store(values + (slot * head + d) * LANES, load(qkv + at + (2 * heads * head + d) * GROUP));
        }
        for (int t = 0; t < seen; t++) {
            Vector score = {};
            for (int d = 0; d < head; d++)
                score += query[d] * load(keys + (t * head + d) * LANES);
            store(scores + t * LANES, score);
            most = larger(most, score);
        }
        for (int t = 0; t < seen; t++) {
            const Vector weight = exponential(load(scores + t * LANES) - most);
            store(scores + t * LANES, weight);
            total += weight;
        }
        for (int t = 0; t < seen; t++) {
            const Vector weight = load(scores + t * LANES);
            for (int d = 0; d < head; d++) sums[d] += weight * load(values + (t * head + d) * LANES);
        }
        for (int d = 0; d < head; d++) store(out + at + d * GROUP, sums[d] / total);
    }
}
