"""A model that is real in all but size: random weights, a vocabulary of its own, in GGUF.

It writes nonsense; but llama.cpp loads it, reads prompts with it and holds it to grammars as it would any other.
"""

import re
from collections import Counter
from itertools import pairwise

import gguf
import numpy as np

from extractor.schemas import FundingSource, WeaponsTransfer

_WIDTH, _HEAD = 32, 16
_LIKELY = {
    '"': 4.0,
    "}": 3.0,
    "{": 3.0,
    "]": 2.0,
    ":": 2.0,
    ",": 1.0,
}  # texts and arrays end soon; without it a random model writes for ever
_TEMPLATE = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}assistant: "


def write_tiny_model(path, *, context=32_768, seed=0):
    """Write a model of one layer and a few hundred tokens, 250 KB; the same bytes for the same arguments."""
    random = np.random.default_rng(seed)
    merges = _merges(f"{WeaponsTransfer.__doc__} {FundingSource.__doc__} {WeaponsTransfer.model_json_schema()}", 300)
    letters = list(dict.fromkeys([*_letters().values(), *(first + second for first, second in merges)]))
    tokens = [*letters, "<|end|>"]

    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    writer.add_context_length(context)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_WIDTH)
    writer.add_head_count(_WIDTH // _HEAD)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * len(letters) + [gguf.TokenType.CONTROL])
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_eos_token_id(len(letters))
    writer.add_add_bos_token(False)
    writer.add_chat_template(_TEMPLATE)

    def weights(*shape, scale):
        return random.normal(0, scale, shape).astype(np.float32)

    embedding, head = weights(len(tokens), _WIDTH, scale=0.1), weights(len(tokens), _WIDTH, scale=0.3)
    embedding[:, 0] = 1.0  # one direction that all tokens share, by which the head prefers some
    for token, more in _LIKELY.items():
        head[tokens.index(token), 0] += more
    ones = np.ones(_WIDTH, np.float32)
    tensors = {"token_embd": embedding, "output": head, "output_norm": ones, "blk.0.attn_norm": ones, "blk.0.ffn_norm": ones}
    for name in ("attn_q", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        tensors[f"blk.0.{name}"] = weights(_WIDTH, _WIDTH, scale=0.05)
    for name in ("attn_k", "attn_v"):
        tensors[f"blk.0.{name}"] = weights(_HEAD, _WIDTH, scale=0.05)
    for name, tensor in tensors.items():
        writer.add_tensor(f"{name}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _letters():
    """The printable character that stands for each byte in byte-level vocabularies, as GPT-2 has them."""
    kept = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = [byte for byte in range(256) if byte not in kept]
    return {byte: chr(byte) for byte in kept} | {byte: chr(256 + place) for place, byte in enumerate(others)}


def _merges(text, count):
    """The commonest pairs of neighbours, one after the other: byte pair encoding."""
    letters = _letters()
    words = Counter(tuple(letters[byte] for byte in word.encode()) for word in re.findall(r" ?[^\W\d_]+|\s+", text))
    merges = []
    for _ in range(count):
        pairs = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                pairs[pair] += times
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        words = Counter({_merged(word, best): times for word, times in words.items()})
    return merges


def _merged(word, pair):
    parts = []
    for part in word:
        if parts and (parts[-1], part) == pair:
            parts[-1] = pair[0] + pair[1]
        else:
            parts.append(part)
    return tuple(parts)
