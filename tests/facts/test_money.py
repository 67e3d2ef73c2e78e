"""Sums of money: what their words mean, in which currency, and which words are only a part of a sum."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.facts.money import Money, MoneyReading, read_money
from extractor.facts.numbers.written import plain_number


def shown(reading: MoneyReading | None) -> str:
    """A reading as the table below writes it."""
    if reading is None:
        return "?"
    low, high = ("" if number is None else plain_number(number) for number in reading[:2])
    numbers = low if low == high else f"{low}..{high}"
    currency = reading.currency or "|".join(reading.currencies) or "-"
    own = ("~" if reading.approximate else "") + (numbers or "none") + f" {currency}"
    return " = ".join([own, *map(shown, reading.also)])


# The words, and what they mean: "5 USD", "5.. USD", "..5 USD", "5..7 USD", "~" for approximate, "none USD" for no numbers, "NOK|DKK" where
# the words leave that open, "-" where they name no currency, "= …" for the same sum in another one, "?" for not understood.
TABLE = [
    # signs
    ("$5", "5 USD"),
    ("$5.50", "5.5 USD"),
    ("$1,234", "1234 USD"),
    ("$1,234.56", "1234.56 USD"),
    ("$1.234,56", "1234.56 USD"),
    ("$1.234", "?"),
    ("$2025", "2025 USD"),
    ("$5m", "5000000 USD"),
    ("$5M", "5000000 USD"),
    ("$5 m", "5000000 USD"),
    ("$5mn", "5000000 USD"),
    ("$5mln", "5000000 USD"),
    ("$5 million", "5000000 USD"),
    ("$5-million", "5000000 USD"),
    ("$5 Million", "5000000 USD"),
    ("$5b", "5000000000 USD"),
    ("$5bn", "5000000000 USD"),
    ("$5 bn", "5000000000 USD"),
    ("$5bln", "5000000000 USD"),
    ("$5 billion", "5000000000 USD"),
    ("$1.5tn", "1500000000000 USD"),
    ("$1.5 trillion", "1500000000000 USD"),
    ("$10k", "10000 USD"),
    ("$5 thousand", "5000 USD"),
    ("$1.375 billion", "1375000000 USD"),
    ("$1.375 million", "?"),
    ("€5.000 million", "?"),
    ("€1.500 billion", "?"),
    ("$5 million Canadian", "?"),
    ("$10 (or €9) billion", "?"),
    ("$10 or €9 billion", "?"),
    ("$10, $20 and $30 million", "?"),
    ("$20 000", "?"),
    ("$1,234 million", "1234000000 USD"),
    ("$0.5 billion", "500000000 USD"),
    ("$61 billion", "61000000000 USD"),
    ("$ 5 million", "5000000 USD"),
    ("€240 million", "240000000 EUR"),
    ("€1.2bn", "1200000000 EUR"),
    ("€5", "5 EUR"),
    ("5 €", "5 EUR"),
    ("5€", "5 EUR"),
    ("5M€", "5000000 EUR"),
    ("500 million €", "500000000 EUR"),
    ("£6.7bn", "6700000000 GBP"),
    ("£3-billion", "3000000000 GBP"),
    ("£500", "500 GBP"),
    ("¥5 billion", "5000000000 JPY|CNY"),
    ("₽10bn", "10000000000 RUB"),
    ("₴500 million", "500000000 UAH"),
    ("₹500", "500 INR"),
    ("₪3 billion", "3000000000 ILS"),
    ("₩1 trillion", "1000000000000 KRW"),
    ("₺2bn", "2000000000 TRY"),
    ("20 zł", "20 PLN"),
    ("5 million zł", "5000000 PLN"),
    ("300 Kč", "300 CZK"),
    ("Nkr19.5bn", "19500000000 NOK"),
    ("RMB 5 billion", "5000000000 CNY"),
    ("kr 500 million", "500000000 SEK|NOK|DKK|ISK"),
    ("500 million kr", "500000000 SEK|NOK|DKK|ISK"),
    ("Fr 5 million", "5000000 CHF|XAF|XOF|XPF|BIF|CDF|DJF|GNF|KMF|RWF"),
    ("Rs 500 million", "500000000 INR|PKR|LKR|NPR|MUR|SCR"),
    ("Rs. 500", "500 INR|PKR|LKR|NPR|MUR|SCR"),
    ("US$5m", "5000000 USD"),
    ("U.S.$5m", "5000000 USD"),
    ("C$5 million", "5000000 CAD"),
    ("CA$5 million", "5000000 CAD"),
    ("A$5 million", "5000000 AUD"),
    ("AU$5 million", "5000000 AUD"),
    ("NZ$5 million", "5000000 NZD"),
    ("HK$5 million", "5000000 HKD"),
    ("S$5 million", "5000000 SGD"),
    ("NT$5 billion", "5000000000 TWD"),
    ("R$5 billion", "5000000000 BRL"),
    ("$US5 million", "5000000 USD"),
    ("$A5 million", "5000000 AUD"),
    ("E£5 billion", "?"),
    ("Z$5 million", "?"),
    # codes
    ("USD 5m", "5000000 USD"),
    ("USD5m", "5000000 USD"),
    ("EUR500m", "500000000 EUR"),
    ("EUR 1.2 billion", "1200000000 EUR"),
    ("5 million EUR", "5000000 EUR"),
    ("5m USD", "5000000 USD"),
    ("500 EUR", "500 EUR"),
    ("CHF 20 million", "20000000 CHF"),
    ("NOK 7bn", "7000000000 NOK"),
    ("7 billion NOK", "7000000000 NOK"),
    ("SAR 10 million", "10000000 SAR"),
    ("10 million SAR", "10000000 SAR"),
    ("10 SAR", "?"),
    ("$5 million CAD", "5000000 CAD"),
    ("CAD$5 million", "5000000 CAD"),
    ("$5 million USD", "5000000 USD"),
    ("$5 million EUR", "?"),
    ("usd 5", "?"),
    ("ABC 5 million", "?"),
    # words
    ("5 dollars", "5 USD"),
    ("one dollar", "1 USD"),
    ("5.1 million dollars", "5100000 USD"),
    ("5 million US dollars", "5000000 USD"),
    ("5 million U.S. dollars", "5000000 USD"),
    ("5 Milliarden US-Dollar", "5000000000 USD"),
    ("5 million Canadian dollars", "5000000 CAD"),
    ("5 million Australian dollars", "5000000 AUD"),
    ("5 million New Zealand dollars", "5000000 NZD"),
    ("5 million Hong Kong dollars", "5000000 HKD"),
    ("5 million Zimbabwean dollars", "?"),
    ("240 million euros", "240000000 EUR"),
    ("240 million euro", "240000000 EUR"),
    ("3.5 billion-euro", "3500000000 EUR"),
    ("five billion euros", "5000000000 EUR"),
    ("two and a half billion euros", "2500000000 EUR"),
    ("a billion dollars", "1000000000 USD"),
    ("half a billion dollars", "500000000 USD"),
    ("a hundred million dollars", "100000000 USD"),
    ("one and a half million euros", "1500000 EUR"),
    ("twenty-five thousand euros", "25000 EUR"),
    ("5 million pounds", "5000000 GBP"),
    ("5 million pounds sterling", "5000000 GBP"),
    ("500 pounds sterling", "500 GBP"),
    ("500 British pounds", "500 GBP"),
    ("5 million Egyptian pounds", "5000000 EGP"),
    ("500 pounds", "?"),
    ("500-pound", "?"),
    ("10 billion hryvnias", "10000000000 UAH"),
    ("10 billion hryvnia", "10000000000 UAH"),
    ("10 billion rubles", "10000000000 RUB"),
    ("10 billion roubles", "10000000000 RUB"),
    ("10 billion Belarusian rubles", "10000000000 BYN"),
    ("10 billion zlotys", "10000000000 PLN"),
    ("10 billion yen", "10000000000 JPY"),
    ("10 billion yuan", "10000000000 CNY"),
    ("10 billion won", "10000000000 KRW"),
    ("10 won", "?"),
    ("10 billion Turkish lira", "10000000000 TRY"),
    ("10 billion lira", "10000000000 TRY"),
    ("10 billion rupees", "10000000000 INR|PKR|LKR|NPR|MUR|SCR"),
    ("10 billion Indian rupees", "10000000000 INR"),
    ("10 million shekels", "10000000 ILS"),
    ("about seven billion kroner", "~7000000000 NOK|DKK"),
    ("seven billion Norwegian kroner", "7000000000 NOK"),
    ("7 billion Danish kroner", "7000000000 DKK"),
    ("7 billion kronor", "7000000000 SEK"),
    ("7 billion Swedish kronor", "7000000000 SEK"),
    ("7 billion Swedish kroner", "?"),
    ("10 million Israeli shekels", "10000000 ILS"),
    ("10 million Ukrainian hryvnias", "10000000 UAH"),
    ("10 million Polish zlotys", "10000000 PLN"),
    ("10 million South African rand", "10000000 ZAR"),
    ("10 million CFA francs", "?"),
    ("10 million Congolese francs", "?"),
    ("10 million South Sudanese pounds", "?"),
    ("7 billion krona", "7000000000 SEK|ISK"),
    ("7 billion koruna", "7000000000 CZK"),
    ("7 billion crowns", "7000000000 CZK|SEK|NOK|DKK|ISK"),
    ("7 billion Czech crowns", "7000000000 CZK"),
    ("10 million Swiss francs", "10000000 CHF"),
    ("10 million francs", "10000000 CHF|XAF|XOF|XPF|BIF|CDF|DJF|GNF|KMF|RWF"),
    ("10 billion forints", "10000000000 HUF"),
    ("5 Milliarden Euro", "5000000000 EUR"),
    ("1,5 Milliarden Euro", "1500000000 EUR"),
    ("1,5 Mrd. Euro", "1500000000 EUR"),
    ("500 Mio. Euro", "500000000 EUR"),
    ("500 Millionen Euro", "500000000 EUR"),
    ("2025 dollars", "?"),
    # no currency
    ("5m", "5000000 -"),
    ("5 million", "5000000 -"),
    ("10", "?"),
    ("10,000", "?"),
    ("5 million barrels", "?"),
    # ranges
    ("between $10-30 billion", "10000000000..30000000000 USD"),
    ("$10-30 billion", "10000000000..30000000000 USD"),
    ("$10–30 billion", "10000000000..30000000000 USD"),
    ("$10-$30 billion", "10000000000..30000000000 USD"),
    ("$10bn-$30bn", "10000000000..30000000000 USD"),
    ("between $10 billion and $30 billion", "10000000000..30000000000 USD"),
    ("between $10 and $30 billion", "10000000000..30000000000 USD"),
    ("between 10 and 30 billion dollars", "10000000000..30000000000 USD"),
    ("$10 to $30 billion", "10000000000..30000000000 USD"),
    ("from €5m to €7m", "5000000..7000000 EUR"),
    ("$500 million to $1 billion", "500000000..1000000000 USD"),
    ("$800m-$1.2bn", "800000000..1200000000 USD"),
    ("$1.5-2 billion", "1500000000..2000000000 USD"),
    ("US$10 to $30 billion", "10000000000..30000000000 USD"),
    ("two to three billion euros", "2000000000..3000000000 EUR"),
    ("two or three billion euros", "2000000000..3000000000 EUR"),
    ("$500 to $1 billion", "?"),
    ("$10 to €30 billion", "?"),
    ("$30-10 billion", "?"),
    ("$5-10,000", "?"),
    ("$10 million to $30", "?"),
    # bounds and approximators
    ("at least $5 billion", "5000000000.. USD"),
    ("more than €1 billion", "1000000000.. EUR"),
    ("over $5bn", "5000000000.. USD"),
    ("$5 billion or more", "5000000000.. USD"),
    ("$5 billion-plus", "5000000000.. USD"),
    ("$5bn+", "5000000000.. USD"),
    ("no less than $5bn", "5000000000.. USD"),
    ("up to $5 million", "..5000000 USD"),
    ("as much as $5 million", "..5000000 USD"),
    ("less than $5 million", "..5000000 USD"),
    ("no more than €20 million", "..20000000 EUR"),
    ("up to about $5 million", "~..5000000 USD"),
    ("about $5 billion", "~5000000000 USD"),
    ("some €3 billion", "~3000000000 EUR"),
    ("nearly $5bn", "~5000000000 USD"),
    ("almost a billion dollars", "~1000000000 USD"),
    ("an estimated $5 billion", "~5000000000 USD"),
    ("roughly $10 to $12 billion", "~10000000000..12000000000 USD"),
    ("~$5bn", "~5000000000 USD"),
    ("$5 billion or so", "~5000000000 USD"),
    ("$5 billion package or more", "5000000000.. USD"),
    ("$5 billion package or less", "..5000000000 USD"),
    ("$5 billion package or so", "~5000000000 USD"),
    ("€5 million ($6 million each)", "?"),
    ("€5 ($6) package", "5 EUR = 6 USD"),
    ("just over $5 billion", "?"),
    ("just under $5 billion", "?"),
    # several currencies
    ("€240 ($258) million", "240000000 EUR = 258000000 USD"),
    ("about €240 ($258) million", "~240000000 EUR = 258000000 USD"),
    ("€240 million ($258 million)", "240000000 EUR = 258000000 USD"),
    ("€7.8bn ($8.7bn, £6.7bn)", "7800000000 EUR = 8700000000 USD = 6700000000 GBP"),
    ("C$410 million ($300 million, or €258 million)", "410000000 CAD = 300000000 USD = 258000000 EUR"),
    ("19 billion Norwegian kroner ($ 1.98 billion)", "19000000000 NOK = 1980000000 USD"),
    ("4.6-billion-rupee", "4600000000 INR|PKR|LKR|NPR|MUR|SCR"),
    ("$1.7 billion (€1.5 billion)", "1700000000 USD = 1500000000 EUR"),
    ("7 billion kroner (about $690 million)", "7000000000 NOK|DKK = ~690000000 USD"),
    ("$5 billion (of which half)", "?"),
    # no numbers
    ("billions of dollars", "none USD"),
    ("billions", "none -"),
    ("hundreds of millions of euros", "none EUR"),
    ("tens of billions of dollars", "none USD"),
    ("several billion dollars", "none USD"),
    ("a few million euros", "none EUR"),
    ("several hundred million dollars", "none USD"),
    ("millions", "none -"),
    ("dollars", "?"),
    ("the dollar", "?"),
    ("multi-billion-dollar", "?"),
    ("a billion-dollar deal", "1000000000 USD"),
    # what stands around
    ("a $3 billion package", "3000000000 USD"),
    ("the $61 billion", "61000000000 USD"),
    ("an additional €2 billion", "2000000000 EUR"),
    ("a total of $5bn", "5000000000 USD"),
    ("another $5bn", "5000000000 USD"),
    ("a record $5bn", "5000000000 USD"),
    ("$5 billion in military aid", "5000000000 USD"),
    ("$5 billion loan", "5000000000 USD"),
    ("$100 million F-16 package", "100000000 USD"),
    ("$2 billion a year", "2000000000 USD"),
    ("$4 million each", "4000000 USD"),
    ("“$5 billion”", "5000000000 USD"),
    ("$5 billion,", "5000000000 USD"),
    ("a £3-billion-a-year package", "?"),
    ("$5 billion over three years", "?"),
    ("$5 billion of $61 billion", "?"),
    ("$5 billion and €3 billion", "?"),
    # what is no sum, or not surely this one
    ("50 cents", "?"),
    ("5%", "?"),
    ("5 percent", "?"),
    ("$5%", "?"),
    ("-$5", "?"),
    ("$-5", "?"),
    ("$", "?"),
    ("a third of a billion dollars", "?"),
    ("a quarter of a billion dollars", "?"),
    ("2,5 million euros", "?"),
    ("€1,5 billion", "?"),
    ("1.234 Millionen Euro", "?"),
    ("2 Billionen Euro", "?"),
    ("1 Billion Euro", "?"),
    ("1.2 Billion Euro", "?"),
    ("1,2 milliards", "1200000000 -"),
    ("1,2 milliards d'euros", "?"),
    ("500 millions d'euros", "?"),
    ("1 billion d'euros", "?"),
    ("5 millones de euros", "?"),
    ("5 mil millones de euros", "?"),
    ("$5 mil", "?"),
    ("5 miliardów złotych", "?"),
    ("5 млрд долларов", "?"),
    ("5 мільйонів гривень", "?"),
    ("₴5 млн", "?"),
    ("$5 crore", "?"),
    ("Rs 5 lakh crore", "?"),
    ("$5²", "?"),
    ("$٥", "?"),
    ("rund 5 Milliarden Euro", "?"),
    ("5万円", "?"),
    ("", "?"),
    ("$" * 300, "?"),
]


@pytest.mark.parametrize(("words", "meaning"), TABLE)
def test_a_sum_is_read_as_it_is_meant_or_not_at_all(words, meaning):
    """Each row was decided by hand; none may be read as anything else."""
    assert shown(read_money(words)) == meaning


ENGLISH = "\n\nThey said that this would have been known by then."
"""What shows that a passage of a few words is English."""


def check(passage: str, words: str, minimum=None, maximum=None, currency=None, *, approximate=False):
    """The check of a sum whose words stand in a passage."""
    value = Money(as_written=words, minimum=minimum, maximum=maximum, currency=currency, approximate=approximate)
    return value.check(quote=f"{passage}{ENGLISH}", start=passage.index(words), published=None)


def exactly(passage: str, words: str, amount: str, currency=None, **kwargs):
    """The check of a plain sum."""
    return check(passage, words, amount, amount, currency, **kwargs)


DEAL = "a deal worth between $10-30 billion for drones"


@pytest.mark.parametrize(
    ("passage", "words", "amount", "currency", "whole"),
    [
        (DEAL, "$10", "10", "USD", "between $10-30 billion"),
        (DEAL, "30 billion", "30000000000", None, "between $10-30 billion"),
        (DEAL, "$10-30", "10", "USD", "between $10-30 billion"),
        (DEAL, "10-30 billion", "10", "USD", "between $10-30 billion"),
        ("$10-30 billion", "30 billion", "30000000000", "USD", "$10-30 billion"),
        ("$5 million", "$5", "5", "USD", "$5 million"),
        ("$5 million", "5 million", "5000000", None, "$5 million"),
        ("5 million dollars", "5 million", "5000000", None, "5 million dollars"),
        ("5 million Norwegian kroner", "5 million", "5000000", "NOK", "5 million Norwegian kroner"),
        ("EUR 5 million", "5 million", "5000000", "EUR", "EUR 5 million"),
        ("A$5 million", "$5 million", "5000000", "USD", "A$5 million"),
        ("$5 million CAD", "$5 million", "5000000", "USD", "$5 million CAD"),
        ("at least $5bn", "$5bn", "5000000000", "USD", "at least $5bn"),
        ("up to $5bn", "$5bn", "5000000000", "USD", "up to $5bn"),
        ("about $5bn", "$5bn", "5000000000", "USD", "about $5bn"),
        ("$5bn or more", "$5bn", "5000000000", "USD", "$5bn or more"),
        ("$1,200,000", "$1,200", "1200", "USD", "$1,200,000"),
        ("$1.25 billion", "25 billion", "25000000000", None, "$1.25 billion"),
        ("half a billion dollars", "a billion dollars", "1000000000", "USD", "half a billion dollars"),
        ("two and a half billion euros", "a half billion euros", "500000000", "EUR", "two and a half billion euros"),
        ("€240 ($258) million", "€240", "240", "EUR", "€240 ($258) million"),
        ("€240 ($258) million", "$258", "258", "USD", "€240 ($258) million"),
        ("$3 billion", "billion", "1000000000", None, "$3 billion"),
        ("several billion dollars", "billion dollars", "1000000000", "USD", "several billion dollars"),
    ],
)
def test_a_sum_cut_out_of_a_larger_one_disagrees(passage, words, amount, currency, whole):
    """What adjoins the words and belongs to the sum must be among them, its currency too; the message gives all of it."""
    found = exactly(passage, words, amount, currency)
    assert found.result == "disagrees"
    assert repr(whole) in found.message


@pytest.mark.parametrize(
    ("passage", "words", "amount", "currency"),
    [
        ("€5 million and $3 million", "€5 million", "5000000", "EUR"),
        ("€5 million and £3 million", "£3 million", "3000000", "GBP"),
        ("€5m, £3m and €2m", "£3m", "3000000", "GBP"),
        ("In 2024 €5 million was paid", "€5 million", "5000000", "EUR"),
        ("10 systems worth €5 million", "€5 million", "5000000", "EUR"),
        ("€5 million for 10 systems", "€5 million", "5000000", "EUR"),
        ("€5 million to 10 countries", "€5 million", "5000000", "EUR"),
        ("€5 million to Ukraine", "€5 million", "5000000", "EUR"),
        ("a €5 million loan", "€5 million", "5000000", "EUR"),
        ("the €5 million", "€5 million", "5000000", "EUR"),
        ("€1.7 billion ($1.9 billion)", "€1.7 billion", "1700000000", "EUR"),
        ("€7.8bn ($8.7bn, £6.7bn)", "£6.7bn", "6700000000", "GBP"),
        ("between Kyiv and €5 million", "€5 million", "5000000", "EUR"),
        ("€5 million in 10 tranches", "€5 million in", "5000000", "EUR"),
        ("€5 million—10 percent more", "€5 million", "5000000", "EUR"),
        ("(€5 million)", "€5 million", "5000000", "EUR"),
        ("€5 million. 10 systems", "€5 million", "5000000", "EUR"),
        ("the Norwegian state gave €5 million", "€5 million", "5000000", "EUR"),
        ("€5 million, more than all others", "€5 million", "5000000", "EUR"),
        ("€5 million to buy more than 10 systems", "€5 million", "5000000", "EUR"),
        ("€5 million, or $6 million,", "€5 million", "5000000", "EUR"),
    ],
)
def test_what_only_stands_beside_a_sum_is_no_part_of_it(passage, words, amount, currency):
    """Other sums, years, counts and brackets next to a sum leave it alone."""
    found = exactly(passage, words, amount, currency)
    assert found.result == "agrees"
    assert not found.assumed


@pytest.mark.parametrize(
    ("passage", "words", "amount", "currency"),
    [
        ("a row over €5 million", "€5 million", "5000000", "EUR"),
        ("rose from €5 million to €7 million", "€7 million", "7000000", "EUR"),
        ("rund 5 Milliarden Euro", "5 Milliarden Euro", "5000000000", "EUR"),
        ("5 million pounds of explosives", "5 million pounds", "5000000", "GBP"),
        ("a £3-billion-a-year package", "£3-billion", "3000000000", "GBP"),
        ("just over €5 million", "€5 million", "5000000", "EUR"),
        ("raised it by €19.2 billion to €110.1 billion", "€19.2 billion", "19200000000", "EUR"),
        ("raised it by €19.2 billion to €110.1 billion", "€110.1 billion", "110100000000", "EUR"),
        ("₹500 cr", "₹500", "500", "INR"),
        ("Rs 3,000 crore", "Rs 3,000", "3000", "INR"),
        ("€10, €20 and €30 million", "€10", "10", "EUR"),
        ("€10, €20 and €30 million", "€20", "20", "EUR"),
        ("€10 (or $11) million", "€10", "10", "EUR"),
        ("turned over €5 million", "€5 million", "5000000", "EUR"),
        ("a third of a billion euros", "a billion euros", "1000000000", "EUR"),
        ("€20 000", "€20", "20", "EUR"),
        ("5 million in aid", "5 million", "5000000", "USD"),
        ("€5–10,000", "€5", "5", "EUR"),
        ("€5 - €7 million", "€7 million", "7000000", "EUR"),
        ("€5 or even €7 million", "€5", "5", "EUR"),
        ("€5 million, or maybe €7 million", "€5 million", "5000000", "EUR"),
        ("the bill runs past €5 million", "€5 million", "5000000", "EUR"),
        ("the bill is nearing €5 million", "€5 million", "5000000", "EUR"),
        ("a sum north of €5 million", "€5 million", "5000000", "EUR"),
        ("€5 million too little", "€5 million", "5000000", "EUR"),
        ("2/3 of €5 million", "€5 million", "5000000", "EUR"),
        ("€5 million and change", "€5 million", "5000000", "EUR"),
        ("15 million 300 thousand euros", "300 thousand euros", "300000", "EUR"),
        ("€15 [sic] million", "€15", "15", "EUR"),
        ('€15 "million"', "€15", "15", "EUR"),
        ("€15 “million”", "€15", "15", "EUR"),
        ("€15 'million'", "€15", "15", "EUR"),
        ("€15 million [corrected: €12 million]", "€15 million", "15000000", "EUR"),
        ("€15 million (some say 20 million)", "€15 million", "15000000", "EUR"),
    ],
)
def test_what_may_belong_to_a_sum_leaves_it_unverified(passage, words, amount, currency):
    """Where the grammar cannot tell, neither agreement nor disagreement is claimed."""
    assert exactly(passage, words, amount, currency).result == "not_understood"


def test_a_magnitude_in_another_language_is_not_believed():
    """A Norwegian "billion" is 10^12."""
    value = Money(as_written="2 billion kroner", minimum="2000000000", maximum="2000000000", currency="NOK")
    passage = "2 billion kroner er mye penger og det er av staten, som vi har til"
    assert value.check(quote=passage, start=0, published=None).result == "not_understood"


def test_a_sum_that_is_what_its_words_mean_agrees():
    """The founding article's deal: both ends have the magnitude, and a bare $ is noted."""
    found = check(DEAL, "between $10-30 billion", "10000000000", "30000000000", "USD")
    assert found.result == "agrees"
    assert found.assumed == "bare $ read as USD"


@pytest.mark.parametrize(
    ("minimum", "maximum", "currency", "approximate"),
    [
        ("10", "30", "USD", False),
        ("10", "30000000000", "USD", False),
        ("10000000000", None, "USD", False),
        ("20000000000", "20000000000", "USD", False),
        ("10000000000", "30000000000", "USD", True),
        ("10000000000", "30000000000", "EUR", False),
        ("10000000000", "30000000000", "CAD", False),
    ],
)
def test_a_sum_that_differs_from_its_words_disagrees(minimum, maximum, currency, approximate):
    """A lost magnitude, a lost end, a mean, another flag, another currency."""
    found = check(DEAL, "between $10-30 billion", minimum, maximum, currency, approximate=approximate)
    assert found.result == "disagrees"
    assert "given" in found.message


def test_a_bare_dollar_left_open_is_flagged_and_not_wrong():
    """A missing currency is no wrong one where the words alone do not settle it; where they do, it disagrees."""
    assert check(DEAL, "between $10-30 billion", "10000000000", "30000000000", None).result == "not_understood"
    assert exactly("€240 million", "€240 million", "240000000", None).result == "disagrees"


def test_the_message_says_what_the_words_mean():
    """It is shown to people and to the model."""
    found = exactly("€240 million", "€240 million", "240", "EUR")
    assert found.message == "'€240 million' means minimum 240000000, maximum 240000000; given minimum 240, maximum 240."


def test_another_dollar_needs_its_state_in_the_passage():
    """A bare $ is USD; CAD agrees, with a note, only where Canada is named."""
    assert exactly("$5 million", "$5 million", "5000000", "CAD").result == "disagrees"
    found = exactly("the Canadian government gave $5 million", "$5 million", "5000000", "CAD")
    assert found.result == "agrees"
    assert "CAD" in found.assumed
    assert exactly("the Canadian government gave $5 million", "$5 million", "5000000", "USD").assumed == "bare $ read as USD"
    assert exactly("the Canadian government gave $5 million", "$5 million", "5000000", "AUD").result == "disagrees"


KRONER = "about seven billion kroner"


@pytest.mark.parametrize(
    ("passage", "currency", "result", "is_noted"),
    [
        ("The Norwegian government gave {}.", "NOK", "agrees", False),
        ("The Norwegian government gave {}.", "DKK", "disagrees", False),
        ("The Norwegian government gave {}.", None, "disagrees", False),
        ("Norway and Denmark gave {}.", "DKK", "agrees", True),
        ("Norway and Denmark gave {}.", None, "agrees", True),
        ("They gave {}.", "NOK", "agrees", True),
        ("They gave {}.", "DKK", "agrees", True),
        ("They gave {}.", None, "agrees", True),
        ("They gave {}.", "SEK", "disagrees", False),
        ("They gave {}.", "EUR", "disagrees", False),
        ("Sweden gave {}.", "SEK", "disagrees", False),
    ],
)
def test_a_word_of_several_states_takes_its_state_from_the_passage(passage, currency, result, is_noted):
    """Kroner are Norwegian or Danish: the passage settles it, or it stays open and is noted."""
    found = exactly(passage.format(KRONER), KRONER, "7000000000", currency, approximate=True)
    assert found.result == result
    assert bool(found.assumed) == is_noted


def test_a_state_word_before_the_currency_settles_it():
    """Nothing is assumed then, and no other code agrees."""
    words = "7 billion Norwegian kroner"
    assert exactly(words, words, "7000000000", "NOK") == ("agrees", "", "")
    assert exactly(words, words, "7000000000", "DKK").result == "disagrees"


def test_a_minimum_above_the_maximum_is_no_sum():
    """The ends of a range are in order, and a sum has a size that can be written out."""
    with pytest.raises(ValueError, match="greater than maximum"):
        Money(as_written="$5", minimum="5", maximum="4", currency="USD")
    with pytest.raises(ValueError, match="less than or equal"):
        Money(as_written="$5", minimum="1e999999999", maximum=None, currency="USD")


def test_no_number_is_guessed_for_billions():
    """Words without a number have a currency, and no amount."""
    assert check("billions of dollars", "billions of dollars", "1000000000", None, "USD").result == "disagrees"
    assert check("billions of dollars", "billions of dollars", None, None, "USD").result == "agrees"


def test_a_rate_is_noted():
    """What is paid per year or per piece is read, and flagged beside any other note."""
    assert "'a year'" in exactly("€2 billion a year", "€2 billion", "2000000000", "EUR").assumed
    found = exactly("$4 million each", "$4 million each", "4000000", "USD")
    assert found.assumed == "bare $ read as USD; 'each' makes '$4 million each' a rate; the sum alone is read"


def test_words_without_a_currency_are_compared_by_number():
    """With no currency near, none is needed; one that is given cannot be verified."""
    assert exactly("he asked for 5 million", "5 million", "5000000").result == "agrees"
    assert exactly("he asked for 5 million", "5 million", "6000000").result == "disagrees"


@given(
    st.integers(1, 10**6),
    st.sampled_from([("${}", 1, "USD"), ("€{}m", 10**6, "EUR"), ("£{} billion", 10**9, "GBP"), ("{} million euros", 10**6, "EUR")]),
    st.sampled_from(["{}", "{:,}"]),
)
def test_a_formatted_sum_is_read_back(number, style, digits):
    """What is written with a magnitude and a currency is what is read."""
    pattern, factor, currency = style
    reading = read_money(pattern.format(digits.format(number)))
    assert reading is not None
    assert (reading.minimum, reading.maximum, reading.currency) == (number * factor, number * factor, currency)


@given(st.decimals(min_value=Decimal("0.1"), max_value=999, places=1), st.decimals(min_value=Decimal("0.1"), max_value=999, places=1))
def test_a_range_of_sums_is_read_back_or_not_at_all(low, high):
    """Both ends take the magnitude; a range that does not rise is not understood."""
    reading = read_money(f"${low}-{high} billion")
    if low < high:
        assert reading is not None
        assert (reading.minimum, reading.maximum) == (low * 10**9, high * 10**9)
    else:
        assert reading is None


@given(st.text(max_size=60))
def test_reading_never_raises(text):
    """Any text is a reading or not understood."""
    read_money(text)


PIECES = [
    "10",
    "1,234",
    "1.234",
    "two",
    "million",
    "bn",
    "between",
    "and",
    "to",
    "-",
    "$",
    "€",
    "US",
    "kroner",
    "dollars",
    "Norwegian",
    "(",
    ")",
    "pounds",
]
PIECES += [
    "of",
    "billions",
    "several",
    "a",
    "year",
    "half",
    "%",
    "USD",
    "/",
    ",",
    "or",
    "more",
    "each",
    "at least",
    "Euro",
    "Billion",
    "C",
    "²",
    "sterling",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["", " "]), st.data())
def test_checking_never_raises(pieces, gap, data):
    """Any words at any place in any passage give a check."""
    passage = gap.join(pieces)
    start = data.draw(st.integers(0, len(passage)))
    end = data.draw(st.integers(start, len(passage)))
    value = Money(as_written=passage[start:end], minimum="1", maximum="2", currency="USD")
    assert value.check(quote=passage, start=start, published=None).result in {"agrees", "disagrees", "not_understood"}


def test_hostile_text_is_refused_quickly():
    """A value of 100 kB is not read at all, and a passage of that length only near its sum."""
    assert read_money("$1," * 50_000) is None
    passage = "€10 million for " + "($1, €2) and " * 10_000
    assert exactly(passage, "€10 million", "10000000", "EUR").result == "agrees"


@pytest.mark.parametrize(
    ("passage", "also", "is_same"),
    [
        ("The bank will lend €7 billion ($8.7bn, £6.7bn) to the state.", ["$8.7bn", "£6.7bn"], True),
        ("The bank will lend €7 billion, or about $8.7 billion, to the state.", ["$8.7 billion"], True),
        ("The bank will lend €7 billion, which is equivalent to $8.7 billion, to the state.", ["$8.7 billion"], True),
        ("The bank will lend €7 billion (8.7\u00a0billion dollars) to the state.", ["8.7 billion dollars"], True),
        ("The bank will lend €7 billion, the equivalent of $8.7 billion, to the state.", ["$8.7 billion"], True),
        ("The bank will lend €7 billion ($8.7bn) and is owed $9 million.", ["$9 million"], False),
        ("The bank will lend €7 billion and $9 million to the state.", ["$9 million"], False),
        ("The bank will lend €7 billion. Of that $9 million is for the state.", ["$9 million"], False),
        ("The bank was lent $9 million and will lend €7 billion to the state.", ["$9 million"], False),
    ],
)
def test_another_sum_is_not_taken_for_the_same_one(passage, also, is_same):
    """What is said to be the same sum stands right behind it; a sum from elsewhere in the quote is noted."""
    value = Money(as_written="€7 billion", minimum="7000000000", maximum="7000000000", currency="EUR", also_stated=also)
    check = value.check(quote=passage, start=passage.index("€7"), published=None)
    assert check.result == "agrees"
    assert bool(check.assumed) is not is_same
