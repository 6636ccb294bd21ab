"""How a request is refused, the same way by all routes."""

from starlette.responses import JSONResponse


def failed(status: int, code: str, message: str) -> JSONResponse:
    """Why a request is refused, in the shape of OpenAI's API. ``code`` is stable."""
    return JSONResponse({"error": {"type": "invalid_request_error", "code": code, "message": message}}, status)
