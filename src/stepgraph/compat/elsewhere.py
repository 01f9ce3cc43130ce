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

BORROWED = {
    "callbacks": "BaseCallbackHandler BaseCallbackManager Interrupt Literal RunnableConfig Sequence TypeAlias "
    "TypeVar UUID ahandle_event dataclass handle_event",
    "channels": "any_value base binop delta ephemeral_value last_value named_barrier_value topic untracked_value",
    "channels.any_value": "Any BaseChannel EmptyChannelError Generic MISSING Self Sequence Value",
    "channels.base": "ABC Any Generic MISSING Self Sequence TypeVar abstractmethod",
    "channels.binop": "Any BaseChannel Callable EmptyChannelError ErrorCode Generic InvalidUpdateError MISSING "
    "NotRequired OVERWRITE Overwrite Required Self Sequence Value collections create_error_message",
    "channels.delta": "Any BaseChannel Callable EmptyChannelError ErrorCode Generic InvalidUpdateError MISSING Self "
    "Sequence Value collections create_error_message",
    "channels.ephemeral_value": "Any BaseChannel EmptyChannelError Generic InvalidUpdateError MISSING Self Sequence "
    "Value",
    "channels.last_value": "Any BaseChannel EmptyChannelError ErrorCode Generic InvalidUpdateError MISSING Self "
    "Sequence Value create_error_message",
    "channels.named_barrier_value": "BaseChannel EmptyChannelError Generic InvalidUpdateError MISSING Self Sequence "
    "Value",
    "channels.topic": "Any BaseChannel EmptyChannelError Generic Iterator MISSING Self Sequence Value",
    "channels.untracked_value": "Any BaseChannel EmptyChannelError Generic InvalidUpdateError MISSING Self Sequence "
    "Value",
    "config": "BaseStore CONF CONFIG_KEY_RUNTIME RunnableConfig StreamWriter asyncio sys var_child_runnable_config",
    "errors": "Any Command Interrupt LangGraphDeprecatedSinceV10 Literal Sequence dataclass deprecated warn",
    "func": "Any Awaitable BaseCache BaseCheckpointSaver BaseStore CACHE_NS_WRITES CachePolicy Callable "
    "ChannelWrite ChannelWriteEntry ContextT DeprecatedKwargs END EphemeralValue Generic "
    "LangGraphDeprecatedSinceV05 LangGraphDeprecatedSinceV10 LastValue MISSING PREVIOUS Pregel PregelNode "
    "RetryPolicy START Sequence StreamMode SyncAsyncFuture TimeoutPolicy TypeVar Unpack cast coerce_timeout_policy "
    "dataclass functools get_args get_origin get_runnable_for_entrypoint identifier inspect is_async_callable "
    "overload sync_timeout_unsupported timedelta warnings",
    "graph": "state",
    "graph._branch": "ChannelWrite ChannelWriteEntry END InvalidUpdateError PASSTHROUGH RunnableCallable START Send",
    "graph._node": "BaseStore CachePolicy ContextT EMPTY_SEQ NodeInputT NodeInputT_contra RetryPolicy Runtime "
    "StreamWriter TimeoutPolicy TracePolicy",
    "graph.message": "BaseMessage BaseMessageChunk CONF CONFIG_KEY_SEND Callable LangGraphDeprecatedSinceV10 "
    "Literal MessageLikeRepresentation RemoveMessage Sequence StateGraph cast convert_to_messages deprecated "
    "message_chunk_to_message partial uuid warnings",
    "graph.state": "All Any Awaitable BaseCache BaseChannel BaseModel BaseStore BinaryOperatorAggregate BranchSpec "
    "CachePolicy Callable ChannelRead ChannelWrite ChannelWriteEntry ChannelWriteTupleEntry Checkpoint Checkpointer "
    "Command ContextT DeltaChannel DeprecatedKwargs EMPTY_SEQ END EphemeralValue ErrorCode FunctionType Generic "
    "Hashable INTERRUPT InputT InvalidUpdateError LangGraphDeprecatedSinceV05 LangGraphDeprecatedSinceV10 LastValue "
    "LastValueAfterFinish Literal MISSING ManagedValueSpec NS_END NS_SEP NamedBarrierValue "
    "NamedBarrierValueAfterFinish NodeInputT NoneType NotRequired OutputT ParentCommand Pregel PregelNode Required "
    "RetryPolicy Runnable RunnableConfig START Self Send Sequence StateNode StateNodeSpec StateT TAG_HIDDEN TASKS "
    "TimeoutPolicy TracePolicy TypeAdapter TypeVar Union Unpack cast coerce_timeout_policy coerce_to_runnable "
    "create_error_message create_model dataclass defaultdict ensure_valid_checkpointer get_args "
    "get_cached_annotated_keys get_field_default get_origin get_type_hints get_update_as_tuples inspect "
    "is_dataclass is_managed_value is_typeddict isclass isfunction ismethod logging overload partial signature "
    "timedelta typing warnings",
    "graph.ui": "Any AnyMessage CONF Literal TypedDict cast get_config get_stream_writer uuid4",
    "managed": "is_last_step",
    "managed.base": "ABC Generic PregelScratchpad TypeGuard TypeVar abstractmethod isclass",
    "managed.is_last_step": "Annotated ManagedValue PregelScratchpad",
    "pregel": "_draw _executor _log _loop _messages _retry _runner _task_status _tools _utils _validate debug main",
    "pregel.debug": "Any BaseChannel CONF CONFIG_KEY_CHECKPOINT_NS CheckpointMetadata CheckpointPayload ERROR "
    "EXCLUDED_METADATA_KEYS INTERRUPT Iterable Iterator MISSING Mapping NS_END NS_SEP PendingWrite "
    "PregelExecutableTask PregelTask RETURN RunnableConfig Sequence StateSnapshot TAG_HIDDEN TaskPayload "
    "TaskResultPayload asdict filter_to_user_tags patch_checkpoint_map read_channels",
    "pregel.main": "All Any AsyncGraphRunStream AsyncIterator AsyncPregelLoop AsyncQueue Awaitable BaseCache "
    "BaseChannel BaseCheckpointSaver BaseModel BaseStore BaseUser CACHE_NS_WRITES CONF CONFIG_KEY_CACHE "
    "CONFIG_KEY_CHECKPOINTER CONFIG_KEY_CHECKPOINT_ID CONFIG_KEY_CHECKPOINT_NS CONFIG_KEY_DURABILITY "
    "CONFIG_KEY_NODE_FINISHED CONFIG_KEY_READ CONFIG_KEY_RUNNER_SUBMIT CONFIG_KEY_RUNTIME CONFIG_KEY_SEND "
    "CONFIG_KEY_STREAM CONFIG_KEY_TASK_ID CONFIG_KEY_THREAD_ID CachePolicy Callable ChannelVersions ChannelWrite "
    "ChannelWriteEntry Checkpoint CheckpointTuple Checkpointer Command ContextT DEFAULT_BOUND DEFAULT_RUNTIME "
    "DeltaChannel DeprecatedKwargs Durability END ErrorCode Generic Graph GraphDrained GraphInterruptEvent "
    "GraphOutput GraphResumeEvent GraphRunStream INPUT INTERRUPT Input InputT Interrupt InvalidUpdateError Iterator "
    "LangGraphDeprecatedSinceV10 LifecycleTransformer Literal MISSING ManagedValueSpec Mapping MessagesTransformer "
    "NS_END NS_SEP NULL_TASK_ID Output OutputT PUSH PregelNode PregelProtocol PregelRunner PregelTaskWrites "
    "RetryPolicy RunControl Runnable RunnableConfig RunnableLike RunnableSeq RunnableSequence Runtime Self Send "
    "Sequence ServerInfo StateSnapshot StateT StateUpdate StreamChunk StreamEvent StreamMessagesHandler "
    "StreamMessagesHandlerV2 StreamMode StreamMux StreamPart StreamProtocol StreamToolCallHandler StreamTransformer "
    "SubgraphTransformer SyncPregelLoop SyncQueue TASKS TimeoutPolicy Topic TypeAdapter UUID Unpack "
    "ValuesTransformer achannels_from_checkpoint acheckpoint_superseded apply_writes asyncio beta cast "
    "channels_from_checkpoint checkpoint_superseded coerce_timeout_policy coerce_to_runnable concurrent contextlib "
    "copy_checkpoint create_checkpoint create_checkpoint_plan_for_update_state_api create_error_message "
    "create_model defaultdict delta_channels_overwritten delta_channels_with_pending_writes deprecated deque "
    "draw_graph empty_checkpoint ensure_config ensure_message_ids ensure_valid_checkpointer "
    "get_async_callback_manager_for_config get_async_graph_callback_manager_for_config get_bolded_text "
    "get_callback_manager_for_config get_colored_text get_config get_debug get_new_channel_versions "
    "get_sync_graph_callback_manager_for_config get_type_hints get_updated_channels_from_tasks identifier "
    "is_dataclass is_typeddict isclass local_read map_input merge_configs overload partial patch_checkpoint_map "
    "patch_config patch_configurable prepare_next_tasks put_writes_accepts_task_path queue read_channels "
    "read_task_statuses recast_checkpoint_ns replace task_path_str tasks_w_writes timedelta uuid5 validate_graph "
    "validate_keys validate_timeout_supported versions_seen_without_bumps warnings weakref",
    "pregel.protocol": "All AsyncIterator Command ContextT Generic GraphOutput InputT Iterator Literal OutputT "
    "Runnable RunnableConfig Self Sequence StateSnapshot StateT StateUpdate StreamMode StreamPart abstractmethod "
    "overload",
    "pregel.remote": "All AsyncIterator CONF CONFIG_KEY_CHECKPOINT_ID CONFIG_KEY_CHECKPOINT_MAP "
    "CONFIG_KEY_CHECKPOINT_NS CONFIG_KEY_STREAM CONFIG_KEY_STRICT_RESUME CONFIG_KEY_TASK_ID Checkpoint "
    "CheckpointMetadata Command Context GraphInterrupt GraphOutput INTERRUPT Interrupt Iterator LangGraphClient "
    "Literal NS_SEP ParentCommand PregelProtocol PregelTask QueryParamTypes RunnableConfig Self Sequence "
    "StateSnapshot StreamMode StreamPart StreamProtocol SyncLangGraphClient ThreadState UUID asdict cast get_client "
    "get_sync_client logging merge_configs overload",
    "runtime": "BaseStore CONF CONFIG_KEY_RUNTIME Callable ContextT Generic StreamWriter TypedDict Unpack cast "
    "dataclass field get_config replace",
    "stream.run_stream": "Any AsyncIterator Awaitable Callable Iterator Mapping MappingProxyType NoReturn "
    "ProtocolEvent StreamMux TYPE_CHECKING TracebackType asyncio beta convert_to_protocol_event",
    "stream.stream_channel": "AsyncIterator Awaitable Callable Generic Iterator TYPE_CHECKING TypeVar asyncio deque",
    "stream.transformers": "AIMessageChunk Any AsyncChatModelStream AsyncSubgraphRunStream BaseMessage "
    "ChatModelStream GraphDrained GraphInterrupt LifecycleCause Literal MessagesData NotRequired ProtocolEvent "
    "StreamChannel StreamTransformer SubgraphRunStream TYPE_CHECKING ToolMessage TypedDict cast logging "
    "message_to_events",
    "types": "AnyMessage BaseCheckpointSaver CheckpointMetadata ClassVar DeprecatedKwargs Generic Hashable "
    "LangGraphDeprecatedSinceV10 LangGraphDeprecatedSinceV11 MISSING NS_SEP NamedTuple NotRequired OutputT Runnable "
    "RunnableConfig Sequence StateT TYPE_CHECKING ToolOutputMixin TypeAdapter TypeAliasType TypeVar TypedDict "
    "Unpack ValidationError asdict dataclass deprecated deque final get_cached_annotated_keys get_update_as_tuples "
    "overload sys timedelta warn xxh3_128_hexdigest",
    "typing": "StateLike TypeVar",
}
"""Module below `langgraph` -> what it has from others that have a counterpart here."""
ABROAD = {
    "abc": "ABC abstractmethod",
    "collections": "defaultdict deque",
    "collections.abc": "AsyncIterator Awaitable Callable Hashable Iterable Iterator Mapping Sequence",
    "dataclasses": "asdict dataclass field is_dataclass replace",
    "datetime": "timedelta",
    "functools": "partial",
    "inspect": "isclass isfunction ismethod signature",
    "langchain_core._api": "beta",
    "langchain_core.callbacks": "BaseCallbackHandler BaseCallbackManager",
    "langchain_core.callbacks.manager": "ahandle_event handle_event",
    "langchain_core.globals": "get_debug",
    "langchain_core.language_models._compat_bridge": "message_to_events",
    "langchain_core.language_models.chat_model_stream": "AsyncChatModelStream ChatModelStream",
    "langchain_core.messages": "AIMessageChunk AnyMessage BaseMessage BaseMessageChunk MessageLikeRepresentation "
    "RemoveMessage ToolMessage convert_to_messages message_chunk_to_message",
    "langchain_core.messages.tool": "ToolOutputMixin",
    "langchain_core.runnables": "Runnable RunnableConfig RunnableSequence",
    "langchain_core.runnables.config": "Input Output var_child_runnable_config",
    "langchain_core.runnables.graph": "Graph",
    "langchain_core.runnables.schema": "StreamEvent",
    "langchain_protocol": "LifecycleCause MessagesData",
    "langgraph.checkpoint.base": "Checkpoint",
    "langgraph_sdk": "get_client get_sync_client",
    "langgraph_sdk.auth.types": "BaseUser",
    "langgraph_sdk.client": "LangGraphClient SyncLangGraphClient",
    "langgraph_sdk.schema": "Context QueryParamTypes ThreadState",
    "pydantic": "BaseModel TypeAdapter ValidationError",
    "stepgraph.compat.langgraph.callbacks": "get_async_graph_callback_manager_for_config "
    "get_sync_graph_callback_manager_for_config",
    "types": "FunctionType MappingProxyType NoneType TracebackType",
    "typing": "Annotated Any ClassVar Generic Literal NamedTuple NoReturn NotRequired Required Self TYPE_CHECKING "
    "TypeAlias TypeGuard TypeVar Union cast final get_args get_origin get_type_hints is_typeddict overload",
    "typing_extensions": "TypeAliasType TypedDict Unpack deprecated",
    "uuid": "UUID uuid4 uuid5",
    "warnings": "warn",
    "xxhash": "xxh3_128_hexdigest",
}
"""Module of another distribution -> what LangGraph's modules have of it; editors import such names from there."""
_MODULES = frozenset(
    (
        "asyncio", "collections", "concurrent", "contextlib", "functools", "inspect", "logging", "queue", "random",
        "sys", "threading", "time", "typing", "uuid", "warnings", "weakref",
    )
)  # fmt: skip
"""What of the standard library they have as a whole."""
_HOMES = (
    "types", "constants", "_internal._constants", "errors", "channels", "channels.base", "typing", "_internal._typing",
    "runtime", "config", "warnings", "callbacks", "managed.base",
    "_internal._scratchpad", "graph", "graph._branch", "graph._node", "pregel",
    "pregel._algo", "pregel._checkpoint", "pregel._read", "pregel._write", "pregel.protocol", "stream", "stream._mux",
    "stream.transformers", "_internal._config", "_internal._fields", "_internal._pydantic", "_internal._runnable",
    "_internal._timeout", "store.base", "cache.base", "checkpoint.base", "pregel._io", "pregel._call", "pregel._loop",
    "pregel._utils", "pregel._messages", "pregel._retry", "pregel._runner", "pregel._draw", "pregel._executor",
    "pregel._validate", "pregel._task_status", "pregel._tools", "pregel.debug", "stream._types", "stream._convert",
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


_FROM = {name: module for module, names in ABROAD.items() for name in names.split()}


def _at_home(name: str, place: str) -> Any:
    """The name where it is defined, if only to say that it can't be used. Modules that can't be imported have none."""
    if name in _MODULES:
        return import_module(name)
    with suppress(ImportError):
        if name in _FROM:
            return getattr(import_module(_FROM[name]), name)
        return import_module(f"langgraph.{place}.{name}")
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
