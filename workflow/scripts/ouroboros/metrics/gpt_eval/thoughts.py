"""Thoughts that models write before they answer, and that some servers leave in the reply."""

import re

# A tag of any name that has one of these in it: <think>, </seed:think>, <antThinking>, <|end_of_thought|>.
_NAME = r"[\w:.-]*(?:think|thought|reason|reflect|analy|scratchpad|monologue|rationale)[\w:.-]*"
_CLOSING = r"/|end_(?:of_)?"
OPEN = re.compile(
    rf"[<\u25c1][|\uff5c]?(?!{_CLOSING}){_NAME}\b[^<>\u25c1\u25b7]*[>\u25b7]"  # Kimi's have triangles
    r"|\[THINK\]"  # Mistral
    r"|<\|channel\|?>\s*(?!final)\w+|\Aanalysis(?=[A-Z])"  # gpt-oss, also without its tokens; Gemma
    r"|<\|inner_prefix\|>|<unused94>"  # Apertus, MedGemma
    r"|Here(?:'s| is) my thought process:",  # Granite
    re.IGNORECASE,
)
CLOSE = re.compile(
    rf"[<\u25c1][|\uff5c]?(?:{_CLOSING}){_NAME}[|\uff5c]?[>\u25b7]"
    r"|\[/THINK\]"
    r"|<\|channel\|>\s*final[^{]*?<\|message\|>|assistantfinal|<channel\|>"
    r"|<\|inner_suffix\|>|<unused95>"
    r"|Here(?:'s| is) my response:",
    re.IGNORECASE,
)
THOUGHT = re.compile(f"(?:{OPEN.pattern}).*?(?:{CLOSE.pattern})", re.IGNORECASE | re.DOTALL)


def without_thoughts(reply: str) -> str:
    """A reply without the thoughts that stand in tags.

    Where the opening tag stands in the prompt, all before a closing tag is thought; where a thought
    was cut off, all after its opening tag is.
    """
    reply = THOUGHT.sub("", reply)
    *_, answer = CLOSE.split(reply)
    return OPEN.split(answer)[0]
