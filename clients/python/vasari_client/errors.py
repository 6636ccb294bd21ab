"""What may go wrong, each with a code that programs can match on."""


class VasariError(Exception):
    """``code`` is stable; the message says what happened and, where there is something, what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RefusedError(VasariError):
    """The server does not let this client in, or does not take what it asks for: ``invalid_api_key``,
    ``unknown_persona``, ``invalid_value``, ... It will not do so later either."""


class ServerFullError(VasariError):
    """All conversations of the server are taken, or it is too busy (``session_limit_reached``, ``server_busy``,
    ``server_draining``): try again later."""


class ReplyError(VasariError):
    """A reply failed or was refused; the conversation goes on."""


class LostError(VasariError):
    """The line is lost, and the conversation with it: ``session_idle``, ``session_replaced`` or ``connection_lost``.
    ``close_code`` is the websocket's (1006: the line was cut), None where there never was one. After 4000 do not
    connect again unasked."""

    def __init__(self, code: str, message: str, close_code: int | None = None) -> None:
        super().__init__(code, message)
        self.close_code = close_code
