// The devices and their accounts.

import { byId, count, element } from "./dom.js";
import { Rows, pick } from "./rows.js";

/** TPNS's account types; 1 to 16 are custom. */
const TYPES = {
  991: "QQ number", 992: "QQ MD5", 997: "OAID", 998: "OAID MD5", 999: "WeChat UnionID", 1002: "mobile number",
  1003: "WeChat OpenID", 1004: "QQ OpenID", 1005: "email", 1006: "Sina Weibo", 1007: "Alipay", 1008: "Taobao",
  1009: "Douban", 1010: "Facebook", 1011: "Twitter", 1012: "Google", 1013: "Baidu", 1014: "JD", 1015: "LinkedIn",
};

const typeName = (type) => TYPES[type] ?? (type >= 1 && type <= 16 ? "custom" : "");

const rows = new Rows({
  rows: byId("device-rows"),
  more: byId("more-devices"),
  empty: byId("no-devices"),
  build,
  text: ({ app, token, accounts }) =>
    [app, token, ...accounts.flatMap(({ account, account_type: type }) => [account, type, typeName(type)])].join(" "),
});

function build({ app, token, accounts }) {
  const list = accounts.length
    ? accounts.map(({ account, account_type: type }) => element("li", {},
        pick(account, "account"),
        type ? element("span", { class: "type" }, `${type} ${typeName(type)}`.trim()) : null))
    : [element("li", { class: "none" }, "no accounts")];
  return element("tr", { role: "row", class: accounts.length ? "" : "signed-out" },
    element("td", { role: "cell", class: "app" }, app),
    element("td", { role: "cell" }, pick(token, "token")),
    element("td", { role: "cell" }, element("ul", { class: "accounts" }, ...list)));
}

/** Takes over what `/_sim/changes` says of devices. */
export function updateDevices({ all, changed }, isFirst) {
  if (!all && changed.length === 0) return;
  if (all) rows.clear();
  for (const device of changed) {
    const key = JSON.stringify([device.app, device.token]);
    const before = rows.get(key);
    const same = before && JSON.stringify(before.accounts) === JSON.stringify(device.accounts);
    rows.set(key, device.change, device, !isFirst && !same);
  }
  byId("devices-count").textContent = count(rows.size);
  rows.render();
}

export const devices = rows;
