"""The one exception that is for people: its text says what is wrong, where, and what would be right."""


class UserError(Exception):
    """Something that the user can put right; shown as a paragraph, without a traceback."""
