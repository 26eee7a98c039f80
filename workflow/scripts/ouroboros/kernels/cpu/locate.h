// Inverse CDF over weights.
#pragma once
#include <algorithm>
#include <cstdint>

// Index of the weight that `share` (0 to 1) of their sum `total` falls into; `share` becomes how far into
// that weight, 0 to 1. A weight of zero is never chosen, even where rounding puts the share past the last.
template <class Weight>
static inline int64_t locate(int64_t count, Weight weight, double total, double& share) {
    double target = share * total, before = 0;
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) {
        const double size = weight(i);
        if (size <= 0) continue;
        found = i;
        before = target;
        if (target < size) break;
        target -= size;
    }
    share = std::min(before / weight(found), 1.0);
    return found;
}
