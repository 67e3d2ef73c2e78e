"""Quantities: what their words mean, and which words are only a part of a number."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.facts.numbers.written import plain_number
from extractor.facts.quantity import Quantity, QuantityReading, read_quantity


def shown(reading: QuantityReading | None) -> str:
    """A reading as the table below writes it."""
    if reading is None:
        return "?"
    low, high = ("" if number is None else plain_number(number) for number in reading[:2])
    numbers = low if low == high else f"{low}..{high}"
    return ("~" if reading.approximate else "") + (numbers or "none")


# The words, and what they mean: "10", "10..", "..10", "10..12", "~" for approximate, "none" for no numbers, "?" for not understood.
TABLE = [
    # digits
    ("10", "10"),
    ("0", "0"),
    ("1,234", "1234"),
    ("1\u00a0234", "1234"),
    ("1\u2009234\u2009567", "1234567"),
    ("1'234", "1234"),
    ("1’234", "1234"),
    ("12,345,678 rounds", "12345678"),
    ("1.234.567", "1234567"),
    ("1,234.5", "1234.5"),
    ("1.5", "1.5"),
    ("0.125", "0.125"),
    ("1.234", "?"),
    ("12.500 shells", "?"),
    ("12,5", "?"),
    ("1,23", "?"),
    ("1,2345", "?"),
    ("1,23,456", "?"),
    ("1 234", "?"),
    ("007", "?"),
    ("10.11.12", "?"),
    ("1_000", "?"),
    ("-5", "?"),
    ("10²", "?"),
    ("2½", "?"),
    ("½", "?"),
    ("١٠", "?"),
    ("１０", "?"),
    ("10 ²", "?"),
    ("1\u200b0", "?"),
    ("XII", "?"),
    # number words
    ("two", "2"),
    ("Two", "2"),
    ("TWO SYSTEMS", "2"),
    ("zero", "0"),
    ("twenty-one", "21"),
    ("twenty‑one", "21"),
    ("ninety nine", "99"),
    ("a hundred", "100"),
    ("one hundred", "100"),
    ("a hundred and fifty", "150"),
    ("one hundred fifty", "150"),
    ("two hundred and five", "205"),
    ("twelve hundred", "1200"),
    ("three thousand", "3000"),
    ("three thousand two hundred", "3200"),
    ("two thousand three hundred and five", "2305"),
    ("a thousand and one", "1001"),
    ("a hundred thousand", "100000"),
    ("two hundred and fifty thousand", "250000"),
    ("one million", "1000000"),
    ("two million five hundred thousand", "2500000"),
    ("two and a half", "2.5"),
    ("two and a half thousand", "2500"),
    ("two-and-a-half thousand", "2500"),
    ("a million and a half", "1500000"),
    ("half a million", "500000"),
    ("half a dozen", "6"),
    ("half-dozen", "6"),
    ("a half-dozen systems", "6"),
    ("a dozen", "12"),
    ("two dozen", "24"),
    ("3 dozen", "36"),
    ("hundred", "?"),
    ("dozen", "?"),
    ("thousand", "?"),
    ("nineteen eighty-four", "?"),
    ("twenty twenty-five", "?"),
    ("two point five", "?"),
    ("three quarters", "?"),
    ("one third", "?"),
    ("two-thirds", "?"),
    ("a third", "?"),
    ("half", "?"),
    ("two and three quarters", "?"),
    ("a quarter of a million", "?"),
    # magnitudes
    ("5 thousand", "5000"),
    ("1.5 million", "1500000"),
    ("1.234 billion", "1234000000"),
    ("1.234 million", "?"),
    ("1.500 billion", "?"),
    ("5 hundred", "500"),
    ("5 hundred thousand", "500000"),
    ("3 billion", "3000000000"),
    ("10k", "10000"),
    ("1.5mln rounds", "1500000"),
    ("5 Millionen", "5000000"),
    ("1,5 Mio. Schuss", "1500000"),
    ("1,5 million", "?"),
    ("1.234 Millionen", "?"),
    ("5m", "?"),
    ("300 m", "?"),
    ("10 k", "?"),
    ("5 mil", "?"),
    ("10 mil soldados", "?"),
    ("5 tausend", "?"),
    ("5 Dutzend", "?"),
    ("3 crore", "?"),
    ("2 lakh", "?"),
    ("5 million thousand", "?"),
    ("10 тысяч", "?"),
    ("5万", "?"),
    ("10 score", "?"),
    # one, a, both
    ("one", "1"),
    ("one system", "1"),
    ("one of the systems", "1"),
    ("a Patriot battery", "1"),
    ("an S-300 system", "1"),
    ("a single system", "1"),
    ("a pair of frigates", "2"),
    ("both systems", "2"),
    ("a", "?"),
    ("a lot of tanks", "?"),
    ("a number", "?"),
    ("a second battery", "?"),
    ("a third battery", "?"),
    ("a couple of tanks", "?"),
    ("a series of systems", "?"),
    ("a billion-dollar deal", "?"),
    ("the first", "?"),
    ("first two", "?"),
    ("third", "?"),
    ("10th", "?"),
    ("no", "?"),
    ("no one", "?"),
    # bounds
    ("at least 10", "10.."),
    ("at least 10 systems", "10.."),
    ("At least ten", "10.."),
    ("more than 10", "10.."),
    ("over 1,000 tanks", "1000.."),
    ("no fewer than 10", "10.."),
    ("no less than 10", "10.."),
    ("upwards of 200", "200.."),
    ("in excess of 40", "40.."),
    ("a minimum of 10", "10.."),
    ("minimum 10", "10.."),
    ("10 or more", "10.."),
    ("10 systems or more", "10.."),
    ("10-plus", "10.."),
    ("10+", "10.."),
    ("10 at least", "10.."),
    ("more than a dozen", "12.."),
    ("well over a hundred", "100.."),
    ("one or more", "1.."),
    ("at least another 10", "10.."),
    ("about another 10", "?"),
    ("from 5 systems", "?"),
    ("between some and 5", "?"),
    ("many thousands", "none"),
    ("up to 20", "..20"),
    ("as many as 20", "..20"),
    ("at most 20", "..20"),
    ("no more than 20", "..20"),
    ("not more than 20", "..20"),
    ("fewer than 20", "..20"),
    ("less than 20", "..20"),
    ("under 20", "..20"),
    ("a maximum of 20", "..20"),
    ("20 or fewer", "..20"),
    ("20 systems or less", "..20"),
    ("at least 10 and up to 20", "10..20"),
    ("at least 10 but no more than 20 systems", "10..20"),
    ("just over 10", "?"),
    ("just under 10", "?"),
    ("slightly more than 10", "?"),
    ("as few as 10", "?"),
    ("not over 10", "?"),
    ("at least 10-12", "?"),
    ("up to 10 or more", "?"),
    ("more than 10 or fewer", "?"),
    ("20-odd", "?"),
    ("20 odd tanks", "?"),
    ("next to 10", "?"),
    # approximators
    ("about 40", "~40"),
    ("around 40 tanks", "~40"),
    ("some 40", "~40"),
    ("nearly 40", "~40"),
    ("almost forty", "~40"),
    ("roughly 40", "~40"),
    ("approximately 40", "~40"),
    ("approx. 40", "~40"),
    ("~40", "~40"),
    ("an estimated 40", "~40"),
    ("40 or so", "~40"),
    ("a dozen or so", "~12"),
    ("40 tanks or so", "~40"),
    ("close to 40", "~40"),
    ("some 10 to 12", "~10..12"),
    ("at least about 40", "~40.."),
    # ranges
    ("10-12", "10..12"),
    ("10–12", "10..12"),
    ("10 to 12", "10..12"),
    ("two to three", "2..3"),
    ("two or three systems", "2..3"),
    ("between 30 and 40", "30..40"),
    ("between thirty and forty", "30..40"),
    ("between 30-40", "30..40"),
    ("from 5 to 7", "5..7"),
    ("10-30 thousand", "10000..30000"),
    ("two to three hundred", "200..300"),
    ("two to three dozen", "24..36"),
    ("500 to 1,000", "500..1000"),
    ("500,000 to 1 million", "500000..1000000"),
    ("10 to as many as 20", "10..20"),
    ("5-10,000", "?"),
    ("5 to 10,000", "?"),
    ("500 to one thousand", "500..1000"),
    ("five to a hundred", "5..100"),
    ("five to a dozen", "5..12"),
    ("10 to two dozen", "10..24"),
    ("500 to 1 million", "?"),
    ("1,000 to 1 million", "?"),
    ("12-10", "?"),
    ("3-3", "?"),
    ("2024-2025", "?"),
    ("2024-25", "?"),
    ("2022 to 2024", "?"),
    ("10—12", "?"),
    ("10 - 12", "?"),
    ("10 to 12-ton trucks", "?"),
    ("10-12-14", "?"),
    ("10/12", "?"),
    ("10:30", "?"),
    ("24/7", "?"),
    ("10-year", "?"),
    # no numbers
    ("dozens", "none"),
    ("dozens of tanks", "none"),
    ("hundreds of thousands of rounds", "none"),
    ("tens of thousands", "none"),
    ("several", "none"),
    ("several systems", "none"),
    ("several hundred", "none"),
    ("a few", "none"),
    ("a few dozen tanks", "none"),
    ("some systems", "none"),
    ("many", "none"),
    ("a number of systems", "none"),
    ("a handful of tanks", "none"),
    ("scores of drones", "none"),
    ("thousands more", "none"),
    # designations, years, shares, sums
    ("F-16", "?"),
    ("Su-27", "?"),
    ("S-300", "?"),
    ("PAC-3", "?"),
    ("155mm", "?"),
    ("155 mm shells", "?"),
    ("155-millimetre", "?"),
    ("2025", "?"),
    ("2025 budget", "?"),
    ("2000 soldiers", "?"),
    ("at least 2000 troops", "2000.."),
    ("2,000 soldiers", "2000"),
    ("13.5%", "?"),
    ("13.5 percent", "?"),
    ("10 per cent", "?"),
    ("10 percentage points", "?"),
    ("$10", "?"),
    ("10 million dollars", "?"),
    ("10 euros", "?"),
    ("10 times", "?"),
    ("10x", "?"),
    ("10-fold", "?"),
    ("No. 10", "?"),
    ("#10", "?"),
    ("10 a.m.", "?"),
    # what follows
    ("10 Patriot systems", "10"),
    ("10 Patriot air defence systems", "10"),
    ("two batteries of Patriots", "2"),
    ("three squadrons", "3"),
    ("two F-16s", "2"),
    ("two F-16 fighter jets", "2"),
    ("18 Leopard 2 tanks", "18"),
    ("two S-300 systems", "2"),
    ("2,000 155mm shells", "2000"),
    ("two 155 mm howitzers", "2"),
    ("ten 20-foot containers", "10"),
    ("six two-seat trainers", "6"),
    ("four M1A2 tanks", "4"),
    ("10 more", "10"),
    ("two more batteries", "2"),
    ("another 10", "10"),
    ("an additional five", "5"),
    ("a total of 126", "126"),
    ("all 10 systems", "10"),
    ("the two systems", "2"),
    ("10 systems a month", "10"),
    ("10 Panzer", "10"),
    ("“10”", "10"),
    ("10,", "10"),
    ("5,000 pounds of explosives", "5000"),
    ("500 tonnes of grain", "500"),
    ("10 of 20 systems", "?"),
    ("10 tanks and 20 guns", "?"),
    ("10, 20 and 30", "?"),
    ("10 to Ukraine", "?"),
    ("10 more than 5", "?"),
    ("1 million 200 thousand", "?"),
    ("mindestens 10", "?"),
    ("10 bis 12 Panzer", "?"),
    ("plus de 10", "?"),
    ("10 систем", "?"),
    ("one in three", "?"),
    ("nine of every ten", "?"),
    ("3 per 100", "?"),
    ("3 per vehicle", "3"),
    ("1,000.000", "?"),
    ("1.000,000", "?"),
    ("A 10", "?"),
    ("a 5 million", "5000000"),
    ("10 February", "?"),
    ("23 Mar", "?"),
    ("$10 or so million", "?"),
    ("10 or so million", "?"),
    ("2 1/2 million", "?"),
    ("20 000 shells", "?"),
    ("20 8x8 vehicles", "20"),
    ("two 2S19 howitzers", "2"),
    ("10 AIM-120C-5 missiles", "10"),
    ("1 million 5.56mm rounds", "1000000"),
    ("5.56mm rounds", "?"),
    ("three and a half dozen", "42"),
    ("1,000-2,000", "1000..2000"),
    ("2000 to 3000 troops", "2000..3000"),
    ("under-10", "?"),
    ("over-10s", "?"),
    ("one-off", "?"),
    ("one-and-a-half million", "1500000"),
    ("two thirds majority", "?"),
    ("100,000-strong", "?"),
    ("a hundred-odd tanks", "?"),
    ("10 plus 5", "?"),
    ("10 and a half", "10.5"),
    ("size 10", "?"),
    ("47th Brigade", "?"),
    ("100s of tanks", "?"),
    ("exactly 10", "10"),
    ("not exactly 10", "?"),
    ("10 (or 20) million", "?"),
    ("two, three or four hundred", "?"),
    ("10 in all", "10"),
    ("ten (10)", "?"),
    ("", "?"),
    ("   ", "?"),
    ("systems", "?"),
    ("1" * 200, "?"),
    ("10 " + "x" * 300, "?"),
    ("10" + " very" * 50 + " big systems", "?"),
]


@pytest.mark.parametrize(("words", "meaning"), TABLE)
def test_words_are_read_as_they_are_meant_or_not_at_all(words, meaning):
    """Each row was decided by hand; none may be read as anything else."""
    assert shown(read_quantity(words)) == meaning


ENGLISH = "\n\nThey said that this would have been known by then."
"""What shows that a passage of a few words is English."""


def check(passage: str, words: str, minimum=None, maximum=None, *, approximate=False, unit=None, nth=0):
    """The check of a quantity whose words stand in a passage, for the nth time."""
    start = -1
    for _ in range(nth + 1):
        start = passage.index(words, start + 1)
    value = Quantity(as_written=words, minimum=minimum, maximum=maximum, approximate=approximate, unit=unit)
    return value.check(quote=f"{passage}{ENGLISH}", start=start, published=None)


def exactly(passage: str, words: str, number: float, **kwargs):
    """The check of a plain number."""
    return check(passage, words, number, number, **kwargs)


# A passage, the words cut out of it, the number they would mean, and the words that were to be copied.
CUTS = [
    ("It ordered 5 million rounds.", "5", 5, "5 million"),
    ("It has at least 10 systems.", "10", 10, "at least 10"),
    ("It has at least 10 systems.", "10 systems", 10, "at least 10"),
    ("It has more than 10 systems.", "10", 10, "more than 10"),
    ("up to 10 systems", "10", 10, "up to 10"),
    ("no more than 10 systems", "10", 10, "no more than 10"),
    ("as many as 10 systems", "10", 10, "as many as 10"),
    ("twenty-three tanks", "three", 3, "twenty-three"),
    ("twenty-three tanks", "twenty", 20, "twenty-three"),
    ("twenty three tanks", "three", 3, "twenty three"),
    ("two hundred tanks", "two", 2, "two hundred"),
    ("a hundred and fifty tanks", "fifty", 50, "a hundred and fifty"),
    ("a hundred and fifty tanks", "a hundred", 100, "a hundred and fifty"),
    ("it has 1,200 tanks", "200", 200, "1,200"),
    ("it has 1,200 tanks", "1", 1, "1,200"),
    ("it has 20.5 tonnes", "20", 20, "20.5"),
    ("it has 213 tanks", "13", 13, "213"),
    ("half a dozen tanks", "a dozen", 12, "half a dozen"),
    ("two dozen tanks", "two", 2, "two dozen"),
    ("two and a half thousand", "two", 2, "two and a half thousand"),
    ("10-12 tanks", "10", 10, "10-12"),
    ("10-12 tanks", "12 tanks", 12, "10-12"),
    ("10 to 12 tanks", "10", 10, "10 to 12"),
    ("10 to 12 tanks", "12", 12, "10 to 12"),
    ("between 30 and 40 tanks", "30", 30, "between 30 and 40"),
    ("between 30 and 40 tanks", "40", 40, "between 30 and 40"),
    ("between 30 and 40 tanks", "30 and", 30, "between 30 and 40"),
    ("two or three tanks", "two", 2, "two or three"),
    ("10 or more tanks", "10", 10, "10 or more"),
    ("10+ tanks", "10", 10, "10+"),
    ("10-plus tanks", "10", 10, "10-plus"),
    ("about 40 tanks", "40", 40, "about 40"),
    ("some 40 tanks", "40 tanks", 40, "some 40"),
    ("an estimated 40 tanks", "40", 40, "an estimated 40"),
    ("40 or so tanks", "40", 40, "40 or so"),
    ("at least 10 and up to 20 tanks", "at least 10", 10, "at least 10 and up to 20"),
    ("more than 10,000 rounds", "10", 10, "more than 10,000"),
    ("more than two hundred thousand", "more than two", 2, "more than two hundred thousand"),
]


@pytest.mark.parametrize(("passage", "words", "number", "whole"), CUTS)
def test_a_number_cut_out_of_a_larger_one_disagrees(passage, words, number, whole):
    """What adjoins the words and belongs to the number must be among them; the message gives all of it."""
    found = exactly(passage, words, number)
    assert found.result == "disagrees"
    assert repr(whole) in found.message


@pytest.mark.parametrize(
    ("passage", "words", "number", "part_of"),
    [
        ("an F-16 jet", "16", 16, "F-16"),
        ("Su-27 fighters", "27", 27, "Su-27"),
        ("PAC-3 missiles", "3", 3, "PAC-3"),
        ("155mm shells", "155", 155, "155mm"),
        ("the 10th system", "10", 10, "10th"),
        ("up by 13.5% a year", "13.5", 13.5, "13.5%"),
        ("13 percent of it", "13", 13, "13 percent"),
        ("10 per cent of it", "10", 10, "10 per cent"),
        ("two-thirds of the tanks", "two", 2, "two-thirds"),
        ("two thirds of the tanks", "two", 2, "two thirds"),
        ("four M1A2 tanks", "2", 2, "M1A2"),
    ],
)
def test_a_number_inside_a_name_or_a_share_disagrees(passage, words, number, part_of):
    """Digits of a designation, of a calibre and of a share are no count."""
    found = exactly(passage, words, number)
    assert found.result == "disagrees"
    assert repr(part_of) in found.message


@pytest.mark.parametrize(
    ("passage", "words", "number"),
    [
        ("It asked for 10 Patriot systems.", "10", 10),
        ("three systems, two from Germany and one from Norway", "two", 2),
        ("three systems, two from Germany and one from Norway", "one", 1),
        ("three systems, two from Germany", "three systems", 3),
        ("10, 20 and 30 tanks", "10", 10),
        ("10, 20 and 30 tanks", "20", 20),
        ("10, 20 and 30 tanks", "30 tanks", 30),
        ("in 2024 10 tanks came", "10", 10),
        ("In 2024, 10 tanks came", "10", 10),
        ("On July 23, two came", "two", 2),
        ("On July 23 10 systems came", "10", 10),
        ("it gave 10 to Ukraine", "10", 10),
        ("between Kyiv and two allies", "two", 2),
        ("10 Patriots and 20 tanks", "10", 10),
        ("10 Patriots and 20 tanks", "20", 20),
        ("two of the 10 systems", "10", 10),
        ("two of the 10 systems", "two", 2),
        ("10 of 20 systems", "10", 10),
        ("2,000 155mm shells", "2,000", 2000),
        ("two F-16s", "two", 2),
        ("two Leopard 2 tanks", "two", 2),
        ("ten 20-foot containers", "ten", 10),
        ("10 $5 vouchers", "10", 10),
        ("1, 2, 3, 4, 5, 6, 7, 8 and 9 tanks", "1", 1),
        ("it has 10 at least two of which work", "10", 10),
        ("from 5 systems", "5", 5),
        ("It gave 13 T-72 tanks", "13", 13),
        ("It gave NATO 10 systems", "10", 10),
        ("10 M113 carriers", "10", 10),
        ("Ukraine 10 systems", "10 systems", 10),
        ("the (10) systems", "10", 10),
        ("the systems—10 of them—came", "10", 10),
        ("“10 systems,” he said", "10 systems", 10),
        ("systems: 10.", "10", 10),
        ("all 10 systems", "10 systems", 10),
        ("a total of 126 jets", "126", 126),
        ("another 10 systems", "10", 10),
        ("Funds for 10\n\nmillion people", "10", 10),
        ("it sent 17 SDG kits", "17", 17),
        ("of them 10 won praise", "10", 10),
        ("10 SAR satellites", "10", 10),
        ("us 10 systems", "10", 10),
        ("from Germany 10 and from Norway two", "two", 2),
        ("a dozen tanks and two guns", "two", 2),
        ("several tanks and 10 guns", "10", 10),
        ("about the 10 systems", "10", 10),
        ("worth $5 million, 10 systems", "10 systems", 10),
        ("at least 10 tanks and 20 guns", "20", 20),
        ("On Feb. 24, two came", "two", 2),
        ("On Feb. 24 10 systems came", "10", 10),
        ("10 tanks, 20 guns and 30 million rounds", "10", 10),
        ("10 tanks, 20 guns and 30 million rounds", "20", 20),
        ("10 (20 were planned)", "10", 10),
        ("10 tanks, more than planned", "10", 10),
        ("10 tanks less than two years ago", "10", 10),
        ("10 (or 12%) of them", "10", 10),
        ("a pair of tanks", "a pair", 2),
        ("a range of 10 km", "10 km", 10),
        ("a 20-tank package", "20", 20),
        ("in April 14 launchers came", "14 launchers", 14),
        ("in April 14 launchers came", "14", 14),
        ("not only money but 14 tanks", "14 tanks", 14),
        ("not just money but also 14 tanks", "14", 14),
        ("ten (10) tanks", "ten", 10),
        ("40 jets (F-16s)", "40 jets", 40),
        ("40 jets (30 of them new)", "40 jets", 40),
        ("40 jets (in 2024)", "40 jets", 40),
        ('"40" of the jets', "40", 40),
        ("'we need 40' of the jets", "40", 40),
        ("“we need 40” of the jets", "40", 40),
    ],
)
def test_what_only_stands_beside_a_number_is_no_part_of_it(passage, words, number):
    """Lists, years, dates, places and names next to a number leave it alone."""
    assert exactly(passage, words, number).result == "agrees"


@pytest.mark.parametrize(
    ("passage", "words", "number"),
    [
        ("talks about 10 systems", "10", 10),
        ("talks about 10 systems", "about 10", 10),
        ("a row over 10 systems", "10", 10),
        ("raised the number from 5 to 10", "10", 10),
        ("up by 5 million to 7 million", "7 million", 7_000_000),
        ("raised it from the present 5 to 10", "10", 10),
        ("1000 HP engines", "1000", 1000),
        ("raised the number from 5 to 10", "5", 5),
        ("mindestens 10 Panzer", "10", 10),
        ("mehr als 10 Panzer", "10", 10),
        ("10 bis 12 Panzer", "10", 10),
        ("10 bis 12 Panzer", "12", 12),
        ("10 a 12 tanques", "12", 12),
        ("más de 10 tanques", "10", 10),
        ("10 mil tanques", "10", 10),
        ("plus de 10 chars", "10", 10),
        ("10 тысяч", "10", 10),
        ("5 300 tanks", "300", 300),
        ("Leopard 2 tanks", "2", 2),
        ("vom Typ RCH 155", "155", 155),
        ("am 10. Februar", "10", 10),
        ("Resolution 2231", "2231", 2231),
        ("at No. 10 today", "10", 10),
        ("on July 23 tanks came", "23", 23),
        ("on 23 July tanks came", "23", 23),
        ("three times 10", "10", 10),
        ("10 times more", "10", 10),
        ("155 mm shells", "155", 155),
        ("300m away", "300", 300),
        ("10 systems or more", "10 systems", 10),
        ("10 - 12 systems", "10", 10),
        ("10 to 12-ton trucks", "10", 10),
        ("a 10-year loan", "10", 10),
        ("5-10,000 rounds", "5", 5),
        ("10/12", "10", 10),
        ("10² systems", "10", 10),
        ("just over 10 systems", "10", 10),
        ("10 more than planned", "10", 10),
        ("turned over 10 systems", "10", 10),
        ("delivered under two contracts", "two", 2),
        ("close to two bases", "two", 2),
        ("10, 20 and 30 million rounds", "10", 10),
        ("10, 20 and 30 million rounds", "20", 20),
        ("10 and 20 million rounds", "10", 10),
        ("10 (or 20) million rounds", "10", 10),
        ("10 or so million rounds", "10 or so", 10),
        ("a quarter of a million rounds", "a million", 1_000_000),
        ("on Feb. 24 tanks came", "24", 24),
        ("see No. 5", "5", 5),
        ("20 000 shells", "20", 20),
        ("2 1/2 million shells", "2", 2),
        ("2 x 10 systems", "10", 10),
        ("two and three quarters", "two", 2),
        ("10 point 5", "10", 10),
        ("not 10 but 12", "10", 10),
        ("more tanks than 10 guns", "10", 10),
        ("not one of the 10 tanks", "10", 10),
        ("zero of 10 tanks", "10", 10),
        ("halved its 10 tanks", "10", 10),
        ("two sets of 10 tanks", "10", 10),
        ("deliveries passed 10 tanks", "10", 10),
        ("deliveries neared 10 tanks", "10", 10),
        ("almost, but not quite, 10 tanks", "10", 10),
        ("at the outside 10 tanks", "10", 10),
        ("10 tanks, at the outside", "10", 10),
        ("12 tanks, up from 10 last year", "10", 10),
        ("12 tanks compared with 10 last year", "10", 10),
        ("12 tanks against 10 last year", "10", 10),
        ("10, possibly 12 tanks", "10", 10),
        ("10 tanks, perhaps 12", "10", 10),
        ("10 (or 12) tanks", "10", 10),
        ("10 — or even 12 — tanks", "10", 10),
        ("10 plus tanks", "10", 10),
        ("10 tanks too many", "10", 10),
        ("a range of 10 km", "10", 10),
        ("tanks that are 10 years old", "10", 10),
        ("tank number 10", "10", 10),
        ("phase 2 of the deal", "2", 2),
        ("2 ⅔ tons", "2", 2),
        ("trimmed by 10", "10", 10),
        ("cut to 8 tanks from 10", "10", 10),
        ("It sends NASAMS 3 launchers", "3", 3),
        ("15 [sic] million shells", "15", 15),
        ('15 "thousand" shells', "15", 15),
        ("40' containers", "40", 40),
        ('40" guns', "40", 40),
        ("40' containers", "40'", 40),
        ('40" guns', '40"', 40),
        ("It's the ministers' 40' containers", "40", 40),
        ("10 tanks [corrected: 12]", "10 tanks", 10),
        ("10 tanks [corrected: 12]", "10", 10),
        ("10 [12] tanks", "10", 10),
        ("ten (12) tanks", "ten", 10),
        ("40 jets (some say 50)", "40 jets", 40),
        ("40 jets (others put it at 50)", "40", 40),
        ("up to, but not over, 40 jets", "40", 40),
        ("two 20-tank package deals", "20", 20),
        ("a 20-year package", "20", 20),
        ("on April 14 launchers came", "14", 14),
        ("in April 14 talks", "14", 14),
        ("not only 10 but 14 tanks", "10", 10),
        ("not only the 10 tanks", "10", 10),
    ],
)
def test_what_may_belong_to_a_number_leaves_it_unverified(passage, words, number):
    """Where the grammar cannot tell, neither agreement nor disagreement is claimed."""
    assert exactly(passage, words, number).result == "not_understood"


@pytest.mark.parametrize("denied", ["did not send", "didn't send", "was not able to send"])
def test_a_bound_that_is_denied_leaves_its_number_unverified(denied):
    """What is not more than 10 is at most 10; a plain number under a denial is the README's known hole."""
    assert check(f"It {denied} more than 10 tanks", "more than 10", 10, None).result == "not_understood"


def test_a_bound_of_the_next_number_is_no_bound_of_this_one():
    """Of "three launchers and at least 120 missiles" the first half is no minimum of three."""
    passage = "three launchers and at least 120 missiles"
    assert check(passage, "three launchers and at least", 3, None).result == "not_understood"
    assert exactly(passage, "three launchers", 3).result == "agrees"
    assert check("10 systems or more came", "10 systems or more", 10, None).result == "agrees"


def test_a_bound_beside_another_thing_stands_by_itself():
    """A second number with a noun of its own is no upper bound."""
    assert check("at least 10 and two guns", "at least 10", 10).result == "agrees"


@pytest.mark.parametrize("length", range(50, 110, 3))
def test_a_long_passage_is_read_near_the_number_alone(length):
    """Wherever the part that is read begins, it begins at a word."""
    passage = f"twenty-five {'x' * length} 10 systems with that {'Y' * length} million"
    assert exactly(passage, "10 systems", 10).result == "agrees"
    assert exactly(f"seventy{'-X' * length}-two 10 systems with that", "10", 10).result == "agrees"


def test_a_minimum_above_the_maximum_is_no_quantity():
    """The ends of a range are in order."""
    with pytest.raises(ValueError, match="greater than maximum"):
        Quantity(as_written="12-10", minimum=12, maximum=10)


def test_a_bound_means_no_other_end():
    """The message has the words, what they mean and what was said."""
    found = check("at least 10 systems", "at least 10 systems", 10, 10)
    assert found.result == "disagrees"
    assert found.message == "'at least 10 systems' means minimum 10 and no maximum; given minimum 10, maximum 10."
    assert check("at least 10 systems", "at least 10 systems", 10).result == "agrees"


@pytest.mark.parametrize(("words", "approximate"), [("about 40", False), ("40", True)])
def test_approximate_must_be_what_the_words_say(words, approximate):
    """It is wrong to call "about 40" exact, and wrong to call "40" approximate."""
    assert exactly(words, words, 40, approximate=approximate).result == "disagrees"
    assert exactly(words, words, 40, approximate=not approximate).result == "agrees"


def test_no_number_is_guessed_for_words_without_one():
    """Dozens are not 24, and both readings of `approximate` are fine for them."""
    assert check("dozens of tanks", "dozens", 24, None).result == "disagrees"
    assert check("dozens of tanks", "dozens").result == "agrees"
    assert check("dozens of tanks", "dozens", approximate=True).result == "agrees"


def test_words_that_are_not_understood_are_not_verified():
    """The message says so, and claims nothing about the numbers."""
    found = exactly("10 of 20 systems", "10 of 20 systems", 10)
    assert found.result == "not_understood"
    assert "'10 of 20 systems'" in found.message


@pytest.mark.parametrize(
    ("unit", "result"),
    [("systems", "agrees"), ("Patriot systems", "agrees"), ("system", "disagrees"), ("tanks", "disagrees"), ("", "disagrees")],
)
def test_a_unit_stands_among_the_words(unit, result):
    """A unit is whole words of `as_written`, side by side."""
    assert exactly("10 Patriot systems", "10 Patriot systems", 10, unit=unit).result == result


def test_a_sum_of_money_is_no_quantity():
    """A number with a currency, adjoining or in the words, is disagreed with."""
    assert exactly("$5 million", "5 million", 5_000_000).result == "disagrees"
    assert exactly("5 million dollars", "5 million dollars", 5_000_000).result == "disagrees"


def test_a_bare_magnitude_is_a_cut():
    """Words that mean nothing by themselves but are part of a number are disagreed with."""
    found = exactly("two hundred tanks", "hundred", 100)
    assert found.result == "disagrees"
    assert "'two hundred'" in found.message


def test_a_rate_is_noted():
    """What is said per month is read, and flagged."""
    assert "'a month'" in exactly("10 a month", "10", 10).assumed
    assert "'a month'" in exactly("10 systems a month", "10 systems a month", 10).assumed


def test_thousands_separators_of_another_language_are_not_believed():
    """In a text that is not English "1,234" may be a decimal."""
    passage = "Das sind 1,234 Tonnen für das Werk und die Stadt"
    value = Quantity(as_written="1,234", minimum=1234, maximum=1234)
    assert value.check(quote=passage, start=passage.index("1,234"), published=None).result == "not_understood"


def test_a_start_beyond_the_passage_does_not_raise():
    """The check answers whatever place it is given."""
    value = Quantity(as_written="10", minimum=10, maximum=10)
    for start in (-5, 0, 3, 99):
        assert value.check(quote="abc", start=start, published=None).result == "not_understood"
    assert value.check(quote="", start=0, published=None).result == "not_understood"


def test_a_number_is_compared_as_it_was_written():
    """A float of the model's JSON equals the decimal of the words."""
    assert exactly("2.1 tonnes", "2.1", 2.1).result == "agrees"
    assert exactly("10 tonnes", "10", 10.0).result == "agrees"


@given(st.integers(0, 10**15), st.sampled_from(["{}", "{:,}", "at least {:,}", "{:,} systems", "about {:,}", "a total of {:,}"]))
def test_a_formatted_number_is_read_back(number, style):
    """What is written with thousands separators is what is read."""
    reading = read_quantity(style.format(number))
    if reading is None:
        assert 1900 <= number <= 2100
        assert "," not in style.format(number)
        return
    assert reading.minimum == Decimal(number)


@given(st.text(max_size=60))
def test_reading_never_raises(text):
    """Any text is a reading or not understood."""
    read_quantity(text)


PIECES = [
    "10",
    "1,234",
    "1.234",
    "two",
    "hundred",
    "million",
    "at least",
    "between",
    "and",
    "to",
    "-",
    "–",
    "$",
    "€",
    "a",
    "half",
    "dozen",
    "(",
    ")",
    "%",
]
PIECES += [
    "or",
    "more",
    "F-16",
    "155mm",
    "about",
    "up to",
    "of",
    "systems",
    "²",
    "+",
    ".",
    ",",
    "\n\n",
    "from",
    "not",
    "some",
    "m",
    "bn",
    "Leopard",
    "May",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["", " "]), st.data())
def test_checking_never_raises(pieces, gap, data):
    """Any words at any place in any passage give a check."""
    passage = gap.join(pieces)
    start = data.draw(st.integers(0, len(passage)))
    end = data.draw(st.integers(start, len(passage)))
    value = Quantity(as_written=passage[start:end], minimum=1, maximum=2)
    assert value.check(quote=passage, start=start, published=None).result in {"agrees", "disagrees", "not_understood"}


def test_hostile_text_is_refused_quickly():
    """A value of 100 kB is not read at all, and a passage of that length only near its number."""
    assert read_quantity("1," * 50_000) is None
    passage = "10 " + "1,234 and " * 10_000
    assert exactly(passage, "10", 10).result == "not_understood"


@pytest.mark.parametrize("words", ["Ukraine", "the systems", "tanks"])
def test_words_without_any_number_certify_none(words):
    """In an English passage, words that hold neither a digit nor a word of counting cannot carry a number."""
    passage = "Norway will send the systems and tanks to Ukraine, the ministry said on Monday."
    found = Quantity(as_written=words, minimum=5000, maximum=5000).check(quote=passage, start=passage.index(words), published=None)
    assert found.result == "disagrees"
    assert "holds no number" in found.message


@pytest.mark.parametrize(
    ("passage", "words"),
    [
        ("Norway will send a couple of batteries to the front, and half of the shells.", "a couple of batteries"),
        ("Norway will send a battery to the front, and half of the shells.", "half of the shells"),
        ("Norwegen wird zwölf Systeme an die Ukraine liefern, sagte der Minister.", "zwölf Systeme"),
        ("Norveç Ukrayna'ya on sistem verecek.", "on sistem"),
    ],
)
def test_words_that_may_count_are_flagged_not_refused(passage, words):
    """Words of counting, and words of another language, may hold a number that the grammar does not know."""
    found = Quantity(as_written=words, minimum=12, maximum=12).check(quote=passage, start=passage.index(words), published=None)
    assert found.result == "not_understood"
