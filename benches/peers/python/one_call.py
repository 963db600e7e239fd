"""One call per message: Powertools' batch utility as in its documentation, with the default processor."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from tpns import Refused, call, item_of

processor = BatchProcessor(event_type=EventType.SQS)


def record_handler(record: SQSRecord) -> None:
    app, operator_type, item = item_of(record.json_body)
    if not all(call(app, operator_type, [item])):
        raise Refused(record.message_id)


def handler(event: dict[str, Any], context: object) -> object:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
