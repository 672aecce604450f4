"""The one error class for what a user can put right."""


class UserError(ValueError):
    """A mistake in what was given: says what was given, what is allowed and what to do.

    The command line prints its message without a traceback; the library lets it pass as a `ValueError`.
    """
