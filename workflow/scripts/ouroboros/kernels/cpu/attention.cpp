// Causal attention over a window, for heads too narrow for libraries to be quick with: positions, not
// features, fill the vectors, and the scores of a few queries at a time are all that is kept.
#include <algorithm>
#include <vector>

#include "vector.h"

// Scores of one query against tiles 0 to `last` of the keys (tiles, head, LANES), where positions from `to`
// on count for nothing; returns the largest. `next`, shaped like the keys, is what will
// be read after them: a decode step does nothing but wait for memory.
template <int HEAD>
static inline float score(const float* query, const float* keys, float* scores, int last, int64_t to,
                          int width, const float* next) {
    const int head = HEAD ? HEAD : width;
    Vector most = all(-INFINITY);
    for (int tile = 0; tile <= last; tile++) {
        Vector s = {};
        for (int d = 0; d < head; d++) {
            s += query[d] * load(keys + (tile * head + d) * LANES);
            __builtin_prefetch(next + (tile * head + d) * LANES);
        }
        if (tile == last) s = lane_numbers() + float(tile * LANES) < float(to) ? s : all(-INFINITY);
        store(scores + tile * LANES, s);
        most = larger(most, s);
    }
    return largest(most);
}

// Softmax-weighted sum of the values (tiles, head, LANES).
template <int HEAD>
static inline void gather(const float* values, const float* scores, float top, float* out, int last,
                          int width, const float* next) {
    const int head = HEAD ? HEAD : width;
    Vector total = {}, sums[HEAD ? HEAD : 256] = {};
    for (int tile = 0; tile <= last; tile++) {
        const Vector p = exponential(load(scores + tile * LANES) - top);
        total += p;
        for (int d = 0; d < head; d++) {
            sums[d] += p * load(values + (tile * head + d) * LANES);
            __builtin_prefetch(next + (tile * head + d) * LANES);
        }
    }
    const float mass = sum(total);
    for (int d = 0; d < head; d++) out[d] = sum(sums[d]) / mass;
}

// (positions, head) with a stride between positions -> tiles (positions / LANES, head, LANES).
static void to_tiles(const float* from, int64_t stride, float* to, int64_t positions, int head) {
    for (int64_t t = 0; t < positions; t++)
        for (int d = 0; d < head; d++)
            to[(t / LANES * head + d) * LANES + t % LANES] = from[t * stride + d];
}

static void add_from_tiles(const float* from, float* to, int64_t stride, int64_t positions, int head) {
    for (int64_t t = 0; t < positions; t++)
        for (int d = 0; d < head; d++)
            to[t * stride + d] = from[(t / LANES * head + d) * LANES + t % LANES];
}

template <int HEAD>
static void step(const float* qkv, float* keys, float* values, float* out, int64_t rows, int64_t heads,
                 int width, int64_t slots, int64_t slot, int64_t seen, int threads) {
    const int head = HEAD ? HEAD : width;
    const int64_t tiles = (slots + LANES - 1) / LANES, last = (seen - 1) / LANES;
#pragma omp parallel num_threads(threads)
    {
        std::vector<float> scores(tiles * LANES);
#pragma omp for
        for (int64_t i = 0; i < rows * heads; i++) {
            const float* q = qkv + (i / heads * 3 * heads + i % heads) * head;
            float *k = keys + i * tiles * head * LANES, *v = values + i * tiles * head * LANES;
            const int64_t at = slot / LANES * head * LANES + slot % LANES;
            for (int d = 0; d < head; d++) {
                k[at + d * LANES] = q[heads * head + d];
                v[at + d * LANES] = q[2 * heads * head + d];
            }
            const float top = score<HEAD>(q, k, scores.data(), last, seen, head, v);
            gather<HEAD>(v, scores.data(), top, out + i * head, last, head, k + tiles * head * LANES);
        }
    }
}

extern "C" int attention_lanes() { return LANES; }

// One decode step: the new key and value go to `slot` of the caches, (rows, heads, slots / LANES, head,
// LANES), and the query sees the first `seen` slots. qkv (rows, 3, heads, head) -> out (rows, heads, head).
extern "C" void attention_step(const float* qkv, float* keys, float* values, float* out, int64_t rows,
                               int64_t heads, int64_t head, int64_t slots, int64_t slot, int64_t seen,
                               int threads) {
    auto with = head == 4 ? step<4> : head == 16 ? step<16> : head == 48 ? step<48> : step<0>;
    with(qkv, keys, values, out, rows, heads, head, slots, slot, seen, threads);
}

// Training looks at QUERIES positions at once: each reads the same keys, whose sums are independent.
constexpr int QUERIES = 4;
constexpr int FEATURES = LANES == 8 ? 2 : 4;  // times QUERIES sums, of 16 registers or 32

// Queries `t` to `t + N` of one head, and the tiles of keys that any of them sees. Whether a key of a tile
// is seen is looked at only where it may not be.
template <int N>
struct Block {
    static constexpr int SIZE = N;
    int64_t t, span;
    int first, last, inner;

    Block(int64_t t, int64_t span)
        : t(t),
          span(span),
          first(std::max<int64_t>(0, t + 1 - span) / LANES),
          last((t + N - 1) / LANES),
          inner(std::max<int64_t>(0, t + N - span + LANES - 1) / LANES) {}

    Vector seen(int i, int tile, Vector inside, float outside) const {
        if (tile >= inner && (tile + 1) * LANES <= t + 1) return inside;
        const Vector back = float(t + i - int64_t(tile) * LANES) - lane_numbers();
        return (back >= 0.0f) & (back < float(span)) ? inside : all(outside);
    }
};

// Dot products of N rows, `stride` apart, with a tile of LANES others.
template <int N>
static inline void dots(const float* rows, int64_t stride, const float* tile, int head, Vector* sums) {
    for (int i = 0; i < N; i++) sums[i] = Vector{};
    for (int d = 0; d < head; d++) {
        const Vector others = load(tile + d * LANES);
        for (int i = 0; i < N; i++) sums[i] += rows[i * stride + d] * others;
    }
}

// out[n][d] = sum over positions of weights[n] times values[d], for PART features at a time: so many sums
// stay in registers. Rows of weights are `tiles` tiles apart, those of `out` `stride` numbers.
template <int N, int PART>
static inline void weigh(const float* weights, int64_t tiles, const float* values, int first, int last,
                         int head, float* out, int64_t stride) {
    for (int from = 0; from < head; from += PART) {
        Vector sums[N][PART] = {};
        for (int tile = first; tile <= last; tile++) {
            const float* value = values + (int64_t(tile) * head + from) * LANES;
            for (int d = 0; d < PART; d++)
                for (int n = 0; n < N; n++)
                    sums[n][d] += load(weights + (n * tiles + tile) * LANES) * load(value + d * LANES);
        }
        for (int n = 0; n < N; n++)
            for (int d = 0; d < PART; d++) out[n * stride + from + d] = sum(sums[n][d]);
    }
}

// Runs `block(Block<N>)` over all positions, QUERIES at a time and what is left one by one.
template <class Run>
static void each_block(int64_t time, int64_t span, Run run) {
    int64_t t = 0;
    for (; t + QUERIES <= time; t += QUERIES) run(Block<QUERIES>(t, span));
    for (; t < time; t++) run(Block<1>(t, span));
}

// qkv (batch, time, 3, heads, head) -> out (batch, time, heads, head) and the logarithm of every
// softmax's denominator, logs (batch, heads, time).
extern "C" void attention_forward(const float* qkv, float* out, float* logs, int64_t batch, int64_t time,
                                  int64_t heads, int64_t head, int64_t span, int threads) {
    const int64_t tiles = (time + LANES - 1) / LANES, stride = 3 * heads * head;
#pragma omp parallel num_threads(threads)
    {
        std::vector<float> keys(tiles * head * LANES), values(keys.size());
        std::vector<float> scores(QUERIES * tiles * LANES);
#pragma omp for schedule(dynamic)
        for (int64_t i = 0; i < batch * heads; i++) {
            const float* q = qkv + i / heads * time * stride + i % heads * head;
            to_tiles(q + heads * head, stride, keys.data(), time, head);
            to_tiles(q + 2 * heads * head, stride, values.data(), time, head);
            each_block(time, span, [&](auto block) {
                constexpr int N = decltype(block)::SIZE;
                Vector most[N], s[N];
                for (auto& m : most) m = all(-INFINITY);
                for (int tile = block.first; tile <= block.last; tile++) {
                    dots<N>(q + block.t * stride, stride, &keys[tile * head * LANES], head, s);
                    for (int n = 0; n < N; n++) {
                        s[n] = block.seen(n, tile, s[n], -INFINITY);
                        store(&scores[(n * tiles + tile) * LANES], s[n]);
                        most[n] = larger(most[n], s[n]);
                    }
                }
                float masses[N];
                for (int n = 0; n < N; n++) {
                    float* mine = &scores[n * tiles * LANES];
                    const float top = largest(most[n]);
                    Vector total = {};
                    for (int tile = block.first; tile <= block.last; tile++) {
                        const Vector p = exponential(load(mine + tile * LANES) - top);
                        store(mine + tile * LANES, p);
                        total += p;
                    }
                    masses[n] = sum(total);
                    logs[i * time + block.t + n] = top + std::log(masses[n]);
                }
                float* to = out + ((i / heads * time + block.t) * heads + i % heads) * head;
                const auto weighted = head % FEATURES ? weigh<N, 1> : weigh<N, FEATURES>;
                weighted(scores.data(), tiles, values.data(), block.first, block.last, head, to, heads * head);
                for (int n = 0; n < N; n++)
                    for (int d = 0; d < head; d++) to[n * heads * head + d] /= masses[n];
            });
        }
    }
}

// Gradient of attention_forward: grad (batch, time, heads, head) -> to_qkv, shaped like qkv.
extern "C" void attention_backward(const float* qkv, const float* out, const float* logs,
                                   const float* grad, float* to_qkv, int64_t batch, int64_t time,
                                   int64_t heads, int64_t head, int64_t span, int threads) {
    const int64_t tiles = (time + LANES - 1) / LANES, stride = 3 * heads * head;
#pragma omp parallel num_threads(threads)
    {
        const int64_t size = tiles * head * LANES;
        std::vector<float> keys(size), values(size), to_keys(size), to_values(size);
        std::vector<float> changes(QUERIES * tiles * LANES);
#pragma omp for schedule(dynamic)
        for (int64_t i = 0; i < batch * heads; i++) {
            const int64_t begin = i / heads * time * stride + i % heads * head;
            const float* q = qkv + begin;
            to_tiles(q + heads * head, stride, keys.data(), time, head);
            to_tiles(q + 2 * heads * head, stride, values.data(), time, head);
            std::fill(to_keys.begin(), to_keys.end(), 0.0f);
            std::fill(to_values.begin(), to_values.end(), 0.0f);
            each_block(time, span, [&](auto block) {
                constexpr int N = decltype(block)::SIZE;
                const float* query = q + block.t * stride;
                const int64_t row = ((i / heads * time + block.t) * heads + i % heads) * head;
                const float* up = grad + row;
                float delta[N] = {};
                for (int n = 0; n < N; n++)
                    for (int d = 0; d < head; d++)
                        delta[n] += up[n * heads * head + d] * out[row + n * heads * head + d];
                for (int tile = block.first; tile <= block.last; tile++) {
                    const int64_t base = int64_t(tile) * head * LANES;
                    Vector p[N], change[N];
                    dots<N>(query, stride, &keys[base], head, p);
                    dots<N>(up, heads * head, &values[base], head, change);
                    for (int n = 0; n < N; n++) {
                        p[n] = block.seen(n, tile, exponential(p[n] - logs[i * time + block.t + n]), 0);
                        change[n] = p[n] * (change[n] - delta[n]);
                        store(&changes[(n * tiles + tile) * LANES], change[n]);
                    }
                    for (int d = 0; d < head; d++) {
                        Vector dk = load(&to_keys[base + d * LANES]), dv = load(&to_values[base + d * LANES]);
                        for (int n = 0; n < N; n++) {
                            dk += change[n] * query[n * stride + d];
                            dv += p[n] * up[n * heads * head + d];
                        }
                        store(&to_keys[base + d * LANES], dk);
                        store(&to_values[base + d * LANES], dv);
                    }
                }
                const auto weighted = head % FEATURES ? weigh<N, 1> : weigh<N, FEATURES>;
                weighted(changes.data(), tiles, keys.data(), block.first, block.last, head,
                         to_qkv + begin + block.t * stride, stride);
            });
            add_from_tiles(to_keys.data(), to_qkv + begin + heads * head, stride, time, head);
            add_from_tiles(to_values.data(), to_qkv + begin + 2 * heads * head, stride, time, head);
        }
    }
}
