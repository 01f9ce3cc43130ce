"""The node that runs the tools that a model has called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from langchain_core.messages import ToolCall
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.tools import tool as make_tool
from pydantic import ValidationError

from stepgraph.core.errors import GraphBubbleUp, is_invalid_resume
from stepgraph.integrations.runnables import RUNTIME, RunnableCallable
from stepgraph.prebuilt.calling import all_of, at_once, configs
from stepgraph.prebuilt.injection import Injected, fill, injected_in
from stepgraph.prebuilt.inputs import Form, calls_in, state_of
from stepgraph.prebuilt.markers import ToolRuntime
from stepgraph.prebuilt.outputs import Output, checked, combined
from stepgraph.prebuilt.requests import AsyncToolCallWrapper, ToolCallRequest, ToolCallWrapper
from stepgraph.prebuilt.tool_errors import (
    Handling,
    handles,
    invalid,
    invalid_arguments,
    told,
    unknown,
)
from stepgraph.run.runtime import Runtime

_NOWHERE: Runtime[Any] = Runtime()
_NOBODYS: Any = None


class Job(NamedTuple):
    """A call with the config for its tool."""

    config: Any
    request: ToolCallRequest


class ToolNode(RunnableCallable):
    """Runs the calls of the last AIMessage, several at once, and returns their ToolMessages in the order of the calls.

    It takes a state with messages (dict or object), a list of messages, or tool calls. Tools are langchain-core's or
    plain functions; they may return anything, a ToolMessage, a Command, or a list of the last two.
    `handle_tool_errors` says which errors the model gets as messages: True for all, a text for all, exception classes,
    or a function whose annotated parameter says which. By default it is told of arguments that a tool does not take.
    `wrap_tool_call(request, execute)` stands around every call; async runs prefer `awrap_tool_call`
    (without it they call `wrap_tool_call` on the event loop, which waits for it).

    For a state it returns `{messages_key: [ToolMessage, ...]}`, for a list of messages a list of them, and where tools
    gave Commands a list of Commands and such updates. A call of an unknown tool is answered with the names of the known
    ones. ValueError is raised where there is no AIMessage, for a plain function without a docstring, and for a Command
    whose update does not answer its call; TypeError for a list of other things than messages and Commands. What a tool
    raises, and the model does not get as a message, is raised once all calls have ended.
    """

    name: str | None = "tools"

    def __init__(
        self,
        tools: Sequence[BaseTool | Callable[..., Any]],
        *,
        name: str = "tools",
        tags: list[str] | None = None,
        handle_tool_errors: Handling = invalid_arguments,
        messages_key: str = "messages",
        wrap_tool_call: ToolCallWrapper | None = None,
        awrap_tool_call: AsyncToolCallWrapper | None = None,
    ) -> None:
        super().__init__(self._func, self._afunc, name=name, tags=tags, trace=False)
        made = [tool if isinstance(tool, BaseTool) else make_tool(tool) for tool in tools]
        self._tools_by_name: dict[str, BaseTool] = {tool.name: tool for tool in made}
        self._injected = {tool.name: injected_in(tool) for tool in made}
        self._handle_tool_errors = handle_tool_errors
        self._messages_key = messages_key
        self._wrap_tool_call = wrap_tool_call
        self._awrap_tool_call = awrap_tool_call

    @property
    def tools_by_name(self) -> dict[str, BaseTool]:
        """Name -> tool."""
        return self._tools_by_name

    def _func(self, input: Any, config: RunnableConfig) -> Any:
        calls, form = calls_in(input, self._messages_key)
        jobs = self._jobs(input, calls, config)
        return combined(at_once(partial(self._run, form), jobs, config), form, self._messages_key)

    async def _afunc(self, input: Any, config: RunnableConfig) -> Any:
        calls, form = calls_in(input, self._messages_key)
        jobs = self._jobs(input, calls, config)
        if len(jobs) == 1:
            outputs = [await self._arun(form, jobs[0])]
        else:
            outputs = await all_of([self._arun(form, job) for job in jobs])
        return combined(outputs, form, self._messages_key)

    def _jobs(self, given: Any, calls: Sequence[ToolCall], config: Any) -> list[Job]:
        return [self._job(given, call, own) for call, own in zip(calls, configs(config, len(calls)), strict=True)]

    def _job(self, given: Any, call: ToolCall, config: Any) -> Job:
        tool = self._tools_by_name.get(call["name"])
        wrapped = self._wrap_tool_call is not None or self._awrap_tool_call is not None
        if tool is not None and not wrapped and not self._injected[tool.name].names:
            return Job(config, ToolCallRequest(call, tool, None, _NOBODYS))  # which nobody looks at
        state = state_of(given, config)
        runtime = (config.get("configurable") or {}).get(RUNTIME) or _NOWHERE
        around = ToolRuntime(
            state=state,
            context=runtime.context,
            config=config,
            stream_writer=runtime.stream_writer,
            tool_call_id=call["id"],
            store=runtime.store,
            tools=list(self._tools_by_name.values()),
            execution_info=runtime.execution_info,
            server_info=runtime.server_info,
        )
        return Job(config, ToolCallRequest(call, tool, state, around))

    def _run(self, form: Form, job: Job) -> Output | list[Output]:
        """One call, through the wrapper."""
        config, request = job
        if self._wrap_tool_call is None:
            return self._execute(form, config, request)
        try:
            return self._wrap_tool_call(request, partial(self._execute, form, config))
        except Exception as error:  # noqa: BLE001  it is raised, or the model's to mend
            return self._wrapper_failed(error, request)

    async def _arun(self, form: Form, job: Job) -> Output | list[Output]:
        config, request = job
        if self._awrap_tool_call is None and self._wrap_tool_call is None:
            return await self._aexecute(form, config, request)
        try:
            if self._awrap_tool_call is not None:
                return await self._awrap_tool_call(request, partial(self._aexecute, form, config))
            assert self._wrap_tool_call is not None
            return self._wrap_tool_call(request, partial(self._execute, form, config))
        except Exception as error:  # noqa: BLE001  it is raised, or the model's to mend
            return self._wrapper_failed(error, request)

    def _wrapper_failed(self, error: Exception, request: ToolCallRequest) -> Output:
        if isinstance(error, GraphBubbleUp) or not self._handle_tool_errors or is_invalid_resume(error):
            raise error
        return told(self._handle_tool_errors, error, request.tool_call)

    def _execute(self, form: Form, config: Any, request: ToolCallRequest) -> Output | list[Output]:
        """Call the tool itself."""
        if request.tool is None:
            return self._missing(request.tool_call)
        filled = self._filled(request)
        try:
            response = request.tool.invoke(filled, config)
        except Exception as error:  # noqa: BLE001  it is raised, or the model's to mend
            return self._refused(error, request)
        return self._taken(response, form, request)

    async def _aexecute(self, form: Form, config: Any, request: ToolCallRequest) -> Output | list[Output]:
        if request.tool is None:
            return self._missing(request.tool_call)
        filled = self._filled(request)
        try:
            response = await request.tool.ainvoke(filled, config)
        except Exception as error:  # noqa: BLE001  as above
            return self._refused(error, request)
        return self._taken(response, form, request)

    def _missing(self, call: ToolCall) -> Output:
        if call["name"] in self._tools_by_name:
            raise TypeError(f"Tool {call['name']} is not registered with ToolNode: the request was given no tool.")
        return unknown(call, self._tools_by_name)

    def _injected_of(self, request: ToolCallRequest) -> Injected:
        """A tool that a wrapper has brought is not known in advance."""
        assert request.tool is not None
        return self._injected.get(request.tool_call["name"]) or injected_in(request.tool)

    def _filled(self, request: ToolCallRequest) -> Any:
        call = request.tool_call
        arguments = fill(call, self._injected_of(request), request.runtime, self._messages_key)
        return {**call, "args": arguments, "type": "tool_call"}

    def _taken(self, response: Any, form: Form, request: ToolCallRequest) -> Output | list[Output]:
        """What the tool returned, as outputs of the node."""
        try:
            return checked(response, request.tool_call, form, self._messages_key)
        except Exception as error:  # noqa: BLE001  it is raised, or the model's to mend
            return self._failed(error, request.tool_call)

    def _refused(self, error: Exception, request: ToolCallRequest) -> Output:
        """What the tool raised: of arguments that it does not take the model learns only those that it gave."""
        call = request.tool_call
        if isinstance(error, ValidationError) and not is_invalid_resume(error):  # not a person's answer
            given = invalid(error, call, self._injected_of(request).names)
            given.__cause__ = error
            return self._failed(given, call)
        return self._failed(error, call)

    def _failed(self, error: Exception, call: ToolCall) -> Output:
        if isinstance(error, GraphBubbleUp) or is_invalid_resume(error) or not handles(self._handle_tool_errors, error):
            raise error
        return told(self._handle_tool_errors, error, call)
