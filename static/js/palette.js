// Search anywhere: "/" or the bar's link opens a dialog, results are fetched while typing. The link
// leads to the page that does the same without scripts.
const REST = 120; // ms without a key before results are fetched
const RECENT = "baton.recent";
const MOST = 8; // pages remembered, in this browser only

let box = null;
let field = null;
let list = null;
let status = null;
let timer = 0;
let asked = null; // the fetch under way
let at = -1;

export function startPalette() {
  const link = document.querySelector("[data-search]");
  const form = document.getElementById("palette");
  if (!link || !form) return;
  box = form;
  field = box.querySelector("input[name=q]");
  list = box.querySelector("[data-palette-list]");
  status = box.querySelector("[role=status]");
  remember();
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openPalette();
  });
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(find, REST); });
  box.addEventListener("keydown", move);
  box.addEventListener("click", (event) => {
    if (event.target === box || event.target.closest("[data-close]")) box.close();
  });
  list.addEventListener("pointermove", (event) => {
    const hit = event.target.closest("[data-hit]");
    if (hit) choose(hits().indexOf(hit), false);
  });
}

export function openPalette() {
  if (!box || box.open) return;
  box.showModal();
  field.select();
  field.focus();
  find();
}

const hits = () => [...list.querySelectorAll("[data-hit]")];

function move(event) {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps) {
    event.preventDefault();
    const all = hits();
    if (all.length) choose((at + steps[event.key] + all.length) % all.length, true);
  } else if (event.key === "Enter" && event.target === field) {
    event.preventDefault();
    if (timer || asked) find().then(open); // What was typed is not shown yet.
    else open();
  }
}

function open() {
  const hit = hits()[at];
  if (hit) hit.click();
  else if (field.value.trim()) box.querySelector("form").submit();
}

function choose(to, scroll) {
  const all = hits();
  at = to;
  for (const [index, hit] of all.entries()) {
    hit.id ||= `hit-${index}`;
    hit.classList.toggle("is-at", index === at);
  }
  const hit = all[at];
  if (!hit) { field.removeAttribute("aria-activedescendant"); return; }
  field.setAttribute("aria-activedescendant", hit.id);
  if (scroll) { hit.scrollIntoView({ block: "nearest" }); status.textContent = hit.textContent.replace(/\s+/g, " ").trim(); }
}

async function find() {
  clearTimeout(timer);
  timer = 0;
  asked?.abort();
  const text = field.value.trim();
  if (!text) { asked = null; recent(); return; }
  const mine = new AbortController();
  asked = mine;
  const address = `${box.dataset.palette}?part=list&q=${encodeURIComponent(text.slice(0, 201))}`;
  try {
    const answer = await fetch(address, { credentials: "same-origin", signal: mine.signal });
    if (answer.redirected) { location.reload(); return; }
    const body = await answer.text();
    if (mine !== asked) return;
    const fresh = new DOMParser().parseFromString(body, "text/html");
    list.replaceChildren(...document.adoptNode(fresh.body).childNodes);
    list.scrollTop = 0;
    choose(hits().length ? 0 : -1, false);
    status.textContent = hits().length ? `${hits().length} ${list.dataset.results}` : list.textContent.trim().slice(0, 80);
  } catch (problem) {
    if (problem.name !== "AbortError") status.textContent = "–";
  } finally { if (mine === asked) asked = null; }
}

// Recent pages: the addresses and titles of this browser, for who is signed in here.
function stored() {
  try {
    const all = JSON.parse(localStorage.getItem(RECENT) || "{}");
    return all.who === box.dataset.who && Array.isArray(all.pages) ? all.pages : [];
  } catch { return []; }
}

function remember() {
  const heading = document.querySelector("main h1");
  if (!heading || location.pathname === "/" || document.querySelector("[data-no-recent]")) return;
  const page = { href: location.pathname, title: heading.textContent.replace(/\s+/g, " ").trim().slice(0, 120) };
  const pages = [page, ...stored().filter((one) => one.href !== page.href)].slice(0, MOST + 1);
  try { localStorage.setItem(RECENT, JSON.stringify({ who: box.dataset.who, pages })); } catch { /* Not kept. */ }
}

function recent() {
  const pages = stored().filter((one) => String(one.href).startsWith("/") && !String(one.href).startsWith("//") && one.href !== location.pathname).slice(0, MOST);
  list.replaceChildren();
  at = -1;
  if (!pages.length) { list.append(box.querySelector("template").content.cloneNode(true)); return; }
  const part = document.createElement("section");
  part.className = "hits";
  const head = document.createElement("h2");
  head.className = "hits__head";
  head.textContent = list.dataset.recent;
  const rows = document.createElement("ul");
  rows.className = "hits__rows";
  for (const one of pages) {
    const row = document.createElement("li");
    const link = document.createElement("a");
    link.className = "hits__row";
    link.href = one.href;
    link.dataset.hit = "";
    const title = document.createElement("bdi");
    title.className = "clip";
    title.textContent = one.title;
    link.append(title);
    row.append(link);
    rows.append(row);
  }
  part.append(head, rows);
  list.append(part);
  choose(0, false);
}
