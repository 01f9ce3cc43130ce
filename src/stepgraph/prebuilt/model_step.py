"""The node of an agent that asks the model."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from langchain_core.messages import AIMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import BaseModel

from stepgraph.integrations.listeners import listened
from stepgraph.integrations.runnables import RUNTIME, RunnableCallable
from stepgraph.prebuilt.agent_state import value_of
from stepgraph.prebuilt.chat_models import chat_model, is_async, is_dynamic
from stepgraph.prebuilt.prompts import Prompt
from stepgraph.prebuilt.talk import check_answered


class Model:
    """The agent's model: the same for all turns, or chosen by a function of state and runtime."""

    def __init__(self, given: Any, prompt: Prompt) -> None:
        self.given = given
        self.prompt = prompt
        self.chooses = is_dynamic(given)
        self.chooses_async = is_async(given)
        self._sequence: Any = None if self.chooses else prompt.runnable | given

    def for_turn(self, state: Any, config: Any) -> Any:
        """The model to ask now. Raises RuntimeError if choosing has to be awaited."""
        if self.chooses_async:
            raise RuntimeError(
                "Async model callable provided but agent invoked synchronously. "
                "Use agent.ainvoke() or agent.astream(), or provide a sync model callable."
            )
        return self.given(state, config["configurable"][RUNTIME]) if self.chooses else self.given

    async def afor_turn(self, state: Any, config: Any) -> Any:
        """The same where choosing may be awaited."""
        if self.chooses_async:
            return await self.given(state, config["configurable"][RUNTIME])
        return self.for_turn(state, config)

    def ask(self, state: Any, config: Any, *, heard: bool) -> Any:
        """Give the model what the prompt makes of the state. `heard`: somebody looks at the runs of both."""
        model = self.for_turn(state, config)
        if heard:
            return self.sequence(model).invoke(state, config)
        plain = self.prompt.plain
        return model.invoke(self.prompt.silent.invoke(state, config) if plain is None else plain(state), config)

    async def aask(self, state: Any, config: Any, *, heard: bool) -> Any:
        """The same, awaited."""
        model = await self.afor_turn(state, config)
        if heard:
            return await self.sequence(model).ainvoke(state, config)
        plain = self.prompt.plain
        given = await self.prompt.silent.ainvoke(state, config) if plain is None else plain(state)
        return await model.ainvoke(given, config)

    def sequence(self, model: Any) -> Runnable[Any, Any]:
        """Prompt and model as one Runnable, which takes a fifth of a turn more than the two one after the other."""
        found: Runnable[Any, Any] = self.prompt.runnable | model if self.chooses else self._sequence
        return found


class CallModel(RunnableCallable):
    """Asks the model, and adds its answer to the messages. `direct` are the tools whose result is the agent's."""

    def __init__(self, model: Model, name: str | None, direct: Collection[str], *, hooked: bool) -> None:
        super().__init__(self._call, self._acall, name="call_model")
        self.model = model
        self.agent = name
        self.direct = direct
        self.hooked = hooked
        """Whether a hook may have put the messages for the model in a key of their own."""

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """One turn. Where nobody hears of it there is no run around the model's own."""
        if config is None or listened(config):
            return super().invoke(input, config, **kwargs)
        return self._told(input, self.model.ask(self._given(input), config, heard=False))

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """One turn."""
        if config is None or listened(config):
            return await super().ainvoke(input, config, **kwargs)
        return self._told(input, await self.model.aask(self._given(input), config, heard=False))

    def _call(self, state: Any, config: RunnableConfig) -> Any:
        return self._told(state, self.model.ask(self._given(state), config, heard=True))

    async def _acall(self, state: Any, config: RunnableConfig) -> Any:
        return self._told(state, await self.model.aask(self._given(state), config, heard=True))

    def _given(self, state: Any) -> Any:
        """The state with the messages for the model."""
        messages = (value_of(state, "llm_input_messages") if self.hooked else None) or value_of(state, "messages")
        if messages is None:
            keys = "'llm_input_messages' or 'messages' key" if self.hooked else "'messages' key"
            raise ValueError(f"Expected input to call_model to have {keys}, but got {state}")
        check_answered(messages)
        if messages is value_of(state, "messages"):
            return state
        if isinstance(state, BaseModel):
            state.messages = messages  # type: ignore[attr-defined]  # of the state's own class
        else:
            state["messages"] = messages
        return state

    def _told(self, state: Any, response: Any) -> Any:
        response.name = self.agent
        if self._runs_out(state, response):
            response = AIMessage(id=response.id, content="Sorry, need more steps to process this request.")
        return {"messages": [response]}

    def _runs_out(self, state: Any, response: Any) -> bool:
        """Whether the steps that are left do not suffice for what the model wants."""
        left = value_of(state, "remaining_steps")
        if left is None or left >= 2 or not isinstance(response, AIMessage):
            return False
        calls = response.tool_calls
        return bool(calls) or (left < 1 and all(call["name"] in self.direct for call in calls))


class Structure(RunnableCallable):
    """Asks the model for the talk's result in the form of a schema."""

    def __init__(self, model: Model, schema: Any) -> None:
        super().__init__(self._call, self._acall, name="generate_structured_response")
        self.model = model
        self.prompt, self.schema = schema if isinstance(schema, tuple) else (None, schema)

    def _call(self, state: Any, config: RunnableConfig) -> Any:
        model = self._asked(self.model.for_turn(state, config))
        return {"structured_response": model.invoke(self._given(state), config)}

    async def _acall(self, state: Any, config: RunnableConfig) -> Any:
        model = self._asked(await self.model.afor_turn(state, config))
        return {"structured_response": await model.ainvoke(self._given(state), config)}

    def _asked(self, model: Any) -> Runnable[Any, Any]:
        return chat_model(self.model.sequence(model)).with_structured_output(self.schema)

    def _given(self, state: Any) -> Any:
        messages = value_of(state, "messages")
        return messages if self.prompt is None else [SystemMessage(content=self.prompt), *messages]
