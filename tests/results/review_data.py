"""Runs to make review pages of: facts of two types over articles of any size and any malice."""

import json
import random

SCHEMAS = {
    "arms_deal": {
        "type": "object",
        "properties": {
            "evidence": {"type": "array", "items": {"type": "string"}},
            "attribution": {"$ref": "#/$defs/Told"},
            "is_background": {"type": "boolean"},
            "sellers": {"type": "array", "items": {"$ref": "#/$defs/Party"}},
            "buyers": {"type": "array", "items": {"$ref": "#/$defs/Party"}},
            "payer": {"anyOf": [{"$ref": "#/$defs/Party"}, {"type": "null"}], "default": None},
            "item": {"type": "string", "description": "The thing."},
            "quantity": {"anyOf": [{"$ref": "#/$defs/Quantity"}, {"type": "null"}], "default": None},
            "status": {"enum": ["sought", "agreed", "delivered"], "type": "string"},
            "announced": {"anyOf": [{"$ref": "#/$defs/When"}, {"type": "null"}], "default": None},
        },
        "required": ["evidence", "attribution", "is_background", "sellers", "buyers", "item", "status"],
        "$defs": {
            "Told": {
                "type": "object",
                "properties": {
                    "speaker": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                    "certainty": {"enum": ["asserted", "claimed"]},
                },
            },
            "Party": {
                "type": "object",
                "properties": {
                    "name": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "kind": {"enum": ["state", "company", "unknown"]},
                },
            },
            "Quantity": {
                "type": "object",
                "properties": {
                    "as_written": {"type": "string"},
                    "minimum": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "maximum": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                },
            },
            "When": {
                "type": "object",
                "properties": {
                    "as_written": {"type": "string"},
                    "earliest": {"anyOf": [{"format": "date", "type": "string"}, {"type": "null"}]},
                    "latest": {"anyOf": [{"format": "date", "type": "string"}, {"type": "null"}]},
                },
            },
        },
    },
    "statement": {
        "type": "object",
        "properties": {
            "evidence": {"type": "array", "items": {"type": "string"}},
            "speakers": {"type": "array", "items": {"type": "string"}},
            "mood": {"enum": ["calm", "angry"]},
        },
        "required": ["evidence", "mood"],
    },
}
"""Two types that no package ships."""

TYPES = [{"name": name, "fingerprint": f"b2:{name}", "version": 1, "json_schema": schema} for name, schema in SCHEMAS.items()]
SUMMARY = {"last_run": None, "unreadable": {}}
COUNTRIES = [
    ("Ukraine", "UKR"), ("Norway", "NOR"), ("Germany", "DEU"), ("France", "FRA"), ("Poland", "POL"), ("Estonia", "EST"), ("Japan", "JPN"), ("Canada", "CAN"),
    ("Spain", "ESP"), ("Italy", "ITA"), ("Sweden", "SWE"), ("Turkey", "TUR"), ("Brazil", "BRA"), ("India", "IND"), ("Kenya", "KEN"), ("Egypt", "EGY"),
]  # fmt: skip


def article(article_id, text, **fields):
    """An article as a ledger gives it."""
    record = {
        "id": article_id,
        "text": text,
        "title": None,
        "published": None,
        "source": None,
        "language": None,
        "url": None,
        "origins": {},
        **fields,
    }
    return {"id": article_id, "status": "complete", "cause": None, "reason": None, "present": True, "record": record}


def row(source, fact_id, fact_type="arms_deal", verdict="kept", *, spans=(), value=None, raw=None, **fields):
    """A row as a ledger gives it; `spans` are its evidence in code points."""
    record = source["record"]
    quotes = [{"quote": record["text"][start:end], "start": start, "end": end} for start, end in spans]
    made = {"id": fact_id, "fact_type": fact_type, "verdict": verdict, "article_id": source["id"]}
    made |= {name: record[name] for name in ("title", "published", "source", "url")}
    if raw is None:
        made["value"] = {"evidence": [quote["quote"] for quote in quotes], **(value or {"mood": "calm"})}
        made |= {"spans": {}, "countries": {}}
    else:
        made["raw"] = raw
    made |= {"evidence": quotes, "issues": [], "tries": [], "model": "m", "prompt": "extract.v1 b2:0", "schema": f"b2:{fact_type}"}
    return {**made, **fields}


def deal(seller, buyer, item="tanks", *, number=None, status="agreed", day=None):
    """The value of an arms deal between two states, without its evidence."""
    return {
        "attribution": {"speaker": None, "certainty": "asserted"},
        "is_background": False,
        "sellers": [{"name": seller, "kind": "state"}],
        "buyers": [{"name": buyer, "kind": "state"}],
        "payer": None,
        "item": item,
        "quantity": None if number is None else {"as_written": str(number), "minimum": number, "maximum": number},
        "status": status,
        "announced": day and {"as_written": day, "earliest": day, "latest": day},
    }


def many(articles=1_000, facts=10_000, seed=7):
    """A run of real size: each fact has its own sentence in its article, and some are repaired or quarantined."""
    dice = random.Random(seed)  # noqa: S311 - test data
    per_article = facts // articles
    sources, rows = [], []
    for number in range(articles):
        text = f"Headline {number} about deals\n\n"
        places = []
        for place in range(per_article):
            (seller, seller_code), (buyer, buyer_code) = dice.sample(COUNTRIES, 2)
            count = dice.randrange(2, 900)
            item = dice.choice(["tanks", "radars", "shells", "frigates"])
            sentence = f"{seller} and {buyer} spoke of {count} {item} in round {place}, officials said."
            text += "It had rained all morning, and the hall smelled of wet coats and of coffee. " * 3
            places.append((len(text), len(text) + len(sentence), seller, seller_code, buyer, buyer_code, count, item))
            text += f"{sentence}\n\n"
        day = f"2025-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}"
        source = article(f"news/{number:04}.txt", text, title=text.split("\n")[0], published=day)
        sources.append(source)
        for place, (start, end, seller, seller_code, buyer, buyer_code, count, item) in enumerate(places):
            value = deal(seller, buyer, item, number=count, status=dice.choice(["sought", "agreed", "delivered"]), day=day)
            verdict = dice.choices(["kept", "repaired", "quarantined"], [90, 6, 4])[0]
            fields = {"raw": json.dumps({"evidence": [text[start:end]], **value})} if verdict == "quarantined" else {"value": value}
            made = row(source, f"b2:{number:06}{place:04}", "arms_deal", verdict, spans=[(start, end)], **fields)
            if verdict != "quarantined":
                made["countries"] = {"sellers[0]": seller_code, "buyers[0]": buyer_code}
                at = start + text[start:end].index(item)
                made["spans"] = {"item": [at, at + len(item)]}
            rows.append(made)
    return sources, rows
