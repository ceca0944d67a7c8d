// SPDX-License-Identifier: EUPL-1.2
// A passkey made, or signed with: the browser's own dialogue, then the page's own form.
const form = document.getElementById("passkey");
const said = form.querySelector("[data-said]");
const able = isSecureContext && globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON;

async function options() {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.dataset.ask, { method: "POST", body: new URLSearchParams({ csrf: form.elements.csrf.value }) });
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}

async function credential(asked) {
  if (form.dataset.options) return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) });
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  said.textContent = "";
  try {
    form.elements.credential.value = JSON.stringify(await credential(await options()));
  } catch {
    said.textContent = form.dataset.failed;
    return;
  }
  form.submit();
});

if (able) form.hidden = false;
else form.nextElementSibling?.removeAttribute("hidden");
