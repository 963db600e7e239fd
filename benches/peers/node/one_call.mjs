// One call per message: Powertools' batch utility as in its documentation. By default it processes all messages at once.

import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { call, itemOf } from './tpns.mjs';

const processor = new BatchProcessor(EventType.SQS);

const recordHandler = async (record) => {
  const { app, operatorType, item } = itemOf(JSON.parse(record.body));
  const [accepted] = await call(app, operatorType, [item]);
  if (!accepted) throw new Error(`TPNS did not accept ${record.messageId}`);
};

export const handler = async (event, context) => processPartialResponse(event, recordHandler, processor, { context });
