// Notes that the reader looked at this review: once it is really in front of them for some seconds.
// A page that is fetched ahead or in the background is not looked at. Without scripts a button does.
const LONG_ENOUGH = 4000; // ms in view

const form = document.querySelector("form[data-visit]");
let timer = 0;

function watch() {
  clearTimeout(timer);
  if (!document.hidden && !document.prerendering) timer = setTimeout(note, LONG_ENOUGH);
}

async function note() {
  document.removeEventListener("visibilitychange", watch);
  try {
    await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin", redirect: "manual" });
  } catch { /* The next visit notes it. */ }
}

if (form) {
  document.addEventListener("visibilitychange", watch);
  watch();
}
