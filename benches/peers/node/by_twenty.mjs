// Twenty items per call, written by hand because one call per message costs too much. Eight concurrent calls, like our default.

import { call, itemOf } from './tpns.mjs';

const ITEMS_PER_CALL = 20;
const CONCURRENCY = 8;

export const handler = async (event) => {
  const failed = [];
  const groups = new Map();
  for (const { messageId, body } of event.Records) {
    try {
      const { app, operatorType, item } = itemOf(JSON.parse(body));
      const key = `${app} ${operatorType}`;
      if (!groups.has(key)) groups.set(key, { app, operatorType, messages: [] });
      groups.get(key).messages.push({ messageId, item });
    } catch {
      failed.push(messageId);
    }
  }
  const chunks = [];
  for (const { app, operatorType, messages } of groups.values()) {
    for (let start = 0; start < messages.length; start += ITEMS_PER_CALL) {
      chunks.push({ app, operatorType, messages: messages.slice(start, start + ITEMS_PER_CALL) });
    }
  }
  const send = async ({ app, operatorType, messages }) => {
    let accepted = [];
    try {
      accepted = await call(app, operatorType, messages.map(({ item }) => item));
    } catch {
      // All of them are redelivered.
    }
    messages.forEach(({ messageId }, index) => accepted[index] || failed.push(messageId));
  };
  const work = chunks.values();
  const worker = async () => {
    for (const chunk of work) await send(chunk);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
};
