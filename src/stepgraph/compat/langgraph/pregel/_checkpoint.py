"""Checkpoints made of channels and read into them. Needs xxhash."""

from __future__ import annotations

from stepgraph.compat.checkpoints import (
    DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT,
    _delta_channels_to_replay,
    _mark_bumps_seen,
    achannels_from_checkpoint,
    acheckpoint_superseded,
    channels_from_checkpoint,
    checkpoint_superseded,
    copy_checkpoint,
    create_checkpoint,
    create_checkpoint_plan_for_update_state_api,
    create_metadata_for_update_state_api,
    delta_channels_overwritten,
    delta_channels_to_snapshot,
    delta_channels_with_pending_writes,
    empty_checkpoint,
    get_delta_channels_from_all_channels,
    get_updated_channels_from_tasks,
    put_writes_accepts_task_path,
    versions_seen_without_bumps,
)
from stepgraph.compat.deltas import early_id as exit_delta_task_id
from stepgraph.compat.deltas import late_id as exit_delta_late_task_id
from stepgraph.compat.deltas import marks_of as _bump_keys
from stepgraph.compat.format import VERSION as LATEST_VERSION

__all__ = (
    "DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT",
    "LATEST_VERSION",
    "_bump_keys",
    "_delta_channels_to_replay",
    "_mark_bumps_seen",
    "achannels_from_checkpoint",
    "acheckpoint_superseded",
    "channels_from_checkpoint",
    "checkpoint_superseded",
    "copy_checkpoint",
    "create_checkpoint",
    "create_checkpoint_plan_for_update_state_api",
    "create_metadata_for_update_state_api",
    "delta_channels_overwritten",
    "delta_channels_to_snapshot",
    "delta_channels_with_pending_writes",
    "empty_checkpoint",
    "exit_delta_late_task_id",
    "exit_delta_task_id",
    "get_delta_channels_from_all_channels",
    "get_updated_channels_from_tasks",
    "put_writes_accepts_task_path",
    "versions_seen_without_bumps",
)
