// Runs before the first paint, so that a chosen theme never flashes; nothing else is done here.
(() => {
  try {
    const chosen = localStorage.getItem("baton.theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch { /* Storage may be forbidden; the system's preference holds. */ }
})();
