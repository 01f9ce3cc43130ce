"""Makes what two engines say comparable: values of either one's classes in one form, without ids and times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

TASK_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ELAPSED = re.compile(r"elapsed: [0-9.]+s")
ANSWER_ID = re.compile(r"[0-9a-f]{32}")
OUR_OWN = ("GraphRecursionError", "InvalidUpdateError", "EmptyInputError")
NO_METADATA = ("lc_versions", "thread_id", "run_id", "counters_since_delta_snapshot")


def plain(value: Any) -> Any:
    """`value` as plain containers: class names for objects, no interrupt ids, `<id>` for task and checkpoint ids."""
    kind = type(value).__name__
    if isinstance(value, str):
        return ELAPSED.sub("elapsed", TASK_ID.sub("<id>", value))
    if kind == "Interrupt":
        return ("Interrupt", plain(value.value))
    if kind == "Overwrite":
        return ("Overwrite", plain(value.value))
    if kind == "Send":
        return ("Send", value.node, plain(value.arg))
    if isinstance(value, Mapping):
        if value and all(isinstance(key, str) and ANSWER_ID.fullmatch(key) for key in value):
            return ("answers", sorted(map(repr, value.values())))
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, BaseException):
        return (kind, str(value))
    if isinstance(value, (list, tuple)):
        if value and all(type(each).__name__ == "Interrupt" for each in value):
            return sorted(map(plain, once(value)), key=repr)  # parallel questions come in finishing order
        return [plain(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return ("set", sorted(map(plain, value), key=repr))  # in one order, because tasks are sorted by their text
    if is_dataclass(value) and not isinstance(value, type):
        return (kind, {each.name: plain(getattr(value, each.name)) for each in fields(value)})
    if hasattr(type(value), "model_fields"):
        return (kind, {name: plain(getattr(value, name)) for name in type(value).model_fields})
    return value


def once(asked: Iterable[Any]) -> tuple[Any, ...]:
    """Questions by their ids: see DEVIATIONS["asked twice"]."""
    return tuple({each.id: each for each in asked}.values())


def namespace(ns: Any) -> str:
    """A namespace without task ids."""
    parts = ns.split("|") if isinstance(ns, str) else ns
    return "/".join(part.partition(":")[0] for part in parts if part)


class Labels:
    """Names checkpoints by what they are, `source@step`, because ids differ from engine to engine."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def learn(self, config: Mapping[str, Any], metadata: Mapping[str, Any] | None) -> None:
        if metadata is not None:
            source = metadata.get("source", "empty")
            self._names[config["configurable"]["checkpoint_id"]] = f"{source}@{metadata['step']}"

    def of(self, config: Mapping[str, Any] | None) -> Any:
        """(thread, namespace, label) of a config."""
        if config is None:
            return None
        place = config["configurable"]
        label = place.get("checkpoint_id")
        named = self._names.get(label, label and "?")
        around = self.around(place.get("checkpoint_map", {}), place)
        return place.get("thread_id"), namespace(place.get("checkpoint_ns", "")), named, around

    def around(self, checkpoints: Mapping[str, str], place: Mapping[str, Any]) -> list[tuple[str, str]]:
        """(namespace, label) of the checkpoints around that at `place`: see DEVIATIONS["around the root"]."""
        if not place.get("checkpoint_ns"):
            return []
        return [(namespace(ns), self._names.get(each, "?")) for ns, each in checkpoints.items()]


def snapshot(shown: Any, labels: Labels) -> Any:
    """A StateSnapshot as plain data; its parent's label is known when the parent was learned before."""
    labels.learn(shown.config, shown.metadata)
    return {
        "values": plain(shown.values),
        "next": list(shown.next),
        "metadata": shown.metadata and _metadata(shown.metadata, shown.config, labels),
        "config": labels.of(shown.config) if shown.metadata else None,
        "parent": labels.of(shown.parent_config),
        "tasks": [_task(task, labels) for task in shown.tasks],
        "interrupts": plain(shown.interrupts),
    }


def _metadata(metadata: Mapping[str, Any], config: Mapping[str, Any], labels: Labels) -> dict[str, Any]:
    found = {key: plain(value) for key, value in metadata.items() if key not in NO_METADATA}
    place = config["configurable"]
    parents = {ns: name for ns, name in metadata.get("parents", {}).items() if ns != place.get("checkpoint_ns")}
    return {**found, "parents": labels.around(parents, place)}


def _task(task: Any, labels: Labels) -> Any:
    state = task.state
    if state is not None and not isinstance(state, Mapping):
        state = snapshot(state, labels)
    elif state is not None:
        state = namespace(state["configurable"]["checkpoint_ns"])
    return {
        "name": task.name,
        "path": plain(task.path),
        "error": error_text(task.error),
        "interrupts": plain(task.interrupts),
        "result": plain(task.result),
        "state": state,
    }


def error_text(error: Any) -> str | None:
    """The class and message of a recorded error: LangGraph shows its repr."""
    if error is None:
        return None
    text = ELAPSED.sub("elapsed", repr(error) if isinstance(error, BaseException) else str(error))
    if text.startswith(OUR_OWN):
        return text.partition("(")[0]  # a better message is allowed: parity rule 1
    return text.split("\\n")[0].split("\n")[0]


def debug(payload: Mapping[str, Any], labels: Labels) -> tuple[int, int, Any]:
    """One chunk of the debug stream as (step, rank within the step, plain content)."""
    body = dict(payload["payload"])
    match payload["type"]:
        case "checkpoint":
            labels.learn(body["config"], body["metadata"])
            content = {
                "values": plain(body["values"]),
                "metadata": _metadata(body["metadata"], body["config"], labels),
                "next": sorted(body["next"]),  # LangGraph: by name, or as added when an edit led here
                "config": labels.of(body["config"]),
                "parent": labels.of(body["parent_config"]),
                "tasks": sorted((_debug_task(task) for task in body["tasks"]), key=repr),
            }
            return payload["step"], 0, ("checkpoint", content)
        case "task":
            content = {"name": body["name"], "input": plain(body["input"]), "triggers": sorted(body["triggers"])}
            if body.get("metadata"):
                content["metadata"] = plain(body["metadata"])
            return payload["step"], 1, ("task", content)
        case _:
            content = {key: plain(body[key]) for key in ("name", "result")}
            content["interrupts"] = _asked(body["interrupts"])
            content["error"] = error_text(body["error"])
            return payload["step"], 2, ("task_result", content)


def _asked(questions: Iterable[Mapping[str, Any]]) -> list[Any]:
    return sorted((plain(each["value"]) for each in {each["id"]: each for each in questions}.values()), key=repr)


def _debug_task(task: Mapping[str, Any]) -> Any:
    found = {key: plain(value) for key, value in task.items() if key not in ("id", "state", "interrupts")}
    found["interrupts"] = _asked(task.get("interrupts", ()))
    state = task.get("state")
    found["state"] = None if state is None else namespace(state["configurable"]["checkpoint_ns"])
    return found
