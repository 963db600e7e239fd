// Compares the DynamoDB of crates/lambda-sim with dynalite, which is validated against the real service: `make dynalite`
// records what the ledger's tests request, and passes the record to this program.
//
// Each line of the record is a request with the items before and after it. The item before it is put into dynalite, which
// then receives the same request. Its error code, its answer and the item after it must be the recorded ones. Not compared:
// the item in a failed condition (dynalite does not know ReturnValuesOnConditionCheckFailure), and what fills an item to
// 400 KB with characters beyond ASCII (dynalite counts UTF-16 units; DynamoDB, and lambda-sim, UTF-8 bytes).

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";
import dynalite from "dynalite";

const TABLE = "ledger";
const KEY = "pk";

const server = dynalite({ createTableMs: 0 });
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}/`;

/** The JSON of the answer, with the code of an error in `code`. */
async function ask(operation, request) {
  const headers = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": `DynamoDB_20120810.${operation}`,
    "X-Amz-Date": "20260101T000000Z",
    Authorization: "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-2/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
  };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(request) });
  const answer = await response.json();
  return response.ok ? answer : { code: answer.__type.split("#").pop(), message: answer.message ?? answer.Message };
}

async function must(operation, request) {
  const answer = await ask(operation, request);
  if (answer.code) throw new Error(`${operation} ${JSON.stringify(request)}: ${JSON.stringify(answer)}`);
  return answer;
}

/** Puts the item; without one, deletes what is under the key, which may be an invalid one. */
const put = (key, item) =>
  item ? must("PutItem", { TableName: TABLE, Item: item }) : ask("DeleteItem", { TableName: TABLE, Key: key });

/** How dynalite answers a recorded write. */
async function write({ request, before }) {
  await put(request.Key, before);
  const { code, message, Attributes } = await ask("UpdateItem", { ...request, TableName: TABLE });
  const { Item } = await ask("GetItem", { TableName: TABLE, Key: request.Key, ConsistentRead: true });
  return { code, message, attributes: Attributes, after: Item ?? null };
}

/** How dynalite answers a recorded read when it has the items of the recorded answer. */
async function read({ request, answer }) {
  const [[name, wanted]] = Object.entries(request.RequestItems);
  const items = new Map((answer?.Responses[name] ?? []).map((item) => [item[KEY].S, item]));
  for (const key of answer ? wanted.Keys : []) await put(key, items.get(key[KEY].S));
  const { code, message, Responses } = await ask("BatchGetItem", { RequestItems: { [TABLE]: wanted } });
  return { code, message, items: Responses && sorted(Responses[TABLE]) };
}

const sorted = (items) => items.toSorted((a, b) => (a[KEY].S < b[KEY].S ? -1 : 1));

function expected({ request, after, answer, code }) {
  if (!request.RequestItems) return { code, attributes: answer?.Attributes, after };
  return { code, items: answer && sorted(Object.values(answer.Responses)[0]) };
}

/** Whether lambda-sim refused the item for a size that dynalite counts differently. */
function isLargerInBytes({ code }, { after }) {
  const size = ([name, value]) => Buffer.byteLength(name) + Buffer.byteLength(value.S ?? value.N);
  const bytes = Object.entries(after ?? {}).map(size).reduce((sum, size) => sum + size, 0);
  return code === "ValidationException" && bytes > 400 * 1024;
}

await must("CreateTable", {
  TableName: TABLE,
  AttributeDefinitions: [{ AttributeName: KEY, AttributeType: "S" }],
  KeySchema: [{ AttributeName: KEY, KeyType: "HASH" }],
  BillingMode: "PAY_PER_REQUEST",
});
const seen = new Set();
const counted = { "accepted writes": 0, "refused writes": 0, reads: 0 };
let different = 0;
for await (const line of createInterface({ input: createReadStream(process.argv[2]) })) {
  const recorded = JSON.parse(line);
  // Tables that do not exist, and requests that lambda-sim does not model and its own tests make.
  if (seen.has(line) || ["ResourceNotFoundException", "NotModelled"].includes(recorded.code)) continue;
  seen.add(line);
  counted[recorded.request.RequestItems ? "reads" : recorded.code ? "refused writes" : "accepted writes"] += 1;
  const { message, ...found } = await (recorded.request.RequestItems ? read(recorded) : write(recorded));
  if (isDeepStrictEqual(found, expected(recorded)) || isLargerInBytes(recorded, found)) continue;
  different += 1;
  console.error(`different:\n  record   ${line}\n  dynalite ${JSON.stringify({ ...found, message })}`);
}
server.close();
const counts = Object.entries(counted).map(([what, number]) => `${number} ${what}`);
console.log(`compared with dynalite: ${counts.join(", ")}; ${different} of them are answered differently`);
const missing = Object.keys(counted).filter((what) => counted[what] === 0);
if (missing.length > 0) console.error(`${process.argv[2]}: holds no ${missing.join(", no ")}, so this compares too little`);
process.exit(missing.length > 0 || different > 0 ? 1 : 0);
