"""Pieces of HTML to text, in feeds and exports."""

import html
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.articles.markup import is_markup, without_tags


@pytest.mark.parametrize(
    ("piece", "text"),
    [
        ("<p>One <b>two</b></p>\n<p>3 &lt; 4 &amp; 5</p>", "One two\n\n3 < 4 & 5"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>a<li>b</ul>c", "a\nb\n\nc"),
        ("<table><tr><td>a<td>b</td></tr><tr><th>c</th><td>d</td></tr></table>", "a\tb\nc\td"),
        ("one\n line   of\twords", "one line of\twords"),
        ("<SCRIPT>var x = '<p>';</SCRIPT>ok<style>p{}</style>", "ok"),
        ("<svg/>ok <svg><path/></svg>", "ok"),
        ("a<!-- <p>no</p> -->b <![CDATA[c]]>", "ab c"),
        ('<a title="x > y" href=\'z\'>t</a>', "t"),
        ("a < b and c > d, 3<4, <3", "a < b and c > d, 3<4, <3"),
        ("<script>never closed <p>x", ""),
        ("x<!-- never closed <p>y", "x"),
        ("&nbsp;A&eacute;&#8217;&#x2014;&copy&bogus;", "A\xe9’—©&bogus;"),
        ("<p></p><p> </p><div></div>", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_words_stay_and_tags_go(piece, text):
    """Paragraphs, lines and cells stay apart; scripts, styles and comments go; a bare sign is text."""
    assert without_tags(piece) == text


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("<p>x", True), ("a<br/>b", True), ("a</div>", True), ("<b>x</b>", True), ("a < b", False), ("<sic>", False), ("if a<p and b>c", False),
        ("x &lt;p&gt;", False), ("<3 <name@example.org>", False), ("", False),
    ],
)  # fmt: skip
def test_markup_is_what_nobody_writes_in_prose(text, verdict):
    """Only common tags count; comparison signs and addresses in angle brackets do not."""
    assert is_markup(text) is verdict


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "unit", ["<", "<!--", "<a ", "<a '", '<a "', "<![CDATA[", "<p>", "<script>", "&", "&#x", "\t ", "</script", "<a b='>"]
)
def test_time_is_in_proportion_to_the_text(unit):
    """Nothing makes it look through the rest of the text again and again."""
    start = time.perf_counter()
    without_tags(unit * (1_000_000 // len(unit)))
    assert time.perf_counter() - start < 10  # in proportion to the square, it would be minutes


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Zs"])))
def test_escaped_text_comes_back(text):
    """What is no markup is not changed."""
    assert without_tags(html.escape(text)) == text.strip()
