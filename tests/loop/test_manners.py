"""A small model's answers are about the right one of the two, and in the tone of a talk."""

from dataclasses import replace

import pytest

from companion.dialogue.personas import manners, personas
from companion.dialogue.personas.manners import Tact
from companion.dialogue.personas.personas import Prompts
from companion.safety import policy
from companion.stages import fakes
from companion.stages.protocols import Abilities
from tests.loop.conversation import PERSONA, asked, engine, said

OWN = manners.load()
BOOK = personas.load().openers


class Continuing(fakes.ScriptedLLM):
    abilities = Abilities(continues=True)


def _talk(lines, replies, llm=Continuing):
    made = engine(llm=llm(replies), asr=fakes.ScriptedASR(lines))
    prompts = Prompts({"anna": PERSONA}, "Be short.", openers=BOOK, manners=OWN)
    return asked(replace(made, prompts=prompts), len(lines))


@pytest.mark.parametrize(
    ("told", "question", "begin"),
    [
        ("I am cooking lasagna.", "What was I cooking again?", "You were cooking"),
        ("I was in Rome.", "What did I just tell you?", 'You said: "I was in Rome."'),
        ("Hello.", "Who are you?", "I am Anna,"),
        ("Hello.", "My name is Jonas.", "Nice to meet you, Jonas!"),
    ],
)
def test_an_answer_begins_about_the_right_one_of_the_two(told, question, begin):
    assert OWN.begin([told, question], "Anna") == begin
    assert OWN.whole([told, question], "Anna") in ("", begin)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("My grandmother died yesterday.", "I am so sorry about your grandmother."),
        ("She died in May.", "I am so sorry."),
        ("Can you call my mother for me?", "I cannot do that, I can only talk with you."),
        ("Do you think I have depression?", "I cannot say what this is, a doctor could"),
    ],
)
def test_what_a_small_model_must_not_make_up_is_said_without_it(said, answer):
    assert OWN.whole([said], "Anna").startswith(answer)


@pytest.mark.parametrize(
    "remark",
    ["I went home.", "What is a name?", "Do you have a tip for me?", "My sister called.", "Can you tell me a story?"],
)
def test_all_else_is_left_to_the_model(remark):
    assert OWN.begin(["Hello.", remark], "Anna") == OWN.whole(["Hello.", remark], "Anna") == ""


@pytest.mark.parametrize(
    "remark",
    [
        "Can you open up to me?",
        "My back is sick of it.",
        "My boss is sick of me.",
        "Will you bring it up?",
        "My phone died.",
        "My battery has just died.",
        "I have to write a letter to my mother.",
        "Could you call me Tom?",
        "Can you cook?",
        "Would you book a hotel in Spain or in Italy?",
        "Can you turn that into a story?",
        "Can you send me good thoughts?",
        "Who am I to judge him?",
        "My name is hard to spell.",
        "What did I say wrong?",
        "What is my work worth?",
        "Do you have a job for me?",
        "He should not be my friend.",
        "What is the time signature of a waltz?",
        "Can you feel what I mean?",
        "Am I sick of him?",
        "My friend is dying to meet you.",
        "What would your father say?",
        "What do I tell my sick brother?",
    ],
)
def test_a_near_miss_is_the_models_business(remark):
    assert OWN.whole(["Hello.", remark], "Anna") == ""


def test_a_large_model_of_this_process_speaks_for_itself():
    made = engine(llm=Continuing(["Tom."]), asr=fakes.ScriptedASR(["What is my name?"]))
    made = replace(made, prompts=Prompts({"anna": PERSONA}, "Be short.", openers=BOOK, manners=OWN))
    config = replace(made.config, session=replace(made.config.session, manners=False))
    assert said(asked(replace(made, config=config), 1)) == ["Tom."]


def test_the_model_goes_on_from_there_and_nothing_else_is_said_before_it():
    talk = _talk(["I am cooking rice.", "What was I cooking?"], ["hello.", "rice."])
    assert said(talk)[1] == "You were cooking rice."
    assert talk.engine.llm.asked[1][-1].content == "You were cooking"


def test_the_life_of_an_example_is_neither_the_users_nor_its_own():
    examples = ["I had a fight with a friend.", "Hello!"]
    for sentence in ("I had a fight with a friend.", "You had a fight with a friend yesterday."):
        assert Tact(OWN, "Anna", [], ["Hi."], "", examples)(sentence) in (*OWN.again, "Tell me more about it.")
        assert Tact(OWN, "Anna", [], ["I had a fight with a friend."], "", examples)(sentence).endswith(".")
    assert Tact(OWN, "Anna", [], [], "", examples)("A fight with a friend is hard.") == "A fight with a friend is hard."


def test_models_of_endpoints_speak_for_themselves():
    talk = _talk(["What is my name?"], ["How can I help you today?"], llm=fakes.ScriptedLLM)
    assert said(talk) == ["How can I help you today?"]


def test_the_tone_of_a_help_desk_is_not_heard():
    (text,) = said(_talk(["I sold my bicycle."], ["that is sad. How can I assist you today? Feel free to ask."]))
    assert "that is sad." in text
    assert "assist" not in text and "free" not in text
    assert text.rstrip().endswith(("?", "."))


@pytest.mark.parametrize(
    ("sentence", "heard"),
    [
        ("I live in Leeds with my brother.", "You live in Leeds with your brother."),
        ("I am a nurse.", "You are a nurse."),
        ("I'm a bus driver.", "You're a bus driver."),
        ("I like nurses.", "I like nurses."),
        ("I am so sorry to hear that.", "I am so sorry to hear that."),
        ("I am Sofia.", "Tell me more."),
        ("I am Anna, an AI.", "I am Anna, an AI."),
        ("1. Sleep well.", "One thing at a time."),
    ],
)
def test_it_takes_nobody_elses_life_for_its_own(sentence, heard):
    told = [
        "I live in Leeds with my brother, and I am a nurse.",
        "She is Sofia. I work as a bus driver. I am so sorry.",
    ]
    assert Tact(OWN, "Anna", [], told)(sentence) == heard


def test_a_question_is_not_asked_again_and_one_thing_is_said_instead_of_many():
    tact = Tact(OWN, "Anna", ["Where was it?", "Tell me more."], [])
    assert tact("Where was it?") in OWN.again[1:]
    assert tact("How can I help you?") == ""
    assert tact("It rains.") == "It rains."


def test_whole_sentences_are_replaced_never_halves():
    tact = Tact(OWN, "Anna", ["Ember and the dragon were friends."], [])
    pieces = ["How can I help you today,", "my dear friend, with that?", "It is late,", "and how can I help you?"]
    heard = [tact(piece) for piece in pieces]
    assert heard[0].rstrip().endswith(("?", ".")) and heard[1] == "", "what was replaced is over"
    assert heard[2:] == pieces[2:], "what was begun is finished"
    tact = Tact(OWN, "Anna", ["Ember and the dragon were friends."], [])
    story = ["And so they all slept well,", "Ember and the dragon were friends."]
    assert [tact(piece) for piece in story] == story


@pytest.mark.parametrize(
    "sentence",
    [
        "That is a bit tricky, but you can do it.",
        "It is a little strange that one half is two quarters, and still it is right.",
        "You need some rest, I think.",
        "Let me know how it goes.",
        "It is best to talk to a doctor.",
        "You could ask a doctor or a pharmacist about that.",
        "That is a great feeling!",
        "That is not fair to you.",
        "Feel free to cry.",
        "Would you like to know a secret?",
    ],
)
def test_right_answers_and_good_advice_are_left_alone(sentence):
    assert Tact(OWN, "Anna", [], [])(sentence) == sentence


def test_no_stock_phrase_is_heard_twice_in_ten_replies():
    said = list[str]()
    for _ in range(10):
        tact = Tact(OWN, "Anna", said, [])
        heard = [tact("It was long ago."), tact("How can I help you?"), tact("Where was it?")]
        said += [text for text in heard if text]
    stock = [text for text in said if text not in ("It was long ago.", "Where was it?")]
    assert len(set(stock)) == len(stock) >= 5
    assert said.count("Where was it?") == 1
    assert said.count("It was long ago.") == 10, "what a reply begins with may be all of it"


def test_what_is_said_instead_goes_on_with_the_sentence():
    tact = Tact(OWN, "Anna", [], [], "Well,")
    assert tact("let me know if you need anything.")[0] == "I", "of oneself"
    tact = Tact(OWN, "Anna", [], [])
    assert tact("if you want to stay,") == "if you want to stay,"
    assert tact("what would you like to do?")[0].islower()


@pytest.mark.parametrize("advice", ["It is best to talk to a doctor or a pharmacist.", "Ask a doctor or a pharmacist."])
def test_good_advice_is_no_leak_of_the_rules(advice):
    rules = f"Be short.\n{policy.load().rules.always}"
    made = engine(llm=Continuing([advice]), asr=fakes.ScriptedASR(["My knee hurts."]))
    prompts = Prompts({"anna": PERSONA}, rules, manners=OWN)
    assert said(asked(replace(made, prompts=prompts), 1)) == [advice]


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ("i lost my bag at the zoo", "Tell me more about it."),
        ("distracted", "Tell me more about it."),
        ("Who won the game?", "That I do not know."),
        ("who won my game", "That I do not know."),
    ],
)
@pytest.mark.parametrize("reply", ["I'm sorry, but I can't help with that.", "I am not sure what you mean."])
def test_it_does_not_refuse_where_nothing_was_asked(told, answer, reply):
    assert Tact(OWN, "Anna", [], [told])(reply) == answer


@pytest.mark.parametrize(
    ("told", "reply"),
    [
        ("I lost my bag at the zoo.", "You lost your bag at the zoo."),
        ("I lost my bag at the zoo.", "I lost my bag at the zoo."),
        ("Should I wear it?", "Should I wear it?"),
    ],
)
def test_it_does_not_parrot(told, reply):
    assert Tact(OWN, "Anna", [], [told])(reply) in OWN.again
    assert Tact(OWN, "Anna", [], [told])("Your bag was lost at the zoo.").endswith("zoo.")


@pytest.mark.parametrize(
    ("told", "reply"),
    [
        ("A fox with a lantern.", "A fox!"),
        ("The first patient is a bear.", "The first patient is a bear!"),
        ("He is scared but polite.", "That is a wonderful bear."),
    ],
)
def test_what_is_told_in_a_story_is_taken_up(told, reply):
    assert Tact(OWN, "Sorrel", [], [told])(reply) == reply


def test_a_request_may_be_refused():
    assert Tact(OWN, "Anna", [], ["Order me a cake."])("I am sorry, but I cannot do that.").endswith("do that.")


def test_a_number_is_an_answer_and_no_list():
    assert Tact(OWN, "Anna", [], ["25"])("25. What is half of it?") == "25. What is half of it?"
    assert Tact(OWN, "Anna", [], ["How?"])("1. Take an egg.") == "One thing at a time."


def test_what_replaces_a_sentence_after_one_in_pieces_begins_with_a_capital():
    tact = Tact(OWN, "Anna", [], ["Hm."])
    assert tact("They were all asleep,") and tact(" and nobody came.")
    assert tact("What do you think?")[0].isupper()


@pytest.mark.parametrize(
    "told",
    [
        "My hairdresser cut my fringe crooked.",
        "The conductor laughed at me.",
        "we are out of coffee. living the dream",
        "Brilliant, my car broke down.",
        "My dad has never said that he is proud.",
        "We had to sell the farm.",
    ],
)
@pytest.mark.parametrize("reply", ["That's great!", "That sounds like a fun day.", "I'm so glad to hear that."])
def test_it_does_not_rejoice_at_what_is_hard(told, reply):
    assert Tact(OWN, "Anna", [], [told])(reply) in ("Oh no.", "I am sorry.", "That is not easy.")


@pytest.mark.parametrize(
    "told",
    [
        "I passed my exam!",
        "I won, I can't believe it!",
        "I am no longer ill.",
        "My cat came back, I cried.",
        "I baked bread.",
    ],
)
@pytest.mark.parametrize("reply", ["That's great!", "I'm so glad to hear that."])
def test_it_may_rejoice_at_the_rest(told, reply):
    assert Tact(OWN, "Anna", [], [told])(reply) == reply


@pytest.mark.parametrize(
    "claim", ["I had a banana and a salad.", "I dreamed of a forest.", "I went to the sea.", "I work at a school."]
)
def test_it_has_no_life_of_its_own(claim):
    assert Tact(OWN, "Anna", [], ["What did I do today?"])(claim) == "That I do not know."
    assert Tact(OWN, "Anna", [], ["It rained."])(claim) == "Tell me more about it."
    own = "I had no idea of that."
    assert Tact(OWN, "Anna", [], ["I am 90."])(own) == own


def test_what_follows_a_refusal_of_what_was_told_is_not_about_it():
    tact = Tact(OWN, "Anna", [], ["I can't climb stairs."])
    assert tact("I am sorry, but I cannot do that.") == "Tell me more about it."
    assert not tact("It is a lovely day.")


def test_it_does_not_say_the_same_turn_after_turn():
    said = ["The uncle's old guitar!"]
    assert Tact(OWN, "Sorrel", said, ["then the boat floats away"])(said[0]) in OWN.again
    assert Tact(OWN, "Sorrel", said, ["What was it?"])(said[0]) == said[0]
