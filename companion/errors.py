"""What may fail in a conversation, with a code that clients can match on."""


class StageError(Exception):
    """A stage failed. ``code`` is stable (clients match on it); the message says what happened and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type["StageError"], tuple[str, str]]:
        """For stages in other processes."""
        return type(self), (self.code, str(self))


def as_stage_error(error: BaseException, code: str) -> StageError:
    """Any exception of a stage, with a stable code. Its own text may hold what was said, so it is not repeated."""
    if isinstance(error, StageError):
        return error
    return StageError(code, f"A stage of the conversation failed ({type(error).__name__}). The session goes on.")
