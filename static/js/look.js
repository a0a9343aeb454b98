// The light-and-dark switch: system, then the opposite of it, and back.
export function startTheme() {
  const button = document.querySelector("[data-theme-toggle]");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    if (next === system) delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      if (next === system) localStorage.removeItem("baton.theme");
      else localStorage.setItem("baton.theme", next);
    } catch { /* Kept for this page only. */ }
  });
}

// A track that is wider than its box begins with what happened last.
export function toTheEnd() {
  for (const box of document.querySelectorAll("[data-scroll-end]")) {
    const line = box.querySelector(".track__now");
    const right = line ? line.getBBox().x + 90 : box.scrollWidth;
    box.scrollLeft = Math.max(0, right - box.clientWidth);
  }
}

// A menu closes by Escape and by a press elsewhere, and gives the focus back.
export function closeMenus() {
  const open = () => [...document.querySelectorAll("details[data-menu][open]")];
  addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
