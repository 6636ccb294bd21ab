"""``companion trace``: shows one turn of a running server as a waterfall chart of its stages."""

import os
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from animator.cli.terminal import fail

WIDTH = 60  # characters of the longest bar
STYLES = {"hear": "cyan", "judge": "blue", "transcribe": "yellow", "think": "magenta", "speak": "green"}


def trace(
    url: Annotated[
        str, typer.Option(help="The server; its key is taken from VASARI_API_KEY.")
    ] = "http://127.0.0.1:8765",
    turn: Annotated[str, typer.Option(help="The id of its response, resp_...; the latest turn if not given.")] = "",
) -> None:
    """Shows which stages worked on one of the latest turns of a running server, and when; without the words."""
    turns = _turns(url.rstrip("/"))
    found = [one for one in turns if not turn or one["response"] == turn]
    if not found:
        fail(f"The server knows no turn {turn}." if turn else "Nobody has talked with this server yet.")
    Console().print(waterfall(found[-1]))


def waterfall(turn: dict[str, Any]) -> Table:
    """A turn, as an object of ``/traces``, as a table with a bar for each span."""
    spans: list[dict[str, Any]] = turn["spans"]
    start = min((span["start"] for span in spans), default=0.0)
    scale = WIDTH / max(1e-3, max((span["end"] for span in spans), default=0.0) - start)
    title = f"{turn['response']} of {turn['session']}: {turn['status']}"
    changes = ", ".join(f"{by} {times}" for by, times in turn.get("changes", {}).items())
    caption = "ms after the end of the user's speech" + (f"; what was changed in the words: {changes}" * bool(changes))
    table = Table("stage", "from (ms)", "for (ms)", "", title=title, caption=caption)
    for column in table.columns[1:3]:
        column.justify = "right"
    for span in spans:
        first = round((span["start"] - start) * scale)
        bar = " " * first + "\u2588" * max(1, round((span["end"] - start) * scale) - first)
        row = f"{1000 * span['start']:.0f}", f"{1000 * (span['end'] - span['start']):.0f}"
        table.add_row(span["name"], *row, Text(bar, STYLES.get(span["name"], "white"), no_wrap=True))
    return table


def _turns(url: str) -> list[dict[str, Any]]:
    key = os.environ.get("VASARI_API_KEY", "").strip()
    try:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = httpx.get(f"{url}/traces", headers=headers, trust_env=False)
    except httpx.HTTPError as error:
        fail(f"{url} does not answer: {error}")
    if answer.status_code != 200:
        fail(f"{url} answers {answer.status_code}. Its key belongs into VASARI_API_KEY.")
    return answer.json()["turns"]
