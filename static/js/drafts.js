// Keeps a form's draft while it is filled in; without it the button "Save draft" does the same.
const PAUSE = 1500; // ms after the last change

for (const form of document.querySelectorAll("form[data-draft]")) start(form);

function start(form) {
  let timer = 0;
  let saving = false;
  let again = false;
  let after = null;
  const tell = (text) => {
    const place = form.querySelector("[data-draft-state]");
    if (place) place.textContent = text;
  };

  async function save() {
    timer = 0;
    if (saving) { again = true; return; }
    saving = true;
    const body = new FormData(form);
    body.delete("idempotency_key"); // Each draft is a command of its own.
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body, credentials: "same-origin" });
      const found = await answer.json();
      if (answer.ok) {
        form.elements.version.value = found.version;
        tell(`Draft kept at ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`);
      } else tell(`Draft not kept: ${found.message}`);
    } catch { tell("Draft not kept: no connection. It is tried again with the next change."); }
    finally {
      saving = false;
      if (after) after();
      else if (again) { again = false; schedule(); }
    }
  }

  function schedule() {
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  }

  form.addEventListener("input", schedule);
  form.addEventListener("change", schedule);
  // A draft on its way would make the form's version old: what is sent waits for it.
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (!saving) return;
    event.preventDefault();
    after = () => form.requestSubmit(event.submitter);
  });
}
