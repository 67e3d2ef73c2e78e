"""Small files of each format, made in code: what the tests of the readers, and bench/fuzz_readers.py, read."""

import io
import zipfile
import zlib
from email.message import EmailMessage

PARAGRAPHS = (
    "The ministers of Tallow met in Brask on Friday and agreed to buy ten tanks for “$10-30 billion”.",
    "“We need an end to the war,” the defence minister said – and Málaga’s café paid €5m.",
    "Deliveries begin before the end of August, the ministry said in a statement.",
)

PAGE = """<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="{charset}"><title>Tallow buys ten tanks - Brask Post</title>
<meta property="og:title" content="Tallow buys ten tanks"><meta property="og:site_name" content="Brask Post">
<link rel="canonical" href="https://brask.example/2025/07/25/tanks">
{head}
<script>var tracked = "<p>Not a word of this.</p>";</script></head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/world">World</a></li><li><a href="/login">Log in</a></li></ul></nav>
<div class="cookie-banner"><p>We use cookies. <a href="/c">Accept all</a></p></div>
<article><h1>Tallow buys ten tanks</h1>{body}</article>
<aside><h3>Most read</h3><ul><li><a href="/1">Cup final lost</a></li><li><a href="/2">Rain expected</a></li></ul></aside>
<footer><p>Copyright 2025 Brask Post. All rights reserved.</p><a href="/privacy">Privacy</a></footer></body></html>"""

BODY = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)


def page(head='<meta property="article:published_time" content="2025-07-25T23:30:00-05:00">', body=BODY, charset="utf-8"):
    """A saved web page with what usually surrounds an article."""
    return PAGE.format(head=head, body=body, charset=charset)


def pdf(pages, info=None, *, extra="", stream=None):
    """A PDF whose pages have these lines of WinAnsi text, one below the other; `stream` replaces the first page's content."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"]
    kids = []
    for lines in pages:
        shown = ["BT /F1 11 Tf 14 TL 72 760 Td"]
        for line in lines:
            escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            shown.append(f"({escaped}) Tj T*")
        content = zlib.compress("\n".join([*shown, "ET"]).encode("cp1252"))
        if stream is not None and not kids:
            content = stream
        objects.append((f"<< /Length {len(content)} /Filter /FlateDecode >>\nstream\n", content, "\nendstream"))
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents {len(objects)} 0 R >>"
        )
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    objects.append("<< " + " ".join(f"/{key} ({value})" for key, value in (info or {}).items()) + " >>")
    data, offsets = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        parts = body if isinstance(body, tuple) else (body,)
        data += f"{number} 0 obj\n".encode()
        data += b"".join(part if isinstance(part, bytes) else part.encode("cp1252") for part in parts)
        data += b"\nendobj\n"
    start = len(data)
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    data += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R {extra}>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(data)


WORD = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{}</w:body></w:document>'
CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">{}</cp:coreProperties>'
)


def run(text):
    """A run of a Word paragraph."""
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*content, style=None):
    """A Word paragraph."""
    styled = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{styled}{''.join(content)}</w:p>"


def docx(*content, core="", main="word/document.xml", declaration=""):
    """A Word document out of what its body holds."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
        archive.writestr("_rels/.rels", f'<Relationships><Relationship Id="r" Type="{kind}" Target="{main}"/></Relationships>')
        archive.writestr(main, declaration + WORD.format("".join(content)))
        if core:
            archive.writestr("docProps/core.xml", CORE.format(core))
    return stream.getvalue()


RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/"><channel>
<title>Brask Post</title><link>https://brask.example/</link><language>en-gb</language>
<item><title>Tallow buys ten tanks</title><link>https://brask.example/1</link><pubDate>Fri, 25 Jul 2025 10:00:00 +0200</pubDate>
<media:title>A picture</media:title><description>A teaser.</description>
<content:encoded><![CDATA[<p>The ministers met&nbsp;in <b>Brask</b>.</p><p>Nobody signed &amp; left.</p><script>x</script>]]></content:encoded></item>
<item><title>AT&amp;T &#8217;s ships</title><guid>https://brask.example/2</guid><description>Two ships &lt;b&gt;sail&lt;/b&gt;.</description></item>
</channel></rss>"""

ATOM = """<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Brask Post</title><link rel="self" href="https://brask.example/feed"/>
<entry><title type="html">Panzer &amp;amp; Schiffe</title><link rel="alternate" href="https://brask.example/3"/><id>urn:3</id>
<published>2025-07-25T10:00:00Z</published><updated>2025-07-28T10:00:00Z</updated><summary>Kurz.</summary>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Die Minister &lt;trafen&gt; sich.</p><p>Niemand <i>unterschrieb</i>.</p></div></content>
</entry></feed>"""


def mail(plain="They met.\n", page_=None, **headers):
    """A mail with these parts and headers."""
    message = EmailMessage()
    for name, value in {
        "Subject": "Tallow buys ten tanks – “done”",
        "From": "Brask Post <news@brask.example>",
        "Date": "Fri, 25 Jul 2025 10:00:00 +0200 (CEST)",
        **headers,
    }.items():
        message[name.replace("_", "-")] = value
    if plain is not None:
        message.set_content(plain)
    if page_ is not None:
        (message.add_alternative if plain is not None else message.set_content)(page_, subtype="html")
    return message.as_bytes()


JSON = """{"articles": [
 {"id": 7, "headline": "Tallow buys ten tanks", "publishedAt": "2025-07-25T10:00:00.000Z", "source": {"id": null, "name": "Brask Post"},
  "url": "https://brask.example/1", "lang": "en_GB", "text": "The ministers met in Brask.\\n\\nNobody signed."},
 {"title": "Ships", "date": 1753437600, "content": "<p>Two ships.</p><p>They sail.</p>"}
]}"""
