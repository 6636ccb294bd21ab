"""What is known of the user in one session: what they said of themselves in it, and, if they agreed, what is stored of
them.

It answers their questions about it without a language model, and forgets what they retract.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from companion.conversation.items import Conversation, Item
from companion.dialogue.remembering.recollection import Recollection
from companion.stages.protocols import Kept
from companion.understanding import facts
from companion.understanding.facts import Facts, Known
from companion.understanding.told import Fact, Language, Question, Reader, sentences

OWN = "said"  # kind of what is kept in the user's own words
ASKED_BEFORE = 4  # messages of the user in which a question came to which "And my brother's?" goes back
MOST_LISTED = 4  # facts that are told to who asks for all
MOST_RECALLED = 2  # facts that a language model is reminded of at a time
SHORTEST_WORD = 4  # characters of a word by which a language model is reminded of a fact
LAST_TIME, ALL, ABOUT = "last time", "all", "about"
_AS_THEIRS = ((r"\bThey are\b", "I am"), (r"\bThey\b", "I"), (r"\b[Tt]heir\b", "my"))  # of notes about the user
_WORD = re.compile(r"[^\W\d_]+")
_NAME = re.compile(r"(?<=[\w,] )(?!I\b)[A-ZÀ-ÖØ-Þ][^\W\d_]+")


@dataclass(slots=True)
class _Met:
    """A user of this session: the ids of what was stored ``earlier``, when they were met, and the sentences of the
    session that were ``seen`` in the memory."""

    earlier: set[int]
    seen: set[str] = field(default_factory=set[str])


@dataclass(slots=True, kw_only=True)
class Acquaintance:
    """``spoken`` are the languages of the voice (empty: any); ``recent`` messages are those that the language model is
    told anyway."""

    book: Facts
    conversation: Conversation
    recollection: Recollection
    spoken: Sequence[str]
    recent: int
    _kept: list[Kept] = field(default_factory=list[Kept], init=False)
    _met: dict[str, _Met] = field(default_factory=dict[str, _Met], init=False)  # by user

    async def refresh(self) -> None:
        """Look at what is stored: what the user has deleted or corrected there is forgotten here."""
        user = self.recollection.user
        if user is None:
            self._kept = []
            return
        kept = await self.recollection.kept()
        if user != self.recollection.user:  # another one by now
            kept = []
        self._kept = [one for one in kept if one.id is not None]
        there = {one.text for one in self._kept}
        met = self._met.setdefault(user, _Met({one.id for one in self._kept if one.id is not None}))
        gone = met.seen - there
        met.seen |= there & {sentence for item in self._users() for sentence in sentences(item.text or "")}
        if gone:
            self._forget(gone)
            self.recollection.renew()

    async def order(self, said: str, language: str) -> str | None:
        """The answer to a user who wants something forgotten; None for anything else."""
        found = self.book.forgets(said, language)
        if found is None:
            return None
        code, about = found
        items = [item for item in self._users() if (item.text or "").strip() != said.strip()]
        wanted = self._meant(about, items)
        kept = [one for one in self._kept if about == "*" or one.text in wanted or about and _has(about, one.text)]
        if not (wanted or kept):
            return self._rules(code).forget.nothing
        self._forget(wanted | {one.text for one in kept})
        await self.recollection.erase(kept)
        self._kept = [one for one in self._kept if one not in kept]
        return self._rules(code).forget.done

    def answer(self, said: str, language: str) -> str:
        """The answer to a question about the user; "" if it is none, or others can answer it better."""
        question = self._asked(said, language)
        if question is None:
            return ""
        reader = self.book.readers[self._spoken(question.language)]
        if question.ask.fact == LAST_TIME:
            return self._last_time(reader)
        return facts.answer(question, self._found(question), reader)

    def found(self, said: str) -> str:
        """The same for a language model that words its answers itself: nothing where nothing is known."""
        question = self._asked(said, "")
        if question is None or question.ask.fact != LAST_TIME and not self._found(question):
            return ""
        return self.answer(said, question.language)

    def recalled(self, said: str) -> list[str]:
        """What the user said of themself, longer ago than the language model is told, that has to do with what they
        say now."""
        words = {word.lower() for word in _WORD.findall(said) if len(word) >= SHORTEST_WORD}
        late = {item.id for item in [*self.conversation][-self.recent :]}
        now = {sentence for item in self._users() if item.id in late for sentence in sentences(item.text or "")}
        old = [fact for fact in self._known() if fact.sentence not in now]
        fitting = [fact.you for fact in reversed(old) if words & set(_WORD.findall(fact.clause.lower()))]
        return list(dict.fromkeys(fitting))[:MOST_RECALLED]

    def _users(self) -> list[Item]:
        """What the present user said; what another one of the session said is not theirs."""
        others = self.recollection.others()
        return [item for item in self.conversation if item.role == "user" and item.text and item.id not in others]

    def _known(self) -> Known:
        known = Known(self.book)
        own = {sentence for item in self._users() for sentence in sentences(item.text or "")}
        for kept in reversed(self._kept):
            if kept.text not in own:
                known.hear(_as_theirs(kept.text) if kept.kind != OWN else kept.text)
        for item in self._users():
            known.hear(item.text or "", item.language)
        return known

    def _asked(self, said: str, language: str) -> Question | None:
        question: Question | None = None
        for item in self._users()[-ASKED_BEFORE:]:
            if item.text != said:
                question = self.book.asked(item.text or "", item.language, question) or question
        return self.book.asked(said, language, question)

    def _found(self, question: Question) -> list[Fact]:
        known = self._known()
        if question.ask.fact == ALL:
            return list(reversed([*known]))[:MOST_LISTED]
        if question.ask.fact == ABOUT:
            return known.about(question.about)[:MOST_RECALLED]
        return known.of(question)

    def _last_time(self, reader: Reader) -> str:
        rules = reader.rules
        user = self.recollection.user
        if user is None:
            return rules.first
        earlier = self._met[user].earlier if user in self._met else set[int]()
        told = [one for one in self._kept if one.id in earlier][:MOST_RECALLED]
        if not told:
            return "" if self.recollection.known else rules.first_known
        said = (reader.repeated(one.text if one.kind == OWN else _as_theirs(one.text)) for one in told)
        return rules.last.replace("{facts}", " ".join(said))

    def _meant(self, about: str, items: Sequence[Item]) -> set[str]:
        """The sentences that are to be forgotten."""
        own = [sentence for item in items for sentence in sentences(item.text or "")]
        if about == "*":
            return set(own)
        if not about:
            return set(sentences(items[-1].text or "")) if items else set()
        kind = {fact.sentence for fact in self._known() if fact.kind == about or fact.kind.startswith(f"{about} of")}
        return kind | {sentence for sentence in own if _has(about, sentence)}

    def _forget(self, gone: set[str]) -> None:
        """Forget it everywhere: neither the words nor the answers that name it are shown to the model again."""
        told = [fact for sentence in gone for fact in self.book.told(sentence)[0]]
        names = {name.lower() for fact in told for name in _NAME.findall(fact.clause)}
        values = (_WORD.findall(fact.value) for fact in told if fact.kind.startswith("name"))
        names |= {name.lower() for value in values for name in value if name[0].isupper() or len(value) == 1}
        for met in self._met.values():
            met.seen -= gone

        def dropped(sentence: str) -> bool:
            return sentence in gone or not names.isdisjoint(word.lower() for word in _WORD.findall(sentence))

        for item in self.conversation:
            if item.text is not None and any(map(dropped, sentences(item.content()))):
                item.without(dropped, sentences)

    def _spoken(self, language: str) -> str:
        """That in which to answer."""
        speaks = not self.spoken or language in self.spoken
        return language if speaks else next((code for code in self.spoken if code in self.book.readers), "en")

    def _rules(self, language: str) -> Language:
        return self.book.readers[self._spoken(language)].rules


def _as_theirs(note: str) -> str:
    """A note about the user, as they would say it."""
    for pattern, own in _AS_THEIRS:
        note = re.sub(pattern, own, note)
    return note


def _has(word: str, text: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE))
