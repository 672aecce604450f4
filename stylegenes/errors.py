"""The one error class for what a user can put right, and what its sentences have in common."""


class UserError(ValueError):
    """A mistake in what was given: says what was given, what is allowed and what to do.

    The command line prints its message without a traceback; the library lets it pass as a `ValueError`.
    """


def only_one(what: str, **given: object) -> None:
    """Refuse two answers to one question, so that none is ignored in silence.

    Args:
        what: they say, like `which pictures to draw`.
        given: arguments by name; None was not given.

    Raises:
        UserError: names those that are given.
    """
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise UserError(f"{' and '.join(names)} each say {what}; give one of them")


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
