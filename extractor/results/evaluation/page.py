"""An evaluation as one HTML page: no script, no network, opens from disk.

In: an `Evaluation`. Out: the page's text. Floor: results.
Before changing it: every value comes from articles and models; the template escapes all of it, and nothing is marked safe.
"""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from extractor.results.evaluation import show as wording
from extractor.results.evaluation.report import Evaluation
from extractor.results.show import plain

_OPEN = 10  # disagreements unfolded
_SHOWN = 500  # disagreements and changes on the page; all are in --json


def page(evaluation: Evaluation) -> str:
    """The whole page, UTF-8 when written; it fetches nothing and runs nothing."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.tests["told"] = wording.is_told
    names = ("aside", "between", "change_words", "difference_words", "gap", "is_sure", "number", "quoted", "type_name")
    strict = evaluation.overall.strict
    return environment.from_string(_template()).render(
        e=evaluation,
        scores=(evaluation.overall, *evaluation.types),
        claim=list(wording.claim(evaluation)),
        other=list(wording.made_with(evaluation.against.other, run="The other")) if evaluation.against else [],
        headline=[
            ("Strict precision", strict.precision, f"{strict.predicted_right} of {strict.predicted} given"),
            ("Strict recall", strict.recall, f"{strict.wanted_right} of {strict.wanted} in gold"),
            ("Strict F1", strict.f1, ""),
            ("Evidence overlap", evaluation.overall.overlap, f"{evaluation.overall.pairs} pairs"),
        ],
        plain=plain,
        percent=_percent,
        shown=_SHOWN,
        open=_OPEN,
        **{name: getattr(wording, name) for name in names},
    )


@cache
def _template() -> str:
    return files("extractor.results.evaluation").joinpath("page.html.jinja").read_text(encoding="utf-8")


def _percent(value: float) -> str:
    return f"{max(0.0, min(1.0, value)) * 100:.1f}"
