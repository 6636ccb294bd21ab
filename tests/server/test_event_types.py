from pathlib import Path

from scripts.event_types import module

TYPES = Path(__file__).parents[2] / "clients" / "web" / "types" / "events.d.ts"


def test_the_web_clients_types_are_those_of_the_events() -> None:
    assert TYPES.read_text() == module(), "python -m scripts.event_types > clients/web/types/events.d.ts"
