"""Errors that are not bugs of ours."""


class UserError(Exception):
    """What a person can fix. The commands print it as one line and exit with its code.

    The text says what is wrong, where (the file, the option), then what to do.
    """

    exit_code = 2

    ag_pass_through = True
    """AutoGraph hands it on as it is, where a step that is traced raises it."""


class DivergedError(UserError):
    """Training has diverged: a loss, a gradient or a weight is not finite."""

    exit_code = 3


class LostWorkerError(UserError):
    """Another worker of the run has ended or hangs."""

    exit_code = 1
