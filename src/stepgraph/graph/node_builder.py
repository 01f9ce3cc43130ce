"""How a node of a graph of channels is written down step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from stepgraph.core.policies import RetryPolicy, as_retries
from stepgraph.graph.actions import is_runnable
from stepgraph.graph.pregel_node import ChannelWriteEntry, Entry, PregelNode

if TYPE_CHECKING:
    from datetime import timedelta

    from stepgraph.core.limits import CachePolicy, TimeoutPolicy


class NodeBuilder:
    """Says what a node of a Pregel graph subscribes to, does and writes; every method returns the builder.

    `NodeBuilder().subscribe_only("a").do(function).write_to("b")`.
    """

    __slots__ = (
        "_cache_policy", "_channels", "_metadata", "_retry_policy", "_steps", "_tags", "_timeout", "_triggers",
        "_writes",
    )  # fmt: skip

    def __init__(self) -> None:
        self._channels: str | list[str] = []
        self._triggers: list[str] = []
        self._steps: list[Any] = []
        self._writes: list[Entry] = []
        self._tags: list[str] = []
        self._metadata: dict[str, Any] = {}
        self._retry_policy: list[RetryPolicy] = []
        self._cache_policy: CachePolicy | None = None
        self._timeout: TimeoutPolicy | None = None

    def subscribe_only(self, channel: str) -> Self:
        """Run when `channel` is written, on its bare value. Raises ValueError beside other channels."""
        if self._channels:
            raise ValueError("Cannot subscribe to single channels when other channels are already subscribed to")
        self._channels = channel
        self._triggers.append(channel)
        return self

    def subscribe_to(self, *channels: str, read: bool = True) -> Self:
        """Run when any of `channels` is written, on a dict of their values; without `read` they only trigger it."""
        if isinstance(self._channels, str):
            raise ValueError("Cannot subscribe to channels when subscribed to a single channel")
        if read:
            self._channels.extend(channels)
        self._triggers.extend(channels)
        return self

    def read_from(self, *channels: str) -> Self:
        """Read these channels too, without subscribing to them."""
        if isinstance(self._channels, str):
            raise AssertionError("Cannot read additional channels when subscribed to single channels")
        self._channels.extend(channels)
        return self

    def do(self, node: Any) -> Self:
        """Call a function, a Runnable or a graph, on what was read or on what the action before returned.

        Raises TypeError for anything else.
        """
        if not (callable(node) or isinstance(node, dict) or is_runnable(node)):
            raise TypeError(f"Expected a Runnable, callable or dict. Instead got an unsupported type: {type(node)}")
        self._steps.append(node)
        return self

    def write_to(self, *channels: str | Entry, **kwargs: Any) -> Self:
        """Write the result to `channels`; by keyword, a value, or what a function makes of the result."""
        self._writes.extend(ChannelWriteEntry(each) if isinstance(each, str) else each for each in channels)
        self._writes.extend(
            ChannelWriteEntry(name, mapper=value) if callable(value) else ChannelWriteEntry(name, value)
            for name, value in kwargs.items()
        )
        return self

    def meta(self, *tags: str, **metadata: Any) -> Self:
        """Add tags and metadata, which callbacks hear of."""
        self._tags.extend(tags)
        self._metadata.update(metadata)
        return self

    def add_retry_policies(self, *policies: RetryPolicy) -> Self:
        """Run again after an error that a policy fits."""
        self._retry_policy.extend(as_retries(policies))
        return self

    def add_cache_policy(self, policy: CachePolicy) -> Self:
        """Let the graph's cache keep results."""
        self._cache_policy = policy
        return self

    def set_timeout(self, timeout: float | timedelta | TimeoutPolicy | None) -> Self:
        """Limit how long each attempt may take. For async actions only."""
        from stepgraph.core.limits import TimeoutPolicy  # loaded when a graph has limits

        self._timeout = TimeoutPolicy.coerce(timeout)
        return self

    def build(self) -> PregelNode:
        """The node. `Pregel` takes builders too."""
        channels = self._channels if isinstance(self._channels, str) else list(self._channels)
        made = PregelNode(
            channels=channels, triggers=self._triggers, tags=list(self._tags), metadata=dict(self._metadata),
            retry_policy=list(self._retry_policy), cache_policy=self._cache_policy, timeout=self._timeout,
        )  # fmt: skip
        made.build(self._steps, self._writes)
        return made


__all__ = ["NodeBuilder"]
