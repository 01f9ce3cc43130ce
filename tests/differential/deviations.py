"""Where stepgraph answers otherwise than LangGraph 1.2.22 on purpose, and why. Programs name the key."""

DEVIATIONS = {
    "refused input": (
        "LangGraph raises a schema's error while it plans, before it shows the state that made the trouble; "
        "here the task starts, fails, and its failure is recorded and streamed like any other."
    ),
    "goto from input": (
        "LangGraph's snapshots do not list the tasks that a Command given as input planned on a checkpoint; ours do, "
        "because a question that such a task asks could not be seen otherwise."
    ),
    "defects": (
        "LangGraph's own snapshots raise after a write conflict, and a router's failure counts as a finished task: "
        "parity rule 2 says not to copy either."
    ),
    "unfit answers": (
        "An update of a Command that is neither mapping, object nor list of pairs, a goto that is neither name nor "
        "Send, and a router's answer that is no name are refused here; LangGraph ignores them, or raises a TypeError."
    ),
    "better messages": (
        "An error says what, where and how to mend it, in words that LangGraph does not have; its class is the same."
    ),
    "handler again": (
        "When a run goes on, LangGraph runs an error handler again that had finished in an earlier run, "
        "and its snapshots show neither the handler's questions nor that its task is over; ours runs it once and shows "
        "both. A restored error is a string there, here an error of the same class and message."
    ),
    "requests without a status": (
        "LangGraph's default `retry_on` tries again after every HTTPError of requests, because a response with an "
        "error status is false; ours tries again for status 500 to 599, as its documentation says."
    ),
    "router tried again": (
        "LangGraph runs the whole node again when a retry policy fits the error of its router; ours runs the routers "
        "alone, because the node had finished."
    ),
    "goto a deferred node": (
        "A Command given as input that leads to a deferred node, while nothing else is ready, runs it; "
        "in LangGraph nothing runs, and the node waits for the end of a later run."
    ),
    "Sends from input": (
        "A Command given as input whose goto is a Send makes LangGraph lose Sends that wait on the thread; "
        "ours runs it beside them."
    ),
    "ambiguous alone": (
        "LangGraph calls an update without as_node ambiguous when one node had two triggers in its last superstep, "
        "an edge and a join, and when the input was replayed and START has not run yet; ours takes that node, or START."
    ),
    "around the root": (
        "In LangGraph a checkpoint_map in the caller's config becomes the parents of all checkpoints of the run, even "
        "of the outermost graph's; here a checkpoint's parents are those of the graphs around it."
    ),
    "parents at exit": (
        'With durability "exit", LangGraph\'s debug stream says that a checkpoint has no parent even when the thread '
        "has an earlier one; ours names it."
    ),
    "results at exit": (
        'With durability "exit", LangGraph\'s history forgets what a lone task wrote; '
        "ours reads it from the next checkpoint."
    ),
    "deferred beside Sends": (
        "LangGraph runs a waiting deferred node in the same superstep as tasks made by Sends, when nothing else "
        "is ready; its documentation promises that a deferred node waits until all other tasks have ended, "
        "and ours does."
    ),
    "cancelled half-way": (
        "When an async task is cancelled because a sibling failed, LangGraph may keep its update without "
        "its routes and "
        "count it as finished, so the branch is lost on resume; ours counts a task as finished with both or not at all."
    ),
    "tasks called again": (
        "When an entrypoint is tried again by its retry policy, LangGraph calls the tasks again that had ended before "
        "it failed; ours takes their results from the record, as both do on resume."
    ),
    "tried again inside": (
        "When a task is tried again, LangGraph runs the graphs that it calls from their START, in a namespace of their "
        "own, so that one with a history of its own forgets it; ours goes on where such a graph failed, with the input "
        "that it took, and one that had ended runs again on the history that it had before the task."
    ),
    "lasting subgraph skipped": (
        "When a run is resumed, LangGraph does not run a subgraph with a history of its own that ended in an earlier "
        "run, although the node calls it for the first time in this one: it gets the old result. Ours runs it."
    ),
    "replay inside a subgraph": (
        "LangGraph runs a subgraph from its START when a checkpoint inside it is replayed or forked (unless it has a "
        "history of its own); ours goes on from that checkpoint, and runs only what came after."
    ),
    "answer at an answered question": (
        "`Command(resume=value)` on an older checkpoint whose question was answered before: LangGraph goes on with the "
        "old answer and forgets the new one; here the new answer is taken, as the caller says."
    ),
    "answer used twice": (
        "When a subgraph asks again, or a node asks its second question and the thread is resumed without an answer, "
        "LangGraph hands the value of an earlier Command(resume=value) out a second time, to "
        "another question. Ours gives each answer once, so random programs with subgraphs answer by id."
    ),
    "asked twice": (
        "A question that a function asks in a graph inside another one is listed twice by LangGraph, with one id; here "
        "it is listed once."
    ),
    "updates of a Command": (
        "`update_state` before the next superstep makes LangGraph lose what a Command given as input wrote; "
        "ours keeps it."
    ),
    "question beside values": (
        'LangGraph\'s `stream(version="v2")` takes a question out of the update that it has handed out when it shows '
        "it in the values; ours leaves it there."
    ),
    "closed early": (
        "A sync stream that is closed early lets the tasks end that run, on both engines. Ours then saves the "
        "superstep when all of its tasks have ended, as an async one does too, "
        'also with durability "exit", and begins no other of the graph '
        "(graphs and functions that a running one has begun may go on); LangGraph leaves it as pending writes, begins "
        'what waits beside the others, and with "exit" forgets what ran last.'
    ),
    "places of callers": (
        "With `max_concurrency`, a function that calls others takes one of LangGraph's places itself, so that an async "
        "entrypoint waits for ever with 1 and a sync stream with 2; here each caller's calls are limited by themselves."
    ),
    "failed after an answer": (
        "When a task fails after an answer, LangGraph's updates stream says that it returned None; ours says nothing. "
        "(Applied to every program.)"
    ),
    "cached beside its like": (
        "Of several tasks of a superstep with one cache key, LangGraph runs all but the last one again, although the "
        "result is cached; ours takes it for each of them, also while the superstep runs."
    ),
    "no annotations": (
        "A class without annotated keys, such as `class State(dict)`, is a state of one value here, as `dict` is; "
        "in LangGraph it has no keys, so nodes get an empty dict, what they return is lost, and the result is None."
    ),
    "one input for two nodes": (
        "Of two nodes over channels in one superstep that read the same single channel, one by itself and one among "
        "others, LangGraph gives both what it made for the first, a bare value or a dict; ours gives each its own."
    ),
    "ready from the start": (
        "LangGraph lists a node over channels as next, and runs it when a superstep leaves no other channel changed, "
        "if it subscribes to a channel that has a value before anything is written; ours runs it when that is written."
    ),
    "brief values of a pause": (
        "While a superstep is paused, LangGraph's `get_state` drops what its finished tasks wrote to channels that end "
        "with their superstep, such as Topic, and shows those that wait for the end; ours shows what will be there."
    ),
    "untracked alone": (
        "LangGraph's history does not show that a task ended which wrote to untracked channels alone, or to none of "
        "several others; `update_state` stores such writes. Ours shows the first and stores none."
    ),
    "untracked at exit": (
        'With durability "exit", LangGraph stores what finished tasks wrote to untracked channels when their superstep '
        "is paused; ours never stores such values."
    ),
    "written twice at exit": (
        'With durability "exit", what a finished task wrote to an accumulating Topic is there twice in LangGraph when '
        "its superstep is paused: in the stored channel, and as a write that waits. Ours stores it once."
    ),
    "shown when answered": (
        "When a graph inside another one goes on after an answer and stops at a breakpoint of its own, LangGraph's "
        "snapshot of the outer graph still shows the question that was answered; ours shows none."
    ),
    "edits that failed": (
        "When the updates of a superstep of `bulk_update_state` can't be put together, LangGraph keeps them as results "
        "of the tasks that they stood for, which history shows; ours keeps nothing of an edit that failed."
    ),
    "run again in place": (
        "When an edited checkpoint, the thread's newest, is replayed, its tasks run again without a fork. LangGraph "
        "keeps what they had returned before, ours what they returned last."
    ),
    "Command begins a thread": (
        "What a Command writes to a DeltaChannel of a new thread, LangGraph's run has twice, as input and as the "
        "caller's own, but its state once; ours has it twice in both, as either engine has it of other keys."
    ),
    "below no saver": (
        "A graph inside one that was compiled with `checkpointer=False` uses the checkpointer of the outermost graph "
        "in LangGraph, though nobody can find or resume what it stores there; here it has none either."
    ),
    "thread of a lone tool": (
        "The tool node of langgraph-prebuilt calls a lone tool in a thread of a pool of its own; under the import hook "
        "it is called in the node's thread, which costs a fraction of that. Several tools have a thread each, as there."
    ),
    "question of a hidden run": (
        "A run tagged `langsmith:hidden` that stops at a question returns it; LangGraph's `invoke` leaves it out, so "
        "that nobody learns what the thread waits for."
    ),
    "compiled again": (
        "A graph with a default error handler can be compiled again here, and its builder has only the nodes that "
        "were added; LangGraph adds the handler to the builder's nodes, and the second compile raises ValueError."
    ),
}
