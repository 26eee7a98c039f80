// Sampling from a model so narrow that its weights stay in a core's cache: each core takes groups of
// sequences through all layers, the output layer and the draw, position after position, by itself.
#include <algorithm>
#include <vector>

#include "decoding.h"
#include "rows.h"

namespace {

constexpr int BLOCK = 64;  // tokens per block of the vocabulary

struct Layer {  // as gpt_neo/small_model.py lists them
    const float *gain, *shift, *qkv, *out, *out_bias, *gain2, *shift2, *fc, *fc_bias, *proj, *proj_bias;
    float *keys, *values;  // (groups, 2, heads, slots, head, LANES)
    int64_t slots;
};

struct Model {
    const Layer* layers;
    const float *tokens, *positions, *gain, *shift, *head;
    int64_t depth, width, heads, vocabulary;

    int64_t blocks() const { return (vocabulary + BLOCK - 1) / BLOCK; }
};

// One group's way through a step. Everything is (features, GROUP).
struct Group {
    std::vector<float> x, states, wide, scores, maxima, sums;

    Group(const Model& model, int64_t slots)
        : x(model.width * GROUP), states(model.width * GROUP), wide(4 * model.width * GROUP),
          scores(slots * LANES), maxima(model.blocks() * GROUP), sums(model.blocks() * GROUP) {}

    // Embeddings of up to GROUP tokens at position `time`; lanes beyond `count` repeat the first.
    void embed(const Model& model, const int64_t* tokens, int count, int64_t time) {
        for (int row = 0; row < GROUP; row++) {
            const float* from = model.tokens + tokens[row < count ? row : 0] * model.width;
            for (int64_t k = 0; k < model.width; k++)
                x[k * GROUP + row] = from[k] + model.positions[time * model.width + k];
        }
    }

    void pass(const Model& model, const Layer& layer, int64_t number, int64_t time) {
        const int width = model.width, heads = model.heads, head = width / heads, slots = layer.slots;
        const int64_t ring = number * 2 * heads * slots * head * LANES;
        auto store_in = [](std::vector<float>& to) {
            return [&to](int output, Vector first, Vector second) {
                store(&to[output * GROUP], first);
                store(&to[output * GROUP + LANES], second);
            };
        };
        auto add_to_x = [this](const float* bias) {
            return [this, bias](int output, Vector first, Vector second) {
                float* at = &x[output * GROUP];
                store(at, load(at) + (first + bias[output]));
                store(at + LANES, load(at + LANES) + (second + bias[output]));
            };
        };
        normalise(x.data(), layer.gain, layer.shift, width, states.data());
        multiply(states.data(), layer.qkv, width, 3 * width, store_in(wide));
        auto with = head == 4 ? attend<4> : head == 16 ? attend<16> : attend<0>;
        with(wide.data(), layer.keys + ring, layer.values + ring, states.data(), heads, head, slots,
             time % slots, std::min<int64_t>(time + 1, slots), scores.data());
        multiply(states.data(), layer.out, width, width, add_to_x(layer.out_bias));
        normalise(x.data(), layer.gain2, layer.shift2, width, states.data());
        multiply(states.data(), layer.fc, width, 4 * width, [&](int output, Vector first, Vector second) {
            store(&wide[output * GROUP], gelu(first + layer.fc_bias[output]));
            store(&wide[output * GROUP + LANES], gelu(second + layer.fc_bias[output]));
        });
        multiply(wide.data(), layer.proj, 4 * width, width, add_to_x(layer.proj_bias));
    }

    // The logits of a block of the vocabulary: (BLOCK, GROUP), of which `count` are there.
    void project(const Model& model, int64_t block, int count, float* logits) {
        multiply(states.data(), model.head + block * BLOCK * model.width, model.width, count,
                 [&](int output, Vector first, Vector second) {
                     store(logits + output * GROUP, first);
                     store(logits + output * GROUP + LANES, second);
                 });
    }

    // Largest logit of a block of the vocabulary, and sum of exp(logit - largest).
    void summarise(const Model& model, int64_t block) {
        alignas(64) float logits[BLOCK * GROUP];
        const int count = std::min<int64_t>(BLOCK, model.vocabulary - block * BLOCK);
        project(model, block, count, logits);
        for (int half = 0; half < GROUP; half += LANES) {
            Vector most = load(logits + half), total = {};
            for (int i = 1; i < count; i++) most = larger(most, load(logits + i * GROUP + half));
            for (int i = 0; i < count; i++) total += exponential(load(logits + i * GROUP + half) - most);
            store(&maxima[block * GROUP + half], most);
            store(&sums[block * GROUP + half], total);
        }
    }

    // A token per row by inverse CDF: the block first, then the token inside it, both in float64.
    void draw(const Model& model, const double* uniforms, int64_t* tokens, int count) {
        const int64_t blocks = model.blocks();
        alignas(64) double totals[GROUP] = {};
        for (int half = 0; half < GROUP; half += LANES) {
            Vector top = load(&maxima[half]);
            for (int64_t b = 1; b < blocks; b++) top = larger(top, load(&maxima[b * GROUP + half]));
            for (int64_t b = 0; b < blocks; b++) {
                float* sum = &sums[b * GROUP + half];
                store(sum, load(sum) * exponential(load(&maxima[b * GROUP + half]) - top));
                for (int i = 0; i < LANES; i++) totals[half + i] += sum[i];
            }
        }
        for (int row = 0; row < count; row++) {
            double share = uniforms[row];
            auto block_weight = [&](int64_t b) { return double(sums[b * GROUP + row]); };
            const int64_t block = locate(blocks, block_weight, totals[row], share);
            alignas(64) double weights[BLOCK];
            const int64_t size = std::min<int64_t>(BLOCK, model.vocabulary - block * BLOCK);
            const double total = powers(model, block, size, row, weights);
            tokens[row] = block * BLOCK + locate(size, [&](int64_t i) { return weights[i]; }, total, share);
        }
    }

    // A token per row as a decoding says. `logits` has room for the whole vocabulary: (vocabulary, GROUP),
    // padded to BLOCK. `tokens` are those so far, one row of all sequences after another.
    void draw_decoded(const Model& model, const Decoding& decoding, DecodedDraw& draw, float* logits,
                      const double* uniforms, int64_t* tokens, int64_t rows, int64_t time, int count) {
        for (int64_t block = 0; block < model.blocks(); block++)
            project(model, block, std::min<int64_t>(BLOCK, model.vocabulary - block * BLOCK),
                    logits + block * BLOCK * GROUP);
        for (int row = 0; row < count; row++)
            tokens[(time + 1) * rows + row] = draw(
                decoding, [&](int64_t i) { return logits[i * GROUP + row]; },
                [&](int64_t t) { return tokens[t * rows + row]; }, time + 1, uniforms[row]);
    }

    // exp(logit - largest) of a block's tokens for one row; their sum.
    double powers(const Model& model, int64_t block, int64_t count, int row, double* weights) const {
        typedef Part<OUTPUTS>::Type Tile;
        constexpr int TILES = BLOCK / OUTPUTS;
        alignas(64) float logits[BLOCK];
        const float* from = model.head + block * BLOCK * model.width;
        Tile sums[TILES] = {}, weight;
        for (int64_t k = 0; k < model.width; k++)
#pragma GCC unroll 16
            for (int tile = 0; tile < TILES; tile++) {
                std::memcpy(&weight, from + (tile * model.width + k) * OUTPUTS, sizeof weight);
                sums[tile] += states[k * GROUP + row] * weight;
            }
        std::memcpy(logits, sums, sizeof sums);
        const float most = maxima[block * GROUP + row];
        double total = 0;
        for (int i = 0; i < BLOCK; i += LANES) {
            const Vector apart = load(logits + i) - most, power = exponential(apart);
            for (int64_t j = i; j < std::min<int64_t>(i + LANES, count); j++) {
                weights[j] = power[j - i] > 0 ? power[j - i] : std::exp(double(apart[j - i]));
                total += weights[j];
            }
        }
        return total;
    }
};

}  // namespace

extern "C" int narrow_outputs() { return OUTPUTS; }
extern "C" int narrow_group() { return GROUP; }
extern "C" int narrow_block() { return BLOCK; }
extern "C" int narrow_lanes() { return LANES; }

// Positions `from` to `to` of `rows` sequences: tokens (length + 1, rows) gets row t + 1 from the uniforms
// (length, rows), as the decoding says, if any; but where given (length + 1, rows), if any, holds a token, it
// is that. hidden (groups, width, GROUP) is left as what the last position's logits are made of. A core takes
// `together` groups at a time through the output layer's weights, where it keeps no logits.
extern "C" void narrow_sample(const Layer* layers, const float* token_embeddings, const float* positions,
                              const float* gain, const float* shift, const float* head,
                              const Decoding* decoding, const double* uniforms, const int64_t* given, int64_t* tokens, float* hidden,
                              int64_t depth, int64_t width, int64_t heads, int64_t vocabulary, int64_t rows,
                              int64_t from, int64_t to, int64_t together, int threads) {
    const Model model{layers, token_embeddings, positions, gain, shift, head, depth, width, heads, vocabulary};
    const int64_t groups = (rows + GROUP - 1) / GROUP;
    int64_t slots = 0;
    for (int64_t i = 0; i < depth; i++) slots = std::max(slots, layers[i].slots);
#pragma omp parallel num_threads(threads)
    {
        std::vector<Group> mine(together, Group(model, slots));
        DecodedDraw draw(decoding ? vocabulary : 0);
        std::vector<float> logits(decoding ? model.blocks() * BLOCK * GROUP : 0);
#pragma omp for schedule(dynamic)
        for (int64_t first = 0; first < groups; first += together) {
            const int64_t last = std::min(first + together, groups);
            auto count = [&](int64_t number) { return int(std::min<int64_t>(GROUP, rows - number * GROUP)); };
            for (int64_t time = from; time < to; time++) {
                int64_t *now = tokens + time * rows, *next = now + rows;
                for (int64_t g = first; g < last; g++)
                    mine[g - first].embed(model, now + g * GROUP, count(g), time);
                for (int64_t i = 0; i < depth; i++)
                    for (int64_t g = first; g < last; g++) mine[g - first].pass(model, layers[i], g, time);
                for (int64_t g = first; g < last; g++) {
                    Group& group = mine[g - first];
                    normalise(group.x.data(), gain, shift, width, group.states.data());
                }
                for (int64_t block = 0; !decoding && block < model.blocks(); block++)
                    for (int64_t g = first; g < last; g++) mine[g - first].summarise(model, block);
                for (int64_t g = first; g < last; g++) {
                    const int64_t row = g * GROUP;
                    const double* own = uniforms + time * rows + row;
                    if (decoding)
                        mine[g - first].draw_decoded(model, *decoding, draw, logits.data(), own, tokens + row,
                                                     rows, time, count(g));
                    else
                        mine[g - first].draw(model, own, next + row, count(g));
                }
                if (given)
                    for (int64_t row = first * GROUP; row < std::min(last * GROUP, rows); row++)
                        if (const int64_t token = given[(time + 1) * rows + row]; token >= 0) next[row] = token;
            }
            for (int64_t g = first; g < last; g++)
                std::copy_n(mine[g - first].states.data(), width * GROUP, hidden + g * width * GROUP);
        }
    }
}
