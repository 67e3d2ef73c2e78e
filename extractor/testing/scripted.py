"""A model whose answers are written down beforehand: for tests of what a service makes of them.

In: answers, in order or by what the article says. Out: an endpoint on loopback. Floor: testing.
Before changing it: the answers go over HTTP to the real client, so that prompt, grounding, repair and quarantine are the real ones.
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, TypeAlias

from extractor.errors import UsageError
from extractor.facts.fact import Fact, registered_name
from extractor.testing.endpoint import Answer, Fault, LoopbackEndpoint, Raw

Scripted: TypeAlias = Answer | Sequence[Fact]
"""One answer: facts, which fill the arrays of their types (in a repair, they are the corrected versions of the items in their order); a
dict, which is the answer's JSON object; a text; or bytes and faults of `endpoint`."""


class ScriptedLLM(LoopbackEndpoint):
    """An endpoint that gives written answers, and fails the test that asks for more of them or for fewer.

    ```python
    with ScriptedLLM([[transfer]]) as llm, Extractor([WeaponsTransfer], base_url=llm.base_url) as extractor:
        assert extractor.extract(text).of(WeaponsTransfer)[0].value == transfer
    ```

    Args:
        script: Answers in the order of the requests; or, where articles are asked about side by side, the answers for each by some words
            that stand in its requests (an article's own words, for the repair's paragraphs too).
        host: As `LoopbackEndpoint`.

    Raises:
        UsageError: The script is one answer and not a sequence of them.
        AssertionError: On exit: a request had no answer, or an answer had no request.
    """

    def __init__(self, script: Sequence[Scripted] | Mapping[str, Sequence[Scripted]], *, host: str = "127.0.0.1") -> None:
        by_words = script if isinstance(script, Mapping) else {"": script}
        for answers in by_words.values():
            if isinstance(answers, (str, Mapping, Raw, Fault)) or any(isinstance(answer, Fact) for answer in answers):
                raise UsageError(f"{answers!r} is one answer, not a sequence of them; write it in brackets.")
        self._left = {words: list(answers) for words, answers in by_words.items()}
        super().__init__(self._next, host=host)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        super().__exit__(kind, error, trace)
        if error is None and (unplayed := {words or "in order": len(answers) for words, answers in self._left.items() if answers}):
            raise AssertionError(f"ScriptedLLM has answers that nothing asked for: {unplayed}.")

    def _next(self, request: dict[str, Any]) -> Answer:
        text = str(request["messages"][-1]["content"])
        with self._lock:
            answers = next((answers for words, answers in self._left.items() if words in text), None)
            answer = answers.pop(0) if answers else None
        if answer is None:
            said = f"ScriptedLLM has no answer {'left ' if answers is not None else ''}for request {len(self.requests)}: …{text[-200:]!r}"
            self._errors.append(AssertionError(said))
            return Raw(
                {"error": {"message": said, "code": "no_answer_written"}}, status=403
            )  # ends the caller's work at once: no other status is sure to
        return answer if isinstance(answer, (str, dict, Raw, Fault)) else _arrays(request, answer)


def _arrays(request: Mapping[str, Any], facts: Sequence[Fact]) -> dict[str, Any]:
    """The answer's object with these facts, as the request's schema has it."""
    name, schema = _asked(request)
    arrays: dict[str, list[Any]] = {fact_type: [] for fact_type in schema["properties"]}
    for number, fact in enumerate(facts, start=1):
        value = fact.model_dump(mode="json")
        arrays.setdefault(registered_name(type(fact)), []).append({"item": number, "fact": value} if name == "Repairs" else value)
    return arrays


def _asked(request: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if form := request.get("response_format"):
        return form["json_schema"]["name"], form["json_schema"]["schema"]
    tool = request["tools"][0]
    function = tool.get("function", tool)
    return function["name"], function.get("parameters") or function["input_schema"]
