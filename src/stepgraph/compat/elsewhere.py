"""Names that LangGraph's modules have because they import them from each other; programs import them from there too.

The table says exactly what a public module has, because programs ask for names to find out which release they run on.
Its private modules have whatever another one defines.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any

from stepgraph.compat.absent import ABSENT

_CHANNEL = "BaseChannel EmptyChannelError MISSING Value"
_EXPLAINING = f"{_CHANNEL} ErrorCode InvalidUpdateError create_error_message"
BORROWED = {
    "callbacks": "Interrupt",
    "channels.any_value": _CHANNEL,
    "channels.base": "MISSING",
    "channels.binop": f"{_EXPLAINING} OVERWRITE Overwrite",
    "channels.delta": _EXPLAINING,
    "channels.ephemeral_value": f"{_CHANNEL} InvalidUpdateError",
    "channels.last_value": _EXPLAINING,
    "channels.named_barrier_value": f"{_CHANNEL} InvalidUpdateError",
    "channels.topic": _CHANNEL,
    "channels.untracked_value": f"{_CHANNEL} InvalidUpdateError",
    "config": "BaseStore CONF CONFIG_KEY_RUNTIME StreamWriter",
    "errors": "Command Interrupt LangGraphDeprecatedSinceV10",
    "func": "BaseCache BaseCheckpointSaver BaseStore CACHE_NS_WRITES CachePolicy ChannelWrite ChannelWriteEntry "
    "ContextT DeprecatedKwargs END EphemeralValue LangGraphDeprecatedSinceV05 LangGraphDeprecatedSinceV10 LastValue "
    "MISSING PREVIOUS Pregel PregelNode RetryPolicy START StreamMode TimeoutPolicy coerce_timeout_policy "
    "is_async_callable sync_timeout_unsupported",
    "graph._branch": "ChannelWrite ChannelWriteEntry END InvalidUpdateError PASSTHROUGH RunnableCallable START Send",
    "graph._node": "BaseStore CachePolicy ContextT EMPTY_SEQ NodeInputT NodeInputT_contra RetryPolicy Runtime "
    "StreamWriter TimeoutPolicy TracePolicy",
    "graph.message": "CONF CONFIG_KEY_SEND LangGraphDeprecatedSinceV10 StateGraph",
    "graph.state": "All BaseCache BaseChannel BaseStore BinaryOperatorAggregate BranchSpec CachePolicy ChannelRead "
    "ChannelWrite ChannelWriteEntry ChannelWriteTupleEntry Checkpoint Checkpointer Command ContextT DeltaChannel "
    "DeprecatedKwargs EMPTY_SEQ END EphemeralValue ErrorCode INTERRUPT InputT InvalidUpdateError "
    "LangGraphDeprecatedSinceV05 LangGraphDeprecatedSinceV10 LastValue LastValueAfterFinish MISSING ManagedValueSpec "
    "NS_END NS_SEP NamedBarrierValue NamedBarrierValueAfterFinish NodeInputT OutputT ParentCommand Pregel PregelNode "
    "RetryPolicy START Send StateNode StateNodeSpec StateT TAG_HIDDEN TASKS TimeoutPolicy TracePolicy "
    "coerce_timeout_policy coerce_to_runnable create_error_message create_model ensure_valid_checkpointer "
    "get_cached_annotated_keys get_field_default get_update_as_tuples is_managed_value",
    "graph.ui": "CONF get_config get_stream_writer",
    "managed.is_last_step": "ManagedValue PregelScratchpad",
    "pregel.debug": "BaseChannel CONF CONFIG_KEY_CHECKPOINT_NS CheckpointMetadata CheckpointPayload ERROR "
    "EXCLUDED_METADATA_KEYS INTERRUPT MISSING NS_END NS_SEP PendingWrite PregelExecutableTask PregelTask RETURN "
    "StateSnapshot TAG_HIDDEN TaskPayload TaskResultPayload filter_to_user_tags patch_checkpoint_map read_channels",
    "pregel.main": "All AsyncGraphRunStream BaseCache BaseChannel BaseCheckpointSaver BaseStore CACHE_NS_WRITES CONF "
    "CONFIG_KEY_CACHE CONFIG_KEY_CHECKPOINTER CONFIG_KEY_CHECKPOINT_ID CONFIG_KEY_CHECKPOINT_NS CONFIG_KEY_DURABILITY "
    "CONFIG_KEY_NODE_FINISHED CONFIG_KEY_READ CONFIG_KEY_RUNNER_SUBMIT CONFIG_KEY_RUNTIME CONFIG_KEY_SEND "
    "CONFIG_KEY_STREAM CONFIG_KEY_TASK_ID CONFIG_KEY_THREAD_ID CachePolicy ChannelVersions ChannelWrite "
    "ChannelWriteEntry Checkpoint CheckpointTuple Checkpointer Command ContextT DEFAULT_BOUND DEFAULT_RUNTIME "
    "DeltaChannel DeprecatedKwargs Durability END ErrorCode GraphDrained GraphInterruptEvent GraphOutput "
    "GraphResumeEvent GraphRunStream INPUT INTERRUPT InputT Interrupt InvalidUpdateError LangGraphDeprecatedSinceV10 "
    "LifecycleTransformer MISSING ManagedValueSpec MessagesTransformer NS_END NS_SEP NULL_TASK_ID OutputT PUSH "
    "PregelNode PregelProtocol RetryPolicy RunControl RunnableLike RunnableSeq Runtime Send ServerInfo StateSnapshot "
    "StateT StateUpdate StreamChunk StreamMode StreamMux StreamPart StreamProtocol StreamTransformer "
    "SubgraphTransformer TASKS TimeoutPolicy Topic ValuesTransformer coerce_timeout_policy coerce_to_runnable "
    "copy_checkpoint create_error_message create_model empty_checkpoint ensure_config ensure_valid_checkpointer "
    "get_config merge_configs patch_checkpoint_map patch_config patch_configurable recast_checkpoint_ns task_path_str "
    "AsyncPregelLoop PregelRunner StreamMessagesHandler SyncPregelLoop apply_writes channels_from_checkpoint "
    "create_checkpoint draw_graph get_new_channel_versions identifier local_read map_input prepare_next_tasks "
    "read_channels validate_graph validate_keys",
    "pregel.protocol": "All Command ContextT GraphOutput InputT OutputT StateSnapshot StateT StateUpdate StreamMode "
    "StreamPart",
    "pregel.remote": "All CONF CONFIG_KEY_CHECKPOINT_ID CONFIG_KEY_CHECKPOINT_MAP CONFIG_KEY_CHECKPOINT_NS "
    "CONFIG_KEY_STREAM CONFIG_KEY_STRICT_RESUME CONFIG_KEY_TASK_ID Checkpoint CheckpointMetadata Command "
    "GraphInterrupt GraphOutput INTERRUPT Interrupt NS_SEP ParentCommand PregelProtocol PregelTask StateSnapshot "
    "StreamMode StreamPart StreamProtocol merge_configs",
    "runtime": "BaseStore CONF CONFIG_KEY_RUNTIME ContextT StreamWriter get_config",
    "stream.run_stream": "ProtocolEvent StreamMux",
    "stream.transformers": "AsyncSubgraphRunStream GraphDrained GraphInterrupt ProtocolEvent StreamChannel "
    "StreamTransformer SubgraphRunStream",
    "types": "BaseCheckpointSaver CheckpointMetadata DeprecatedKwargs LangGraphDeprecatedSinceV10 "
    "LangGraphDeprecatedSinceV11 MISSING NS_SEP OutputT StateT get_cached_annotated_keys get_update_as_tuples",
    "typing": "StateLike",
}
"""Module below `langgraph` -> what it has from others that have a counterpart here."""
_HOMES = (
    "types", "constants", "_internal._constants", "errors", "channels", "channels.base", "typing", "_internal._typing",
    "runtime", "config", "warnings", "callbacks", "managed.base",
    "_internal._scratchpad", "graph", "graph._branch", "graph._node", "pregel",
    "pregel._algo", "pregel._checkpoint", "pregel._read", "pregel._write", "pregel.protocol", "stream", "stream._mux",
    "stream.transformers", "_internal._config", "_internal._fields", "_internal._pydantic", "_internal._runnable",
    "_internal._timeout", "store.base", "cache.base", "checkpoint.base", "pregel._io", "pregel._call", "pregel._loop",
    "pregel._utils", "pregel._messages", "pregel._retry", "pregel._runner", "pregel._draw", "pregel._executor",
    "pregel._validate", "pregel._task_status", "pregel._tools", "pregel.debug", "stream._types",
    "stream.stream_channel", "stream.run_stream", "_internal._queue", "_internal._future", "_internal._serde",
    "_internal._replay",
)  # fmt: skip


def lend(module: ModuleType, place: str) -> None:
    """Let a mirrored module have what its counterpart at `langgraph.<place>` imports from others."""
    names = frozenset(BORROWED.get(place, "").split())
    private = any(part.startswith("_") for part in place.split("."))
    if not (names or private) or "__borrows__" in vars(module):
        return
    own: Any = vars(module).get("__getattr__")
    vars(module)["__borrows__"] = names

    def __getattr__(name: str) -> Any:  # noqa: N807  it becomes the module's
        if own is not None:
            with suppress(AttributeError):
                return own(name)
        if name in names or (private and not name.startswith("_")):
            return _at_home(name, place)
        raise AttributeError(f"module 'langgraph.{place}' has no attribute {name!r}")

    vars(module)["__getattr__"] = __getattr__


def _at_home(name: str, place: str) -> Any:
    """The name where it is defined, if only to say that it can't be used. Modules that can't be imported have none."""
    for home in _HOMES:
        if home == place:
            continue
        try:
            found = vars(import_module(f"langgraph.{home}"))
        except ImportError:
            continue
        if name in found:
            return found[name]
    if name in ABSENT:
        return ABSENT[name]()
    raise AttributeError(f"module 'langgraph.{place}' has no attribute {name!r}")
