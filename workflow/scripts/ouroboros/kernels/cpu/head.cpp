// The output layer without its logits in memory: the vocabulary passes through the cache block by block,
// and of each block the largest logit and the sum of exponentials are kept.
#include <algorithm>
#include <vector>

#include "draw.h"
#include "product.h"

constexpr int BLOCK = 256;  // tokens per block of the vocabulary
constexpr int PANELS = BLOCK / PANEL;

extern "C" int head_panel() { return PANEL; }
extern "C" int head_block() { return BLOCK; }

// Calls `use(row, block, logits, count)` with the logits of every row and block of the vocabulary.
template <class Use>
static void each_block(const float* hidden, const float* panels, int64_t rows, int64_t width,
                       int64_t vocabulary, int threads, Use use) {
    const int64_t groups = (rows + ROWS - 1) / ROWS, blocks = (vocabulary + BLOCK - 1) / BLOCK;
    std::vector<float> states(groups * ROWS * width);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t k = 0; k < width; k++)
            states[(row / ROWS * width + k) * ROWS + row % ROWS] = hidden[row * width + k];
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (int64_t block = 0; block < blocks; block++) {
        alignas(64) float product[ROWS * BLOCK];
        const int count = std::min<int64_t>(BLOCK, vocabulary - block * BLOCK);
        for (int64_t group = 0; group < groups; group++) {
            for (int p = 0; p * PANEL < count; p++)
                multiply(&states[group * ROWS * width], panels, width, block * PANELS + p,
                         product + p * PANEL, BLOCK);
            const int64_t first = group * ROWS;
            for (int64_t row = first; row < std::min(first + ROWS, rows); row++)
                use(row, block, product + (row - first) * BLOCK, count);
        }
    }
}

// hidden (rows, width) -> maxima, sums (rows, blocks).
extern "C" void head_blocks(const float* hidden, const float* panels, float* maxima, float* sums,
                            int64_t rows, int64_t width, int64_t vocabulary, int threads) {
    const int64_t blocks = (vocabulary + BLOCK - 1) / BLOCK;
    each_block(hidden, panels, rows, width, vocabulary, threads,
               [=](int64_t row, int64_t block, float* logits, int count) {
                   summarise<BLOCK>(logits, count, maxima + row * blocks + block, sums + row * blocks + block);
               });
}

// hidden (rows, width) -> logits (rows, vocabulary).
extern "C" void head_logits(const float* hidden, const float* panels, float* logits, int64_t rows,
                            int64_t width, int64_t vocabulary, int threads) {
    each_block(hidden, panels, rows, width, vocabulary, threads,
               [=](int64_t row, int64_t block, const float* product, int count) {
                   std::memcpy(logits + row * vocabulary + block * BLOCK, product, count * sizeof(float));
               });
}

// A token per row by inverse CDF: the block first, then the token inside it, both in float64.
extern "C" void head_draw(const float* hidden, const float* panels, const float* maxima,
                          const float* sums, const double* uniforms, int64_t* tokens, int64_t rows,
                          int64_t width, int64_t vocabulary, int threads) {
    const int64_t blocks = (vocabulary + BLOCK - 1) / BLOCK;
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < rows; row++) {
        float logits[BLOCK] = {};
        auto logits_of = [&](int64_t block) {
            const int64_t count = std::min<int64_t>(BLOCK, vocabulary - block * BLOCK);
            for (int p = 0; p * PANEL < count; p++) {
                const float* panel = panels + (block * PANELS + p) * PANEL * width;
                Vector first = {}, second = {};
                for (int64_t k = 0; k < width; k++) {
                    const Vector state = all(hidden[row * width + k]);
                    first += state * load(panel + k * PANEL);
                    second += state * load(panel + k * PANEL + LANES);
                }
                store(logits + p * PANEL, first);
                store(logits + p * PANEL + LANES, second);
            }
            return logits;
        };
        tokens[row] = draw_token<BLOCK>(maxima + row * blocks, sums + row * blocks, vocabulary,
                                        uniforms[row], logits_of);
    }
}
