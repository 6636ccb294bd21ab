// The written conversation. Screen readers hear whole lines from a live region, not every syllable of a growing one.

const MOST_ROWS = 300; // the oldest go first

export class Log {
  #list;
  #announce;
  #hint;
  #rows = new Map(); // line id -> <li>
  name = "Vasari"; // of the face

  constructor({ list, announce, hint }) {
    this.#list = list;
    this.#announce = announce;
    this.#hint = hint;
    new ResizeObserver(() => this.#toEnd()).observe(list);
  }

  /** Show or refresh a line of captions.js. */
  show(line) {
    const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 48;
    let row = this.#rows.get(line.id);
    if (line.final && !line.text) {
      row?.remove();
      this.#rows.delete(line.id);
      return;
    }
    if (!row) {
      row = this.#row(line);
      this.#rows.set(line.id, row);
    }
    this.#fill(row, line);
    if (atEnd) this.#toEnd();
    if (line.final && !row.dataset.final) {
      row.dataset.final = "yes";
      this.#speak(`${row.dataset.by}: ${line.text}`);
    }
  }

  /** A line that nobody said, such as a lost connection. */
  note(text) {
    if (!this.#rows.size) return;
    const row = document.createElement("li");
    row.className = "note-line";
    row.textContent = text;
    this.#list.append(row);
  }

  #toEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  #row({ role }) {
    const row = document.createElement("li");
    row.className = role;
    row.dataset.by = role === "user" ? "You" : this.name;
    row.innerHTML = '<span class="by"></span><span class="said"><span class="heard"></span><span class="unsaid"></span></span>';
    row.querySelector(".by").textContent = row.dataset.by;
    this.#list.append(row);
    if (this.#list.childElementCount > MOST_ROWS) this.#list.firstElementChild.remove();
    this.#hint.hidden = true;
    return row;
  }

  #fill(row, line) {
    row.classList.toggle("live", !line.final);
    row.querySelector(".heard").textContent = line.text.slice(0, line.heard);
    row.querySelector(".unsaid").textContent = line.interrupted ? (/(…|\.{3})$/.test(line.text) ? "" : " …") : line.text.slice(line.heard);
    row.querySelector(".said").classList.toggle("dots", !line.text && !line.final);
  }

  #speak(text) {
    const said = document.createElement("p");
    said.textContent = text;
    this.#announce.append(said);
    while (this.#announce.childElementCount > 20) this.#announce.firstElementChild.remove();
  }
}
