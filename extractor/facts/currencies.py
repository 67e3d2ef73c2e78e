"""Which currency a mark, a code or a word stands for: "$", "EUR", "Norwegian kroner".

In: tokens. Out: `Currency`: every ISO 4217 code that the words allow. Floor: facts.
Before changing it: a word that several states use stays open until a state word settles it; only a bare "$" and a few words have a default.
"""

from typing import NamedTuple

from extractor.facts.tokens import Token, is_glued, is_kind, word_at


class Currency(NamedTuple):
    """What a currency mark can stand for."""

    codes: tuple[str, ...]
    """Every ISO 4217 code that it allows."""
    default: str | None
    """The one that is read when nothing says otherwise; None where that would be a guess."""
    words: str = ""
    """The mark as it is written, for messages."""

    @property
    def is_settled(self) -> bool:
        """Whether only one code is possible."""
        return len(self.codes) == 1


def _settled(code: str) -> Currency:
    return Currency((code,), code)


# Active codes of ISO 4217 (https://www.iso.org/iso-4217-currency-codes.html); ALL, TOP and CUP are left out: headlines write them as words.
_ISO = frozenset(
    "AED AFN AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CVE CZK DJF DKK "
    "DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW "
    "KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR "
    "PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TRY TTD TWD TZS UAH UGX USD UYU UZS VES "
    "VND VUV WST XAF XCD XOF XPF YER ZAR ZMW".split()
)
# Codes that mean nothing else in news; any other is read after a number only where that has a magnitude: "10 SAR satellites", "17 SDG targets".
_PLAIN_CODES = frozenset("USD EUR GBP CHF JPY CNY RUB UAH PLN SEK NOK DKK CZK HUF AUD NZD INR KRW ILS".split())
_DOLLARS = ("USD", "AUD", "BBD", "BSD", "CAD", "FJD", "GYD", "HKD", "JMD", "LRD", "NAD", "NZD", "SGD", "TTD", "TWD", "XCD")
_DOLLAR = Currency(_DOLLARS, "USD")
_YEN_OR_YUAN = Currency(("JPY", "CNY"), None)
_KR = Currency(("SEK", "NOK", "DKK", "ISK"), None)
_RUPEE = Currency(("INR", "PKR", "LKR", "NPR", "MUR", "SCR"), None)
_FRANC = Currency(("CHF", "XAF", "XOF", "XPF", "BIF", "CDF", "DJF", "GNF", "KMF", "RWF"), None)
_POUND = Currency(("GBP", "EGP", "LBP", "SYP", "SDG", "SSP", "GIP", "FKP", "SHP"), "GBP")
_SYMBOLS = {"$": _DOLLAR, "¥": _YEN_OR_YUAN}
_SYMBOLS |= {
    symbol: _settled(code)
    for symbol, code in {
        **{"€": "EUR", "£": "GBP", "₽": "RUB", "₴": "UAH", "₹": "INR", "₩": "KRW", "₪": "ILS", "₺": "TRY", "₫": "VND", "₦": "NGN"},
        **{"₱": "PHP", "฿": "THB", "₸": "KZT", "₼": "AZN", "₾": "GEL", "₡": "CRC", "₲": "PYG", "₵": "GHS", "₭": "LAK", "₮": "MNT"},
    }.items()
}
_BEFORE_DOLLAR = {"us": "USD", "u.s.": "USD", "usd": "USD", "c": "CAD", "ca": "CAD", "can": "CAD", "cdn": "CAD", "cad": "CAD", "a": "AUD"}
_BEFORE_DOLLAR |= {
    "au": "AUD",
    "aud": "AUD",
    "nz": "NZD",
    "nzd": "NZD",
    "hk": "HKD",
    "hkd": "HKD",
    "s": "SGD",
    "sg": "SGD",
    "nt": "TWD",
    "r": "BRL",
}
_AFTER_DOLLAR = {"us": "USD", "a": "AUD", "nz": "NZD", "c": "CAD", "can": "CAD", "hk": "HKD"}  # Australian papers write "$US5"
_SIGN_WORDS = {"kr": _KR, "Kr": _KR, "Rs": _RUPEE, "Fr": _FRANC, "SFr": _settled("CHF"), "zł": _settled("PLN"), "Kč": _settled("CZK")}
_CROWN = Currency(("CZK", "SEK", "NOK", "DKK", "ISK"), None)
_PESO = Currency(("MXN", "ARS", "CLP", "COP", "PHP", "UYU", "DOP"), None)
_DINAR = Currency(("RSD", "IQD", "KWD", "JOD", "BHD", "DZD", "LYD", "TND", "MKD"), None)
_WORDS: dict[str, Currency] = {
    **dict.fromkeys(["dollar", "dollars"], _DOLLAR),
    **dict.fromkeys(["euro", "euros"], _settled("EUR")),
    **dict.fromkeys(["pound", "pounds"], _POUND),
    "sterling": _settled("GBP"),
    "yen": _settled("JPY"),
    **dict.fromkeys(["yuan", "renminbi"], _settled("CNY")),
    "won": Currency(("KRW", "KPW"), "KRW"),
    **dict.fromkeys(["hryvnia", "hryvnias", "hryvnya", "hryvnyas", "hryvna", "hryvnas", "hryven"], _settled("UAH")),
    **dict.fromkeys(["ruble", "rubles", "rouble", "roubles"], Currency(("RUB", "BYN"), "RUB")),
    **dict.fromkeys(["zloty", "zlotys", "zloties", "zlotych", "złoty", "złotych", "złotys"], _settled("PLN")),
    **dict.fromkeys(["lira", "liras"], Currency(("TRY", "SYP", "LBP"), "TRY")),
    **dict.fromkeys(["rupee", "rupees"], _RUPEE),
    **dict.fromkeys(["shekel", "shekels"], _settled("ILS")),
    **dict.fromkeys(["krone", "kroner"], Currency(("NOK", "DKK"), None)),
    "kronor": _settled("SEK"),
    "krona": Currency(("SEK", "ISK"), None),
    "kronur": _settled("ISK"),
    **dict.fromkeys(["koruna", "korunas", "koruny", "korun"], _settled("CZK")),
    **dict.fromkeys(["crown", "crowns"], _CROWN),
    **dict.fromkeys(["franc", "francs"], _FRANC),
    **dict.fromkeys(["peso", "pesos"], _PESO),
    **dict.fromkeys(["dinar", "dinars"], _DINAR),
    **dict.fromkeys(["dirham", "dirhams"], Currency(("AED", "MAD"), None)),
    **dict.fromkeys(["riyal", "riyals"], Currency(("SAR", "QAR", "OMR", "YER"), None)),
    **dict.fromkeys(["rial", "rials"], Currency(("IRR", "OMR", "YER"), None)),
    **dict.fromkeys(["forint", "forints"], _settled("HUF")),
    **dict.fromkeys(["tenge"], _settled("KZT")),
    **dict.fromkeys(["rupiah"], _settled("IDR")),
    **dict.fromkeys(["ringgit", "ringgits"], _settled("MYR")),
    **dict.fromkeys(["baht"], _settled("THB")),
    **dict.fromkeys(["naira"], _settled("NGN")),
    **dict.fromkeys(["rand"], _settled("ZAR")),
    **dict.fromkeys(["dong"], _settled("VND")),
    **dict.fromkeys(["lari"], _settled("GEL")),
    **dict.fromkeys(["leu", "lei"], Currency(("RON", "MDL"), None)),
    **dict.fromkeys(["lev", "leva"], _settled("BGN")),
    **dict.fromkeys(["reais"], _settled("BRL")),
}
# Also weights, verbs and names: a currency only after a magnitude ("500 pounds" may be a bomb, "10 won" a verb).
_LOOSE = frozenset({"pound", "pounds", "won", "crown", "crowns", "rand", "dong", "lei", "lev", "real", "sterling"})

# What points to a state, by the two letters with which its currency's code begins.
_STATES: dict[str, str] = {
    word: prefix
    for prefix, words in {
        "US": "us u.s. american america united_states",
        "CA": "canadian canada",
        "AU": "australian australia",
        "NZ": "new_zealand",
        "HK": "hong_kong",
        "SG": "singapore singaporean",
        "TW": "taiwan taiwanese",
        "JM": "jamaican jamaica",
        "NO": "norwegian norway",
        "DK": "danish denmark",
        "SE": "swedish sweden",
        "IS": "icelandic iceland",
        "CZ": "czech czechia",
        "CH": "swiss switzerland",
        "XO": "cfa",
        "RW": "rwandan rwanda",
        "GB": "british britain uk u.k. united_kingdom",
        "EG": "egyptian egypt",
        "LB": "lebanese lebanon",
        "SY": "syrian syria",
        "SD": "sudanese sudan",
        "TR": "turkish turkey türkiye",
        "IN": "indian india",
        "PK": "pakistani pakistan",
        "LK": "lankan lanka",
        "NP": "nepalese nepali nepal",
        "JP": "japanese japan",
        "CN": "chinese china",
        "KR": "south_korean south_korea",
        "KP": "north_korean north_korea",
        "RU": "russian russia",
        "BY": "belarusian belarus",
        "MX": "mexican mexico",
        "AR": "argentine argentinian argentina",
        "CL": "chilean chile",
        "CO": "colombian colombia",
        "PH": "philippine philippines",
        "RS": "serbian serbia",
        "IQ": "iraqi iraq",
        "KW": "kuwaiti kuwait",
        "JO": "jordanian jordan",
        "DZ": "algerian algeria",
        "LY": "libyan libya",
        "TN": "tunisian tunisia",
        "AE": "emirati emirates uae",
        "MA": "moroccan morocco",
        "SA": "saudi",
        "QA": "qatari qatar",
        "OM": "omani oman",
        "YE": "yemeni yemen",
        "IR": "iranian iran",
        "RO": "romanian romania",
        "MD": "moldovan moldova",
    }.items()
    for word in words.split()
}


class Marked(NamedTuple):
    """A currency mark and where it ends."""

    end: int
    """Index of the token after it."""
    currency: Currency


def _named(tokens: list[Token], at: int, end: int, currency: Currency) -> Marked:
    words = "".join(("" if token.glued or not index else " ") + token.text for index, token in enumerate(tokens[at:end]))
    return Marked(end, currency._replace(words=words))


def read_before(tokens: list[Token], at: int) -> Marked | None:
    """The currency mark that begins at a place and stands before its number: "$", "US$", "EUR", "kr"."""
    word = word_at(tokens, at)
    if is_kind(tokens, at, "word"):
        sign = word_at(tokens, at + 1) if is_glued(tokens, at + 1) else ""
        if sign == "$" and word in _BEFORE_DOLLAR:
            return _named(tokens, at, at + 2, _settled(_BEFORE_DOLLAR[word]))
        if sign == "£" and word == "e":
            return _named(tokens, at, at + 2, _settled("EGP"))
        text = tokens[at].text
        if text in _ISO:
            return _named(tokens, at, at + 1, _settled(text))
        if text in _SIGN_WORDS:
            return _named(tokens, at, at + 2 if sign == "." else at + 1, _SIGN_WORDS[text])
        return None
    if word == "$" and is_glued(tokens, at + 1) and word_at(tokens, at + 1) in _AFTER_DOLLAR and is_kind(tokens, at + 2, "number"):
        return _named(tokens, at, at + 2, _settled(_AFTER_DOLLAR[tokens[at + 1].word]))
    return _named(tokens, at, at + 1, _SYMBOLS[word]) if word in _SYMBOLS else None


def read_after(tokens: list[Token], at: int, *, scaled: bool) -> Marked | None:
    """The currency that begins at a place and stands after its number: "€", "EUR", "US dollars", "-dollar".

    Args:
        tokens: Of the whole text.
        at: Index of the token after the number.
        scaled: Whether the number has a magnitude; without one, "pounds" may be a weight and "won" a verb.
    """
    word = word_at(tokens, at)
    if word in _SYMBOLS:
        belongs_to_next = is_glued(tokens, at + 1) and is_kind(tokens, at + 1, "number") and not is_glued(tokens, at)
        return None if belongs_to_next else _named(tokens, at, at + 1, _SYMBOLS[word])
    if is_kind(tokens, at, "word"):
        text = tokens[at].text
        if text in _SIGN_WORDS:
            return _named(tokens, at, at + 1, _SIGN_WORDS[text])
        if text in (_ISO if scaled else _PLAIN_CODES):
            return _named(tokens, at, at + 1, _settled(text))
    here = at + 1 if is_kind(tokens, at, "dash") and is_glued(tokens, at) and is_glued(tokens, at + 1) else at
    state, here = _state_at(tokens, here)
    if state and is_kind(tokens, here, "dash") and is_glued(tokens, here):
        here += 1  # "US-Dollar"
    word = word_at(tokens, here)
    currency = _WORDS.get(word)
    if currency is None or (word in _LOOSE and not scaled and not state and word_at(tokens, here + 1) != "sterling"):
        return None
    if word_at(tokens, here + 1) == "sterling" and "GBP" in currency.codes:
        return _named(tokens, at, here + 2, _settled("GBP"))
    if state:
        of_state = tuple(code for code in currency.codes if code.startswith(state))
        currency = _settled(of_state[0]) if of_state else Currency((), None)
    return _named(tokens, at, here + 1, currency)


def _state_at(tokens: list[Token], at: int) -> tuple[str, int]:
    if state := _STATES.get(f"{word_at(tokens, at)}_{word_at(tokens, at + 1)}"):
        return state, at + 2
    if state := _STATES.get(word_at(tokens, at)):
        return state, at + 1
    return "", at


def states_in(tokens: list[Token]) -> frozenset[str]:
    """The first two letters of the currency codes of all states that a text mentions; the lower-case word "us" is none."""
    found = (_state_at(tokens, at)[0] for at, token in enumerate(tokens) if token.kind == "word" and token.text[0].isupper())
    return frozenset(found) - {""}


def merged(first: Currency | None, second: Currency | None) -> Currency | None:
    """What two marks on one sum allow together; no codes at all where they contradict each other ("$5 million EUR")."""
    if first is None or second is None:
        return first or second
    codes = tuple(code for code in first.codes if code in second.codes)
    default = codes[0] if len(codes) == 1 else (first.default if first.default in codes else None)
    return Currency(codes, default, first.words or second.words)
