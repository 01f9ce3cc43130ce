"""Runs the programs of a folder one after the other and prints what each showed, as JSON.

`python runner.py FOLDER [program ...]` runs them on LangGraph; under `python -m stepgraph.compat run` the same command
runs them here. A program is a function whose first parameter is called `show`.
"""

import contextlib
import importlib.util
import io
import json
import re
import sys
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b")
ADDRESS = re.compile(r" at 0x[0-9a-f]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?")


def main(folder: str, wanted: list[str]) -> None:
    """Print a JSON object: program -> the lines that it showed."""
    found: dict[str, list[str]] = {}
    for path in sorted(Path(folder).resolve().glob("*.py")):
        if wanted and not any(name.startswith(path.stem) for name in wanted):
            continue
        spec: Any = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        try:
            spec.loader.exec_module(module)
        except Exception:
            found[path.stem] = [traceback.format_exc()]
            continue
        for name, play in list(vars(module).items()):
            code = getattr(play, "__code__", None)
            if code is None or code.co_filename != str(path) or code.co_varnames[: code.co_argcount] != ("show",):
                continue
            if not wanted or f"{path.stem}.{name}" in wanted or path.stem in wanted:
                found[f"{path.stem}.{name}"] = record(play)
    json.dump(found, sys.stdout, indent=1)


def record(play: Any) -> list[str]:
    """What a program showed, ids and times made alike, and the class and place of what it raised."""
    shown: list[str] = []
    labels: dict[str, str] = {}

    def label(match: re.Match[str]) -> str:
        return labels.setdefault(match[0], f"<id {len(labels)}>")

    def show(*values: Any) -> None:
        shown.extend(ADDRESS.sub("", TIME.sub("<time>", ID.sub(label, plain(value)))) for value in values)

    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            play(show)
    except BaseException as error:
        here = [frame for frame in traceback.extract_tb(error.__traceback__) if "programs" in frame.filename]
        text = ADDRESS.sub("", ID.sub(label, str(error)))[:300]
        shown.append(f"raised {type(error).__name__}: {text} at line {here[-1].lineno if here else 0}")
    return shown


def plain(value: Any) -> str:
    """`repr`, with sets in a fixed order."""
    if isinstance(value, Mapping):
        pairs = value.items()
        return "{" + ", ".join(f"{plain(key)}: {plain(each)}" for key, each in pairs) + "}"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(plain(each) for each in value)) + "}"
    if type(value) in (list, tuple):
        return ("[%s]" if type(value) is list else "(%s)") % ", ".join(plain(each) for each in value)
    return repr(value)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
