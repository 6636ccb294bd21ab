"""Looking things up in a folder."""

import pytest

from companion.config import ConfigError
from companion.dialogue.replying.toolbox import Host
from companion.dialogue.tools import lookup

HOST = Host(lambda text, after: None, lambda: None, lambda item: None)


@pytest.mark.model
async def test_what_bears_on_the_question_is_found_with_its_file(tmp_path):
    (tmp_path / "opening.md").write_text("# Opening\n\nThe library is open from nine to six, except on Mondays.\n" * 3)
    (tmp_path / "fees.txt").write_text("A book that comes back late costs twenty cents a day.\n\n" + "Other. " * 200)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG The library burns.")
    tool = lookup(HOST, str(tmp_path), "the library's handbook")
    assert "the library's handbook" in tool.description
    found = await tool.ainvoke({"question": "When can I visit the library?"})
    assert found.startswith("opening.md: ")
    assert "nine to six" in found
    assert "twenty cents" in await tool.ainvoke({"question": "What do I pay for an overdue book?"})
    assert await tool.ainvoke({"question": "How do volcanoes erupt?"}) == "Nothing was found."


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        lookup(HOST, str(tmp_path / "nowhere"))
