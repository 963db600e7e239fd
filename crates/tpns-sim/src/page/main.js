// Reads what has changed twice a second, and hands it to the parts of the page.

import { calls, readMessages, updateCalls } from "./calls.js";
import { devices, updateDevices } from "./devices.js";
import { byId, counted, say } from "./dom.js";
import { fillForm } from "./fault-form.js";
import { updateFaults } from "./faults.js";

const PAUSE = 500;

const filter = byId("filter");
const pause = byId("pause");

let cursor = null;
let isPaused = false;
let timer = null;
let reading = null;

function show(state, text) {
  const target = byId("state");
  target.dataset.state = state;
  say(target, text);
}

async function read() {
  const query = cursor === null ? "" : `?since=${encodeURIComponent(cursor)}`;
  const answer = await fetch(`/_sim/changes${query}`, { signal: AbortSignal.timeout(30_000) });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const changes = await answer.json();
  const isFirst = cursor === null;
  cursor = changes.cursor;
  updateDevices(changes.devices, isFirst);
  updateCalls(changes.calls, changes.effects, isFirst);
  updateFaults(changes.faults);
  // Marked for tests too: everything that was read is shown.
  document.body.dataset.cursor = cursor;
}

/** Reads now, and then twice a second. One read at a time: a slow answer must not overtake a newer one. */
async function poll() {
  clearTimeout(timer);
  if (isPaused || document.hidden || reading) return;
  reading = read();
  try {
    await reading;
    if (!isPaused) show("live", "live");
  } catch {
    show("lost", "tpns-sim does not answer; trying again");
  } finally {
    reading = null;
  }
  clearTimeout(timer);
  timer = setTimeout(poll, PAUSE);
}

function applyFilter() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  devices.filter(words);
  calls.filter(words);
  const found = `${counted(devices.found, "device")}, ${counted(calls.found, "call")} found`;
  say(byId("found"), words.length ? found : "");
}

filter.addEventListener("input", applyFilter);

document.addEventListener("click", (event) => {
  const picked = event.target.closest?.(".pick");
  if (!picked) return;
  filter.value = picked.textContent;
  applyFilter();
});

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches?.("input, select, textarea");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    filter.focus();
    filter.select();
  }
  if (event.key === "Escape" && event.target === filter && filter.value) {
    event.preventDefault();
    filter.value = "";
    applyFilter();
  }
});

pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  if (isPaused) show("paused", "paused");
  else poll();
});

document.addEventListener("visibilitychange", poll);

try {
  fillForm(await readMessages(), (await (await fetch("/_sim/health")).json()).apps);
} catch {
  // Codes are shown without their messages; the next read shows whether the server is there.
}
document.addEventListener("fault-changed", poll);
poll();
