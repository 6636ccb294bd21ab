"""What people say of themselves is found, what they ask of it is answered, and nothing else is taken for either."""

import pytest

from companion.understanding import facts
from companion.understanding.facts import Known

BOOK = facts.load()


def answered(*lines: str, voice: str = "en") -> str | None:
    """What is answered to the last of the user's lines; None where it asks for no fact."""
    known, question = Known(BOOK), None
    for line in lines[:-1]:
        question = BOOK.asked(line, "", question) or question
        known.hear(line)
    question = BOOK.asked(lines[-1], "", question)
    return facts.answer(question, known.of(question), BOOK.readers[voice]) if question else None


TOLD = [
    ("My name is Henryk. My brother is called Tom.", "What is my name?", "Your name is Henryk."),
    ("hi, i'm a nurse and my name is henryk", "do you remember my name?", "Your name is henryk."),
    ("My name isn't Anna, it's Hannah.", "What's my name?", "Your name is Hannah."),
    ("My name is Siobhan O'Neill.", "Tell me my name.", "Your name is Siobhan O'Neill."),
    ("Call me Hank.", "Who am I?", "Your name is Hank."),
    ("I have a brother. His name is Tom.", "What's my brother's name?", "Your brother is called Tom."),
    ("I've got two cats, Milo and Luna.", "What are my cats called?", "Your cats are called Milo and Luna."),
    ("Tom is my brother.", "what is my brother called", "Your brother is called Tom."),
    ("My mum's name is Rosa.", "What is my mother's name?", "Your mother is called Rosa."),
    ("My dog Bruno is ill.", "What's my dog's name?", "Your dog is called Bruno."),
    ("We called our baby Ida.", "What is my baby called?", "Your baby is called Ida."),
    ("I'm Henryk and I work as a nurse in Leeds.", "What do I do?", "You work as a nurse in Leeds."),
    ("I teach maths at a school.", "What is my job?", "You teach maths at a school."),
    ("I am retired.", "What do I do?", "You are retired."),
    ("My sister Lena is a vet in Hamburg.", "What does my sister do?", "Your sister Lena is a vet in Hamburg."),
    ("I live in Lisbon with my wife Ana.", "Where do I live?", "You live in Lisbon with your wife Ana."),
    ("I moved to Porto last year.", "Where do I live?", "You moved to Porto last year."),
    ("I'm 42 and I'm from Poland.", "How old am I?", "You are 42."),
    ("I'm 42 and I'm from Poland.", "Where am I from?", "You are from Poland."),
    ("My son is seven.", "How old is my son?", "Your son is seven."),
    ("My favourite colour is green.", "What's my favourite colour?", "Your favourite colour is green."),
    ("I'm allergic to nuts.", "What am I allergic to?", "You are allergic to nuts."),
    ("I have an exam on Friday.", "When is my exam?", "You have an exam on Friday."),
    ("Tomorrow we are flying to Rome.", "What am I doing tomorrow?", "Tomorrow you are flying to Rome."),
    (
        "I am so nervous about my driving test.",
        "What was I nervous about?",
        'You told me: "I am so nervous about my driving test"',
    ),
]


@pytest.mark.parametrize(("told", "question", "answer"), TOLD)
def test_what_was_told_is_answered_after_forty_other_turns(told, question, answer):
    others = [f"The {thing} was nice today." for thing in ("soup", "rain", "film", "garden") * 10]
    assert answered(told, *others, question) == answer


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (("My name is Anna.", "My name is Hannah.", "What is my name?"), "Your name is Hannah."),
        (("My brother is called Tom.", "What is my name?", "And my brother's?"), "Your brother is called Tom."),
        (("My sister lives in Porto.", "Where do I live?", "And my sister?"), "Your sister lives in Porto."),
        (
            ("I live here with my wife Ana.", "Actually, I'm not married.", "So am I married?"),
            "No, you are not married.",
        ),
        (("My name is Bo.", "I was joking.", "What is my name?"), "You have not told me your name yet. What is it?"),
        (
            ("My older brother is called Tom, and my younger brother is Ben.", "What's my brother's name?"),
            "Your older brother is called Tom. Your younger brother is called Ben.",
        ),
        (("Hello.", "And what do I do for a living?"), "You have not told me yet. What do you do?"),
    ],
)
def test_the_newest_counts_and_what_was_not_told_is_not_invented(lines, answer):
    assert answered(*lines) == answer


@pytest.mark.parametrize(
    ("voice", "told", "question", "answer", "english"),
    [
        (
            "de",
            "Ich heiße Henryk. Mein Bruder heißt Tom.",
            "Wie heiße ich?",
            "Du heißt Henryk.",
            "Your name is Henryk.",
        ),
        (
            "de",
            "Mein Bruder heißt Tom.",
            "Wie heißt mein Bruder?",
            "Dein Bruder heißt Tom.",
            "Your brother is called Tom.",
        ),
        ("de", "Ich wohne in Köln mit meiner Frau.", "Wo wohne ich?", "Du wohnst in Köln mit deiner Frau.", "Köln"),
        ("de", "Ich arbeite als Pfleger.", "Was mache ich beruflich?", "Du arbeitest als Pfleger.", "als Pfleger"),
        ("fr", "Je m'appelle Henri.", "Comment je m'appelle ?", "Tu t'appelles Henri.", "Your name is Henri."),
        ("fr", "Ma sœur s'appelle Léa.", "Comment s'appelle ma sœur ?", "Ta sœur s'appelle Léa.", "Léa"),
        ("fr", "Je suis infirmière à Lyon.", "Quel est mon métier ?", "Tu es infirmière à Lyon.", "infirmière"),
        ("fr", "J'habite à Nantes.", "Où est-ce que j'habite ?", "Tu habites à Nantes.", "Nantes"),
        ("es", "Me llamo Enrique.", "¿Cómo me llamo?", "Te llamas Enrique.", "Your name is Enrique."),
        ("es", "Mi hermano se llama Tomás.", "¿Cómo se llama mi hermano?", "Tu hermano se llama Tomás.", "Tomás"),
        ("es", "Soy enfermera.", "¿A qué me dedico?", "Eres enfermera.", "enfermera"),
        ("es", "Vivo en Lima con mi mujer.", "¿Dónde vivo?", "Vives en Lima con tu mujer.", "Lima"),
        ("it", "Mi chiamo Enrico.", "Come mi chiamo?", "Ti chiami Enrico.", "Your name is Enrico."),
        ("it", "Lavoro come infermiera.", "Che lavoro faccio?", "Lavori come infermiera.", "infermiera"),
        ("pt", "Meu irmão se chama Tomás.", "Como se chama o meu irmão?", "Teu irmão chama-se Tomás.", "Tomás"),
        ("pt", "Moro em Lisboa.", "Onde moro?", "Moras em Lisboa.", "Lisboa"),
    ],
)
def test_other_languages_are_understood_and_answered_in_those_of_the_voice(voice, told, question, answer, english):
    assert answered(told, question, voice=voice) == answer
    assert english in (answered(told, question) or "")


@pytest.mark.parametrize(
    "sentence",
    [
        "I went home.",
        "Call me later.",
        "Call me crazy but I like it.",
        "My name is hard to spell.",
        "My brother is angry.",
        "My brother and I fought.",
        "My friend is German.",
        "I'm Polish.",
        "I'm a mother.",
        "I'm a loser.",
        "My boss is a monster.",
        "I would live in Rome if I could.",
        "Is my brother called Tom?",
        "My God!",
        "I am one of them.",
    ],
)
def test_ordinary_talk_gives_nobody_a_name_a_home_or_work(sentence):
    known = ("name", "name of", "home", "home of", "work", "work of", "age", "married")
    assert not [fact for fact in BOOK.told(sentence)[0] if fact.kind in known]


@pytest.mark.parametrize(
    "question",
    [
        "What is a name?",
        "Who am I to judge him?",
        "What is my work worth?",
        "What do I do now?",
        "What should I do?",
        "What am I doing wrong?",
        "What does my name mean?",
        "Where do we live if the sea rises?",
        "Do I have a chance?",
        "Is my name funny?",
        "And then?",
        "And you?",
        "What about the weather?",
        "And my brother?",
    ],
)
def test_other_questions_are_others_business(question):
    assert BOOK.asked(question) is None


def test_what_follows_a_question_asks_the_same_only_for_people_of_the_users():
    before = BOOK.asked("What is my name?")
    assert [BOOK.asked(text, "", before) for text in ("And then?", "And you?", "What about the weather?")] == [None] * 3
