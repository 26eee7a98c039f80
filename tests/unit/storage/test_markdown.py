"""Tables in Markdown: alignment, escaping, padding."""

from ouroboros.storage.markdown import table

HEAD = ("name", "n")


def test_columns_are_aligned_and_bars_escaped():
    assert table(HEAD, [("a | b", "1"), ("", "22")], "<>") == (
        "| name | n |\n|---|--:|\n| a \\| b | 1 |\n|  | 22 |\n"
    )


def test_padded_columns_line_up():
    assert table(HEAD, [("a|b", "1"), ("longer", "1,000")], "<>", pad=True) == (
        "| name   |     n |\n|--------|------:|\n| a\\|b   |     1 |\n| longer | 1,000 |\n"
    )


def test_a_table_without_rows_has_a_head():
    assert table(HEAD, [], "<<", pad=True) == "| name | n |\n|------|---|\n"
