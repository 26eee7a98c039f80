"""The question to the judge about a completion, its reply as grades, and the scores of an LM."""

import json
import re

import numpy as np

from ouroboros.metrics.gpt_eval.declaration import GRADED
from ouroboros.metrics.gpt_eval.thoughts import without_thoughts
from ouroboros.metrics.ppl.ratio import ratio

BEST = 9

# The prompt of the paper's section 5.3.3; the first word is lost in its print.
QUESTION = """\
In the following exercise, the student is given a beginning of a story. The student needs to \
complete it into a full story. The exercise tests the student's language abilities and creativity. \
The symbol *** marks the separator between the prescribed beginning and the student's completion:

{beginning} *** {completion}

Please grade the student's completion (the one after the *** symbol) in terms of grammar, \
creativity, and consistency. Is it grammatically correct? Is it consistent with the beginning of \
the story? Pay special attention to whether the student manages to complete the sentence which is \
split in the middle by the separator ***. Return your response in a JSON format, with a variable \
'grammar', a variable 'creativity', and a variable 'consistency', each containing an integer grade \
between 0 and 9, where 0 is the worst and 9 is the best. For example: \
{{"grammar": 5, "creativity": 5, "consistency": 5}}"""

QUOTES = str.maketrans(
    dict.fromkeys("'`\u00b4\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb", '"')
)
OBJECT = re.compile(r"\{[^{}]*\}")
NINTHS = re.compile(rf'(:\s*)(\d+)\s*/\s*{BEST}(?=\s*[,}}"])')
BEGINS_WITH_OBJECT = re.compile(r"\W*(json\b)?\W*\{")  # or with a code fence around it
TRAILING_COMMA = re.compile(r",\s*\}")


def question(beginning: str, completion: str) -> str:
    """The message to the judge."""
    return QUESTION.format(beginning=beginning.strip(), completion=completion.strip())


def read_grades(reply: str, cut: bool) -> dict[str, int] | None:
    """The grades in a judge's reply, or None where it does not say them plainly.

    They are a JSON object with the three names and whole numbers from 0 to 9 (or "8/9"), also inside
    prose or a code fence, with quotes of any kind. Several objects count if they agree; nothing is guessed.
    A reply that was `cut` off has to begin with them: words before them may be a thought, whose tags
    nobody knows, or which stand in the prompt.
    """
    answer = without_thoughts(reply)
    if cut and not BEGINS_WITH_OBJECT.match(answer):
        return None
    found = [_grades(text) for text in OBJECT.findall(answer)]
    found = [grades for grades in found if grades is not None]
    return found[0] if found and all(grades == found[0] for grades in found) else None


def scores(grades: list[list[dict | None]]) -> dict:
    """Mean and standard error of each grade; `grades` holds those of each beginning's completions.

    A grade of None is counted as `unparsed` and in no mean. The sampled units are the beginnings, since
    completions of one beginning are not independent.
    """
    graded = [[entry for entry in story if entry is not None] for story in grades]
    completions, read = sum(map(len, grades)), sum(map(len, graded))
    values = {
        name: [[entry[name] for entry in story] for story in graded if story] for name in GRADED
    }
    return {
        **{name: _mean(stories) for name, stories in values.items()},
        "beginnings": len(grades),
        "completions": completions,
        "graded": read,
        "unparsed": completions - read,
    }  # fmt: skip


def _mean(stories):
    if not stories:
        return {"mean": None, "standard_error": None}
    sums = np.array([sum(story) for story in stories], float)
    mean, error = ratio(sums, np.array([len(story) for story in stories]))
    return {"mean": mean, "standard_error": error}


def _grades(text):
    for form in (text, text.translate(QUOTES)):
        form = NINTHS.sub(r"\1\2", TRAILING_COMMA.sub("}", form))
        try:
            pairs = json.loads(form, object_pairs_hook=list)
        except (ValueError, RecursionError):
            continue
        grades = {}
        for name in GRADED:
            values = [_grade(value) for key, value in pairs if key.strip().lower() == name]
            if len(values) != 1 or values[0] is None:
                return None
            grades[name] = values[0]
        return grades
    return None


def _grade(value):
    if isinstance(value, str):
        match = re.fullmatch(rf"\s*(\d{{1,3}})\s*(?:/\s*{BEST}\s*)?", value)
        value = int(match[1]) if match else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value in range(BEST + 1) else None
