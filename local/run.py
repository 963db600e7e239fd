"""One run: build, start, deploy, send, wait, and collect the result."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from . import env as env_sh
from . import feed, function_log, pace, queues, stack, stream
from .build import build
from .cloud import Cloud
from .live import Live
from .options import DEFAULT_EVENTS, Options
from .options import TEMPLATE as TEMPLATE
from .outcomes import outcomes
from .processes import Interrupted, Processes
from .result import Result
from .stack import Stack
from .steps import Steps
from .tpns import Tpns, apps_named, tpns_apps

ROOT = Path(__file__).resolve().parent.parent
# The template's GiveUpAfter is hours. A person watches this.
_MAX_RECEIVES = 5
_NOTE_ON_SAMPLES = "the samples' times are moved so that the newest is a moment ago"
_NOTE_ON_OWN_EVENTS = "logins older than the template's MaxEventAge are parked"


def run(options: Options, folder: Path, progress: Console, processes: Processes) -> tuple[Result, Running]:
    steps = Steps(progress, total=5)
    # The samples have fixed dates, and the function parks logins that are too old. Your own events are sent unchanged.
    is_sample = options.events.resolve() == (ROOT / DEFAULT_EVENTS).resolve()
    content = stream.read(options.events, now=datetime.now(UTC) if is_sample else None)
    with steps.step("building the function and tpns-sim", noisy=True):
        binaries = build(processes, ROOT, options.release)
    apps = apps_named(options.apps) if options.apps else None
    lines = stream.check(binaries.check_events, content, options.events, tpns_apps(folder, apps))
    with steps.step("starting tpns-sim and MiniStack"):
        tpns = Tpns.start(processes, binaries.tpns, folder, apps=apps)
        cloud = Cloud.start(processes, folder)
    with steps.step("deploying template.yaml"):
        # A redelivery must not take longer than the visibility timeout of this run.
        given = {**parameters(tpns), **options.parameters}
        environment = {"RETRY_MAX_DELAY": f"{options.visibility_seconds}s"}
        deployed = stack.deploy(cloud, TEMPLATE, binaries.function, given, environment=environment)
        pace.give_up_after(cloud, deployed, _MAX_RECEIVES)
        pace.shorten_visibility_timeout(cloud, deployed, options.visibility_seconds)
        pace.one_batch_at_a_time(cloud, deployed)
        if options.faults:
            tpns.inject(options.faults)
    progress.print(
        f"    [dim]{_NOTE_ON_SAMPLES if is_sample else _NOTE_ON_OWN_EVENTS}; "
        f"a failing message is dead-lettered after {_MAX_RECEIVES} deliveries, instead of a day[/dim]"
    )
    with (
        steps.step(f"sending {len(lines)} event{'' if len(lines) == 1 else 's'} to bus and queue"),
        pace.queue_paused(cloud, deployed),
    ):
        sent = feed.feed(cloud, deployed, lines)
    with steps.step("waiting until the queue is empty") as note:
        queues.drain(
            cloud,
            deployed,
            seconds=60 + _MAX_RECEIVES * (options.visibility_seconds + 2),
            watch=lambda now: note(f"{now.waiting} waiting, {now.in_flight} in flight, {now.dead} dead-lettered"),
        )
    running = Running(cloud, tpns, deployed)
    result = running.result(sent)
    result.seconds = steps.seconds
    return result, running


def parameters(tpns: Tpns) -> dict[str, str]:
    return {
        "TpnsApps": tpns.apps_document(),
        "LogLevel": "DEBUG",
        # MiniStack has no CodeDeploy. CodeDeploy acts only from the second deployment on, and here there is just one.
        "GradualDeployment": "off",
    }


class Running:
    """What keeps running after a run, until the processes are ended."""

    def __init__(self, cloud: Cloud, tpns: Tpns, deployed: Stack) -> None:
        self._cloud = cloud
        self._tpns = tpns
        self._stack = deployed

    def result(self, sent: list[feed.Sent]) -> Result:
        log = function_log.lines(self._cloud, self._stack)
        dead = queues.dead_letters(self._cloud, self._stack)
        events = outcomes(self._cloud, self._stack, sent, function_log.deliveries(log), dead)
        result = Result(
            events=events,
            calls=self._tpns.calls(),
            bindings=self._tpns.bindings(),
            parked=queues.parked(self._cloud, self._stack),
            dead_letters=dead,
            invocations=function_log.invocations(log),
        )
        result.problems += [
            f"function: an invocation failed {crash}; see {self._cloud.log}"
            for crash in function_log.crashes(self._cloud, self._stack)
        ]
        missing = [str(event.sent.line.number) for event in events if event.outcome == "unknown"]
        if missing:
            result.problems.append(
                f"function: its log has nothing about the events of lines {', '.join(missing)}; see {self._cloud.log}"
            )
        return result

    def wait_for_interrupt(self, console: Console, folder: Path) -> None:
        """Shows what becomes of events that are sent from now on, until Ctrl-C."""
        live = Live(self._cloud, self._stack, _MAX_RECEIVES)
        env = env_sh.write(folder, self._cloud, self._tpns, self._stack)
        queue = f"{self._stack.queue_url} {'--message-group-id G --message-deduplication-id $RANDOM ' * self._is_fifo}"
        console.print(
            f"\nThe stack keeps running until Ctrl-C, and each event is shown as it settles. In another terminal:\n"
            f"  . {env}\n"
            f"             for bash: aws, insights, depth, QUEUE, UNBINDS, DEAD, PARKED, EVENT_BUS, TABLE, LOG\n"
            f"  an event   aws sqs send-message --queue-url {queue}--message-body file://event.json\n"
            f"  page       {self._tpns.url}/\n"
            f"  bindings   curl '{self._tpns.url}/_sim/bindings?flush=1'\n"
            f"  calls      curl {self._tpns.url}/_sim/calls\n"
            f'  faults     curl {self._tpns.url}/_sim/faults -d \'{{"fault":"status","status":503,"times":4}}\'\n'
            f"  dead       {self._stack.dead_letter_queue_url}\n"
            f"  parked     {self._stack.parking_queue_url or '(ParkingQueue=off)'}\n"
            f"  log        {self._cloud.log.parent}\n",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
        try:
            live.show_until_interrupted(console)
        except Interrupted:
            console.print("\nstopping the stack", highlight=False)

    @property
    def _is_fifo(self) -> bool:
        return self._stack.queue_url.endswith(".fifo")
