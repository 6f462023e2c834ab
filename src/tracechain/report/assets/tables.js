// Lists that stay quick with 200,000 rows: columns of numbers, a filter, an order, and 200 rows drawn at a time.

const ROWS = 200;

/** Texts of a column by entry, in the language shown; index 0 is what is not known. Made when they are asked for. */
class Entries {
  constructor(count, label, hint = () => "") {
    this.count = count;
    this.label = label;
    this.hint = hint;
    this.made = new Map();
  }

  kept(what, make_) {
    const key = `${what} ${language()}`;
    if (!this.made.has(key)) this.made.set(key, make_());
    return this.made.get(key);
  }

  lower() {
    return this.kept("lower", () =>
      Array.from({ length: this.count + 1 }, (_, at) => `${this.label(at - 1)} ${this.hint(at - 1)}`.toLowerCase()));
  }

  /** The rank of each entry in the order of its texts. */
  ranks() {
    return this.kept("ranks", () => {
      const compare = new Intl.Collator(root.lang, { numeric: true }).compare;
      const labels = Array.from({ length: this.count + 1 }, (_, at) => this.label(at - 1));
      const order = Array.from(labels.keys()).sort((a, b) => compare(labels[a], labels[b]));
      const ranks = new Int32Array(order.length);
      order.forEach((entry, rank) => { ranks[entry] = rank; });
      return ranks;
    });
  }
}

/** A column whose values are numbers of entries, -1 for none. */
function entryColumn(key, values, entries, look = {}) {
  return {
    key, values, ...look,
    text: (row) => entries.label(values[row]),
    hint: (row) => entries.hint(values[row]),
    finder(needle) {
      const found = Uint8Array.from(entries.lower(), (text) => text.includes(needle));
      return (row) => found[values[row] + 1] === 1;
    },
    order() {
      const ranks = entries.ranks();
      return (a, b) => ranks[values[a] + 1] - ranks[values[b] + 1];
    },
  };
}

/** A column of texts of their own. */
function textColumn(key, count, text, look = {}) {
  let lower = null;
  return {
    key, ...look, text,
    hint: () => "",
    finder(needle) {
      // A code is found in any spelling: with its brackets or without.
      const bare = needle.replace(/[()\s]/g, "");
      lower ??= Array.from({ length: count }, (_, row) => text(row).toLowerCase());
      return (row) => lower[row].includes(needle) || (bare !== "" && lower[row].replace(/[()]/g, "").includes(bare));
    },
    order() {
      return (a, b) => {
        const one = text(a), other = text(b);
        return one < other ? -1 : one > other ? 1 : 0;
      };
    },
  };
}

/** A column of numbers, null for none; `text` puts one into words. */
function numberColumn(key, values, look = {}, text = (value) => number(value)) {
  return {
    key, values, number: true, ...look,
    text: (row) => (values[row] === null ? "" : text(values[row])),
    hint: () => "",
    finder(needle) {
      const bare = needle.replace(/,/g, "");
      return (row) => values[row] !== null && (String(values[row]) === bare || text(values[row]).includes(needle));
    },
    order: () => (a, b) => (values[a] ?? -Infinity) - (values[b] ?? -Infinity),
  };
}

/** A list in a panel: `count` rows are carried of `total` that there are. */
class Listing {
  constructor(panel, { name, count, total, columns, sort = null }) {
    Object.assign(this, { panel, name, count, total, columns, sort });
    this.facets = new Map();
    this.needle = "";
    this.first = 0;
    this.rows = Int32Array.from({ length: count }, (_, at) => at);
    this.build();
    this.arrange();
  }

  build() {
    this.input = make("input", { type: "search", autocomplete: "off", spellcheck: "false", id: `filter-${this.name}` });
    let waiting = 0;
    this.input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => { this.needle = this.input.value; this.first = 0; this.arrange(); }, 120);
    });
    this.chips = make("span", { class: "chips" });
    this.status = make("p", { class: "status", role: "status", "aria-live": "polite" });
    this.head = make("tr");
    this.body = make("tbody");
    this.table = make("table", { class: `listing ${this.name}` }, make("thead", {}, this.head), this.body);
    this.pager = make("div", { class: "pager" });
    this.title = make("h3");
    this.panel.replaceChildren(
      this.title, make("div", { class: "bar" }, make("div", { class: "tools" }, this.input, this.chips), this.status),
      make("div", { class: "scroll" }, this.table), this.pager,
    );
  }

  /** Only rows whose column has one of these values; the chip says `label()`. */
  only(key, values, label) {
    this.facets.clear();
    this.facets.set(key, { values: new Set(values), label });
    this.needle = "";
    this.input.value = "";
    this.first = 0;
    this.arrange();
  }

  /** Work out which rows are shown in what order, and draw. */
  arrange() {
    const tests = [];
    for (const [key, { values }] of this.facets) {
      const column = this.hidden?.[key] ?? this.columns.find((one) => one.key === key).values;
      tests.push((row) => values.has(column[row]));
    }
    for (const word_ of this.needle.toLowerCase().split(/\s+/).filter(Boolean)) {
      const finders = this.columns.map((column) => column.finder(word_));
      tests.push((row) => finders.some((finds) => finds(row)));
    }
    let rows = Int32Array.from({ length: this.count }, (_, at) => at);
    if (tests.length > 0) rows = rows.filter((row) => tests.every((fits) => fits(row)));
    if (this.sort !== null) {
      const order = this.columns.find((column) => column.key === this.sort.key).order();
      const sign = this.sort.down ? -1 : 1;
      rows.sort((a, b) => sign * order(a, b) || a - b);
    }
    this.rows = rows;
    this.render();
  }

  render() {
    this.title.textContent = word(`js.tab.${this.name}`);
    this.input.setAttribute("aria-label", `${word("js.filter")}: ${word(`js.tab.${this.name}`)}`);
    this.input.setAttribute("placeholder", word("js.filter_hint"));
    this.renderChips();
    this.renderHead();
    const last = Math.min(this.first + ROWS, this.rows.length);
    const lines = [];
    for (let at = this.first; at < last; at += 1) lines.push(this.line(this.rows[at]));
    this.body.replaceChildren(...lines);
    this.renderStatus(last);
  }

  line(row) {
    return make("tr", {}, ...this.columns.map((column) => {
      const text = column.text(row);
      const hint = column.hint(row);
      const shown = column.cell ? column.cell(row, text) : text;
      // An id that has no name is a code to read digit by digit.
      const code = text !== "" && text === hint && text.startsWith("(") ? " code" : "";
      return make("td", {
        class: column.number ? "number" : (column.style ?? "") + code, title: hint && hint !== text ? hint : null,
        "data-label": text === "" ? null : column.name(),
      }, shown);
    }));
  }

  renderHead() {
    this.head.replaceChildren(...this.columns.map((column) => {
      const sorted = this.sort !== null && this.sort.key === column.key;
      const state = !sorted ? "none" : this.sort.down ? "descending" : "ascending";
      const button = make("button", { type: "button", title: word("js.sort", { what: column.name() }) },
        column.name(), make("span", { class: "arrow", "aria-hidden": "true" }, !sorted ? "" : this.sort.down ? "↓" : "↑"));
      button.addEventListener("click", () => {
        // Numbers are looked at from the largest.
        const down = sorted ? !this.sort.down : Boolean(column.number);
        this.sort = { key: column.key, down };
        this.first = 0;
        this.arrange();
        this.head.querySelector(`[data-key="${column.key}"] button`).focus();
      });
      return make("th", { scope: "col", class: column.number ? "number" : null, "aria-sort": state, "data-key": column.key }, button);
    }));
  }

  renderChips() {
    this.chips.replaceChildren(...Array.from(this.facets, ([key, { label }]) => {
      const chip = make("button", { type: "button", class: "facet", "aria-label": word("js.facet_remove", { what: label() }) },
        word("js.facet", { what: label() }), make("span", { "aria-hidden": "true" }, " ×"));
      chip.addEventListener("click", () => {
        this.facets.delete(key);
        this.first = 0;
        this.arrange();
        this.input.focus();
      });
      return chip;
    }));
  }

  renderStatus(last) {
    const values = { first: this.first + 1, last, n: this.rows.length, all: this.count };
    const rows = this.rows.length === 0 ? word(this.count === 0 ? "js.nothing" : "js.no_rows")
      : word(this.rows.length === this.count ? "js.rows" : "js.rows_of", values);
    const carried = this.count < this.total ? ` · ${word("js.carried", { shown: this.count, all: this.total })}` : "";
    this.status.textContent = rows + carried;
    const turn = (key, first, off) => {
      const button = make("button", { type: "button", class: key }, word(`js.${key}`));
      button.disabled = off;
      button.addEventListener("click", () => {
        this.first = first;
        this.render();
        this.table.scrollIntoView({ block: "start" });
        const again = this.pager.querySelector(`.${key}`);
        (again !== null && !again.disabled ? again : this.pager.querySelector("button:enabled"))?.focus({ preventScroll: true });
      });
      return button;
    };
    this.pager.replaceChildren(...(this.rows.length <= ROWS ? [] : [
      turn("before", this.first - ROWS, this.first === 0), make("span", {}, rows),
      turn("after", this.first + ROWS, last >= this.rows.length),
    ]));
  }
}
