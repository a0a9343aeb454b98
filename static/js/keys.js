// Keys of a list of rows: j, k, Enter, a, u and ?. Nothing here is reachable by keys only.
const rows = () => [...document.querySelectorAll("[data-row]")];
let at = -1;

const hint = document.querySelector("[data-keys-hint]");
if (hint) hint.hidden = false;

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

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, dialog")) return;
  const keys = {
    j: () => go(at + 1),
    k: () => go(at - 1),
    a: () => press("[data-act]"),
    u: () => press("[data-use-case]"),
    "?": () => document.getElementById("keys")?.showModal(),
  };
  if (event.key === "Enter" && event.target === document.body) { press("[data-open]"); return; }
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});
