import json
import re
from pathlib import Path

from scripts import asyncapi
from scripts.event_types import module

ASYNCAPI = Path(__file__).parents[2] / "docs" / "asyncapi.json"
TYPES = Path(__file__).parents[2] / "clients" / "web" / "types" / "events.d.ts"


def test_the_web_clients_types_are_those_of_the_events() -> None:
    assert TYPES.read_text() == module(), "python -m scripts.event_types > clients/web/types/events.d.ts"


def test_the_asyncapi_file_is_that_of_the_events() -> None:
    assert ASYNCAPI.read_text("utf-8") == asyncapi.text(), "python -m scripts.asyncapi > docs/asyncapi.json"


def test_every_reference_of_the_asyncapi_file_leads_somewhere() -> None:
    document = asyncapi.document()
    references = re.findall(r'"#/([^"]+)"', json.dumps(document))
    assert len(references) > 100
    for reference in references:
        found = document
        for part in reference.split("/"):
            found = found[part]
