// Draws as a decoding says, from the logits of many rows.
#include "decoding.h"

// logits (rows, vocabulary), tokens (time, rows) so far, uniforms (rows,) -> drawn (rows,).
extern "C" void decoded_draw(const Decoding* decoding, const float* logits, const int64_t* tokens,
                             const double* uniforms, int64_t* drawn, int64_t rows, int64_t vocabulary,
                             int64_t time, int threads) {
#pragma omp parallel num_threads(threads)
    {
        DecodedDraw draw(vocabulary);
#pragma omp for
        for (int64_t row = 0; row < rows; row++)
            drawn[row] = draw(
                *decoding, [&](int64_t i) { return logits[row * vocabulary + i]; },
                [&](int64_t t) { return tokens[t * rows + row]; }, time, uniforms[row]);
    }
}
