"""How a measurement says whether it reached its target: one line, which the report collects."""

LINE = "target: "


def at_most(what: str, value: float, limit: float, unit: str = "") -> bool:
    """Print whether `value` is at most `limit`; both in `unit`, which is printed behind them."""
    return _said(what, value, "at most", limit, unit, reached=value <= limit)


def at_least(what: str, value: float, limit: float, unit: str = "") -> bool:
    """Print whether `value` is at least `limit`."""
    return _said(what, value, "at least", limit, unit, reached=value >= limit)


def _said(what: str, value: float, word: str, limit: float, unit: str, *, reached: bool) -> bool:
    print(f"{LINE}{what} | {word} {limit:g}{unit} | {value:.3g}{unit} | {'reached' if reached else 'MISSED'}", flush=True)
    return reached
