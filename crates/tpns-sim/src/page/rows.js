// A list that shows its newest items first, and builds rows only for those that it shows.

import { count, element } from "./dom.js";

/** How long a changed row stays marked, in milliseconds; page.css has the same. */
const MARKED = 4000;

const NARROW = matchMedia("(max-width: 899px)");
const step = () => (NARROW.matches ? 20 : 100);

export class Rows {
  #items = new Map();
  #shown = [];
  #words = [];
  #limit = step();

  /** `build(data)` makes a row, `text(data)` is what the filter searches. */
  constructor({ rows, more, empty, build, text }) {
    Object.assign(this, { rows, more, empty, build, text });
    more.addEventListener("click", () => this.#showMore());
    NARROW.addEventListener("change", () => {
      this.#limit = step();
      this.render();
    });
  }

  get size() {
    return this.#items.size;
  }

  /** How many items the filter finds. */
  get found() {
    return this.#shown.length;
  }

  clear() {
    this.#items.clear();
  }

  /** Adds or replaces an item. Higher `order` is shown first. `marked`: its row is marked for a moment. */
  set(key, order, data, marked) {
    const known = this.#items.get(key);
    const item = { key, order, data, row: known?.row, stale: true, marked };
    this.#items.set(key, item);
  }

  get(key) {
    return this.#items.get(key)?.data;
  }

  /** Removes the items of the lowest order until `most` are left. */
  keep(most) {
    if (this.#items.size <= most) return;
    const oldest = [...this.#items.values()].sort((a, b) => a.order - b.order);
    for (const { key } of oldest.slice(0, this.#items.size - most)) this.#items.delete(key);
  }

  /** Shows only the items whose text has each of these words. */
  filter(words) {
    this.#words = words;
    this.#limit = step();
    this.rows.parentElement.closest(".scroll").scrollTop = 0;
    this.render();
  }

  render() {
    const items = [...this.#items.values()].sort((a, b) => b.order - a.order);
    this.#shown = this.#words.length ? items.filter((item) => this.#matches(item)) : items;
    const visible = this.#shown.slice(0, this.#limit);
    const wanted = new Set(visible.map((item) => this.#row(item)));
    for (const row of [...this.rows.children]) if (!wanted.has(row)) row.remove();
    let place = this.rows.firstElementChild;
    for (const row of wanted) {
      if (row === place) place = place.nextElementSibling;
      else this.rows.insertBefore(row, place);
    }
    const left = this.#shown.length - visible.length;
    this.more.hidden = left === 0;
    this.more.textContent = `Show ${count(Math.min(step(), left))} more of ${count(left)}`;
    this.empty.hidden = this.#shown.length > 0;
    this.empty.replaceChildren(...this.#emptyText());
  }

  #emptyText() {
    this.whenEmpty ??= this.empty.textContent;
    return [this.#items.size ? "Nothing matches the filter." : this.whenEmpty];
  }

  #matches(item) {
    item.searched ??= this.text(item.data).toLowerCase();
    return this.#words.every((word) => item.searched.includes(word));
  }

  #row(item) {
    if (item.row && !item.stale) return item.row;
    const former = item.row;
    item.row = this.build(item.data, former);
    item.stale = false;
    if (item.marked) mark(item.row);
    item.marked = false;
    return item.row;
  }

  #showMore() {
    const first = this.#limit;
    this.#limit += step();
    this.render();
    // The button moves away, or is gone: the focus goes to the first new row.
    const row = this.rows.children[first];
    const target = row?.querySelector("summary") ?? row;
    if (target && !target.matches("summary")) target.tabIndex = -1;
    target?.focus();
  }
}

function mark(row) {
  row.classList.add("changed");
  setTimeout(() => row.classList.remove("changed"), MARKED);
}

/** A text that sets the filter when it is clicked. By keyboard the filter itself does the same in fewer steps. */
export function pick(text, className) {
  return element("span", { class: `pick ${className}`, title: "Filter by this" }, text);
}
