// Forms that a passkey answers: the server's options go to the browser, what the
// browser signs goes into the form. Such a form is hidden where that cannot be done.
"use strict";

async function answer(form) {
  const response = await fetch(form.dataset.passkey, { method: "POST" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const { options, state } = await response.json();
  const credential = "new" in form.dataset
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey) });
  form.elements.state.value = state;
  form.elements.answer.value = JSON.stringify(credential.toJSON());
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) continue;
  form.hidden = false;
  const button = form.querySelector("button");
  const error = form.querySelector(".error");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    error.hidden = true;
    try {
      await answer(form);
      form.submit();
    } catch {
      error.hidden = false; // cancelled, most of the time
      button.disabled = false;
    }
  });
}
