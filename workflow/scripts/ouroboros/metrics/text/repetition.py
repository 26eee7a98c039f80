"""Repetition in a corpus: runs of tokens that repeat themselves, and the Zipf slope.

A run of period p is a maximal stretch of a sequence in which every token equals the one p before
it and which holds the repeated unit at least twice, 2p tokens or more (Kolpakov and Kucherov 1999,
"Finding maximal repetitions in a word in linear time"). "bar bar bar" is a run of period 1 and of 3
tokens; "learn to learn to learn" one of period 2 and of 5.
"""

import numpy as np

PERIODS = range(1, 17)  # of the runs that are looked for
HEAD = 100  # of the initial corpus's most frequent tokens are its high-frequency tokens
RANKS = (10, 1000)  # the Zipf slope is taken between them


class Runs:
    """Collects the runs of sequences; memory does not grow with their number."""

    def __init__(self, vocabulary_size: int):
        self.tokens = 0
        self.inside = np.zeros(vocabulary_size, np.int64)  # how often each token id lies in a run
        self.longest, self.unit = 0, []  # length of the longest run, and its first p tokens

    def add(self, rows: np.ndarray):
        """Look for runs in sequences: token ids (rows, length)."""
        self.tokens += rows.size
        # A column after the last one, that equals nothing, keeps runs inside their sequence.
        padded = np.pad(rows, ((0, 0), (0, 1))).reshape(-1)
        edges = np.zeros(len(padded) + 1, np.int8)  # +1 where a run begins, -1 after its end
        for period in PERIODS:
            begins, ends = _runs(rows, period)
            edges[begins] += 1
            edges[ends] -= 1
            longest = int((ends - begins).max(initial=0))
            if longest > self.longest:
                begin = begins[np.argmax(ends - begins)]
                self.longest, self.unit = longest, padded[begin : begin + period].tolist()
        inside = np.cumsum(edges[:-1], dtype=np.int8) > 0  # at most two runs of a period overlap
        self.inside += np.bincount(padded[inside], minlength=len(self.inside))

    def result(self, initial: np.ndarray) -> dict:
        """The statistics of runs, as text.json has them.

        `longest_run`: its tokens, its period and its unit's token ids (the first of the longest,
        the shortest period it has); `run_share`: the share of all tokens that lie in a run;
        `run_head_share`: the share of those that are among the `HEAD` most frequent tokens of the
        initial corpus (None where there is no run).

        `initial`: how often each token id occurs in the initial corpus, int64 (ids,).
        """
        total = int(self.inside.sum())
        head = np.argsort(-initial, kind="stable")[:HEAD]
        return {
            "longest_run": {
                "tokens": self.longest, "period": len(self.unit) or None, "unit": self.unit,
            },
            "run_share": total / self.tokens if self.tokens else None,
            "run_head_share": int(self.inside[head].sum()) / total if total else None,
        }  # fmt: skip


def _runs(rows, period):
    """Begins and ends of the runs of a period, as indices into rows padded by one column."""
    equal = np.zeros((len(rows), rows.shape[1] + 1), bool)
    equal[:, period:-1] = rows[:, period:] == rows[:, :-period]
    places = np.flatnonzero(equal)
    firsts = np.flatnonzero(np.diff(places, prepend=-2) != 1)
    counts = np.diff(firsts, append=len(places))
    begins = places[firsts[counts >= period]]
    return begins - period, begins + counts[counts >= period]


def zipf(frequencies: np.ndarray) -> dict:
    """Slope of log frequency over log rank (Zipf 1949), by least squares, each rank counting once.

    Over the ranks 10 to 1,000, or to the last there is: the head before them does not follow the
    law, the tail after them is mostly noise. `ranks` has the range; the slope is None below two ranks.

    `frequencies`: how often each token id occurs, int64 (ids,).
    """
    ordered = np.sort(frequencies[frequencies > 0])[::-1]
    first, last = RANKS[0], min(RANKS[1], len(ordered))
    if last <= first:
        return {"slope": None, "ranks": None}
    ranks = np.arange(first, last + 1)
    slope, _ = np.polyfit(np.log(ranks), np.log(ordered[first - 1 : last]), 1)
    return {"slope": float(slope), "ranks": [first, last]}
