"""What is spoken is speech: marks, code, thoughts and signs never reach the voice, however it comes."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from companion.call.virtual_time import run
from companion.protocol import events
from companion.speech.text.markup import speakable
from companion.speech.text.sentences import Sentence, Sentences, shown
from companion.speech.text.thoughts import Thoughts, thoughtless
from companion.stages import fakes
from tests.loop.conversation import Conversation, Watching, engine


def read(text: str, *cuts: int) -> list[Sentence]:
    """The sentences of ``text`` that comes in pieces which end at ``cuts``."""
    thoughts, stream = Thoughts(), Sentences()
    bounds = [0, *sorted(cuts), len(text)]
    visible = [part for a, b in zip(bounds, bounds[1:], strict=False) for part in thoughts.feed(text[a:b])]
    found = [sentence for part in (*visible, *thoughts.flush()) for sentence in stream.feed(part)]
    return [*found, *stream.flush()]


def said(text: str) -> str:
    return " ".join(sentence.spoken for sentence in read(text))


PIECES = (
    "Hello there. ",
    "So, ",
    "I like it because it is good. ",
    "**bold** ",
    "*smiles* ",
    "*softly laughs* ",
    "_really_ ",
    "```python\nx = 1. Y\n```\n",
    "~~~\ncode\n~~~\n",
    "`a. B` ",
    "`unclosed. ",
    "$x^2$ ",
    "It costs $5. And $6. ",
    "$$\\frac{1}{2}$$ ",
    "\\(a. B\\) ",
    "<b>hi</b> ",
    "<br/>",
    "x < 5. Yes ",
    "&amp; ",
    "[happy] ",
    "[Your Name] ",
    "[pause] ",
    "[link](http://a.b/c) ",
    "<think>hm. No</think>",
    "</think>",
    "<thinking>",
    "<|im_end|>",
    "<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>",
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "[THINK]",
    "[/THINK]",
    "(laughs) ",
    "Dr. Lee at 5 p.m. We ",
    "No. 5. ",
    "the U.S. It ",
    "| a | b |\n|---|---|\n",
    "- item\n",
    "1. One\n",
    "😊 ",
    "你好。",
    "”",
    "... ",
    "!",
    "\n",
    "\n\n",
    "word " * 60,
    "am 24. Dezember ist es. ",
    "The user asks. ",
    "2*3 = 6 ",
    "*",
    "_",
    "[",
    "(",
    "<",
    "$",
    "`",
    "\\",
    "~",
    "&",
    ";",
    ".",
    " ",
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14), st.lists(st.integers(0, 10**6), max_size=12))
@example(["So, ", "<think>hm. No</think>", "\n", "Hello there. "], [])
@example(["So, ", "hm. No</think>", " ", "\n\n", "Hello there. "], [14])
def test_the_size_of_the_deltas_is_nothing(pieces: list[str], cuts: list[int]):
    text = "".join(pieces)
    assert read(text, *(cut % (len(text) + 1) for cut in cuts)) == read(text, *range(len(text))) == read(text)


@settings(max_examples=200, deadline=None)
@given(st.text(), st.lists(st.integers(0, 10**6), max_size=6))
def test_nor_is_it_with_any_text(text: str, cuts: list[int]):
    assert read(text, *(cut % (len(text) + 1) for cut in cuts)) == read(text)
    assert all(sentence.spoken.strip() for sentence in read(text))


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Here is code:\n```python\nprint('hi')\nfor i in range(3):\n    x += 1\n```\nDone.", "Here is code: Done."),
        ("```\nls -l\n```", "Here is some code."),
        ("Look.\n```js\nlet a = 1;\n```\nNice.", "Look. Here is some code. Nice."),
        ("Like so:\n~~~\nrm x\n~~~\nOkay?", "Like so: Okay?"),
        ("Never closed:\n```python\nwhile True:\n    pass", "Never closed: Here is some code."),
        ("Use `print('hi')` now.", "Use print now."),
        ("Then `x += y; z` is run.", "Then some code is run."),
        ("Set `max_tokens` to `0.5`.", "Set max tokens to 0.5."),
        ("Open `main.py` first.", "Open main dot py first."),
        ("<pre><code>a = 1. B</code></pre> There.", "Here is some code. There."),
    ],
)
def test_code_is_shown_and_not_read(text: str, spoken: str):
    assert said(text) == spoken
    if "```" in text:
        assert text.split("```")[1].strip() in "\n".join(sentence.text for sentence in read(text)), "captions keep it"


THOUGHTS = [
    "<think>The user is sad. I should be nice.</think>{}",
    "<thinking>\nLet me see.\n</thinking>\n\n{}",
    "<reasoning>First. Second.</reasoning>{}",
    "<think>\n\n</think>\n\n{}",
    "<THINK>Loud.</THINK> {}",
    "Okay, the user wants a greeting.</think>{}",
    "Okay, the user wants a greeting. I will greet. It is kind.\n</think>\n{}",
    "<|begin_of_thought|>Hm. Yes.<|end_of_thought|>{}",
    "<|channel|>analysis<|message|>We greet.<|end|><|start|>assistant<|channel|>final<|message|>{}<|return|>",
    "analysisWe need to greet. Fine.assistantfinal{}",
    "◁think▷Kimi thinks. So.◁/think▷{}",
    "[THINK]Magistral thinks. So.[/THINK]{}",
    "<seed:think>Seed. Oss.</seed:think>{}",
    '<tool_call>{{"name": "timer. Now"}}</tool_call>{}',
    "Thinking...\nThe user says hello. So.\n...done thinking.\n\n{}",
    "<reflection quality='1'>Was it right? Yes.</reflection>{}",
]


@pytest.mark.parametrize("thought", THOUGHTS)
def test_thoughts_are_neither_spoken_nor_shown(thought: str):
    found = read(thought.format("Hello there."))
    assert [(sentence.text, sentence.spoken) for sentence in found] == [("Hello there.", "Hello there.")]
    assert thoughtless(thought.format("Hello there.")).endswith("Hello there.")


@pytest.mark.parametrize(
    "text", ["<think>never. Ends", "<thinking>", "[THINK]So. And", "<think>a</think>", "Hm <think>x."]
)
def test_a_thought_that_never_ends_says_nothing(text: str):
    assert said(text) in ("", "Hm")


def test_what_only_looks_like_a_thought_is_said():
    assert said("I think so. Do you?") == "I think so. Do you?"
    assert said("Type `<think>` to begin.") == "Type some code to begin."
    assert said("2 < 3 and that is that.") == "two is less than three and that is that."
    assert said("The user manual is here.") == "The user manual is here."


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("What is 7 * 8?", "What is seven times eight?"),
        ("It is 2*3 = 6.", "It is two times three equals six."),
        ("3/8 + 1/4 is 5/8.", "three eighths plus one quarter is five eighths."),
        ("5 - 3 = 2", "five minus three equals two"),
        ("So 10 - 4 is 6.", "So ten minus four is 6."),
        ("It is -4 outside.", "It is minus 4 outside."),
        ("2^3 is 8, and x >= 2.", "two to the power of three is 8, and x is greater than or equal to two."),
        ("x² + y² = z²", "x squared plus y squared equals z squared"),
        ("7 × 8 = 56; 6 ÷ 2 = 3", "seven times eight equals fifty-six; six divided by two equals three"),
        ("Take 2 1/2 cups.", "Take 2 and a half cups."),
        ("(3 + 4) * 2 = 14", "three plus four, times two equals fourteen"),
        ("50% + 25% = 75%", "fifty percent plus twenty-five percent equals seventy-five percent"),
        ("E = mc^2", "E equals mc squared"),
        ("√16 = 4", "the square root of sixteen equals four"),
        ("5! = 120", "five factorial equals one hundred and twenty"),
        ("$5 + $3 = $8", "$5 plus $3 equals $8"),
        ("The answer is $x^2 + \\frac{1}{2}$ now", "The answer is x squared plus one half now"),
        ("so \\(a_1\\) is it; it costs $5 or $10.", "so a one is it; it costs $5 or $10."),
        ("\\[ \\sqrt{16} = 4 \\]", "the square root of sixteen equals four"),
        ("$$\\frac{x+1}{y} \\times 2$$", "x plus one over y times two"),
        ("$\\int_0^1 x \\, dx$", "the integral from zero to one of x d x"),
        ("A $90^\\circ$ angle.", "A ninety degrees angle."),
        ("It takes 5 - 7 days, pages 10-20.", "It takes 5 to 7 days, pages 10 to 20."),
        ("He/she and F-16 and C++ and 20-year-old.", "He/she and F-16 and C++ and 20-year-old."),
        ("I - a friend - came at 24/7.", "I - a friend - came at twenty-four seven."),
    ],
)
def test_arithmetic_is_words(text: str, spoken: str):
    assert said(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("<b>hi</b> &amp; bye", "hi and bye"),
        ("One<br>two &lt;3 and &quot;so&quot;", 'One two <3 and "so"'),
        ("He said [Your Name] hello.", "He said Your Name hello."),
        ("As shown [1], it is so [2, 3].", "As shown, it is so."),
        ("- [x] Milk\n- [ ] Eggs", "Milk Eggs"),
        ("# Title\n> A quote\n---\nText.", "Title A quote Text."),
        ("| Name | Age |\n|---|---:|\n| Anna | 31 |", "Name, Age. Anna, 31."),
        ("![a cat](c.png) and [a dog](http://x.y/z_(1)).", "a cat and a dog."),
        ("See https://www.example.com/a?b=c now.", "See example dot com now."),
        ("Write to anna.smith@example.com today.", "Write to anna dot smith at example dot com today."),
        ("👨‍👩‍👧 A ~~bad~~ **good** __day__ ✨!", "A bad good day!"),
        ("Born on 24.12.2024.", "Born on the twenty-fourth of December 2024."),
        ("On 2024-12-24 or 1/2/2024.", "On the twenty-fourth of December 2024 or the second of January 2024."),
        ("Version 1.0.0 and v2.3.1.", "Version one point zero point zero and version two point three point one."),
        ("It is 5 m², 20 m/s and 20 °C.", "It is 5 square meters, 20 meters per second and 20 degrees Celsius."),
        ("It costs 3,50 € or $3bn or £5.", "It costs 3 euros 50 or 3 billion dollars or £5."),
        ("Henry VIII, chapter IV and Chapter IV.", "Henry the eighth, chapter four and Chapter four."),
        ("I mix. Malcolm X and I did.", "I mix. Malcolm X and I did."),
        ("Elizabeth II and World War II.", "Elizabeth the second and World War two."),
        ("Call 555-1234 now.", "Call five five five, one two three four now."),
        ("At 3.30 p.m. it was 1939-1945.", "At 3:30 p.m. it was 1939 to 1945."),
        ("Cats, e.g. Tom, i.e. him.", "Cats, for example, Tom, that is, him."),
        ("My \\*own\\* snake_case a|b.", "My own snake case a b."),
        ("Costs \\$5 & up.", "Costs $5 and up."),
        ("C# and .NET , yes.", "C sharp and .NET, yes."),
        ("f(x) = 2x + 1", "f of x equals two x plus one"),
        ("log_2(8) = 3", "log base 2 of eight equals three"),
        ("|x| < 3", "the absolute value of x is less than three"),
        ("$\\frac13 + \\frac{1}{2}$", "one third plus one half"),
        ("1¾ cups for 50 000 people, 3x faster.", "1 and ¾ cups for 50,000 people, 3 times faster."),
        ("About 3.2e-4.", "About 3.2 times ten to the power of minus 4."),
        ("😊", ""), ("...", ""), ("---", ""), ("**", ""), ("[happy]", ""), ("*nods*", ""),
    ],
)  # fmt: skip
def test_marks_are_not_said(text: str, spoken: str):
    assert said(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken", "emotion"),
    [
        ("*smiles* Hello.", "Hello.", "happy"),
        ("*softly sighs and looks away* Well.", "Well.", "sad"),
        ("\\*hugs\\* there", "there", "tender"),
        ("(laughs) That was fun.", "That was fun.", "happy"),
        ("*She gasps.* What?", "What?", "surprised"),
        ("_chuckles warmly_ Yes.", "Yes.", "happy"),
        ("*with a warm smile* Hi.", "Hi.", "happy"),
        ("(pauses) So.", "So.", "neutral"),
        ("*nods slowly* I see.", "I see.", "neutral"),
        ("[smiling] Hi.", "Hi.", "happy"),
        ("I *really* mean it.", "I really mean it.", "neutral"),
        ("She *laughs* a lot (it takes time).", "She laughs a lot (it takes time).", "neutral"),
        ("*The Great Gatsby* is good.", "The Great Gatsby is good.", "neutral"),
        ("It (takes two minutes) works.", "It (takes two minutes) works.", "neutral"),
    ],
)
def test_stage_directions_are_a_face_and_no_word(text: str, spoken: str, emotion: str):
    assert [(sentence.spoken, sentence.emotion) for sentence in read(text)] == [(spoken, emotion)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("At 5 p.m. We left.", ["At 5 p.m.", "We left."]),
        ("At 5 p.m. Monday we go.", ["At 5 p.m. Monday we go."]),
        ("1st, No. 5.", ["1st, No. 5."]),
        ("Is it so? No. I am fine.", ["Is it so?", "No.", "I am fine."]),
        ("I live in the U.S. It is big.", ["I live in the U.S.", "It is big."]),
        ("The U.S. Army came. Vitamin C. It helps.", ["The U.S. Army came.", "Vitamin C.", "It helps."]),
        ("Dr. Lee and Prof. Ray met J. R. R. Tolkien.", ["Dr. Lee and Prof. Ray met J. R. R. Tolkien."]),
        ("Am 24. Dezember ist Schluss.", ["Am 24. Dezember ist Schluss."]),
        ("I am 19. You are 20.", ["I am 19.", "You are 20."]),
        ("$5. Then go. So $6.", ["$5.", "Then go.", "So $6."]),
    ],
)
def test_where_sentences_end(text: str, sentences: list[str]):
    assert [sentence.spoken for sentence in read(text)] == sentences


@pytest.mark.parametrize(
    "text",
    [
        "Das kostet 3,50 € am 24.12.2024 um 15.30 Uhr.",
        "Ich habe 1.000 Bücher, z. B. von Müller.",
        "Der 2. Weltkrieg und Heinrich VIII. waren schlimm.",
        "Cuesta 3,50 € y no es de 2024-12-24.",
        "Son las 15:30 y estamos en la calle n.º 5.",
        "Il fait 20 °C et c'est le 14/07/2024.",
        "Sono le 15.30 e costa 2.500 euro.",
        "Het kost 5 m² en dat is niet veel.",
        "Det är 24.12.2024 och det kostar 5 kr.",
        "São 10 m² e não é caro.",
    ],
)
def test_other_languages_are_left_as_they_are(text: str):
    assert speakable(text) == text


def test_arithmetic_speaks_the_language_of_its_sentence():
    assert speakable("Das ist 3 * 4 = 12.") == "Das ist 3 mal 4 gleich 12."
    assert speakable("La respuesta es 3 * 4 = 12.") == "La respuesta es 3 por 4 es igual a 12."
    assert [s.spoken for s in read("Das ist ganz einfach. 3 * 4 = 12.")][-1] == "3 mal 4 gleich 12."


def test_a_sentence_is_read_in_no_time():
    text = "Dr. Lee paid $3.14 for 2*3 = 6 **books** at example.com on 24.12.2024, *smiles* and so we said no. " * 40
    read(text)
    start = time.process_time()
    count = len(read(text, *range(0, len(text), 4)))
    assert (time.process_time() - start) / count < 0.01, "2 ms on an idle core of 2023; machines differ"


def test_the_words_of_the_text_stay_those_of_the_captions():
    assert shown("paid 3/8 today", "paid three eighths today") == (("paid",), ("3/8",), (), ("today",))
    assert shown("a `b c = 1; d` e", "a some code e") == (("a",), ("`b", "c", "="), ("1;", "d`"), ("e",))


def _talk(reply: str) -> tuple[Conversation, fakes.ToneTTS]:
    tts = fakes.ToneTTS()

    async def script() -> Conversation:
        model = fakes.ScriptedLLM([reply])
        async with Conversation(engine(llm=model, animator=Watching(), tts=tts), avatar=True) as talk:
            talk.ask("Well?")
            await talk.until(events.ResponseDone)
            return talk

    return run(script()), tts


@pytest.mark.parametrize(
    "thought", ["<think>She is sad. I greet.</think>", "The user is sad. I need to greet. So.</think>"]
)
def test_nothing_of_a_thought_leaves_the_server(thought: str):
    talk, tts = _talk(f"{thought}[happy] Hello there. Nice!")
    assert [text for text, _ in tts.spoken] == ["Hello there.", "Nice!"]
    told = "".join(event.delta for _, event in talk.log if isinstance(event, events.AudioTranscriptDelta))
    assert told.split() == ["Hello", "there.", "Nice!"]
    assert [m.content for m in talk.session.conversation.history()] == ["Well?", "Hello there. Nice!"]


def test_a_model_that_thinks_for_ever_says_that_it_is_lost():
    talk, tts = _talk("<think>What shall I say? I do not know. So")
    assert [text for text, _ in tts.spoken] == ["Could you say that again?"]


@pytest.mark.parametrize("reply", ["What shall I say?</think>", "<think>What shall I say?</think>"])
def test_a_model_that_only_thought_says_that_it_is_lost(reply: str):
    talk, tts = _talk(reply)
    assert [text for text, _ in tts.spoken] == ["Could you say that again?"]
    assert talk.history() == [("user", "Well?")]


@pytest.mark.parametrize("reply", ["...", "😊", "***", "[happy]", "*nods*", "```\n```", "<br>", "<think>a</think>..."])
def test_a_reply_of_marks_ends_at_once_and_is_not_stored(reply: str):
    talk, tts = _talk(reply)
    assert tts.spoken == []
    assert [item.role for item in talk.session.conversation] == ["user"]
    done = [event.response for _, event in talk.log if isinstance(event, events.ResponseDone)]
    assert [response["status"] for response in done] == ["completed"]


def test_timestamps_are_of_the_words_as_they_are_shown():
    talk, tts = _talk("We have **3/8** of it.")
    assert [text for text, _ in tts.spoken] == ["We have three eighths of it."]
    timed = [event.text for _, event in talk.log if isinstance(event, events.AudioTimestampDelta)]
    assert timed == ["We", "have", "**3/8**", "of", "it."]
