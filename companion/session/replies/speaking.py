"""From the deltas of a language model to speech in the mouth: two tasks with a queue of two sentences in between."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np

from companion.conversation.response import Reply
from companion.dialogue.personas.openers import goes_on
from companion.errors import as_stage_error
from companion.speech import utterances
from companion.speech.breath import breath
from companion.speech.playout import Feed, Line
from companion.speech.text.sentences import Sentence, Sentences, shown, speakable
from companion.stages.protocols import SPEAK_RATE, TTS, Speech, switches
from companion.stages.streams import closing, ended
from companion.tasks import cancelled

MOST_AHEAD = 2  # sentences thought before they are spoken
BREATHE_AFTER_S = 0.1  # s without a word after which a reply without an opener begins with a breath
OWN = "en"  # language of a voice that has one
SENTENCE_ENDS = (".", "!", "?", "…")  # of sentences

_Queue = asyncio.Queue[Sentence | None]


async def speak(deltas: AsyncIterator[str], tts: TTS, feed: Feed, reply: Reply, language: str = OWN) -> None:
    """Until all of the reply is in the mouth; ``language`` is the one that it is in where its words do not tell. Raises
    the first exception of a stage, as it was raised."""
    queue: _Queue = asyncio.Queue(MOST_AHEAD)
    sentences = Sentences(language or OWN if switches(tts) else OWN)
    thinking = asyncio.create_task(_think(deltas, sentences, queue, reply), name=f"{reply.id} think")
    saying = asyncio.create_task(_say(queue, tts, feed, reply), name=f"{reply.id} say")
    try:
        done, _ = await asyncio.wait([thinking, saying], return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await ended(thinking, saying)
    for task in done:
        task.result()


async def write(deltas: AsyncIterator[str], reply: Reply) -> None:
    """The same for a text-only reply: sentence by sentence, because emotion tags are cut out of it."""
    sentences = Sentences()
    async with closing(deltas) as stream:
        async for delta in stream:
            for sentence in _fed(sentences, delta, reply):
                reply.write(sentence.text + " ")
    for sentence in _last(sentences, reply):
        reply.write(sentence.text)


async def _think(deltas: AsyncIterator[str], sentences: Sentences, queue: _Queue, reply: Reply) -> None:
    clock = asyncio.get_running_loop().time
    begun = clock()
    with reply.trace.span("think"):
        async with _blaming("llm_failed"), closing(deltas) as stream:
            async for delta in stream:
                sentences.waited = clock() - begun
                for sentence in _fed(sentences, delta, reply):
                    await queue.put(sentence)
    for sentence in _last(sentences, reply):
        await queue.put(sentence)
    await queue.put(None)


def _fed(sentences: Sentences, delta: str, reply: Reply) -> Iterator[Sentence]:
    """The sentences that ``delta`` completes; thoughts are no beginning of a reply."""
    complete = list(sentences.feed(delta))
    if complete or sentences.begun:
        reply.trace.mark("first_token")
    return _allowed(complete, reply)


def _last(sentences: Sentences, reply: Reply) -> Iterator[Sentence]:
    """The rest; for a model that thought and never spoke, what is said instead."""
    begun = sentences.begun
    rest = list(sentences.flush())
    if not rest and not begun and reply.thoughts.seen and reply.lost:
        rest = list(Sentences().feed(f"{reply.lost}\n"))
    return _allowed(rest, reply)


def _allowed(sentences: Iterable[Sentence], reply: Reply) -> Iterator[Sentence]:
    """The sentences that may be said, or their replacements."""
    for sentence in sentences:
        text = reply.allowed(sentence.text) if sentence.text else ""
        if text == sentence.text:
            yield sentence.within(reply.emotions)
        elif text:
            yield Sentence(text, speakable(text) or text, sentence.emotion)


async def _say(queue: _Queue, tts: TTS, feed: Feed, reply: Reply) -> None:
    while (sentence := await _next(queue, feed, reply)) is not None:
        if (
            reply.feel
            and sentence.spoken
            and sentence.emotion == "neutral"
            and not sentence.marks
            and sentence is not reply.opener
        ):
            sentence = replace(sentence, emotion=await reply.feel(sentence.spoken)).within(reply.emotions)
        text = _written(sentence.text, reply.item.lines)
        line = Line(text, sentence.emotion, marks=sentence.marks, shown=shown(text, sentence.spoken))
        reply.item.lines.append(line)
        feed.say(line)
        if sentence.pause:
            feed.put(Speech(np.zeros(int(sentence.pause * SPEAK_RATE), np.float32)))
        with reply.trace.span("speak"):
            async with _blaming("tts_failed"), closing(utterances.said(tts, sentence)) as pieces:
                async for piece in pieces:
                    reply.trace.mark("first_speech")
                    feed.put(piece)
                    await feed.room()
        line.whole = True
    feed.finish()


def _written(text: str, before: Sequence[Line]) -> str:
    """With a capital after a full stop: a model that goes on from an opener does not know what was said since."""
    return text[:1].upper() + text[1:] if before and before[-1].text.endswith(SENTENCE_ENDS) else text


async def _next(queue: _Queue, feed: Feed, reply: Reply) -> Sentence | None:
    """The opener, then the sentences of the reply; if the first of these takes long, a breath and a filler before
    it."""
    said, opener = len(reply.item.lines), reply.opener
    if opener and not said:
        return opener.within(reply.emotions)
    if reply.breathes and not said and not opener:
        try:
            async with asyncio.timeout(BREATHE_AFTER_S):
                return await queue.get()
        except TimeoutError:
            feed.say(Line(""))
            feed.put(Speech(breath(np.random.default_rng())))
    text, after = reply.filler
    text = goes_on(opener, text) if opener else text
    if not text or said > bool(opener):
        return await queue.get()
    try:
        async with asyncio.timeout(after if said else max(0.0, after - reply.trace.elapsed)):
            return await queue.get()
    except TimeoutError:
        return Sentence(text, text, "thoughtful").within(reply.emotions)


@asynccontextmanager
async def _blaming(code: str) -> AsyncGenerator[None]:
    try:
        yield
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and cancelled():
            raise
        raise as_stage_error(error, code) from error
