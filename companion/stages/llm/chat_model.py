"""The LLM stage: an adapter for any chat model of LangChain."""

import asyncio
import contextlib
import importlib
import json
import logging
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from companion.config import moved
from companion.errors import StageError
from companion.models.needs import Needs
from companion.stages.protocols import Abilities, Call, CallPart, Message
from companion.stages.streams import ended

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

log = logging.getLogger(__name__)

EXTRAS = {"langchain_ollama": "ollama", "transformers": "transformers", "torch": "transformers"}
STATUS_CODES = {
    401: ("llm_unauthorized", "The endpoint refused the key. Check the API key in the environment."),
    403: ("llm_unauthorized", "The endpoint refused the key. Check the API key in the environment."),
    404: (
        "llm_not_found",
        "The endpoint does not have this model. Check `model` and `base_url` (Ollama: ollama pull).",
    ),
    429: ("llm_rate_limited", "The endpoint refuses more requests for now. Wait, or check the account's quota."),
}
CONNECTION_ERRORS = (
    "ConnectionError",
    "ConnectError",
    "ConnectTimeout",
    "ReadTimeout",
    "TimeoutError",
)  # endings of the names of exceptions, whichever HTTP client raises them


class LangChain:
    """Any ``langchain_core`` chat model.

    Args:
        chat: the chat model, or its import string: "package.module:Class", "package.module:Class.from_something".
        options: keyword arguments of that class, for example ``model``, ``base_url``, ``temperature``.

    Raises:
        StageError: ``llm_missing_extra``, ``llm_model`` or ``llm_no_key``; the message says what to do.
    """

    needs = Needs(within="chat")

    def __init__(self, chat: "str | BaseChatModel" = "companion.stages.llm.embedded:Embedded", **options: Any) -> None:
        self._chat = _construct(chat, options) if isinstance(chat, str) else chat
        self.abilities = _abilities(self._chat)

    async def reply(self, messages: Sequence[Message]) -> AsyncGenerator[str]:
        """Stream the reply as deltas of text. Closing the iterator closes the model's stream and stops the generation.

        Raises:
            StageError: ``llm_unreachable``, ``llm_unauthorized``, ``llm_not_found``, ``llm_rate_limited``,
                ``llm_failed``.
        """
        async with contextlib.aclosing(self._stream(messages, self._chat)) as parts:
            async for part in parts:
                if isinstance(part, str):
                    yield part

    async def _stream(self, messages: Sequence[Message], chat: Any) -> AsyncGenerator[str | CallPart]:
        parts: asyncio.Queue[str | CallPart | None] = asyncio.Queue()
        reading = asyncio.create_task(_read(chat, messages, parts), name="llm")
        try:
            while (part := await parts.get()) is not None:
                yield part
            await reading
        except StageError:
            raise
        except Exception as error:  # every provider raises errors of its own
            raise _stage_error(error) from error
        finally:
            await ended(reading)

    async def converse(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], required: bool = False
    ) -> AsyncGenerator[str | CallPart]:
        """As `reply`; the model may call ``tools`` (if ``required``, it must), in the format of OpenAI's Realtime API.

        Raises:
            StageError: as `reply`.
        """
        functions = [{"type": "function", "function": {k: v for k, v in t.items() if k != "type"}} for t in tools]
        chat = self._chat.bind_tools(functions, **({"tool_choice": "any"} if required else {}))
        async with contextlib.aclosing(self._stream(messages, chat)) as parts:
            async for part in parts:
                yield part

    async def prepare(self, messages: Sequence[Message]) -> None:
        """Fill the prompt cache of a model in this process with the common prefix of all prompts, so that the first
        reply is as fast as the others. Nothing is sent to endpoints, which would charge for it."""
        chat: Any = self._chat
        if self.abilities.continues:
            await chat.read([{"role": message.role, "content": message.content} for message in messages])


async def _read(chat: Any, messages: Sequence[Message], parts: "asyncio.Queue[str | CallPart | None]") -> None:
    """Put what is generated into the queue, then None. It runs in a task of its own, since cancelling a task closes the
    connection at once, whereas a provider's generator that is abandoned waits for the garbage collector."""
    try:
        async with contextlib.aclosing(chat.astream([_turn(message) for message in messages])) as chunks:
            async for chunk in chunks:
                if chunk.text:
                    parts.put_nowait(str(chunk.text))
                for piece in chunk.tool_call_chunks:
                    part = (piece.get("index") or 0, piece.get("id"), piece.get("name"), piece.get("args"))
                    parts.put_nowait(CallPart(part[0], *(text or "" for text in part[1:])))
    finally:
        parts.put_nowait(None)


def _turn(message: Message) -> Any:
    """A message in LangChain's form."""
    from langchain_core.messages import AIMessage, ToolMessage

    if message.role == "tool":
        return ToolMessage(message.content, tool_call_id=message.call_id)
    if message.calls:
        calls = [{"id": call.id, "name": call.name, "args": _arguments(call)} for call in message.calls]
        return AIMessage(message.content, tool_calls=calls)
    return (message.role, message.content)


def _arguments(call: Call) -> dict[str, Any]:
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _abilities(chat: "BaseChatModel") -> Abilities:
    """The chat model calls tools if its class implements ``bind_tools``, however well. Models in this process continue
    a reply that has begun; some endpoints do too, but none declares it, so they count as those that do not."""
    from langchain_core.language_models import BaseChatModel

    calls = type(chat).bind_tools is not BaseChatModel.bind_tools
    return Abilities(calls_tools=calls, prepares=True, continues=getattr(chat, "reads_ahead", False))


def _construct(path: str, options: dict[str, Any]) -> "BaseChatModel":
    module_name, _, attributes = path.partition(":")
    try:
        target: Any = importlib.import_module(module_name)
        for name in attributes.split("."):
            target = getattr(target, name)
    except ImportError as error:
        if hint := moved("chat", path):
            raise StageError("llm_model", f"{module_name} cannot be imported{hint}") from error
        raise _missing(module_name, error) from error
    except AttributeError as error:
        raise StageError(
            "llm_model", f'There is no {attributes!r} in {module_name}; chat = "{path}" names it.'
        ) from error
    try:
        return target(**options)
    except StageError:
        raise
    except ImportError as error:
        raise _missing(module_name, error) from error
    except Exception as error:  # every provider raises errors of its own
        if "api_key" in str(error):
            raise StageError(
                "llm_no_key", f"{path} needs a key. Set it in the environment (OpenAI: OPENAI_API_KEY)."
            ) from error
        raise StageError("llm_model", f"{path} could not be set up: {error}") from error


def _missing(module_name: str, error: ImportError) -> StageError:
    extra = EXTRAS.get((error.name or module_name).partition(".")[0])
    how = f'Run: pip install "vasari[{extra}]"' if extra else "Install the package that has it."
    return StageError("llm_missing_extra", f"{module_name} cannot be imported ({error}). {how}")


def _stage_error(error: Exception) -> StageError:
    cause: BaseException | None = error
    while cause is not None:
        status = getattr(cause, "status_code", None)
        if status in STATUS_CODES:
            code, advice = STATUS_CODES[status]
            return StageError(code, f"{advice} (HTTP {status})")
        if isinstance(cause, OSError) or type(cause).__name__.endswith(CONNECTION_ERRORS):
            return StageError(
                "llm_unreachable",
                f"The language model's endpoint cannot be reached ({type(cause).__name__}). "
                "Is it running, and is `base_url` right?",
            )
        cause = cause.__cause__ or cause.__context__
    status = getattr(error, "status_code", None)  # the error's text may repeat the prompt, or name internal hosts
    what = f"{type(error).__name__}, HTTP {status}" if status else type(error).__name__
    return StageError("llm_failed", f"The language model failed ({what}). Its endpoint's log says why.")
