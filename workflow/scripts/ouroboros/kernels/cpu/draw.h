// A row of logits as blocks of the vocabulary, of which the largest logit and the sum of exponentials are
// kept, and an exact draw from its softmax.
#pragma once
#include <algorithm>
#include <vector>

#include "locate.h"
#include "vector.h"

// Largest logit and sum of exp(logit - largest) of a block; what follows its `count` logits is masked out.
template <int BLOCK>
static inline void summarise(float* logits, int count, float* maximum, float* sum_of) {
    for (int i = count; i < BLOCK; i++) logits[i] = -INFINITY;
    Vector most = load(logits);
    for (int i = LANES; i < BLOCK; i += LANES) most = larger(most, load(logits + i));
    const float top = largest(most);
    Vector total = {};
    for (int i = 0; i < BLOCK; i += LANES) total += exponential(load(logits + i) - top);
    *maximum = top;
    *sum_of = sum(total);
}

// A token by inverse CDF: the block first, then the token inside it, both in float64. `logits_of` gives the
// logits of a block, padded to BLOCK.
template <int BLOCK, class Logits>
static inline int64_t draw_token(const float* maxima, const float* sums, int64_t vocabulary, double uniform,
                                 Logits logits_of) {
    const int64_t blocks = (vocabulary + BLOCK - 1) / BLOCK;
    const float top = *std::max_element(maxima, maxima + blocks);
    std::vector<double> weights(std::max<int64_t>(blocks, BLOCK));
    double total = 0;
    for (int64_t b = 0; b < blocks; b++)
        total += weights[b] = sums[b] * std::exp(double(maxima[b]) - double(top));
    double share = uniform;
    auto weight = [&](int64_t i) { return weights[i]; };
    const int64_t block = locate(blocks, weight, total, share);
    const int64_t count = std::min<int64_t>(BLOCK, vocabulary - block * BLOCK);
    const float* logits = logits_of(block);
    total = 0;
    for (int64_t i = 0; i < count; i += LANES) {
        const Vector apart = load(logits + i) - maxima[block], powers = exponential(apart);
        for (int64_t j = i; j < std::min<int64_t>(i + LANES, count); j++)
            total += weights[j] = powers[j - i] > 0 ? powers[j - i] : std::exp(double(apart[j - i]));
    }
    return block * BLOCK + locate(count, weight, total, share);
}
