"""What can go wrong, apart from our own mistakes."""


class UserError(Exception):
    """What a person can mend. The commands print it as one line and exit with its code.

    The text says what is wrong, where (the file, the option), then what to do.
    """

    exit_code = 2


class DivergedError(UserError):
    """Training left the numbers: a loss or a gradient that is not finite."""

    exit_code = 3
