"""A persona is one file: what it may say about itself, and what that changes."""

import asyncio
import shutil
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from companion import resources
from companion.__main__ import app
from companion.call.virtual_time import run
from companion.dialogue.personas.personas import PromptError, Prompts, load, read
from companion.protocol import events
from companion.speech.text.sentences import Mark, Sentence
from companion.stages import fakes
from companion.stages.protocols import Abilities
from tests.loop.conversation import PERSONA, Conversation, engine

HEAD = 'name = "Robin"\nsummary = "S"\ngreeting = "Hello."\n'


def check(path):
    return CliRunner().invoke(app, ["persona", "check", str(path)])


def written(tmp_path, head, body="You are Robin."):
    path = tmp_path / "robin.md"
    path.write_text(f"+++\n{head}\n+++\n{body}\n")
    return path


def test_a_lesson_that_cannot_be_read_is_a_fault_of_its_persona(tmp_path, monkeypatch):
    shutil.copy(resources.folder("prompts") / "tutoring.md", tmp_path)
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "sums.md").write_text('+++\ntitle = "Sums"\ngoals = ["Add"]\n+++\n')
    monkeypatch.setattr(resources, "folder", lambda name: tmp_path)
    result = check(written(tmp_path, HEAD + 'lesson = "sums"'))
    assert result.exit_code == 1
    assert "lesson: " in result.output and "items" in result.output


@pytest.mark.parametrize("path", sorted(resources.folder("prompts").glob("persona*/*.md")), ids=lambda p: p.stem)
def test_the_shipped_personas_are_without_fault(path):
    result = check(path)
    assert result.exit_code == 0
    assert ": emotions" not in result.output


def test_the_template_can_be_used_as_it_is():
    assert check(resources.folder("prompts") / "persona-template.md").exit_code == 0


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        ('greting = "Hi."', "You.", "did you mean 'greeting'"),
        ('name = "X"', "You.", "summary"),
        (HEAD, "", "instructions"),
        (HEAD + 'emotions = ["joyful"]', "You.", "emotions.0"),
        (HEAD + "[[examples]]\nuser = 'Hi'", "You.", "examples.0.assistant"),
        (HEAD + "[[examples]]\nuser = 'Hi'\nassistant = 'Hi'\nmood = 'x'", "You.", "examples.0.mood"),
        (HEAD + 'character = "nobody"', "You.", "mona_lisa"),
        (HEAD + 'lesson = "alchemy"', "You.", "fractions"),
        (HEAD.replace("Hello.", "[happy]"), "You.", "nothing but tags"),
        ("name = ", "You.", "TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, head, body, said):
    result = check(written(tmp_path, head, body))
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())


def test_a_missing_file_and_one_without_front_matter_are_named(tmp_path):
    assert "cannot be read" in check(tmp_path / "none.md").output
    (tmp_path / "plain.md").write_text("You are Robin.")
    with pytest.raises(PromptError, match=r"plain\.md"):
        read(tmp_path / "plain.md")


def test_what_works_and_could_be_better_is_remarked(tmp_path):
    head = HEAD.replace("Hello.", "[angry] Hello.") + 'emotions = ["happy"]'
    result = check(written(tmp_path, head))
    assert result.exit_code == 0
    assert "angry" in result.output
    assert "examples" in result.output


def test_a_lesson_that_a_persona_names_must_exist(tmp_path):
    (tmp_path / "personas").mkdir()
    written(tmp_path / "personas", HEAD + 'lesson = "alchemy"')
    with pytest.raises(PromptError, match="alchemy"):
        load(tmp_path)


class Choir(fakes.ToneTTS):
    """Two voices."""

    abilities = Abilities(voice="high", voices=("high", "low"))

    def with_voice(self, voice):
        other = Choir()
        other.abilities, other.spoken = replace(self.abilities, voice=voice), self.spoken
        return other

    async def speak(self, text, emotion="neutral"):
        async for piece in super().speak(text, emotion):
            yield piece
        self.spoken[-1] = (text, emotion, self.abilities.voice)


def test_a_persona_brings_its_voice_its_rules_and_its_range_of_feelings():
    async def script():
        made = engine(tts=Choir(), llm=fakes.ScriptedLLM(["[angry] No. [happy] Yes."]))
        made.prompts.personas["bert"] = replace(
            PERSONA, id="bert", voice="low", rules=("Never sing.",), emotions=("happy",)
        )
        async with Conversation(made) as talk:
            for count, change in enumerate(
                ({}, {"persona": "bert"}, {"audio": {"output": {"voice": "high"}}, "instructions": "Sing."}), 1
            ):
                talk.send(events.SessionUpdate(change))
                talk.ask("Well?")
                await talk.until(events.ResponseDone, count)
            talk.send(events.SessionUpdate({"audio": {"output": {"voice": "alloy"}}}))
        return talk

    talk = run(script())
    spoken = talk.engine.tts.spoken
    assert spoken[:2] == [("No.", "angry", "high"), ("Yes.", "happy", "high")]
    assert spoken[2:4] == [("No.", "neutral", "low"), ("Yes.", "happy", "low")]
    assert {voice for _, _, voice in spoken[4:]} == {"high"}
    assert ["Never sing." in asked[0].content for asked in talk.engine.llm.asked] == [False, True, True]
    assert "Sing." in talk.engine.llm.asked[2][0].content
    told = [e.session["instructions"] for e in talk.all(events.SessionCreated) + talk.all(events.SessionUpdated)]
    assert told == ["", "", "", "Sing.", "Sing."], "a client reads its own instructions, not a persona's"
    voices = [e.session["audio"]["output"]["voice"] for e in talk.all(events.SessionUpdated)]
    assert voices == ["high", "low", "high", "low"], "an unknown one is the persona's"


def test_feelings_out_of_range_become_neutral_within_a_sentence_too():
    sentence = Sentence("A b", "A b", "angry", (Mark(1, "sad", (1.0, 0.0)), Mark(1, "happy")))
    assert sentence.within(("happy",)) == Sentence(
        "A b", "A b", "neutral", (Mark(1, "neutral", (1.0, 0.0)), Mark(1, "happy"))
    )


def test_a_voice_that_a_client_chooses_rehearses_for_itself():
    async def script():
        prompts = Prompts({"anna": PERSONA}, "", openers=load().openers)
        async with Conversation(replace(engine(tts=Choir()), prompts=prompts)) as talk:
            talk.send(events.SessionUpdate({"audio": {"output": {"voice": "low"}}}))
            await asyncio.sleep(5.0)
            said = talk.engine.tts.spoken
            rehearsed = len(said)
            voice = talk.engine.repertoire.voice(talk.engine.tts.with_voice("low"))
            assert [piece async for piece in voice.speak("Well,", "thoughtful")]
            return rehearsed, len(said)

    rehearsed, after = run(script())
    assert rehearsed == after > 0
