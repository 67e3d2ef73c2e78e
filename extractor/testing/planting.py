"""Articles made of facts: each quote stands in one, at a place that is known, so that a test need not write a news text.

In: facts. Out: an `Article` in which they hold. Floor: testing.
Before changing it: the words between the quotes must hold no number, no name and no date, or they would take part in the checks.
"""

from datetime import date

from extractor.errors import UsageError
from extractor.evidence.validate import Judge, NotBelieved
from extractor.facts.fact import Fact, Leaf, walk
from extractor.records import Article

_BETWEEN = (
    "Little else was said about it, and nobody at the meeting wanted to add anything.",
    "The matter had been discussed before, without any decision.",
    "Observers who follow it closely were not surprised.",
    "What follows from it remains to be seen.",
)


def planted(*facts: Fact, id: str = "planted", published: date | None = None, title: str | None = None) -> Article:  # noqa: A002
    """An article in which these facts hold: a paragraph for each of their quotes, other words between them, and all their names.

    Args:
        facts: What it is to say; none gives an article without facts.
        id: Its name in results.
        published: Publication date; dates written relative to it need it.
        title: The headline.

    Raises:
        UsageError: A fact cannot hold in any article, since a value of it does not stand in its quotes or does not mean what it says.
    """
    leaves = [leaf for fact in facts for leaf in walk(fact) if isinstance(leaf, Leaf)]
    quotes = list(dict.fromkeys(leaf.text for leaf in leaves if leaf.role == "quote"))
    names = dict.fromkeys(leaf.text for leaf in leaves if leaf.role == "name" and not any(leaf.text in quote for quote in quotes))
    paragraphs = [title] if title else []
    for number, quote in enumerate(quotes):
        paragraphs += [_BETWEEN[number % len(_BETWEEN)], quote]
    paragraphs.append(_BETWEEN[len(quotes) % len(_BETWEEN)])
    paragraphs += [f"{name} took part." for name in names]
    article = Article(id=id, text="\n\n".join(paragraphs), title=title, published=published)
    for number, fact in enumerate(facts, start=1):
        verdict = Judge(article).judge(fact.model_dump_json(), type(fact))
        if isinstance(verdict, NotBelieved):
            wrong = next(issue for issue in verdict.issues if issue.severity == "error")
            raise UsageError(f"Fact {number} holds in no article: {wrong.path}: {wrong.message}")
    return article
