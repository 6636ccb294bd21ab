"""The language model: any chat model of LangChain behind one small stage."""

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
)  # of any client


class LangChain:
    """Any ``langchain_core`` chat model.

    Args:
        chat: the chat model, or where it is: "package.module:Class", "package.module:Class.from_something".
        options: what that class takes, for example ``model``, ``base_url``, ``temperature``.

    Raises:
        StageError: ``llm_missing_extra``, ``llm_model`` or ``llm_no_key``, with what to do.
    """

    needs = Needs(within="chat")

    def __init__(self, chat: "str | BaseChatModel" = "companion.stages.llm.embedded:Embedded", **options: Any) -> None:
        self._chat = _construct(chat, options) if isinstance(chat, str) else chat
        self.abilities = _abilities(self._chat)

    async def reply(self, messages: Sequence[Message]) -> AsyncGenerator[str]:
        """Deltas of the reply. Closing the iterator closes the model's stream, which stops the generation.

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
        """As `reply`; the model may (or, if ``required``, must) ask for ``tools``, described as OpenAI's Realtime API
        has them."""
        functions = [{"type": "function", "function": {k: v for k, v in t.items() if k != "type"}} for t in tools]
        chat = self._chat.bind_tools(functions, **({"tool_choice": "any"} if required else {}))
        async with contextlib.aclosing(self._stream(messages, chat)) as parts:
            async for part in parts:
                yield part

    async def prepare(self, messages: Sequence[Message]) -> None:
        """Let a model of this process read what every reply will begin with, so that the first one comes as fast as
        the others. Endpoints are left alone: they would charge for it."""
        chat: Any = self._chat
        if self.abilities.continues:
            await chat.read([{"role": message.role, "content": message.content} for message in messages])


async def _read(chat: Any, messages: Sequence[Message], parts: "asyncio.Queue[str | CallPart | None]") -> None:
    """Put what is generated into the queue, then None. In a task of its own, since only a cancelled task closes the
    connection at once: a provider's generator that is dropped half-way waits for the garbage collector."""
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
    """A message as LangChain takes it."""
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
    """Whether the chat model knows of tools at all; how well it uses them is another matter. Models of this process go
    on from the beginning of a reply; endpoints differ, and none says so."""
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
    status = getattr(error, "status_code", None)  # its text may repeat the prompt, or name what is inside the network
    what = f"{type(error).__name__}, HTTP {status}" if status else type(error).__name__
    return StageError("llm_failed", f"The language model failed ({what}). Its endpoint's log says why.")
