"""Mutations of what people write: manifests, configurations, Label Studio's exports.

Like the sounds, a mutant is made from its number alone. Most are wrong in what they say, in a form that can still be
read; some are then spoiled as bytes, so that they can't.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from aramega.config import Config, dump_toml

WRITINGS = ("txt", "csv", "tsv", "jsonl", "toml", "set", "export")
"""What is mutated: four kinds of manifest, aramega.toml, `--set`, and Label Studio's JSON export."""

BIG, DEEP, LONE, TWICE = "@big@", "@deep@", "@lone@", "@twice@"
"""Stand for what Python's own writers refuse to write; they are put in afterwards."""
LARGEST = 3_000_000
"""Bytes of a mutant."""
_NASTY = (
    "",
    " ",
    "\t",
    "a\nb",
    "a\r\nb",
    "\0",
    "x\0y",
    "\x1b]0;owned\x07\x1b[31mred",
    "\u202eright to left\u2066",
    "\u2028",
    "\ufeff",
    "\ufffe\uffff",
    "'; DROP TABLE sources; --",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{7*7}} ${HOME} %s %(x)s {0}",
    "=cmd|' /C calc'!A0",
    "نشرة الأخبار",
    "e\u0301" * 50,
    "ا" + "\u0301\u0316" * 50_000,
    "😀" * 10,
    "x" * 300,
    "x" * 5000,
    "x" * 200_000,
    "NaN",
    "-1",
    "1e999",
    "null",
    "[]",
    "{}",
    '"',
    '""',
    "a,b",
    "a;b",
    BIG,
    LONE,
)
PATHS = (
    "good.wav",
    "./good.wav",
    "sub/../good.wav",
    "missing.wav",
    "../../../../../../etc/passwd",
    "/etc/passwd",
    "/dev/zero",
    "/dev/stdin",
    "/proc/self/mem",
    "pipe.mp3",
    "sub",
    ".",
    "/",
    "~/good.wav",
    "$HOME/good.wav",
    "https://example.org/a.mp3",
    "file:///etc/passwd",
    "gopher://example.org/a.mp3",
    "concat:a|b",
    "-y",
    "*",
    "**/*",
    "a/" * 2000 + "b",
    "good.wav/x",
    "good.wav\0.mp3",
    "loop/loop/loop",
    "C:\\audio\\a.mp3",
)
_COLUMNS = ("path", "file", "audio", "audio_filepath", "title", "licence", "license", "programme", "speaker", "date")
_COLUMNS_MORE = ("url", "transcript", "dialect", "channel", "duration", "tittle", "PATH", " path ", "path", "")


def make_writing(kind: str, number: int, export: Sequence[dict[str, Any]]) -> bytes:
    """Mutant `number` of this kind; `export`: tasks as Label Studio gives them."""
    rng = random.Random(f"{kind}:{number}")
    made = _WRITERS[kind](rng, export)
    content = _smuggle(rng, made).encode("utf-8", "surrogatepass")[:LARGEST]
    return _spoil(rng, content) if rng.random() < 0.3 else content


def _txt(rng: random.Random, _: Any) -> str:
    lines = [_path(rng) for _ in range(rng.choice((0, 1, 2, 3, 5)))] + rng.sample(("good.wav", "", "# note"), 2)
    rng.shuffle(lines)
    return rng.choice(("\n", "\n", "\r\n", "\r", "\n\n", "\v")).join(lines)


def _csv(rng: random.Random, _: Any, delimiter: str = ",") -> str:
    columns, rows = _rows(rng)
    text = io.StringIO()
    quoting = rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_MINIMAL))
    ending = rng.choice(("\n", "\r\n", "\r"))
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=ending)
    writer.writerow(columns)
    for row in rows:
        values = [str(v) for v in row.values()]
        writer.writerow(rng.choice((values, values, values, values[:1], values * 2, [])))
    made = text.getvalue()
    if rng.random() < 0.3:
        at = rng.randrange(len(made) + 1)
        made = made[:at] + rng.choice(('"', '""', "'", delimiter, ending, "\0", "\\")) + made[at:]
    return made


def _tsv(rng: random.Random, export: Any) -> str:
    return _csv(rng, export, "\t")


def _jsonl(rng: random.Random, _: Any) -> str:
    _, rows = _rows(rng)
    lines = [_dumped(rng, row if rng.random() < 0.8 else _value(rng)) for row in rows]
    return rng.choice(("\n", "\n", "\r\n", "\n\n", "")).join(lines)


def _rows(rng: random.Random) -> tuple[list[str], list[dict[str, Any]]]:
    """Columns and rows: mostly such that the rows are read, and what stands in them is not what should."""
    columns = ["path"] if rng.random() < 0.8 else []
    columns += rng.sample((*_COLUMNS, *_COLUMNS_MORE), rng.choice((0, 1, 2, 5)))
    if rng.random() < 0.1:
        columns += [rng.choice(_NASTY)]
    if rng.random() < 0.03:
        columns += [f"c{i}" for i in range(5000)]
    rows = []
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        row = {c: 0 if c.startswith("c") else _value(rng) for c in columns}
        if "path" in row:
            row["path"] = rng.choice((_path(rng), "good.wav", row["path"]))
        rows.append(row)
    return columns, rows


def _toml(rng: random.Random, _: Any) -> str:
    lines = [line for line in dump_toml(Config()).splitlines() if line and not line.startswith("#")]
    lines = lines if rng.random() < 0.7 else []
    for _ in range(rng.choice((1, 1, 2, 4))):
        _break_toml(rng, lines)
    return "\n".join(lines)


def _break_toml(rng: random.Random, lines: list[str]) -> None:
    """One option, section or line that should not be so."""
    options = [i for i, line in enumerate(lines) if " = " in line]
    section, option = rng.choice(_OPTIONS)
    way = rng.randrange(6)
    if way == 0 and options:
        at = rng.choice(options)
        lines[at] = f"{lines[at].partition(' = ')[0]} = {_literal(rng)}"
    elif way == 1:
        lines += [f"[{_key(rng)}]", f"{_key(rng)} = {_literal(rng)}"]
    elif way == 2:
        lines.insert(0, f"{rng.choice((section, f'{section}.{option}', _key(rng)))} = {_literal(rng)}")
    elif way == 3:
        lines += [rng.choice((f"[[{section}]]", f"[{section}.{option}]", f"[{section}.{_key(rng)}.{_key(rng)}]"))]
        lines += [f"{_key(rng)} = {_literal(rng)}"]
    elif way == 4 and lines:
        lines.insert(rng.randrange(len(lines)), rng.choice((rng.choice(lines), rng.choice(_NASTY), "]", "= 3", "[")))
    elif lines:
        del lines[rng.randrange(len(lines)) :]


def _set(rng: random.Random, _: Any) -> str:
    section, option = rng.choice(_OPTIONS)
    key = rng.choice((f"{section}.{option}",) * 5 + (section, f"{section}.{_key(rng)}", f"{_key(rng)}.{option}", ""))
    return f"{key}={rng.choice((_literal(rng), rng.choice((*_NASTY, *PATHS))))}"


_OPTIONS = [(name, option) for name, info in Config.model_fields.items() for option in info.annotation.model_fields]  # type: ignore[union-attr]


def _key(rng: random.Random) -> str:
    nasty = json.dumps(rng.choice(_NASTY), ensure_ascii=True)
    return rng.choice(("passages", "max_second", "x", nasty, "1", "a.b.c", "'odd key'", *rng.choice(_OPTIONS)))


def _literal(rng: random.Random) -> str:
    """A TOML value of any type, or what looks like one."""
    text = json.dumps(rng.choice((*_NASTY, *PATHS)), ensure_ascii=rng.random() < 0.7)
    numbers = (
        "0x" + "f" * 5000,
        "0",
        "-1",
        "1",
        "1e308",
        "-1e308",
        "1e999",
        "inf",
        "-inf",
        "nan",
        "9" * 30,
        BIG,
        "0x_1",
        "1_000",
        "0.1",
    )
    moments = ("1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "9999-12-31T23:59:59-23:59", "0000-00-00")
    nested = ("[]", "[[]]", "{}", "{a=1}", f"[{text}, 1]", DEEP, "{" + "a={" * 50 + "}" * 51, "[1, [2, {b = [3]}]]")
    many = ("[" + "1," * 5000 + "]", "[" + '"words < 5",' * 3 + "]", '["a: words < ' + "9" * 400 + '"]')
    return rng.choice((text, text, text, *numbers, *moments, *nested, *many, "true", "false", "null", "", "'''x"))


def _export(rng: random.Random, export: Sequence[dict[str, Any]]) -> str:
    tasks: Any = json.loads(json.dumps(rng.sample(list(export), rng.choice((1, 1, 2, len(export))))))
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        tasks = _break_json(rng, tasks)
    return _dumped(rng, tasks)


def _break_json(rng: random.Random, tree: Any) -> Any:
    """One node of the tree replaced, left out, doubled, wrapped or renamed."""
    nodes = list(_nodes(tree))
    if not nodes or rng.random() < 0.02:
        return rng.choice((_value(rng), {"tasks": tree}, [tree], None))
    holder, key = rng.choice(nodes)
    way = rng.randrange(7)
    if way <= 2:
        holder[key] = _value(rng)
    elif way == 3:
        del holder[key]
    elif way == 4 and isinstance(holder, list):
        holder += [json.loads(json.dumps(holder[key]))] * rng.choice((1, 2, 100))
    elif way == 5:
        holder[key] = rng.choice(([holder[key]], {"value": holder[key]}, {key: holder[key]} if key else []))
    else:
        other, place = rng.choice(nodes)
        holder[key] = json.loads(json.dumps(other[place] if place in other or isinstance(other, list) else None))
    return tree


def _nodes(tree: Any) -> list[tuple[Any, Any]]:
    """Every place in the tree where something stands."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        found += [(node, key) for key in keys]
        waiting += [node[key] for key in keys]
    return found


def _dumped(rng: random.Random, value: Any) -> str:
    return json.dumps(value, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, None, 1)) and 1)


def _path(rng: random.Random) -> str:
    return rng.choice((*PATHS, *_NASTY)) if rng.random() < 0.9 else rng.choice(PATHS) + rng.choice(_NASTY)


def _value(rng: random.Random) -> Any:
    plain = (None, True, False, 0, -1, 1, 0.5, 7, 2**31, 2**63, 2**64, -(2**70), 1e308, -0.0)
    odd = (float("nan"), float("inf"), float("-inf"), BIG, DEEP, TWICE)
    nested: tuple[Any, ...] = (
        [],
        {},
        [None],
        [[]],
        {"": None},
        {"start": "x"},
        [1, "a", None, {}],
        {"id": 1},
        ["a"] * 1000,
    )
    moments = ("2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", "now")
    return rng.choice(
        (rng.choice(plain), rng.choice(odd), rng.choice(nested), rng.choice(moments), *rng.choices(_NASTY, k=4))
    )


def _smuggle(rng: random.Random, text: str) -> str:
    """What no writer of ours would write: numbers of thousands of digits, nesting without end, half characters."""
    deep = rng.choice((100, 2000, 100_000))
    for quote in ('"', ""):
        text = text.replace(f"{quote}{BIG}{quote}", rng.choice(("9" * 400, "9" * 5000, "-" + "9" * 5000)))
        text = text.replace(f"{quote}{DEEP}{quote}", rng.choice(("[", '{"a":')) * deep + "]" * rng.choice((0, deep)))
        text = text.replace(f"{quote}{TWICE}{quote}", '{"id": 1, "id": 2, "path": "a", "path": 3}')
    return text.replace(LONE, rng.choice(("\\ud800", "\\udfff", "\ud83d")))


def _spoil(rng: random.Random, content: bytes) -> bytes:
    """The bytes themselves: another encoding, a mark at the front, a piece lost or changed."""
    text = content.decode("utf-8", "replace")
    at, end = sorted((rng.randrange(len(content) + 1), rng.randrange(len(content) + 1)))
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: b"\xef\xbb\xbf" + content,
        lambda: text.encode("utf-16"),
        lambda: text.encode("utf-16-be"),
        lambda: text.encode("cp1256", "replace"),
        lambda: content[:at],
        lambda: content[:at] + content[end:],
        lambda: content[:end] + content[at:],
        lambda: content[:at] + rng.randbytes(rng.choice((1, 2, 8))) + content[at:],
        lambda: (
            content[:at] + rng.choice((b"\0", b"\xed\xa0\x80", b"\xff", b"\x1a", b'"', b"\r", b"\x85")) + content[at:]
        ),
        lambda: b"",
        lambda: b"\x1f\x8b\x08" + content,
        lambda: content * 3,
    )
    return rng.choice(ways)()


_WRITERS: dict[str, Callable[[random.Random, Any], str]] = {
    "txt": _txt,
    "csv": _csv,
    "tsv": _tsv,
    "jsonl": _jsonl,
    "toml": _toml,
    "set": _set,
    "export": _export,
}
