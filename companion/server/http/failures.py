"""How a request is refused, the same way by all routes."""

from starlette.responses import JSONResponse

from companion.server.entry.logs import REQUEST


def failed(status: int, code: str, message: str) -> JSONResponse:
    """Why a request is refused, in the shape of OpenAI's API. ``code`` is stable."""
    return JSONResponse({"error": reason(code, message)}, status)


def reason(code: str, message: str) -> dict[str, str]:
    """The ``error`` of a refusal, with the id by which the log names the request."""
    return {"type": "invalid_request_error", "code": code, "message": message, "request_id": REQUEST.get()}
