"""The one error class for what a user can put right, and how a stranger's text is shown in it."""


class UserError(ValueError):
    """A mistake in what was given: says what was given, what is allowed and what to do.

    The command line prints its message without a traceback; the library lets it pass as a `ValueError`.
    """


def shown(text: object, most: int = 80) -> str:
    """Text from a file as one short line that any terminal prints as it stands.

    Args:
        text: a name or value that somebody else wrote.
        most: characters of it that are kept; the middle of a longer one is left out.

    Returns:
        The text with control characters, lone surrogates and line ends as escapes.
    """
    whole = str(text)
    if len(whole) > most:
        whole = f"{whole[: most - most // 3 - 3]}...{whole[-(most // 3) :]}"
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in whole)
