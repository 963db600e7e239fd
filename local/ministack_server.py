"""MiniStack, with five patches where MiniStack 1.5.33 differs from AWS."""

from __future__ import annotations

import queue
import time
from contextvars import ContextVar
from typing import Any

import samtranslator.translator.transform as sam
from ministack.app import main as ministack
from ministack.core.lambda_runtime import Worker
from ministack.services import cloudwatch, lambda_svc
from ministack.services.cloudformation import changesets, engine, handlers

_parameters: ContextVar[dict[str, str] | None] = ContextVar("parameters", default=None)


def main() -> None:
    _pass_parameters_to_the_sam_transform()
    _wait_for_the_last_line_of_an_invocation()
    _read_a_mapping_s_concurrency_as_a_number()
    _share_the_concurrency_among_the_mappings()
    _evaluate_an_alarm_on_its_own_dimensions()
    ministack()


def _pass_parameters_to_the_sam_transform() -> None:
    """CloudFormation passes the stack's parameters to the SAM transform. MiniStack does not, so every stack is
    transformed with the defaults. It matters where SAM itself decides by a parameter: whether there is a gradual
    deployment."""
    apply_transforms, transform = engine._apply_transforms, sam.transform

    def with_parameters(template: dict[str, Any], provided: Any = None, previous: Any = None) -> Any:
        # A parameter that is not given keeps its value from the previous deployment.
        values = {
            one["Key"]: one.get("Value") or (previous or {}).get(one["Key"], {}).get("Value", "")
            for one in provided or []
        }
        token = _parameters.set(values)
        try:
            return apply_transforms(template, provided, previous)
        finally:
            _parameters.reset(token)

    for module in (changesets, engine, handlers):
        module._apply_transforms = with_parameters
    sam.transform = lambda template, _none, policies: transform(template, _parameters.get() or {}, policies)


def _wait_for_the_last_line_of_an_invocation() -> None:
    """MiniStack considers an invocation's log complete after 5 ms without a line, and at the latest after 250 ms. On a
    busy machine lines were therefore missing, and appeared with the next invocation or never. Here the times at which
    nothing was there are counted: a machine that stands still for a second counts as one of them."""
    before_the_first_line, after_a_line, pause = 50, 8, 0.005

    def drain(worker: Any) -> str:
        lines: list[str] = []
        empty = 0
        while empty < (after_a_line if lines else before_the_first_line):
            try:
                lines.append(worker._stderr_queue.get_nowait())
                empty = 0
            except queue.Empty:
                empty += 1
                time.sleep(pause)
        return "\n".join(lines)

    Worker._drain_stderr_bounded = drain


def _read_a_mapping_s_concurrency_as_a_number() -> None:
    """CloudFormation converts a parameter to a number where a resource needs one. MiniStack keeps the text, and can't
    compare it: until the mapping is changed through the API, the queues of all mappings after it are not read."""
    of_numbers = lambda_svc._sqs_esm_concurrency

    def concurrency(esm: dict[str, Any], function: Any, config: dict[str, Any], queue: Any = None) -> int:
        scaling = {key: int(value) for key, value in (esm.get("ScalingConfig") or {}).items()}
        return of_numbers({**esm, "ScalingConfig": scaling}, function, config, queue)

    lambda_svc._sqs_esm_concurrency = concurrency


def _share_the_concurrency_among_the_mappings() -> None:
    """MiniStack lets each event source mapping use all of the function's reserved concurrency. With two of them it then
    throttles one, and reports that as a failed batch. A run in which one batch is processed at a time needs none of
    that, so a mapping here waits while another one uses the concurrency."""
    of_one = lambda_svc._sqs_esm_concurrency

    def concurrency(esm: dict[str, Any], function: Any, config: dict[str, Any], queue: Any = None) -> int:
        limit, reserved = of_one(esm, function, config, queue), lambda_svc._reserved_concurrency(function, config)
        if reserved is None:
            return limit
        others = {
            other["UUID"]
            for _account, _region, other in lambda_svc._iter_all_esms()
            if other["FunctionName"] == esm["FunctionName"] and other["UUID"] != esm["UUID"]
        }
        return min(limit, reserved - sum(lambda_svc._esm_inflight.get(uuid, 0) for uuid in others))

    lambda_svc._sqs_esm_concurrency = concurrency


def _evaluate_an_alarm_on_its_own_dimensions() -> None:
    """MiniStack evaluates an alarm on every metric of its name: one stack's failed invocation raised the alarm of a
    stack that was deployed in the minutes after it."""
    of_all = cloudwatch._evaluate_alarm

    def evaluate(alarm: dict[str, Any]) -> None:
        own = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions", [])))
        metrics = cloudwatch._metrics
        cloudwatch._metrics = {key: points for key, points in metrics.items() if key[2] == own}
        try:
            of_all(alarm)
        finally:
            cloudwatch._metrics = metrics

    cloudwatch._evaluate_alarm = evaluate
