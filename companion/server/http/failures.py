"""The error response that all routes share."""

from starlette.responses import JSONResponse

from companion.server.entry.logs import REQUEST


def failed(status: int, code: str, message: str) -> JSONResponse:
    """An error response with an HTTP ``status``, in the format of OpenAI's API. ``code`` is stable."""
    return JSONResponse({"error": reason(code, message)}, status)


def reason(code: str, message: str) -> dict[str, str]:
    """The ``error`` object of such a response, with the request's id, which is also in the log."""
    return {"type": "invalid_request_error", "code": code, "message": message, "request_id": REQUEST.get()}
