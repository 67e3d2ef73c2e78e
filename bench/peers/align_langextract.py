"""langextract's aligner, for `bench/grounding.py`: reads a line of JSON for each round, and answers with the time and the places.

In: `{"text": …, "quotes": [[type, quote], …]}`. Out, in their order: `{"ms": processor time, "spans": [[start, end] or null, …]}`.
"""

import json
import sys
import time

from langextract.core.data import Extraction
from langextract.resolver import Resolver


def main() -> None:
    """Answer until standard input ends; imports are paid before the first line, and the first round is the caller's to leave out."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        extractions = [Extraction(kind, quote) for kind, quote in asked["quotes"]]
        began = time.process_time()
        aligned = list(Resolver().align(extractions, asked["text"], token_offset=0, char_offset=0))
        taken = (time.process_time() - began) * 1000
        places = {id(one): one.char_interval for one in aligned}
        found = [places.get(id(one)) for one in extractions]
        spans = [[place.start_pos, place.end_pos] if place and place.start_pos is not None else None for place in found]
        print(json.dumps({"ms": taken, "spans": spans}), flush=True)


if __name__ == "__main__":
    main()
