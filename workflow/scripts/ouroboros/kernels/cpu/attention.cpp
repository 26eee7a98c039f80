// Causal attention over a window, for heads too narrow for libraries to be quick with: positions, not
// features, fill the vectors, and the scores of one query at a time are all that is kept.
#include <algorithm>
#include <vector>

#include "vector.h"

// Scores of one query against tiles `first` to `last` of the keys (tiles, head, LANES), where positions
// outside [from, to) count for nothing; returns the largest. `next`, shaped like the keys, is what will
// be read after them: a decode step does nothing but wait for memory.
template <int HEAD>
static inline float score(const float* query, const float* keys, float* scores, int first, int last,
                          int64_t from, int64_t to, int width, const float* next = nullptr) {
    const int head = HEAD ? HEAD : width;
    Vector most = all(-INFINITY);
    for (int tile = first; tile <= last; tile++) {
        Vector s = {};
        for (int d = 0; d < head; d++) {
            s += query[d] * load(keys + (tile * head + d) * LANES);
            if (next) __builtin_prefetch(next + (tile * head + d) * LANES);
        }
        if (tile == first || tile == last) {
            const Vector at = lane_numbers() + float(tile * LANES);
            s = (at >= float(from)) & (at < float(to)) ? s : all(-INFINITY);
        }
        store(scores + tile * LANES, s);
        most = larger(most, s);
    }
    return largest(most);
}

// Softmax-weighted sum of the values (tiles, head, LANES); returns log of the sum of exponentials.
template <int HEAD>
static inline float gather(const float* values, const float* scores, float top, float* out, int first,
                           int last, int width, const float* next = nullptr) {
    const int head = HEAD ? HEAD : width;
    Vector total = {}, sums[HEAD ? HEAD : 256] = {};
    for (int tile = first; tile <= last; tile++) {
        const Vector p = exponential(load(scores + tile * LANES) - top);
        total += p;
        for (int d = 0; d < head; d++) {
            sums[d] += p * load(values + (tile * head + d) * LANES);
            if (next) __builtin_prefetch(next + (tile * head + d) * LANES);
        }
    }
    const float mass = sum(total);
    for (int d = 0; d < head; d++) out[d] = sum(sums[d]) / mass;
    return top + std::log(mass);
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
            const float top = score<HEAD>(q, k, scores.data(), 0, last, 0, seen, head, v);
            gather<HEAD>(v, scores.data(), top, out + i * head, 0, last, head,
                         k + tiles * head * LANES);
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

template <int HEAD>
static void forward(const float* qkv, float* out, float* logs, int64_t batch, int64_t time, int64_t heads,
                    int width, int64_t span, int threads) {
    const int head = HEAD ? HEAD : width;
    const int64_t tiles = (time + LANES - 1) / LANES, stride = 3 * heads * head;
#pragma omp parallel num_threads(threads)
    {
        std::vector<float> keys(tiles * head * LANES), values(keys.size()), scores(tiles * LANES);
#pragma omp for schedule(dynamic)
        for (int64_t i = 0; i < batch * heads; i++) {
            const float* q = qkv + i / heads * time * stride + i % heads * head;
            to_tiles(q + heads * head, stride, keys.data(), time, head);
            to_tiles(q + 2 * heads * head, stride, values.data(), time, head);
            for (int64_t t = 0; t < time; t++) {
                const int64_t from = std::max<int64_t>(0, t + 1 - span);
                const int first = from / LANES, last = t / LANES;
                const float top = score<HEAD>(q + t * stride, keys.data(), scores.data(), first, last,
                                              from, t + 1, head);
                float* to = out + ((i / heads * time + t) * heads + i % heads) * head;
                logs[i * time + t] = gather<HEAD>(values.data(), scores.data(), top, to, first, last, head);
            }
        }
    }
}

// qkv (batch, time, 3, heads, head) -> out (batch, time, heads, head) and the logarithm of every
// softmax's denominator, logs (batch, heads, time).
extern "C" void attention_forward(const float* qkv, float* out, float* logs, int64_t batch, int64_t time,
                                  int64_t heads, int64_t head, int64_t span, int threads) {
    auto with = head == 4 ? forward<4> : head == 16 ? forward<16> : head == 48 ? forward<48> : forward<0>;
    with(qkv, out, logs, batch, time, heads, head, span, threads);
}

template <int HEAD>
static void backward(const float* qkv, const float* out, const float* logs, const float* grad,
                     float* to_qkv, int64_t batch, int64_t time, int64_t heads, int width, int64_t span,
                     int threads) {
    const int head = HEAD ? HEAD : width;
    const int64_t tiles = (time + LANES - 1) / LANES, stride = 3 * heads * head;
#pragma omp parallel num_threads(threads)
    {
        const int64_t size = tiles * head * LANES;
        std::vector<float> keys(size), values(size), to_keys(size), to_values(size);
#pragma omp for schedule(dynamic)
        for (int64_t i = 0; i < batch * heads; i++) {
            const int64_t begin = i / heads * time * stride + i % heads * head;
            const float* q = qkv + begin;
            to_tiles(q + heads * head, stride, keys.data(), time, head);
            to_tiles(q + 2 * heads * head, stride, values.data(), time, head);
            std::fill(to_keys.begin(), to_keys.end(), 0.0f);
            std::fill(to_values.begin(), to_values.end(), 0.0f);
            for (int64_t t = 0; t < time; t++) {
                const int64_t row = ((i / heads * time + t) * heads + i % heads) * head;
                const float *query = q + t * stride, *up = grad + row;
                float delta = 0;
                for (int d = 0; d < head; d++) delta += up[d] * out[row + d];
                const float log = logs[i * time + t];
                const int64_t from = std::max<int64_t>(0, t + 1 - span);
                const int first = from / LANES, last = t / LANES;
                Vector to_query[HEAD ? HEAD : 256] = {};
                for (int tile = first; tile <= last; tile++) {
                    const int64_t base = int64_t(tile) * head * LANES;
                    Vector s = {}, change = {};
                    for (int d = 0; d < head; d++) {
                        s += query[d] * load(&keys[base + d * LANES]);
                        change += up[d] * load(&values[base + d * LANES]);
                    }
                    Vector p = exponential(s - log);
                    if (tile == first || tile == last) {
                        const Vector at = lane_numbers() + float(tile * LANES);
                        p = (at >= float(from)) & (at <= float(t)) ? p : Vector{};
                    }
                    change = p * (change - delta);
                    for (int d = 0; d < head; d++) {
                        float *dk = &to_keys[base + d * LANES], *dv = &to_values[base + d * LANES];
                        to_query[d] += change * load(&keys[base + d * LANES]);
                        store(dk, load(dk) + change * query[d]);
                        store(dv, load(dv) + p * up[d]);
                    }
                }
                for (int d = 0; d < head; d++) to_qkv[begin + t * stride + d] = sum(to_query[d]);
            }
            add_from_tiles(to_keys.data(), to_qkv + begin + heads * head, stride, time, head);
            add_from_tiles(to_values.data(), to_qkv + begin + 2 * heads * head, stride, time, head);
        }
    }
}

// Gradient of attention_forward: grad (batch, time, heads, head) -> to_qkv, shaped like qkv.
extern "C" void attention_backward(const float* qkv, const float* out, const float* logs,
                                   const float* grad, float* to_qkv, int64_t batch, int64_t time,
                                   int64_t heads, int64_t head, int64_t span, int threads) {
    auto with = head == 4 ? backward<4> : head == 16 ? backward<16> : head == 48 ? backward<48> : backward<0>;
    with(qkv, out, logs, grad, to_qkv, batch, time, heads, head, span, threads);
}
