// Live pages: the server names streams that changed, the page fetches itself again and swaps its
// regions in place. What somebody is typing is never replaced; open details, focus and scroll stay.
const QUIET = 150; // ms of silence before a page is fetched again
const LONGEST = 600; // ms after which it is fetched although hints keep coming
const GRACE = 3000; // ms without a line before it is said: a short break is mended by itself
const REST = 3; // a page rests three times as long as its last fetch took: many watch at once

let timer = 0;
let first = 0;
let earliest = 0; // ms on the page's clock before which it is not fetched again
let stale = false; // something changed while nobody could see the page
let fetching = false;
let again = false;
let silent = 0; // the timer that will say that the line is down

export function startLive() {
  const main = document.getElementById("main");
  if (!document.body.hasAttribute("data-signed-in") || !window.EventSource) return;
  const streams = main?.dataset.streams || "me";
  const source = new EventSource(`/events/?streams=${encodeURIComponent(streams)}`);
  let opened = false;
  count();
  countNews();
  source.addEventListener("open", () => {
    reached();
    if (opened) schedule(); // What happened while the line was down is not told again.
    opened = true;
  });
  source.addEventListener("changed", schedule);
  source.addEventListener("news", told);
  document.addEventListener("visibilitychange", () => { if (stale && !document.hidden) schedule(); });
  source.addEventListener("error", lost);
  addEventListener("pagehide", () => source.close());
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form");
    if (form) form.dataset.dirty = "";
  });
}

// Before the first line is open, and after it was lost.
function lost() {
  silent ||= setTimeout(() => tell("Not live right now; trying again…"), GRACE);
}

function reached() {
  clearTimeout(silent);
  silent = 0;
  tell("");
}

function tell(text) {
  const place = document.querySelector("[data-live-state]");
  if (!place) return;
  place.textContent = text;
  place.hidden = !text;
}

function schedule() {
  stale = document.hidden;
  if (stale) return;
  const now = performance.now();
  if (!timer) first = now;
  clearTimeout(timer);
  const wait = Math.min(QUIET, first + LONGEST - now);
  timer = setTimeout(refresh, Math.max(0, wait, earliest - now));
}

async function refresh() {
  timer = 0;
  if (fetching) { again = true; return; }
  fetching = true;
  const began = performance.now();
  try {
    const main = document.getElementById("main");
    // A page that is one form shows nothing that others change.
    if (main.hasAttribute("data-still")) { await count(); return; }
    // A page that answers a form shows what was typed; it must not turn into another one.
    const address = main.dataset.self || location.href;
    const answer = await fetch(address, { headers: { "X-Live": "1" }, credentials: "same-origin" });
    if (answer.redirected || !answer.ok) return;
    count();
    countNews();
    swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch { lost(); }
  finally {
    fetching = false;
    earliest = performance.now() + Math.min(LONGEST, REST * (performance.now() - began));
    if (again) { again = false; schedule(); }
  }
}

// The badge of other pages than the inbox is asked for beside the page, never before it.
async function count() {
  const badge = document.querySelector("[data-inbox-count]");
  if (!badge) return;
  try {
    const answer = await fetch("/inbox/count", { credentials: "same-origin" });
    if (answer.redirected || !answer.ok) return;
    const waiting = Number(await answer.text());
    badge.textContent = waiting || "";
    badge.hidden = !waiting;
    entitle(waiting);
  } catch { /* The badge stays as it is. */ }
}

// Something was told to this person, or read by them on another page.
function told() {
  countNews();
  if (document.querySelector("[data-news-page]")) schedule();
}

// How much is unread, at the bell.
async function countNews() {
  const badge = document.querySelector("[data-news-count]");
  if (!badge) return;
  try {
    const answer = await fetch("/notifications/count", { credentials: "same-origin" });
    if (answer.redirected || !answer.ok) return;
    const unread = await answer.text();
    badge.textContent = unread === "0" ? "" : unread;
    badge.hidden = unread === "0";
  } catch { /* The badge stays as it is. */ }
}

// A tab in the background tells how much waits by its title.
function entitle(waiting) {
  document.title = (waiting ? `(${waiting}) ` : "") + document.title.replace(/^\(\d+\) /, "");
}

function swap(fresh) {
  const count = document.title.match(/^\(\d+\) /)?.[0] ?? "";
  document.title = count + fresh.title;
  const mine = document.getElementById("main");
  const theirs = fresh.getElementById("main");
  if (!mine || !theirs) return;
  const regions = [...mine.querySelectorAll("[data-live]")];
  if (!regions.length) { replace(mine, theirs); return; }
  for (const region of regions) {
    const other = theirs.querySelector(`[data-live="${CSS.escape(region.dataset.live)}"]`);
    if (other) replace(region, other);
  }
}

function replace(old, fresh) {
  if (fingerprint(old) === fingerprint(fresh)) return;
  if (old.querySelector("form[data-dirty]") || old.closest("form[data-dirty]")) { offer(); return; }
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const path = focused && pathOf(focused, old);
  const open = new Set([...old.querySelectorAll("details[open][id]")].map((one) => one.id));
  const scrolls = [...old.querySelectorAll("[data-keep-scroll]")].map((one) => [one.dataset.keepScroll, one.scrollLeft, one.scrollTop]);
  old.replaceChildren(...document.adoptNode(fresh).childNodes);
  for (const id of open) old.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  for (const [name, left, top] of scrolls) {
    const box = old.querySelector(`[data-keep-scroll="${CSS.escape(name)}"]`);
    if (box) { box.scrollLeft = left; box.scrollTop = top; }
  }
  window.htmx?.process(old);
  if (path) find(path, old)?.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent("baton:swapped", { detail: { region: old } }));
}

// Tokens and keys differ in each answer although nothing has changed.
function fingerprint(element) {
  const copy = element.cloneNode(true);
  for (const field of copy.querySelectorAll("input[name=csrfmiddlewaretoken], input[name=idempotency_key]")) field.remove();
  for (const one of copy.querySelectorAll("details[open][id]")) one.removeAttribute("open");
  // A chart is what its digest says, drawn by the server or by the page.
  for (const one of copy.querySelectorAll("[data-chart]")) { one.nextElementSibling?.remove(); one.replaceWith(one.dataset.chart); }
  return copy.innerHTML;
}

function pathOf(element, root) {
  if (element.id) return { id: element.id };
  const steps = [];
  for (let one = element; one !== root; one = one.parentElement) {
    steps.unshift([...one.parentElement.children].indexOf(one));
  }
  return { steps, tag: element.tagName, text: element.textContent };
}

function find(path, root) {
  if (path.id) return document.getElementById(path.id);
  let one = root;
  for (const step of path.steps) one = one?.children[step];
  return one?.tagName === path.tag && one.textContent === path.text ? one : null;
}

function offer() {
  if (document.querySelector(".moved")) return;
  const bar = document.createElement("p");
  bar.className = "moved";
  bar.setAttribute("role", "status");
  bar.textContent = "This page has changed; what you typed is kept. ";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button--small";
  button.textContent = "Show the new state";
  button.addEventListener("click", () => location.assign(document.getElementById("main").dataset.self || location.href));
  bar.append(button);
  document.getElementById("main").prepend(bar);
}
