"""The exception of the stages, with a code that clients can match on."""


class StageError(Exception):
    """A stage failed. ``code`` is stable (clients match on it); the message says what happened and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type["StageError"], tuple[str, str]]:
        """Pickle both arguments, for stages that run in another process."""
        return type(self), (self.code, str(self))


def as_stage_error(error: BaseException, code: str) -> StageError:
    """Wrap any exception of a stage in a StageError with ``code``; a StageError is returned unchanged.

    The original message is not repeated, because it may quote what was said.
    """
    if isinstance(error, StageError):
        return error
    return StageError(code, f"A stage of the conversation failed ({type(error).__name__}). The session goes on.")
