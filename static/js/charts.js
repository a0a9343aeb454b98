// Charts that answer: the drawing in the page is replaced by a live one, with tooltips, fitted to
// its box. Without this module, or without the library, the drawing stays. Arrow keys read the
// table behind a chart value by value, whatever drew it.
const GAP = 18; // px between the panels of small multiples
const PANEL = 190; // px that a panel of them asks for
const OPTIONS = { mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false, tooltip: { disableDefaultStyle: true } };
const drawn = new WeakMap(); // view element -> what vega-embed gave
let library = null;

function load(address) {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => (window.vegaEmbed ? resolve(window.vegaEmbed) : reject(new Error("no library")));
    script.onerror = reject;
    document.head.append(script);
  });
  return library;
}

// What is drawn for this box: as wide as it is, small multiples in as many columns as fit.
function fitted(view) {
  const spec = JSON.parse(view.closest(".chart").querySelector("script[type='application/json']").textContent);
  const room = Math.max(220, Math.floor(view.closest(".chart__box").clientWidth));
  const fit = spec.usermeta.fit;
  if (fit === "width") spec.width = room;
  if (fit === "square") spec.width = spec.height = Math.min(spec.width, room - 60);
  if (fit === "facet") {
    spec.columns = Math.max(2, Math.min(4, Math.floor((room - 40) / PANEL)));
    const width = Math.floor((room - 62 - (spec.columns - 1) * GAP) / spec.columns);
    spec.spec.width = spec.config.header.labelLimit = width;
  }
  return spec;
}

async function draw(view) {
  const width = view.closest(".chart__box").clientWidth;
  if (drawn.get(view)?.width === width) return;
  const before = drawn.get(view);
  drawn.set(view, { width, before: null });
  const place = document.createElement("div");
  place.className = "chart__live";
  try {
    const embed = await load(view.dataset.library);
    const found = await embed(place, fitted(view), OPTIONS);
    place.querySelector("svg")?.setAttribute("aria-hidden", "true");
    view.replaceChildren(place);
    view.classList.add("is-live");
    before?.found?.finalize();
    drawn.set(view, { width, found });
  } catch (error) {
    console.info("This chart stays a drawing:", error);
  }
}

// The table's rows, one after the other, told to whoever listens and shown under the chart.
function readable(view) {
  const figure = view.closest(".chart");
  const heads = [...figure.querySelectorAll("thead th")].map((one) => one.textContent);
  const rows = [...figure.querySelectorAll("tbody tr")];
  if (!rows.length) return;
  const told = document.createElement("output");
  told.className = "chart__told small";
  view.after(told);
  view.tabIndex = 0;
  let at = -1;
  view.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -rows.length, End: rows.length };
    if (event.key === "Escape") { told.textContent = ""; at = -1; return; }
    if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    at = Math.min(rows.length - 1, Math.max(0, at + steps[event.key]));
    const cells = [...rows[at].cells].map((cell, index) => `${heads[index]}: ${cell.textContent.trim()}`);
    told.textContent = cells.join(" · ");
  });
  view.addEventListener("blur", () => { told.textContent = ""; at = -1; });
}

const near = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
}, { rootMargin: "300px" });
let resized = 0;

function start(root) {
  for (const view of root.querySelectorAll("[data-chart]")) {
    readable(view);
    near.observe(view);
  }
}

function begin() {
  start(document);
  document.addEventListener("baton:swapped", (event) => start(event.detail.region));
  addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(() => {
      for (const view of document.querySelectorAll("[data-chart].is-live")) draw(view);
    }, 150);
  });
}

// After the page has been painted: a chart is never waited for.
requestAnimationFrame(() => setTimeout(begin));
