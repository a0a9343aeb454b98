// Keys: ? and / and "g" followed by a letter on every page; j, k, Enter, a and u where rows are.
// Nothing here is reachable by keys only.
import { openPalette } from "./palette.js";

const PAUSE = 1500; // ms in which the second key of "g u" is awaited
const rows = () => [...document.querySelectorAll("[data-row]")];
const dialog = () => document.getElementById("keys");
let at = -1;
let going = 0;

function go(to) {
  const all = rows();
  if (!all.length) return;
  at = Math.max(0, Math.min(all.length - 1, to));
  for (const [index, row] of all.entries()) row.classList.toggle("is-at", index === at);
  const row = all[at];
  row.scrollIntoView({ block: "nearest" });
  row.querySelector("[data-open], a, button")?.focus({ preventScroll: true });
}

const press = (name) => rows()[at]?.querySelector(name)?.click();

function show() {
  const keys = dialog();
  if (!keys || keys.open) return;
  for (const part of keys.querySelectorAll("[data-keys-of-rows]")) part.hidden = !document.querySelector("[data-rows]");
  keys.showModal();
}

function second(key) {
  clearTimeout(going);
  going = 0;
  const link = [...(dialog()?.querySelectorAll("[data-go]") ?? [])].find((one) => one.dataset.go === key);
  if (link) location.assign(link.href);
  return Boolean(link);
}

const KEYS = {
  "?": show,
  "/": openPalette,
  g: () => { going = setTimeout(() => { going = 0; }, PAUSE); },
};
const ROW_KEYS = {
  j: () => go(at + 1),
  k: () => go(at - 1),
  a: () => press("[data-act]"),
  u: () => press("[data-use-case]"),
};

function typing(target) {
  return target.closest?.("input, textarea, select, dialog, [contenteditable]");
}

export function startKeys() {
  for (const hint of document.querySelectorAll("[data-keys-hint]")) hint.hidden = false;
  for (const button of document.querySelectorAll("[data-keys-open]")) {
    button.hidden = false;
    button.addEventListener("click", show);
  }
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    if (going && second(event.key)) { event.preventDefault(); return; }
    if (event.key === "Enter" && event.target === document.body) { press("[data-open]"); return; }
    const act = KEYS[event.key] ?? (document.querySelector("[data-rows]") && ROW_KEYS[event.key]);
    if (act && dialog()) { event.preventDefault(); act(); }
  });
}
