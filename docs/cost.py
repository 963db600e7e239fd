#!/usr/bin/env python3
"""Computes what a million events cost, from AWS's list prices and measured batches: `python3 docs/cost.py --help`.

docs/cost.md explains it; a test compares the page with this program's output.
"""

from __future__ import annotations

import argparse

SECONDS_A_MONTH = 30 * 24 * 3600

# US East (N. Virginia), on demand, without free tiers, in dollars, as of November 2026. Check them before you rely on
# them.
PRICE = {
    "EventBridge, a million custom events": 1.00,
    "SQS standard, a million requests": 0.40,
    "SQS FIFO, a million requests": 0.50,
    "Lambda, a million requests": 0.20,
    "Lambda arm64, a GB-second": 0.0000133334,
    "Lambda x86_64, a GB-second": 0.0000166667,
    "DynamoDB, a million writes": 0.625,
    "DynamoDB, a million reads": 0.125,
    "CloudWatch Logs, a GB ingested": 0.50,
    "CloudWatch, a custom metric a month": 0.30,
    "CloudWatch, an alarm a month": 0.10,
    "CloudWatch, a dashboard a month": 3.00,
    "X-Ray, a million traces": 5.00,
    "Secrets Manager, a secret a month": 0.40,
    "Secrets Manager, ten thousand requests": 0.05,
}

# Rows written and read for one event (docs/guarantees.md, "Do I need the ledger?"); for a deletion, in each app.
WRITES = {"login": 1, "logout": 1, "deletion": 2}
READS = {"login": 3, "logout": 1, "deletion": 0}
# Rows that the check of an event reads: of a device and of its account's deletion; of a deletion, in each app.
CHECK_READS = {"login": 2, "logout": 1, "deletion": 1}

# Measured in a local run: bytes of a batch's line and of the metrics line of each app in it. CloudWatch adds 26 per
# line.
BATCH_LINE, METRICS_LINE, LINE_OVERHEAD = 350, 1200, 26
# The same of the two lines of an invocation with checks.
CHECKS_LINE, CHECKS_METRICS_LINE = 320, 560
# Lambda's own two lines per invocation: estimated, not measured.
PLATFORM_LINES = 600
# TpnsAppsMaxAge, in seconds.
APPS_MAX_AGE = 60
# A line of a failed event.
FAILED_LINE = 400
# One request to SQS, estimated. A batch that is not sent to TPNS takes one, beside the ledger's and the function's own
# time.
SQS_MS = 10
# TPNS_PROBE_INTERVAL.
PROBE_SECONDS = 30
# Messages that SQS lets a standard queue have in flight.
IN_FLIGHT = 120_000
# The average delays in seconds of a message that keeps failing: 2 s, doubling, up to RETRY_MAX_DELAY, less a quarter,
# because half of each is random. The last one repeats.
DELAYS = [0.75 * min(2**delivery, 600) for delivery in range(1, 11)]
# BatchSize and MaximumBatchingWindowInSeconds of the check queue's mapping; the queue's maxReceiveCount and visibility
# timeout.
CHECKS_A_BATCH, CHECK_WINDOW, CHECK_DELIVERIES, CHECK_VISIBILITY = 100, 30, 262, 330
# Devices or accounts that one query of TPNS asks about, and TPNS_CONCURRENCY.
ITEMS_A_CALL, CALLS_AT_A_TIME = 20, 8
# How the unbind lane shares MaximumConcurrency, as in template.yaml.
UNBINDS_SHARE = 2 / 5
# Metrics of an app, and of all apps together; each exists from the first event of its kind on.
METRICS = 16
# Metrics of the checks, of all apps together; one more, DriftAge, in the hours with drift.
CHECK_METRICS = 5


def million(given: argparse.Namespace) -> dict[str, float]:
    """Dollars per million events, by service; those of their checks together."""
    batches = 1_000_000 / given.batch
    receives = deletes = 1_000_000 / min(given.batch, 10)
    sends = 1_000_000 / given.send_batch
    queue = PRICE["SQS FIFO, a million requests"] if given.fifo else PRICE["SQS standard, a million requests"]
    seconds = (given.tpns_ms + (given.ledger_ms if given.ledger else 0) + given.own_ms) / 1000
    writes, reads = rows(given, WRITES), rows(given, READS)
    lines = 1 + given.apps_a_batch
    log = batches * (BATCH_LINE + given.apps_a_batch * METRICS_LINE + PLATFORM_LINES + (lines + 2) * LINE_OVERHEAD)
    traced = traced_share(given, given.events_a_month / given.batch / SECONDS_A_MONTH)
    return {
        "EventBridge": 0.0 if given.fifo or given.straight else PRICE["EventBridge, a million custom events"],
        "SQS": (sends + receives + deletes) / 1e6 * queue,
        "Lambda": invocations(given, batches, seconds),
        "DynamoDB": (writes * PRICE["DynamoDB, a million writes"] + reads * PRICE["DynamoDB, a million reads"])
        if given.ledger
        else 0.0,
        "Logs": log / 1e9 * PRICE["CloudWatch Logs, a GB ingested"],
        "X-Ray": batches * traced / 1e6 * PRICE["X-Ray, a million traces"],
        "The check": sum(check(given).values()) if given.checks else 0.0,
    }


def check(given: argparse.Namespace, deliveries: float = 1) -> dict[str, float]:
    """Dollars for the checks of a million events, by service, each check delivered this often."""
    # A batch sends one request, with one message for each app in it.
    requests = 1_000_000 / given.batch
    messages = requests * given.apps_a_batch
    rate = given.events_a_month / given.batch * given.apps_a_batch / SECONDS_A_MONTH
    # A batching window collects the messages of its seconds.
    messages_a_batch = min(CHECKS_A_BATCH, max(1.0, rate * CHECK_WINDOW))
    batches = messages / messages_a_batch
    at_a_time = min(messages_a_batch, 10)
    calls = messages_a_batch * given.batch / given.apps_a_batch / ITEMS_A_CALL
    waits = max(1.0, calls / CALLS_AT_A_TIME)
    seconds = (given.tpns_ms * waits + given.ledger_ms + given.own_ms) / 1000
    log = batches * (CHECKS_LINE + CHECKS_METRICS_LINE + PLATFORM_LINES + 4 * LINE_OVERHEAD)
    traced = traced_share(given, rate / messages_a_batch)
    return {
        "SQS": (requests + deliveries * 2 * messages / at_a_time) / 1e6 * PRICE["SQS standard, a million requests"],
        "Lambda": deliveries * invocations(given, batches, seconds),
        "DynamoDB": deliveries * rows(given, CHECK_READS) * PRICE["DynamoDB, a million reads"],
        "Logs": deliveries * log / 1e9 * PRICE["CloudWatch Logs, a GB ingested"],
        "X-Ray": deliveries * batches * traced / 1e6 * PRICE["X-Ray, a million traces"],
    }


def rows(given: argparse.Namespace, of: dict[str, int]) -> float:
    """Rows of an average event, where these are those of each kind."""
    share = {"deletion": given.deletions, "logout": given.logouts, "login": 1 - given.deletions - given.logouts}
    apps = {"deletion": given.apps, "logout": 1, "login": 1}
    return float(sum(share[kind] * of[kind] * apps[kind] for kind in share))


def invocations(given: argparse.Namespace, batches: float, seconds: float) -> float:
    """Dollars for this many invocations of this length."""
    gigabyte_second = PRICE[f"Lambda {given.architecture}, a GB-second"]
    return batches * (PRICE["Lambda, a million requests"] / 1e6 + seconds * given.memory_mb / 1024 * gigabyte_second)


def traced_share(given: argparse.Namespace, rate: float) -> float:
    """The share of invocations that are traced: Lambda samples one per second, and 5 % of the others."""
    return min(1.0, (1 + 0.05 * max(0.0, rate - 1)) / rate) if given.tracing else 0.0


def month(given: argparse.Namespace) -> dict[str, float]:
    """Dollars per month, even without events."""
    # Lambda polls each queue with five long polls of 20 s each, which return empty when there are no messages.
    empty_receives = (given.lanes + given.checks) * 5 * SECONDS_A_MONTH / 20
    metrics = METRICS * (1 + given.apps) + CHECK_METRICS * given.checks
    return {
        "Metrics": metrics * PRICE["CloudWatch, a custom metric a month"],
        "Dashboard": PRICE["CloudWatch, a dashboard a month"],
        "Alarms": given.alarms * PRICE["CloudWatch, an alarm a month"],
        "Secret": PRICE["Secrets Manager, a secret a month"],
        "Reading the secret": given.sandboxes
        * (SECONDS_A_MONTH / APPS_MAX_AGE / 1e4)
        * PRICE["Secrets Manager, ten thousand requests"],
        "Polling an empty queue": empty_receives / 1e6 * PRICE["SQS standard, a million requests"],
    }


def outage(given: argparse.Namespace) -> dict[str, float]:
    """An outage of TPNS, from its begin to the last event applied. Deliveries and dollars are upper bounds."""
    seconds = 3600 * given.outage
    lanes = {"logins": 1 - given.unbinds, "unbinds": given.unbinds}
    concurrency = {"logins": given.concurrency * (1 - UNBINDS_SHARE), "unbinds": given.concurrency * UNBINDS_SHARE}
    # Beside the invocation, the event source mapping receives the batch and deletes it.
    batch_seconds = (given.tpns_ms + given.ledger_ms + given.own_ms + 2 * SQS_MS) / 1000
    found: dict[str, float] = {}
    deliveries = 0.0
    for lane, share in lanes.items():
        rate = given.rate * share
        waiting = rate * seconds
        applied = concurrency[lane] * given.batch / batch_seconds
        if applied <= rate:
            raise SystemExit(f"--concurrency: is not enough for {rate:.0f} {lane} per second even without an outage")
        deliveries += lane_deliveries(rate, seconds)
        found[f"{lane} that wait at the end"] = waiting
        found[f"{lane} in flight, at most"] = min(waiting, IN_FLIGHT)
        found[f"minutes until {lane} reach that"] = min(seconds, IN_FLIGHT / rate) / 60 if rate else 0.0
        # The delays of what is in flight end within RETRY_MAX_DELAY; the rest is received as fast as it is applied.
        found[f"minutes until the last of the {lane} is applied"] = max(600.0, waiting / (applied - rate)) / 60
    found["deliveries in vain, at most"] = deliveries
    found["probes of TPNS per minute and app"] = given.concurrency * 60 / PROBE_SECONDS
    # One receive and one change of the visibility timeout for ten messages; the merge and the reads of each event.
    a_month = max(1.0, deliveries / seconds * SECONDS_A_MONTH)
    changed = {"send_batch": 1, "straight": True, "tpns_ms": SQS_MS, "events_a_month": a_month}
    once = argparse.Namespace(**{**vars(given), **changed})
    each = million(once)
    if given.checks:
        # Each is delivered once when TPNS is up again, and before in vain, for which it is in flight each time.
        checks = deliveries / given.batch * once.apps_a_batch
        in_vain = min(IN_FLIGHT * seconds / CHECK_VISIBILITY / checks, CHECK_DELIVERIES - 1)
        found["deliveries of checks in vain, at most"] = in_vain * checks
        each["The check"] = sum(check(once, 1 + in_vain).values())
    each["SQS"] = 2e6 / min(given.batch, 10) / 1e6 * PRICE["SQS standard, a million requests"]
    each["Logs"] += 1e6 * (FAILED_LINE + LINE_OVERHEAD) / 1e9 * PRICE["CloudWatch Logs, a GB ingested"]
    found["dollars, at most"] = deliveries / 1e6 * sum(each.values())
    return found


def lane_deliveries(rate: float, seconds: float) -> float:
    """At most how often the events of a lane are delivered in vain: new ones go through the short delays, and those
    that wait have the longest one. A message in flight takes one of IN_FLIGHT places for its delay, which limits
    both."""
    short = DELAYS[:-1]
    most_a_second = IN_FLIGHT / (sum(short) / len(short))
    minutes = int(seconds // 60)
    return sum(
        60 * min(rate * len(short) + rate * (minute + 0.5) * 60 / DELAYS[-1], most_a_second)
        for minute in range(minutes)
    )


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Computes what a million events cost, in dollars at list prices of us-east-1."
    )
    parser.add_argument(
        "--events-a-month",
        type=float,
        default=1e6,
        metavar="N",
        help="decides the share that is traced; default %(default).0f",
    )
    parser.add_argument(
        "--batch",
        type=int,
        default=10,
        metavar="N",
        help="average number of events in an invocation; default %(default)s",
    )
    parser.add_argument(
        "--send-batch",
        type=int,
        default=1,
        metavar="N",
        help="events that a producer sends per call, without the bus; default %(default)s",
    )
    parser.add_argument("--straight", action="store_true", help="producers send to the standard queue, without the bus")
    parser.add_argument("--fifo", action="store_true", help="a FIFO queue, without the bus")
    parser.add_argument("--no-ledger", dest="ledger", action="store_false", help="Ledger=off")
    parser.add_argument("--no-checks", dest="checks", action="store_false", help="Checks=off")
    parser.add_argument("--no-tracing", dest="tracing", action="store_false", help="Tracing=off")
    parser.add_argument("--architecture", choices=["arm64", "x86_64"], default="arm64", help="default %(default)s")
    parser.add_argument("--memory-mb", type=int, default=256, metavar="MB", help="default %(default)s")
    parser.add_argument("--tpns-ms", type=float, default=50, metavar="MS", help="TPNS's latency; default %(default)s")
    parser.add_argument(
        "--ledger-ms",
        type=float,
        default=18,
        metavar="MS",
        help="time that the ledger adds to a batch; default %(default)s",
    )
    parser.add_argument(
        "--own-ms", type=float, default=1, metavar="MS", help="time that the function itself takes; default %(default)s"
    )
    parser.add_argument(
        "--apps", type=int, default=2, metavar="N", help="apps in the apps document; default %(default)s"
    )
    parser.add_argument(
        "--apps-a-batch",
        type=int,
        default=None,
        metavar="N",
        help="apps in one batch; default: all, but at most one per event",
    )
    parser.add_argument(
        "--logouts",
        type=float,
        default=0.4,
        metavar="SHARE",
        help="share of logouts of all accounts among all events; default %(default)s",
    )
    parser.add_argument(
        "--deletions",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="share of deletions among all events; default %(default)s",
    )
    parser.add_argument(
        "--sandboxes", type=int, default=1, metavar="N", help="average number of busy sandboxes; default %(default)s"
    )
    parser.add_argument("--alarms", type=int, default=19, metavar="N", help="number of alarms; default %(default)s")
    parser.add_argument(
        "--lanes", type=int, choices=[1, 2], default=2, help="queues that the function reads; default %(default)s"
    )
    parser.add_argument(
        "--outage", type=float, default=None, metavar="HOURS", help="shows what an outage of TPNS of this length means"
    )
    parser.add_argument(
        "--rate", type=float, default=200, metavar="N", help="events per second in the outage; default %(default)s"
    )
    parser.add_argument(
        "--unbinds",
        type=float,
        default=0.02,
        metavar="SHARE",
        help="share of unbinds in the outage; default %(default)s",
    )
    parser.add_argument(
        "--concurrency", type=int, default=10, metavar="N", help="MaximumConcurrency; default %(default)s"
    )
    return parser


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = options()
    given = parser.parse_args(argv)
    if given.outage is not None and (given.outage <= 0 or given.rate <= 0 or not 0 <= given.unbinds <= 1):
        parser.error("--outage and --rate must be more than 0, --unbinds is a share from 0 to 1")
    if given.batch < 1 or given.send_batch < 1 or given.apps < 1 or given.events_a_month <= 0:
        parser.error("--batch, --send-batch, --apps and --events-a-month must be at least 1")
    if not 0 <= given.logouts + given.deletions <= 1:
        parser.error("--logouts and --deletions are shares: their sum must be 0 to 1")
    given.checks = given.checks and given.ledger
    if given.apps_a_batch is None:
        given.apps_a_batch = min(given.apps, given.batch)
    return given


def main() -> None:
    given = parse()
    tables = {"per million events": million(given), "fixed costs per month": month(given)}
    if given.checks:
        tables["of the first, the check"] = check(given)
    for title, costs in tables.items():
        print(title)
        for name, dollars in costs.items():
            print(f"  {name:<24}{dollars:>8.2f} $")
        print(f"  {'total':<24}{sum(costs.values()):>8.2f} $")
    if given.outage is not None:
        print(f"an outage of {given.outage:g} hours at {given.rate:g} events per second")
        for name, number in outage(given).items():
            print(f"  {name:<48}{number:>14,.0f}")


if __name__ == "__main__":
    main()
