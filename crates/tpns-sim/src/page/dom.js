// Builds elements. Text is always a text node, so that nothing a client sends is read as HTML.

export const byId = (id) => document.getElementById(id);

/** An element with these properties (`class`, and attributes by their names) and children; strings become text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Sets a text only if it differs: a live region announces each write. */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

const NUMBER = new Intl.NumberFormat("en");

/** 1,000 */
export const count = (number) => NUMBER.format(number);

/** "1 call", "2 calls" */
export const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
