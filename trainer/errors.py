"""What can go wrong by a person's hand."""


class UserError(Exception):
    """What a person can mend. The commands print it as one line and exit with code 2.

    The text says what is wrong, where (the file, the option), then what to do.
    """
