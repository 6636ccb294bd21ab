// What the companion may remember of the visitor, and what it does: consent, a list to correct and delete from.

const USER = "vasari-user"; // in localStorage: a random name that only this browser knows
const AGREED = "vasari-remember"; // "yes" while the visitor agrees

export class Memory {
  #face;
  #dialog;
  #list;
  #consent;
  #fail;

  /** `dialog` holds a checkbox, a list and buttons; `fail` shows a message. */
  constructor(face, dialog, fail) {
    this.#face = face;
    this.#dialog = dialog;
    this.#list = dialog.querySelector("ul");
    this.#consent = dialog.querySelector("input");
    this.#fail = fail;
    this.#consent.checked = localStorage.getItem(AGREED) === "yes";
    this.#consent.addEventListener("change", () => this.#agree(this.#consent.checked));
    dialog.querySelector("[value=export]").addEventListener("click", () => this.#export());
    dialog.querySelector("[value=forget]").addEventListener("click", () => this.#forget());
    this.#tell();
  }

  async open() {
    this.#list.replaceChildren();
    this.#dialog.showModal();
    await this.#show();
  }

  /** The visitor's name, which only this browser knows; null before there is any need for one. */
  get user() {
    return localStorage.getItem(USER);
  }

  /** See to it that there is a name, and that the server knows it. */
  name() {
    if (!this.user) localStorage.setItem(USER, crypto.getRandomValues(new Uint32Array(4)).join("-"));
    this.#offer(true);
    this.#tell();
  }

  /** Without consent nothing is stored any more; what was stored stays until it is deleted. */
  #agree(yes) {
    localStorage.setItem(AGREED, yes ? "yes" : "no");
    if (yes) this.name();
    else this.#tell();
  }

  #tell() {
    this.#face.memory = this.user ? { user: this.user, consent: this.#consent.checked } : null;
  }

  /** Ask the server about what it keeps of this visitor -> its response, if that is a good one. */
  async fetch(method, path, body) {
    const headers = { "Vasari-User": this.user, "Content-Type": "application/json" };
    if (this.#face.key) headers.Authorization = `Bearer ${this.#face.key}`;
    const response = await fetch(`v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
    if (response.ok) return response;
    throw new Error((await response.json()).error?.message ?? "The memory does not answer.");
  }

  /** The same -> what it says. */
  async ask(method, path, body) {
    const response = await this.fetch(method, path, body);
    return response.status === 204 ? null : response.json();
  }

  async #show() {
    if (!this.user) {
      this.#empty();
      return this.#offer(false);
    }
    try {
      const { memories } = await this.ask("GET", "memories");
      this.#list.replaceChildren(...memories.filter(({ id }) => id !== null).map((memory) => this.#row(memory)));
      if (!this.#list.children.length) this.#empty();
      this.#offer(true);
    } catch (error) {
      this.#fail(error.message);
    }
    return undefined;
  }

  #empty() {
    const row = document.createElement("li");
    row.textContent = "Nothing yet.";
    this.#list.replaceChildren(row);
  }

  /** Whether there may be anything to be saved or deleted. */
  #offer(any) {
    for (const button of this.#dialog.querySelectorAll("[value=export], [value=forget]")) button.hidden = !any;
  }

  #row({ id, text, at }) {
    const row = document.createElement("li");
    const words = document.createElement("input");
    words.value = text;
    words.maxLength = 1000;
    words.setAttribute("aria-label", `Remembered on ${new Date(at).toLocaleDateString()}`);
    words.addEventListener("change", () => this.#act("PUT", `memories/${id}`, { text: words.value }));
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "plain";
    remove.textContent = "Delete";
    remove.setAttribute("aria-label", `Delete: ${text}`);
    remove.addEventListener("click", () => this.#act("DELETE", `memories/${id}`));
    row.append(words, remove);
    return row;
  }

  async #act(...request) {
    try {
      await this.ask(...request);
    } catch (error) {
      this.#fail(error.message);
    }
    await this.#show();
  }

  async #export() {
    if (!this.user) return;
    try {
      const file = new Blob([JSON.stringify(await this.ask("GET", "export"), null, 2)], { type: "application/json" });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = "everything.json";
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      this.#fail(error.message);
    }
  }

  async #forget() {
    if (!this.user || !window.confirm("Delete everything that is kept of you, also your pictures? This cannot be undone.")) return;
    this.#consent.checked = false;
    this.#agree(false); // what was said until now is not stored after all
    await this.#act("DELETE", "memories");
  }
}
