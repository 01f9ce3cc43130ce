"""`create_react_agent`: a model that calls tools in a loop until it has its answer."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_type_hints

from langchain_core.messages import AnyMessage
from langchain_core.tools import BaseTool
from pydantic import BaseModel, create_model

from stepgraph.core.deprecated import LangGraphDeprecatedSinceV10
from stepgraph.core.types import END
from stepgraph.graph.builder import StateGraph
from stepgraph.prebuilt.agent_state import AgentState, AgentStateWithStructuredResponse
from stepgraph.prebuilt.chat_models import bound, is_dynamic, named
from stepgraph.prebuilt.model_step import CallModel, Model, Structure
from stepgraph.prebuilt.prompts import Prompt
from stepgraph.prebuilt.routes import Routes
from stepgraph.prebuilt.tool_node import ToolNode


def create_react_agent(
    model: Any,
    tools: Sequence[BaseTool | Callable[..., Any] | dict[str, Any]] | ToolNode,
    *,
    prompt: Any = None,
    response_format: Any = None,
    pre_model_hook: Any = None,
    post_model_hook: Any = None,
    state_schema: Any = None,
    context_schema: type[Any] | None = None,
    checkpointer: Any = None,
    store: Any = None,
    interrupt_before: list[str] | None = None,
    interrupt_after: list[str] | None = None,
    debug: bool = False,
    version: Literal["v1", "v2"] = "v2",
    name: str | None = None,
    **deprecated_kwargs: Any,
) -> Any:
    """A compiled graph of two nodes, "agent" and "tools", on a state with `messages`.

    `model` is a chat model, its name for langchain's `init_chat_model`, or a function of (state, runtime) that gives
    one for each turn. `tools` are langchain-core's, plain functions, descriptions of tools that the provider runs, or a
    ToolNode. `prompt` is a system message, or makes the model's input of the state. `pre_model_hook` and
    `post_model_hook` are nodes before and after the model; the first one returns `messages` to change the talk, or
    `llm_input_messages` to change what the model sees of it. `response_format` (or a pair of prompt and format) adds a
    `structured_response` at the end. With version "v1" one task runs all calls of a message, with "v2" each has its
    own. When too few supersteps are left for the calls, the agent says so instead of raising GraphRecursionError.

    It takes `{"messages": [...]}` (messages, texts, or pairs such as `("user", "hi")`) and the schema's other keys, and
    gives the state with all messages, the answer last. A talk in which a call has no ToolMessage ends in a ValueError
    (INVALID_CHAT_HISTORY) when it is the model's turn. Here ValueError is raised for an unknown version, for a
    `state_schema` that lacks `messages` or `remaining_steps`, and for a model that is bound to other tools; TypeError
    for unknown keywords; ImportError for a model given by name where langchain is not installed.
    """
    context_schema = _context_schema(context_schema, deprecated_kwargs)
    if version not in ("v1", "v2"):
        raise ValueError(f"Invalid version {version}. Supported versions are 'v1' and 'v2'.")
    schema = _state_schema(state_schema, structured=response_format is not None)
    builtin: list[dict[str, Any]] = []
    if hasattr(tools, "tools_by_name"):  # ours, or langgraph-prebuilt's
        node = tools
    else:
        builtin = [tool for tool in tools if isinstance(tool, dict)]
        node = ToolNode([tool for tool in tools if not isinstance(tool, dict)])
    known = list(node.tools_by_name.values())
    if not is_dynamic(model):
        model = bound(named(model), known, builtin)
    asked = Model(model, Prompt(prompt))
    direct = {tool.name for tool in known if tool.return_direct}

    graph = StateGraph(schema, context_schema)
    entry = "agent" if pre_model_hook is None else "pre_model_hook"
    after = END if response_format is None else "generate_structured_response"
    hook = None if post_model_hook is None else "post_model_hook"
    graph.add_node(
        "agent",
        CallModel(asked, name, direct, hooked=pre_model_hook is not None),
        input_schema=schema if pre_model_hook is None else _with_model_input(schema),
    )
    if known:
        graph.add_node("tools", node)
    if pre_model_hook is not None:
        graph.add_node("pre_model_hook", pre_model_hook)
        graph.add_edge("pre_model_hook", "agent")
    graph.set_entry_point(entry)
    if post_model_hook is not None:
        graph.add_node("post_model_hook", post_model_hook)
        graph.add_edge("agent", "post_model_hook")
    if response_format is not None:
        graph.add_node("generate_structured_response", Structure(asked, response_format))
    computed = tuple(graph.managed) if isinstance(node, ToolNode) else None
    routes = Routes(version, entry, after, hook, direct, computed)
    if known:
        _connect(graph, routes)
    elif response_format is not None:
        graph.add_edge(hook or "agent", after)
    return graph.compile(
        checkpointer=checkpointer,
        store=store,
        interrupt_before=interrupt_before,
        interrupt_after=interrupt_after,
        debug=debug,
        name=name,
    )


create_tool_calling_executor = create_react_agent


def _connect(graph: StateGraph, routes: Routes) -> None:
    """The edges of an agent with tools."""
    if routes.hook is not None:
        paths = [routes.entry, "tools", routes.after]
        graph.add_conditional_edges(routes.hook, routes.post_model_hook_router, paths)
        graph.add_conditional_edges("agent", routes.should_continue, [routes.hook])
    else:
        graph.add_conditional_edges("agent", routes.should_continue, ["tools", routes.after])
    if routes.direct:
        graph.add_conditional_edges("tools", routes.route_tool_responses, [routes.entry, END])
    else:
        graph.add_edge("tools", routes.entry)


def _context_schema(given: Any, others: dict[str, Any]) -> Any:
    """The context's schema, which once had another name. Raises TypeError for other keywords."""
    if "config_schema" in others:
        warnings.warn(
            "`config_schema` is deprecated and will be removed. Please use `context_schema` instead.",
            LangGraphDeprecatedSinceV10,
            stacklevel=3,
        )
        old = others.pop("config_schema")
        given = old if given is None else given
    if others:
        raise TypeError(f"create_react_agent() got unexpected keyword arguments: {others}")
    return given


def _state_schema(given: Any, *, structured: bool) -> Any:
    """The state's schema. Raises ValueError if it lacks a key that agents need."""
    if given is None:
        return AgentStateWithStructuredResponse if structured else AgentState
    wanted = {"messages", "remaining_steps"} | ({"structured_response"} if structured else set())
    if missing := wanted - set(get_type_hints(given)):
        raise ValueError(f"Missing required key(s) {missing} in state_schema")
    return given


def _with_model_input(schema: Any) -> Any:
    """The schema of the model's node, with the key in which a hook leaves messages for the model alone."""
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return create_model("CallModelInputSchema", llm_input_messages=(list[AnyMessage], ...), __base__=schema)

    class CallModelInputSchema(schema):  # type: ignore[misc]  # any TypedDict
        llm_input_messages: list[AnyMessage]

    return CallModelInputSchema
