// The calls and their answers.

import { byId, count, counted, element } from "./dom.js";
import { Rows } from "./rows.js";

/** As many as `/_sim/changes` looks at. */
const MOST = 500;

const OPERATIONS = {
  batchoperate: { 1: "append", 2: "override", 3: "unbind", 4: "unbind tokens", 5: "unbind accounts" },
  query: { 1: "query accounts", 2: "query tokens" },
};

/** TPNS's messages by code. */
let messages = {};
let total = 0;

const rows = new Rows({
  rows: byId("call-rows"),
  more: byId("more-calls"),
  empty: byId("no-calls"),
  build,
  text: (call) => [
    call.app, call.path, operation(call), call.status, call.ret_code, ...(call.result ?? []), call.fault, call.hint,
    call.user_agent, JSON.stringify(call.request),
  ].join(" "),
});

const api = (call) => (call.path.startsWith("/v3/device/account/") ? call.path.split("/").at(-1) : null);

function operation(call) {
  const names = OPERATIONS[api(call)];
  if (!names) return call.path;
  const number = call.operator_type;
  return number === null ? "no operator_type" : `${number} ${names[number] ?? "unknown"}`;
}

/** A code with TPNS's message. */
const code = (number) => [number, messages[number] ?? ""].join(" ").trim();

/** What the client got, in one word for colours and one for people. */
function answer({ status, ret_code: retCode, fault }) {
  if (status === null && (fault === "hang" || fault === "disconnect")) return ["bad", "no answer"];
  if (status === null) return ["waiting", "no answer yet"];
  if (status !== 200) return ["bad", `HTTP ${status}`];
  if (retCode === null) return ["bad", "HTTP 200, unreadable"];
  if (retCode === 0) return ["good", code(0)];
  return [retCode === 1008026 ? "partly" : "bad", code(retCode)];
}

/** "18 × 0, 2 × 1008006 invalid token", unless all are 0. */
function results(result) {
  if (!result || result.every((item) => item === "0")) return "";
  const counts = new Map();
  for (const item of result) counts.set(item, (counts.get(item) ?? 0) + 1);
  return [...counts].map(([item, times]) => `${count(times)} × ${item === "0" ? "0" : code(item)}`).join(", ");
}

function build(call, former) {
  const [kind, text] = answer(call);
  const items = results(call.result);
  const isSurprise = call.applied && kind !== "good" && kind !== "partly";
  const time = new Date(call.at_ms);
  const notes = [
    call.hint ? element("span", { class: "hint" }, call.hint) : null,
    items ? element("span", { class: "codes" }, items) : null,
  ].filter(Boolean);
  const summary = element("summary", {},
    element("time", { datetime: time.toISOString() }, time.toLocaleTimeString("en-GB")),
    element("span", { class: "app" }, call.app ?? "no app"),
    element("span", { class: "operation" }, operation(call)),
    element("span", { class: "number" }, count(call.items), element("span", { class: "unit" },
      call.items === 1 ? " item" : " items")),
    element("span", { class: "got" }, element("span", { class: `answer ${kind}` }, text),
      call.fault ? element("span", { class: "fault" }, `fault ${call.fault}`) : null,
      isSurprise ? element("span", { class: "codes" }, "but it took effect") : null),
    notes.length ? element("span", { class: "notes" }, ...notes) : null);
  const details = element("details", {}, summary);
  // Built when it is opened: most calls never are.
  details.addEventListener("toggle", () => {
    if (details.open && !summary.nextSibling) details.append(inside(call));
  });
  const was = former?.querySelector("details");
  if (was?.open) {
    details.append(inside(call));
    details.open = true;
  }
  const hadFocus = was?.querySelector("summary") === document.activeElement && former?.isConnected;
  if (hadFocus) queueMicrotask(() => summary.focus({ preventScroll: true }));
  return element("li", {}, details);
}

/** The name of each item of a request, in its order. */
function itemNames({ request }) {
  const lists = [request?.token_accounts, request?.token_list, request?.account_list];
  const list = lists.find(Array.isArray) ?? [];
  return list.map((item) => (typeof item === "string" ? item : item?.token ?? item?.account ?? ""));
}

function inside(call) {
  const facts = [
    ["call", `${call.seq}, on connection ${call.connection}`],
    ["path", call.path],
    ["client", call.user_agent],
    ["HTTP status", call.status],
    ["takes effect", call.applied ? "yes" : "no"],
  ].filter(([, value]) => value !== null);
  const names = itemNames(call);
  const codes = (call.result ?? []).map((item, index) => element("li", { class: item === "0" ? "" : "bad" },
    element("span", { class: "token" }, String(names[index] ?? `item ${index + 1}`)), element("span", {}, code(item))));
  return element("div", { class: "inside" },
    element("dl", {}, ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))])),
    codes.length ? element("h3", {}, "Result") : null,
    codes.length ? element("ol", { class: "result" }, ...codes) : null,
    element("h3", {}, "Request"),
    call.request === null ? element("p", { class: "none" }, "The body is not JSON.")
      : element("pre", {}, JSON.stringify(call.request, null, 2)));
}

/** Takes over what `/_sim/changes` says of calls, and of operations that have no effect yet. */
export function updateCalls({ all, changed }, effects, isFirst) {
  const waiting = effects.expected + effects.pending;
  byId("effects").textContent = waiting ? `· ${counted(waiting, "operation")} not in effect yet` : "";
  if (!all && changed.length === 0) return;
  if (all) {
    rows.clear();
    total = 0;
  }
  for (const call of changed) {
    total = Math.max(total, call.seq);
    rows.set(call.seq, call.seq, call, !isFirst);
  }
  rows.keep(MOST);
  byId("calls-count").textContent = count(total);
  rows.render();
}

export async function readMessages() {
  messages = await (await fetch("/_sim/codes")).json();
  return messages;
}

export const calls = rows;
