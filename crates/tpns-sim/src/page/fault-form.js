// The form for a new fault. The server checks it: its errors name the field.

import { byId, element, say } from "./dom.js";
import { open } from "./faults.js";

const form = byId("fault-form");

const number = (name, label, value, more) => ({ name, label, value, type: "number", ...more });
const text = (name, label, more) => ({ name, label, value: "", type: "text", ...more });
const check = (name, label) => ({ name, label, type: "checkbox" });

/** Each kind of fault: what happens, and its own fields. */
const KINDS = {
  status: ["An HTTP status in place of an answer", number("status", "status", 503), text("retry_after", "retry_after"),
    text("body", "body")],
  ret_code: ["A code for the whole call", number("ret_code", "ret_code", 1008004, { list: "codes" })],
  item_code: ["A code for the items that token or account select, or all", number("code", "code", 1008006,
    { list: "codes" })],
  delay: ["A good answer, late", number("ms", "ms", 3000), check("late", "the operation is late, too")],
  effect: ["A good answer; the effect is late, or lost", number("late_ms", "late_ms", 5000),
    check("lost", "it is lost")],
  hang: ["No answer; the connection stays open"],
  reset: ["A TCP reset half-way through the answer"],
  truncated: ["The connection closes half-way through the answer"],
  malformed: ["HTTP 200 with a body that is not JSON", text("body", "body")],
  result_length: ["A result with more or fewer elements than items", number("delta", "delta", -1)],
  ok_words: ["\"ok\" for each \"0\", as in older documents"],
  disconnect: ["The connection closes before the answer"],
};

const SCOPE = [
  { name: "api", label: "api", type: "select", options: ["batchoperate", "query"] },
  { name: "app", label: "app", type: "select", options: [] },
  { name: "operator_type", label: "operator_type", type: "select", options: ["", "1", "2", "3", "4", "5"] },
  text("token", "token"), text("account", "account"),
  number("account_type", "account_type", "", { min: 0 }), number("skip", "skip calls", "", { min: 0 }),
  number("probability", "probability", "", { min: 0, max: 1, step: "any" }),
];

const TIMES = number("times", "times", 1, { min: 1, placeholder: "no limit" });

const FIELDS = [...Object.values(KINDS).flat(), ...SCOPE, TIMES];
const NUMBERS = new Set(FIELDS.filter(({ type }) => type === "number").map(({ name }) => name)).add("operator_type");

function input({ name, type, value, options, ...attributes }) {
  if (type === "select") {
    const made = options.map((option) => element("option", { value: option }, option || "any"));
    return element("select", { name }, ...made);
  }
  return element("input", { name, type, value, autocomplete: "off", spellcheck: "false", ...attributes });
}

function field(made) {
  const { label, ...rest } = made;
  const box = input(rest);
  return made.type === "checkbox" ? element("label", { class: "check" }, box, ` ${label}`)
    : element("label", {}, element("span", {}, label), box);
}

/** Fills the form. `messages`: TPNS's messages by code; `apps`: the names of the apps. */
export function fillForm(messages, apps) {
  SCOPE.find(({ name }) => name === "app").options = ["", ...apps];
  const kind = element("select", { name: "fault" }, ...Object.keys(KINDS).map((name) => element("option", {}, name)));
  const about = element("p", { class: "about" });
  const own = element("div", { class: "fields" });
  const error = element("p", { role: "alert", class: "error" });
  const chooseKind = () => {
    const [words, ...fields] = KINDS[kind.value];
    about.textContent = words;
    own.replaceChildren(...fields.map(field), field(TIMES));
    say(error, "");
  };
  kind.addEventListener("change", chooseKind);
  const codes = Object.entries(messages).filter(([code]) => code !== "0");
  form.replaceChildren(
    element("div", { class: "fields" }, element("label", {}, element("span", {}, "fault"), kind), about),
    own,
    element("details", {}, element("summary", {}, "Only some calls"),
      element("div", { class: "fields" }, ...SCOPE.map(field))),
    element("datalist", { id: "codes" },
      ...codes.map(([code, message]) => element("option", { value: code }, message))),
    error,
    element("button", { type: "submit", class: "primary" }, "Add this fault"),
  );
  chooseKind();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(error);
  });
  form.addEventListener("reset", () => queueMicrotask(chooseKind));
}

/** What the form says, as `POST /_sim/faults` takes it. An empty field is omitted, an empty `times` is no limit. */
function posted() {
  const fault = {};
  for (const [name, value] of new FormData(form)) {
    if (value !== "") fault[name] = NUMBERS.has(name) ? Number(value) : value;
  }
  if (fault.late) fault.late = true;
  if (fault.lost) {
    delete fault.lost;
    delete fault.late_ms;
    fault.apply = false;
  }
  if (form.elements.times.value === "") fault.times = null;
  return fault;
}

async function submit(error) {
  const fault = posted();
  try {
    const answer = await fetch("/_sim/faults", { method: "POST", body: JSON.stringify(fault) });
    if (!answer.ok) {
      say(error, (await answer.json()).error);
      return;
    }
  } catch {
    say(error, "tpns-sim does not answer.");
    return;
  }
  say(byId("fault-news"), `Fault ${fault.fault} added.`);
  form.reset();
  open(false);
  document.dispatchEvent(new Event("fault-changed"));
}
