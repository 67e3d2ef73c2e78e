"""Mail and mail boxes: parts, headers, encodings, and hostile messages."""

from datetime import date

import making
import pytest

DAY = date(2025, 7, 25)


def test_a_mail_gives_its_plain_part(reading):
    """The subject is the headline, the sender the source, the day as the sender wrote it."""
    (found,) = reading(making.mail("They met.\n\n“Done.”\n", making.page()), "x.eml")
    assert (found.id, found.text) == ("x.eml", "Tallow buys ten tanks – “done”\n\nThey met.\n\n“Done.”")
    assert (found.title, found.published, found.source) == ("Tallow buys ten tanks – “done”", DAY, "Brask Post")
    assert found.origins == {
        "title": "mail Subject",
        "published": "mail Date",
        "source": "mail From",
        "text": "mail, plain part",
        "encoding": "utf-8",
    }


def test_a_mail_of_html_alone_is_read_as_a_page(reading):
    """With the page's address, but the mail's own headline and date."""
    (found,) = reading(making.mail(None, making.page(), Date="Sat, 26 Jul 2025 10:00:00 +0000"), "x.eml")
    assert found.text.endswith("\n\n".join(making.PARAGRAPHS))
    assert (found.published, found.url, found.language) == (date(2025, 7, 26), "https://brask.example/2025/07/25/tanks", "en-GB")
    assert found.origins["text"] == "mail, HTML part"


HEAD = "From: a@brask.example\nSubject: S\n"


@pytest.mark.parametrize(
    ("mail", "text"),
    [
        (f"{HEAD}\nThey met.".encode(), "S\n\nThey met."),
        (f"{HEAD}\nThey met.".replace("\n", "\r\n").encode(), "S\n\nThey met."),
        (f"{HEAD}Content-Type: text/plain; charset=koi8-r\n\nОни ушли.".encode("koi8-r"), "S\n\nОни ушли."),
        (f"{HEAD}Content-Type: text/plain; charset=iso-8859-1\n\n“So” – Málaga".encode("cp1252"), "S\n\n“So” – Málaga"),
        (f"{HEAD}Content-Type: text/plain; charset=unknown-8bit\n\nMálaga".encode("cp1252"), "S\n\nMálaga"),
        (f"{HEAD}Content-Transfer-Encoding: base64\n\nVGhleSBtZXQu\n".encode(), "S\n\nThey met."),
        (f"{HEAD}Content-Transfer-Encoding: quoted-printable\n\nThey=20m=\net.\n".encode(), "S\n\nThey met."),
        (f"{HEAD}Content-Type: text/plain; format=flowed\n\nOne \ntwo.\nThree\n> quoted \n> more\n-- \nX".encode(), "S\n\nOne two.\nThree\n> quoted\n> more\n--\nX"),
        (f"{HEAD}Content-Type: text/plain; format=flowed; delsp=yes\n\nOne \ntwo.\n stuffed".encode(), "S\n\nOnetwo.\nstuffed"),
        (
            f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment; filename=a.txt\n\nno\n--b\n\nyes\n--b--".encode(),
            "S\n\nyes",
        ),
    ],
)  # fmt: skip
def test_parts_are_decoded_as_they_say(reading, mail, text):
    """Charsets, transfer encodings, soft line ends; attachments are not read."""
    assert reading(mail, "x.eml")[0].text == text


@pytest.mark.parametrize(
    ("header", "field", "value"),
    [
        ("Subject: =?utf-8?b?4oCcU2/igJ0=?= =?iso-8859-1?q?_M=E1laga?=", "title", "“So” Málaga"),
        ("Subject: folded\n  over lines", "title", "folded over lines"),
        ("Subject: =?no-such?q?x=E9?=", "title", "xé"),
        ("Date: Fri, 25 Jul 2025 23:30:00 -0500 (EST)", "published", DAY),
        ("Date: tomorrow", "published", None),
        ("From: =?utf-8?q?Brask_=E2=80=93_Post?= <a@b.example>", "source", "Brask – Post"),
        ("From: a@b.example", "source", "a@b.example"),
        ("Content-Language: en, de", "language", "en"),
    ],
)
def test_headers_become_fields(reading, header, field, value):
    """Encoded words are decoded; a date that is none is None."""
    assert getattr(reading(f"{header}\n\nThey met.", "x.eml")[0], field) == value


def test_a_box_gives_each_mail(reading):
    """Separators go, quoted ones are restored, numbers follow the box."""
    box = b"From a@b Fri\n" + making.mail("One.\n\n>From here on\n") + b"\nFrom a@b Fri\n" + making.mail("Two.\nFrom now on\n")
    first, second = reading(box, "x.mbox")
    assert (first.id, first.text.split("\n\n", 1)[1]) == ("x.mbox#1", "One.\n\nFrom here on")
    assert (second.id, second.text.split("\n\n", 1)[1]) == ("x.mbox#2", "Two.\nFrom now on")


def test_a_bad_mail_does_not_lose_its_neighbours(reading_until_error):
    """Good ones first, then one error that names the bad ones."""
    box = (
        b"From a\n"
        + making.mail()
        + b"\nFrom a\n\nFrom a\nSubject: only\n\n\nFrom a\nA: b\n\n"
        + b"x" * 20_000_001
        + b"\n\nFrom a\n"
        + making.mail()
    )
    good, said = reading_until_error(box, "x.mbox")
    assert [found.id for found in good] == ["x.mbox#1", "x.mbox#5"]
    assert "has 3 of 5 messages that can not be read: 2 (it is empty. Leave it out), 3 (it has no text" in said
    assert "4 (it has more than 20,000,000 bytes)" in said


NESTED = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(51))


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "x.eml", "is empty"),
        (b"They met.", "x.eml", "is no mail: it does not open with a header"),
        (b"\x00\xff\n", "x.eml", "is no mail"),
        (b"Subject: x\n\n", "x.eml", "has no text, only headers or attachments"),
        (b"", "x.mbox", "is empty"),
        (b"They met.", "x.mbox", "is no mail box: it does not open with 'From '"),
        (NESTED, "x.eml", "has 51 nested parts; the most"),
        ("A: b\n" + "\n" * 600_000, "x.eml", "has 600,001 lines; the most"),
        ("Content-Type: text/plain; " + "a=b; " * 3_000_000 + "\n\nx", "x.eml", "bytes in a Content-Type; the most"),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\nContent-Type: image/png\n\na\n" * 1_000,
            "x.eml",
            "has more than 1,000 parts",
        ),
    ],
)
def test_what_is_no_mail_or_would_stall_the_parser_is_refused(reading_until_error, content, name, said):
    """One clear error, at once."""
    good, message = reading_until_error(content, name)
    assert not good
    assert said in message


@pytest.mark.timeout(10)
@pytest.mark.parametrize("header", ["Subject: " + "=?utf-8?q?a?= " * 1_000_000, "From: " + "(" * 10_000_000, "From: " + '"<,' * 3_000_000])
def test_endless_headers_cost_no_time(reading, tmp_path, header):
    """They are cut before they are decoded; an address that can not be read is one error."""
    path = tmp_path / "x.eml"
    path.write_text(f"{header}\n\nThey met.")
    try:
        (found,) = reading(path.read_bytes(), "y.eml")
    except Exception as error:  # noqa: BLE001 - the test says which
        assert type(error).__name__ == "ArticleError"  # noqa: PT017
    else:
        assert found.text.endswith("They met.")
