// One signed call to TPNS, for both Node.js peers.

import { createHmac } from 'node:crypto';

const apps = JSON.parse(process.env.TPNS_APPS);
const onlyApp = Object.keys(apps).length === 1 ? Object.keys(apps)[0] : undefined;

const BIND = 2;
const UNBIND = 3;
const UNBIND_ALL = 4;
const PARTLY_FAILED = 1008026;
const ALL_FAILED = 1008027;

/** Returns app, operator_type and item for an event of the contract. */
export function itemOf(event) {
  const { type, app = onlyApp, token, account_list } = event;
  if (type === 'user.login') return { app, operatorType: BIND, item: { token, account_list } };
  if (type === 'user.logout' && account_list === undefined) return { app, operatorType: UNBIND_ALL, item: token };
  if (type === 'user.logout') return { app, operatorType: UNBIND, item: { token, account_list } };
  throw new Error('unknown type');
}

/** Sends one call and returns for each item whether TPNS has accepted it. fetch keeps connections between warm invocations. */
export async function call(app, operatorType, items) {
  const { access_id, secret_key, endpoint } = apps[app];
  const field = operatorType === UNBIND_ALL ? 'token_list' : 'token_accounts';
  const body = JSON.stringify({ operator_type: operatorType, [field]: items });
  const timestamp = String(Math.floor(Date.now() / 1000));
  // Base64 of the lower-case hex text, not of the digest. TPNS's formula does not say so, but its samples show it.
  const hex = createHmac('sha256', secret_key).update(`${timestamp}${access_id}${body}`).digest('hex');
  const response = await fetch(`${endpoint}/v3/device/account/batchoperate`, {
    method: 'POST',
    body,
    headers: {
      'Content-Type': 'application/json',
      AccessId: String(access_id),
      TimeStamp: timestamp,
      Sign: Buffer.from(hex).toString('base64'),
    },
    signal: AbortSignal.timeout(3000),
  });
  const { ret_code, result } = await response.json();
  if (ret_code === 0) return items.map(() => true);
  if ([PARTLY_FAILED, ALL_FAILED].includes(ret_code) && Array.isArray(result) && result.length === items.length) {
    return result.map((each) => each === '0' || each === 'ok');
  }
  throw new Error(`TPNS answered ${ret_code}`);
}
