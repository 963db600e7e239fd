// One call a message: Powertools' batch utility as its documentation has it. Its default is all messages at once.

import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { call, itemOf } from './tpns.mjs';

const processor = new BatchProcessor(EventType.SQS);

const recordHandler = async (record) => {
  const { app, operatorType, item } = itemOf(JSON.parse(record.body));
  const [accepted] = await call(app, operatorType, [item]);
  if (!accepted) throw new Error(`TPNS did not take ${record.messageId}`);
};

export const handler = async (event, context) => processPartialResponse(event, recordHandler, processor, { context });
