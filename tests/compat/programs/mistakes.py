"""Calls that leave something out, and the classes of the errors that programs catch for them."""

import asyncio
import operator
from typing import Annotated, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


def graph(**options: Any) -> Any:
    return StateGraph(State).add_node("a", lambda s: {"log": ["a"]}).add_edge(START, "a").compile(**options)


async def listed(chunks: Any) -> list[Any]:
    return [each async for each in chunks]


def calls(app: Any, config: Any) -> dict[str, Any]:
    """Every call that needs a thread."""
    update = {"log": ["u"]}
    return {
        "get_state": lambda: app.get_state(config),
        "aget_state": lambda: asyncio.run(app.aget_state(config)),
        "get_state_history": lambda: list(app.get_state_history(config)),
        "aget_state_history": lambda: asyncio.run(listed(app.aget_state_history(config))),
        "update_state": lambda: app.update_state(config, update, "a"),
        "aupdate_state": lambda: asyncio.run(app.aupdate_state(config, update, "a")),
        "invoke": lambda: app.invoke(update, config),
        "astream": lambda: asyncio.run(listed(app.astream(update, config))),
    }


def without_a_thread(show: Any) -> None:
    """KeyError where state is read or written, ValueError where the graph runs or has no checkpointer."""
    for app, expected in ((graph(checkpointer=InMemorySaver()), KeyError), (graph(), ValueError)):
        for config in ({}, {"configurable": {}}, {"configurable": {"checkpoint_ns": ""}}):
            for name, call in calls(app, config).items():
                runs = name in ("invoke", "astream")
                try:
                    show((name, call()))
                except (KeyError, ValueError) as error:
                    told = ValueError if runs and not config.get("configurable") else expected
                    show((name, "refused", isinstance(error, told)))


def without_modes(show: Any) -> None:
    app = graph()
    show(list(app.stream({"log": []}, stream_mode=[])), app.invoke({"log": []}, stream_mode=[]))
    show(asyncio.run(listed(app.astream({"log": []}, stream_mode=[]))))
    show(list(app.stream({"log": []}, stream_mode=None)))
