// A decoding's draw from one row of logits, in the order of model/decoding.py. Nothing is sorted: each step
// keeps the tokens up to a key, and the key is found by halving, as the bits of floats of 0 and more are in
// their order. The logits stay in the first cache meanwhile, or, of large vocabularies, in the second.
#pragma once
#include "draw.h"

constexpr float DROPPED = -1e30f;  // logit of a token that is not kept: its exponential is 0, no difference NaN

struct Decoding {  // as model/decoding.py lists it; logits come divided by the temperature
    double top_k, top_p, min_p, typical_p, repetition_penalty;
};

class DecodedDraw {
    static constexpr int BLOCK = 256;  // tokens per block of the vocabulary
    int64_t vocabulary, padded;
    std::vector<float> logits, keys, weights, maxima, sums;
    std::vector<char> penalised;

    template <class Use>
    void each(Use use) {
        for (int64_t i = 0; i < padded; i += LANES) use(i, load(&logits[i]));
    }

    float top() {
        Vector most = all(DROPPED);
        each([&](int64_t, Vector logit) { most = larger(most, logit); });
        return largest(most);
    }

    // weights = exp(logit - largest); their sum.
    float weigh(float most) {
        Vector total = {};
        each([&](int64_t i, Vector logit) {
            const Vector weight = exponential(logit - most);
            store(&weights[i], weight);
            total += weight;
        });
        return sum(total);
    }

    // Drops the tokens whose key is larger than the least one up to which the weights come to `wanted`.
    void keep(double wanted) {
        int32_t low = -1, high = bits(*std::max_element(keys.begin(), keys.end()));
        while (high - low > 1) {
            // to the next keys on both sides, so that it ends when a single one is left between
            const int32_t middle = low + (high - low) / 2;
            Vector total = {}, below = {}, above = all(INFINITY);
            for (int64_t i = 0; i < padded; i += LANES) {
                const Vector key = load(&keys[i]);
                const auto within = (Integers)key <= middle;
                total += within ? load(&weights[i]) : Vector{};
                below = larger(below, within ? key : Vector{});
                above = smaller(above, within ? all(INFINITY) : key);
            }
            if (sum(total) >= wanted)
                high = bits(largest(below));
            else
                low = bits(-largest(-above)) - 1;
        }
        each([&](int64_t i, Vector logit) {
            store(&logits[i], (Integers)load(&keys[i]) <= high ? logit : all(DROPPED));
        });
    }

    static int32_t bits(float x) {
        int32_t i;
        std::memcpy(&i, &x, sizeof i);
        return i;
    }

    void keep_most_probable(float most, double wanted) {
        each([&](int64_t i, Vector logit) { store(&keys[i], most - logit); });
        keep(wanted);
    }

    void keep_typical(float most, double mass) {
        const float total = weigh(most), log_total = std::log(total) + most;
        Vector entropy = {};
        each([&](int64_t i, Vector logit) { entropy -= load(&weights[i]) / total * (logit - log_total); });
        const float expected = sum(entropy);
        each([&](int64_t i, Vector logit) {
            const Vector apart = logit - log_total + expected;
            store(&keys[i], larger(apart, -apart));
        });
        keep(mass * total);
    }

  public:
    explicit DecodedDraw(int64_t vocabulary)
        : vocabulary(vocabulary), padded((vocabulary + BLOCK - 1) / BLOCK * BLOCK), logits(padded, DROPPED),
          keys(padded), weights(padded), maxima(padded / BLOCK), sums(padded / BLOCK), penalised(vocabulary) {}

    // A token by the logits `logit(i)`, of a row whose tokens so far are `token(0)` to
    // `token(time - 1)`.
    template <class Logit, class Token>
    int64_t operator()(const Decoding& decoding, Logit logit, Token token, int64_t time, double uniform) {
        for (int64_t i = 0; i < vocabulary; i++) logits[i] = logit(i);
        if (const float penalty = decoding.repetition_penalty; penalty != 1) {
            for (int64_t t = 0; t < time; t++)
                if (!penalised[token(t)]) {
                    float& once = logits[token(t)];
                    once = once > 0 ? once / penalty : once * penalty;
                    penalised[token(t)] = true;
                }
            for (int64_t t = 0; t < time; t++) penalised[token(t)] = false;
        }
        const float most = top();
        if (decoding.top_k > 0 && decoding.top_k < vocabulary) {
            std::fill(weights.begin(), weights.end(), 1.0f);
            keep_most_probable(most, decoding.top_k);
        }
        if (decoding.top_p < 1) keep_most_probable(most, decoding.top_p * weigh(most));
        if (decoding.min_p > 0) {
            const Vector least = all(most + std::log(float(decoding.min_p)));
            each([&](int64_t i, Vector logit) { store(&logits[i], logit < least ? all(DROPPED) : logit); });
        }
        if (decoding.typical_p < 1) keep_typical(most, decoding.typical_p);
        for (int64_t b = 0; b < padded / BLOCK; b++)
            summarise<BLOCK>(&logits[b * BLOCK], BLOCK, &maxima[b], &sums[b]);
        return draw_token<BLOCK>(maxima.data(), sums.data(), vocabulary, uniform,
                                 [&](int64_t b) { return &logits[b * BLOCK]; });
    }
};
