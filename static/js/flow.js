// Parts of the page of flow: fetched when they come near the window, and again when a tab or a form
// of theirs asks. Without this module each part is a page of its own, behind its link.
// (htmx would take out the data of the charts, which stand in script elements.)
const NEAR = "300px";

async function load(address, box) {
  box.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (answer.redirected) { location.assign(address); return; }
    box.innerHTML = await answer.text();
    document.dispatchEvent(new CustomEvent("baton:swapped", { detail: { region: box } }));
  } catch { /* The link to the part's own page stays. */ }
  finally { box.removeAttribute("aria-busy"); }
}

const near = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    near.unobserve(entry.target);
    load(entry.target.dataset.part, entry.target);
  }
}, { rootMargin: NEAR });
for (const box of document.querySelectorAll("[data-part]")) near.observe(box);

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-into]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const box = document.getElementById(link.dataset.into);
  if (!box) return;
  event.preventDefault();
  await load(link.href, box);
  box.querySelector("a[data-into][aria-current]")?.focus({ preventScroll: true });
});

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-into]");
  const box = form && document.getElementById(form.dataset.into);
  if (!box) return;
  event.preventDefault();
  await load(`${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`, box);
  box.querySelector("form[data-into] button")?.focus({ preventScroll: true });
});
