"""Numbers are read by what they are worth, however they are said or written."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.understanding.numbers import read

SAID = {
    "en": {
        "1/4": "one 4th | a quarter | one-quarter | 25% | .25 | one over four | one in four | one of the four | ¼",
        "3/4": "3 fourths | three-quarters | 3-4ths | 3/4 | 0.75 | oh point seven five | 75 per cent",
        "1/3": "1/3rd | third | a third | 1 third | one over three | 33 and a third percent",
        "1/2": "two fourths | 2/4 | 50% | 0.5 | point five | nought point five | half | one half | four eighths | 0,5",
        "3/5": "3 fifths | 60% | 3-5 | three over five | six tenths | three fifth | 6 out of 10",
        "1/8": "half a quarter | a half of a quarter | one eighth | half of one quarter",
        "3/2": "one and a half | 1 1/2 | 1½ | 1.5 | three halves | 150 percent",
        "11/4": "two and three quarters | 2 3/4 | 2¾ | eleven quarters",
        "-5": "-5 | minus five | negative 5 | −5",
        "12": "a dozen | twelve | 12 | one dozen",
        "6": "half a dozen | six | half of twelve",
        "1945": "nineteen forty-five | 1945 | 1,945",
        "1/100": "one hundredth | 1% | 0.01",
        "21": "twenty-one | 21 | twenty one",
    },
    "de": {
        "3/4": "drei Viertel | dreiviertel | 0,75 | 75 Prozent | drei von vier | drei durch vier",
        "1/3": "ein Drittel | 1/3",
        "5/2": "zweieinhalb | 2,5",
    },
    "fr": {"3/4": "trois quarts | trois sur quatre | 0,75", "3/5": "trois cinquièmes", "5/2": "deux et demi"},
    "es": {"3/4": "tres cuartos", "3/5": "tres quintos", "1/2": "la mitad | un medio"},
}


@pytest.mark.parametrize(
    ("language", "worth", "said"),
    [
        (lang, worth, text.strip())
        for lang, all_ in SAID.items()
        for worth, texts in all_.items()
        for text in texts.split("|")
    ],
)
def test_a_number_is_worth_what_it_says(language, worth, said):
    assert [amount.value for amount in read(said, language).amounts] == [Fraction(worth)]


@pytest.mark.parametrize("said", ["a quarter to five", "half past three", "a quarter past", "that one is nice", "3/0"])
def test_what_looks_like_a_number_is_none(said):
    values = [amount.value for amount in read(said).amounts]
    assert Fraction(1, 4) not in values and Fraction(1, 2) not in values and Fraction(1) not in values


@pytest.mark.parametrize("said", ["I think 1 1 1 1 1 1 1", "1 1 1 1", "three three three three three"])
def test_a_number_over_and_over_is_what_a_recogniser_makes_of_noise(said):
    assert read(said).garbled


@given(st.integers(0, 40), st.integers(1, 40))
def test_digits_of_a_fraction_are_its_value(over, under):
    assert [amount.value for amount in read(f"{over}/{under}").amounts] == [Fraction(over, under)]


@given(st.text(max_size=60))
def test_any_text_can_be_read(text):
    for language in ("en", "de", "fr", "es", "xx"):
        for amount in read(text, language).amounts:
            assert amount.start < amount.end
