// The active faults, and how to remove one.

import { byId, count, counted, element, say } from "./dom.js";

const list = byId("fault-list");
const add = byId("add");
const form = byId("fault-form");
/** Fault id to its row and what it shows. */
const shown = new Map();

/** Fields that `describe` puts into words; the others are shown by name. */
const IN_WORDS = new Set(["id", "fault", "api", "fired", "times", "skip", "apply", "late", "probability", "seed"]);

function describe(fault) {
  const fields = Object.entries(fault).filter(([name]) => !IN_WORDS.has(name));
  const next = fault.times === 1 ? "call" : counted(fault.times, "call");
  const often = fault.times === null ? "each call" : `the next ${next}`;
  const words = [
    ...fields.map(([name, value]) => `${name} ${value}`),
    fault.late ? "the operation, too" : null,
    fault.api === "query" ? "of query" : null,
    fault.skip ? `after ${counted(fault.skip, "call")}` : null,
    fault.probability === undefined ? often : `${often} with probability ${fault.probability}`,
    fault.apply ? "takes effect" : "no effect",
  ];
  return words.filter(Boolean).join(" · ");
}

function row(fault) {
  const name = element("b", {}, fault.fault);
  const text = element("span", { class: "about" });
  const hits = element("span", { class: "hits" });
  const remove = element("button", { type: "button", "aria-label": `Remove the fault ${fault.fault}` }, "Remove");
  remove.addEventListener("click", () => removeFault(fault));
  const made = { item: element("li", {}, element("span", {}, name, " ", text), hits, remove), text, hits, remove };
  return made;
}

async function removeFault(fault) {
  const order = [...list.children];
  const next = order[order.indexOf(shown.get(fault.id)?.item) + 1] ?? order.at(-2);
  try {
    const answer = await fetch(`/_sim/faults/${fault.id}`, { method: "DELETE" });
    // 404: it has hit its last call in the meantime, and is gone, too.
    if (!answer.ok && answer.status !== 404) throw new Error(`HTTP ${answer.status}`);
  } catch {
    say(byId("fault-news"), `tpns-sim does not answer; the fault ${fault.fault} is still there.`);
    return;
  }
  say(byId("fault-news"), `Fault ${fault.fault} removed.`);
  (next?.querySelector("button") ?? add).focus();
  forget(fault.id);
  document.dispatchEvent(new Event("fault-changed"));
}

function forget(id) {
  shown.get(id)?.item.remove();
  shown.delete(id);
  showNumber();
}

function showNumber() {
  byId("faults-count").textContent = count(shown.size);
  byId("faults").classList.toggle("active", shown.size > 0);
  byId("no-faults").hidden = shown.size > 0;
}

/** Takes over the list of active faults. Rows stay in place, so that the focus does, too. */
export function updateFaults(faults) {
  const ids = new Set(faults.map((fault) => fault.id));
  for (const id of [...shown.keys()]) if (!ids.has(id)) forget(id);
  for (const fault of faults) {
    if (!shown.has(fault.id)) {
      shown.set(fault.id, row(fault));
      list.append(shown.get(fault.id).item);
    }
    const { text, hits } = shown.get(fault.id);
    say(text, describe(fault));
    say(hits, fault.fired ? `hit ${counted(fault.fired, "call")}` : "");
  }
  showNumber();
}

add.addEventListener("click", () => open(form.hidden));

export function open(isOpen) {
  form.hidden = !isOpen;
  add.setAttribute("aria-expanded", String(isOpen));
  add.textContent = isOpen ? "Close" : "Add a fault";
  if (isOpen) form.elements[0].focus();
  else add.focus();
}

form.addEventListener("keydown", (event) => {
  if (event.key === "Escape") open(false);
});
