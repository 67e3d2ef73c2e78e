"""An evaluation as one HTML page: no script, no network, opens from disk.

In: an `Evaluation`. Out: the page's text. Floor: results.
Before changing it: every value comes from articles and models; the template escapes all of it, and nothing is marked safe.
"""

from jinja2 import Environment, StrictUndefined

from extractor.results.evaluation import show as wording
from extractor.results.evaluation.report import Evaluation

_SHOWN = 500  # disagreements and changes on the page; all are in --json

_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Evaluation of {{ e.about.run }}</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #5b6470; --paper: #fff; --line: #d6dbe1; --bar: #9db7d9; --mark: #1d4f91;
  --bad: #a3261b; --good: #1c6b34; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --dim: #a3adb8; --paper: #14171b; --line: #353c45; --bar: #35527a;
  --mark: #a9c8f5; --bad: #ff9a90; --good: #86d9a0; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 76rem; margin: 0 auto; padding: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; padding: .2rem .7rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
td.n { min-width: 9.5rem; }
.bar { position: relative; height: 5px; background: var(--line); border-radius: 2px; }
.bar i { position: absolute; top: 0; bottom: 0; background: var(--bar); border-radius: 2px; }
.bar b { position: absolute; top: -2px; bottom: -2px; width: 2px; background: var(--mark); }
.dim { color: var(--dim); } .bad { color: var(--bad); } .good { color: var(--good); }
details { border-bottom: 1px solid var(--line); padding: .3rem 0; overflow-wrap: anywhere; }
blockquote { margin: .2rem 0 .2rem 1rem; padding-left: .7rem; border-left: 3px solid var(--bar); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; margin: .3rem 0 .3rem 1rem; }
dd { margin: 0; }
</style>
</head>
<body>
<main>
<h1>Evaluation</h1>
{% for line in claim %}<p class="dim">{{ line }}</p>
{% endfor %}
{% if e.notes %}<h2>Notes</h2><ul>{% for note in e.notes %}<li>{{ plain(note) }}</li>{% endfor %}</ul>{% endif %}
{% macro number(m) %}<td class="n">{{ share(m) }}{% if m.value is not none %}<div class="bar" aria-hidden="true">
{% if m.low is not none %}<i style="left:{{ percent(m.low) }}%;width:{{ percent(m.high - m.low) }}%"></i>{% endif %}
<b style="left:{{ percent(m.value) }}%"></b></div>{% endif %}</td>{% endmacro %}
{% macro shares(s) %}{{ number(s.precision) }}{{ number(s.recall) }}{{ number(s.f1) }}{% endmacro %}
{% macro counts(s) %}<td>{{ s.predicted_right }}/{{ s.predicted }}</td><td>{{ s.wanted_right }}/{{ s.wanted }}</td>{% endmacro %}
<div class="wide"><table><caption>Whole facts</caption>
<tr><th scope="col">type</th><th scope="col">judged</th><th scope="col">precision</th><th scope="col">recall</th><th scope="col">F1</th>
<th scope="col">right/given</th><th scope="col">found/gold</th></tr>
{% for t in scores %}
{% for name, s in [("strict", t.strict), ("lenient", t.lenient), ("all fields", t.fields_together)] %}
<tr><th scope="row">{{ plain(type_name(t.fact_type)) if loop.first }}</th><td>{{ name }}</td>{{ shares(s) }}{{ counts(s) }}</tr>
{% endfor %}
<tr><td></td><td>evidence</td><td colspan="5" class="dim">{{ aside(t) }}</td></tr>
{% endfor %}</table></div>
{% for t in e.types %}
<div class="wide"><table><caption>Fields of {{ plain(t.fact_type) }}</caption>
<tr><th scope="col">field</th><th scope="col">precision</th><th scope="col">recall</th><th scope="col">F1</th><th scope="col">accuracy</th>
<th scope="col">right/given</th><th scope="col">found/gold</th></tr>
{% for f in t.fields %}<tr><th scope="row">{{ plain(f.field) }}</th>{{ shares(f) }}{{ number(f.accuracy) }}{{ counts(f) }}</tr>
{% endfor %}</table></div>
{% endfor %}
{% if e.against %}
<h2>Against another run on the same gold</h2>
<p class="dim">The other: {{ made_with(e.against.other) }}</p>
<div class="wide"><table><caption>This run less the other; in colour where the paired interval leaves 0 out</caption>
<tr><th scope="col">type</th><th scope="col">field</th><th scope="col">F1</th><th scope="col">precision</th><th scope="col">recall</th>
<th scope="col">accuracy</th></tr>
{% for d in e.against.deltas if is_told(d) %}<tr><td>{{ plain(type_name(d.fact_type)) }}</td><th scope="row">{{ plain(d.field) }}</th>
{% for m in [d.f1, d.precision, d.recall, d.accuracy] %}
<td{% if is_sure(m) %} class="{{ 'good' if m.value > 0 else 'bad' }}"{% endif %}>{{ gap(m) }}{{ " *" if is_sure(m) }}</td>
{% endfor %}</tr>
{% endfor %}</table></div>
{% for title, changes in [("Worse", e.against.worse), ("Better", e.against.better)] %}
<h3>{{ title }}: {{ changes|length }}</h3>
<ul>{% for c in changes[:shown] %}<li>{{ change_words(c) }}</li>{% endfor %}
{% if changes|length > shown %}<li>and {{ changes|length - shown }} more: --json has all</li>{% endif %}</ul>
{% endfor %}
{% endif %}
<h2>Disagreements: {{ e.disagreements|length }}</h2>
{% for one in e.disagreements[:shown] %}
<details{% if loop.index <= 10 %} open{% endif %}><summary><span class="bad">{{ one.kind }}</span> {{ plain(one.article_id) }} ·
{{ plain(one.fact_type) }} <span class="dim">{{ plain(one.where) }}</span></summary>
<dl>{% for f in one.differences %}<dt class="dim">{{ plain(f.field) }}</dt><dd>{{ difference_words(one, f.wanted, f.predicted) }}</dd>
{% endfor %}</dl>
{% for side, quotes in [("gold", one.gold_quotes), ("run", one.predicted_quotes)] %}{% for quote in quotes %}
<blockquote><span class="dim">{{ side }}</span> <bdi>{{ plain(quote) }}</bdi></blockquote>{% endfor %}{% endfor %}
</details>
{% endfor %}
{% if e.disagreements|length > shown %}<p>and {{ e.disagreements|length - shown }} more: --json has all</p>{% endif %}
</main>
</body>
</html>
"""


def page(evaluation: Evaluation) -> str:
    """The whole page, UTF-8 when written; it fetches nothing and runs nothing."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    names = ("aside", "change_words", "difference_words", "gap", "is_sure", "is_told", "made_with", "plain", "share", "type_name")
    return environment.from_string(_TEMPLATE).render(
        e=evaluation,
        scores=(evaluation.overall, *evaluation.types),
        claim=list(wording.claim(evaluation)),
        percent=_percent,
        shown=_SHOWN,
        **{name: getattr(wording, name) for name in names},
    )


def _percent(value: float) -> str:
    return f"{max(0.0, min(1.0, value)) * 100:.1f}"
