// The picture of the spread: columns of nodes from makers to holders, and bands as wide as the units that went along them.
//
// Of each column the largest nodes are drawn and the others folded into one that says how many they are; opening it draws
// some more. Buyers are folded apart: each has one pack or two, and nobody reads a thousand tokens.

const FIRST = 9;
const MORE = 20;
const BAR = 13;
const HEIGHT = 400;
const SLOT = 38;
const GAP = 9;
const TOP = 34;
const SIDE = 200;
const NARROWEST = 940;
const CONTAINER = 2;

class Spread {
  /** `label(layer, id)` names a node, `hint` says it in full, `more` what stands beside its units, `pick(layer, ids, label)` is called with those of a node that was chosen. */
  constructor(box, spread, { label, hint, more, pick }) {
    Object.assign(this, { box, spread, label, hint, more, pick });
    this.opened = new Map();
    this.layers = data.layers.map(() => ({ others: [], buyers: [], rest: [], restOfBuyers: [] }));
    spread.layer.forEach((layer, at) => {
      const id = spread.id[at];
      const kinds = this.layers[layer];
      if (id === -2) kinds.rest.push(at);
      else if (id === -3) kinds.restOfBuyers.push(at);
      else (this.isBuyer(layer, id) ? kinds.buyers : kinds.others).push(at);
    });
    // In the next frame, as what is drawn can make the box change again.
    new ResizeObserver(() => requestAnimationFrame(() => {
      if (Math.abs(this.box.clientWidth - this.width) > 8) this.render();
    })).observe(box);
    this.render();
  }

  isBuyer(layer, id) {
    return layer === this.layers.length - 1 && id >= 0 && data.texts[id].startsWith("person/");
  }

  /** The nodes that are drawn, by column, and which of them each node of the data went into. */
  fold() {
    const into = new Int32Array(this.spread.layer.length).fill(-1);
    const drawn = [];
    const add = (node) => {
      for (const one of node.nodes) into[one] = drawn.length;
      drawn.push(node);
    };
    this.layers.forEach((kinds, layer) => {
      const folded = (fold, nodes, rest) => {
        const all = nodes.concat(rest);
        if (all.length === 0) return;
        const sum = (column) => all.reduce((total, one) => total + this.spread[column][one], 0);
        add({ layer, kind: "fold", fold, nodes: all, units: sum("units"), stands: sum("stands"), more: nodes.length > 0 });
      };
      const few = kinds.others.length + kinds.buyers.length <= FIRST + 2 && kinds.rest.length + kinds.restOfBuyers.length === 0;
      const limit = { others: few ? Infinity : FIRST, buyers: few ? Infinity : 0 };
      for (const [fold, rest] of [["others", kinds.rest], ["buyers", kinds.restOfBuyers]]) {
        const nodes = kinds[fold];
        let shown = limit[fold] + (this.opened.get(`${layer} ${fold}`) ?? 0);
        if (nodes.length - shown === 1) shown += 1; // one more takes no more room than a fold of one
        for (const one of nodes.slice(0, shown)) {
          add({ layer, kind: "node", nodes: [one], units: this.spread.units[one], stands: 1 });
        }
        folded(fold, nodes.slice(shown), rest);
      }
    });
    return { drawn, into };
  }

  /** Bands between drawn nodes; what was in no container passes through a node of its own in their column. */
  bands(drawn, into) {
    const packed = this.layers[CONTAINER].others.length > 0;
    const widths = new Map();
    let loose = -1;
    const add = (from, to, units) => {
      const key = from * 1e6 + to;
      widths.set(key, (widths.get(key) ?? 0) + units);
    };
    this.spread.from.forEach((from, at) => {
      const start = into[from], stop = into[this.spread.to[at]], units = this.spread.width[at];
      if (!packed || drawn[start].layer !== CONTAINER - 1 || drawn[stop].layer === CONTAINER) {
        add(start, stop, units);
        return;
      }
      if (loose < 0) {
        loose = drawn.length;
        drawn.push({ layer: CONTAINER, kind: "loose", nodes: [], units: 0, stands: 1 });
      }
      drawn[loose].units += units;
      add(start, loose, units);
      add(loose, stop, units);
    });
    return Array.from(widths, ([key, units]) => ({ from: Math.floor(key / 1e6), to: key % 1e6, units }));
  }

  place(drawn, bands) {
    const used = this.layers.map((_, layer) => drawn.filter((node) => node.layer === layer));
    const columns = used.filter((nodes) => nodes.length > 0);
    this.width = this.box.clientWidth;
    const width = Math.max(this.width - 2, NARROWEST);
    const step = columns.length > 1 ? (width - SIDE - BAR) / (columns.length - 1) : 0;
    const total = Math.max(...columns.map((nodes) => nodes.reduce((sum, node) => sum + node.units, 0)), 1);
    const scale = HEIGHT / total;
    columns.forEach((nodes, at) => {
      for (const node of nodes) Object.assign(node, { x: at * step, high: Math.max(node.units * scale, 1.5), column: at });
      nodes.forEach((node, rank) => { node.rank = rank; });
    });
    this.untangle(columns, drawn, bands);
    const heights = columns.map((nodes) => nodes.reduce((sum, node) => sum + Math.max(node.high, SLOT) + GAP, -GAP));
    const height = Math.max(...heights);
    columns.forEach((nodes, at) => {
      let y = TOP + (height - heights[at]) / 2;
      for (const node of nodes) {
        const slot = Math.max(node.high, SLOT);
        node.y = y + (slot - node.high) / 2;
        y += slot + GAP;
      }
    });
    return { columns, width, height: height + TOP + 26, room: Math.max(step - BAR - 14, 120), scale };
  }

  /** Order the nodes of each column by where their bands come from; folds stay below. */
  untangle(columns, drawn, bands) {
    for (const forward of [true, false, true]) {
      const pull = drawn.map(() => [0, 0]);
      for (const { from, to, units } of bands) {
        const [moved, fixed] = forward ? [to, from] : [from, to];
        pull[moved][0] += drawn[fixed].rank * units;
        pull[moved][1] += units;
      }
      const at = new Map(drawn.map((node, index) => [node, index]));
      const weight = (node) => {
        const [sum, units] = pull[at.get(node)];
        return units === 0 ? node.rank : sum / units;
      };
      const last = (node) => (node.kind === "fold" ? 2 : node.kind === "loose" ? 1 : 0);
      for (const nodes of columns) {
        nodes.sort((a, b) => last(a) - last(b) || weight(a) - weight(b) || b.units - a.units);
        nodes.forEach((node, rank) => { node.rank = rank; });
      }
    }
  }

  name(node) {
    if (node.kind === "loose") return word("js.loose");
    if (node.kind === "fold") return word(`js.${node.fold}`, { n: node.stands });
    return this.label(node.layer, this.spread.id[node.nodes[0]]);
  }

  render() {
    const { drawn, into } = this.fold();
    const bands = this.bands(drawn, into);
    const { columns, width, height, room, scale } = this.place(drawn, bands);
    const picture = draw("svg", {
      class: "spread", viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": word("js.spread_label"),
    });
    for (const nodes of columns) {
      const stands = nodes.reduce((sum, node) => sum + (node.kind === "loose" ? 0 : node.stands), 0);
      picture.append(draw("text", { class: "title", x: nodes[0].x, y: 14 },
        `${word(`layer.${data.layers[nodes[0].layer]}`)} ${number(stands)}`));
    }
    const lines = this.drawBands(drawn, bands, scale);
    picture.append(draw("g", { class: "bands" }, ...lines));
    columns.forEach((nodes) => {
      for (const node of nodes) picture.append(this.drawNode(node, room, bands, drawn, lines, picture));
    });
    const tools = this.tools();
    this.box.replaceChildren(picture, ...tools);
    this.navigate(picture, columns);
  }

  drawBands(drawn, bands, scale) {
    const order = bands.map((_, at) => at);
    const start = new Map(), stop = new Map();
    const offset = (sums, node, units) => {
      const before = sums.get(node) ?? 0;
      sums.set(node, before + units);
      return node.y + before * scale;
    };
    order.sort((a, b) => drawn[bands[a].to].rank - drawn[bands[b].to].rank);
    for (const at of order) bands[at].y0 = offset(start, drawn[bands[at].from], bands[at].units);
    order.sort((a, b) => drawn[bands[a].from].rank - drawn[bands[b].from].rank);
    for (const at of order) bands[at].y1 = offset(stop, drawn[bands[at].to], bands[at].units);
    return bands.map((band) => {
      const from = drawn[band.from], to = drawn[band.to];
      const high = Math.max(band.units * scale, 0.8);
      const x0 = from.x + BAR, x1 = to.x, middle = (x0 + x1) / 2;
      const path = `M${x0} ${band.y0}C${middle} ${band.y0} ${middle} ${band.y1} ${x1} ${band.y1}`
        + `v${high}C${middle} ${band.y1 + high} ${middle} ${band.y0 + high} ${x0} ${band.y0 + high}z`;
      const text = word("js.band", { from: this.name(from), to: this.name(to), units: word("js.unit", { n: band.units }) });
      return draw("path", { class: "band", d: path }, draw("title", {}, text));
    });
  }

  drawNode(node, room, bands, drawn, lines, picture) {
    const name = this.name(node);
    const units = word("js.unit", { n: node.units });
    const hint = node.kind === "node" ? this.hint(node.layer, this.spread.id[node.nodes[0]]) : "";
    const unknown = node.kind === "node" && this.spread.id[node.nodes[0]] === -1;
    const opens = node.kind === "fold" && node.more;
    const closed = node.kind === "fold" && !node.more;
    const more = node.kind === "node" ? this.more(node.layer, this.spread.id[node.nodes[0]]) : "";
    const what = opens ? word("js.open") : closed ? word("js.too_many") : "";
    const middle = node.y + node.high / 2;
    const group = draw("g", {
      class: ["node", data.layers[node.layer], node.kind, unknown ? "unknown" : ""].join(" ").trim(),
      role: closed ? "img" : "button", tabindex: -1, "aria-label": [name, units, what].filter(Boolean).join(", "),
      "aria-expanded": opens ? "false" : null,
    },
      draw("title", {}, [name, hint && hint !== name ? hint : "", units, what].filter(Boolean).join("\n")),
      draw("rect", { class: "area", x: node.x, y: Math.min(node.y, middle - SLOT / 2), width: room + BAR, height: Math.max(node.high, SLOT) }),
      draw("rect", { class: "shape", x: node.x, y: node.y, width: BAR, height: node.high, rx: Math.min(2, node.high / 2) }),
      draw("text", { class: "name", x: node.x + BAR + 7, y: middle - 2 }, (opens ? "+ " : "") + shortened(name, room - (opens ? 12 : 0))),
      draw("text", { class: "amount", x: node.x + BAR + 7, y: middle + 14 },
        shortened(more ? `${units} · ${more}` : units, room + 10)),
    );
    const near = lines.filter((_, at) => drawn[bands[at].from] === node || drawn[bands[at].to] === node);
    const light = (on) => {
      picture.classList.toggle("lit", on);
      for (const line of near) line.classList.toggle("lit", on);
    };
    group.addEventListener("pointerenter", () => light(true));
    group.addEventListener("pointerleave", () => light(false));
    group.addEventListener("focus", () => light(true));
    group.addEventListener("blur", () => light(false));
    if (!closed) group.addEventListener("click", () => this.choose(node));
    node.group = group;
    return group;
  }

  choose(node) {
    if (node.kind === "fold") {
      const key = `${node.layer} ${node.fold}`;
      this.opened.set(key, (this.opened.get(key) ?? 0) + MORE);
      this.focus = { layer: node.layer, fold: node.fold };
      this.render();
    } else if (node.kind === "loose") {
      this.pick(node.layer, [-1], () => word("js.loose"));
    } else {
      const id = this.spread.id[node.nodes[0]];
      this.pick(node.layer, [id], () => this.label(node.layer, id));
    }
  }

  tools() {
    if (this.opened.size === 0) return [];
    const button = make("button", { type: "button", class: "refold" }, word("js.fold"));
    button.addEventListener("click", () => {
      this.opened.clear();
      this.render();
      this.box.querySelector(".node[tabindex='0']").focus({ preventScroll: true });
    });
    return [button];
  }

  /** One stop of the tab key; arrows go from node to node, Enter and the space bar choose. */
  navigate(picture, columns) {
    const fold = columns.flat().find((node) => this.focus && node.kind === "fold" && node.layer === this.focus.layer && node.fold === this.focus.fold);
    const layer = this.focus && columns.flat().filter((node) => node.layer === this.focus.layer).at(-1);
    let current = fold ?? layer ?? columns[0][0];
    current.group.setAttribute("tabindex", "0");
    if (this.focus) current.group.focus({ preventScroll: true });
    this.focus = null;
    const move = (node) => {
      current.group.setAttribute("tabindex", "-1");
      current = node;
      current.group.setAttribute("tabindex", "0");
      current.group.focus();
    };
    for (const node of columns.flat()) node.group.addEventListener("focus", () => { if (node !== current) move(node); });
    picture.addEventListener("keydown", (event) => {
      const column = columns[current.column];
      const next = {
        ArrowDown: () => column[Math.min(current.rank + 1, column.length - 1)],
        ArrowUp: () => column[Math.max(current.rank - 1, 0)],
        ArrowRight: () => columns[Math.min(current.column + 1, columns.length - 1)].at(Math.min(current.rank, columns[Math.min(current.column + 1, columns.length - 1)].length - 1)),
        ArrowLeft: () => columns[Math.max(current.column - 1, 0)].at(Math.min(current.rank, columns[Math.max(current.column - 1, 0)].length - 1)),
      }[event.key];
      if (next !== undefined) move(next());
      else if (event.key === "Enter" || event.key === " ") current.group.dispatchEvent(new MouseEvent("click"));
      else return;
      event.preventDefault();
    });
  }
}

function widthOf(letter) {
  return letter.codePointAt(0) > 0x2e7f ? 13.5 : /[A-Z0-9()mwMW]/.test(letter) ? 8.4 : 6.9;
}

/** A text in so many pixels of the picture's type, about. Cut ones have an ellipsis: in front of a code, whose end tells it
 * from others, and behind anything else. */
function shortened(text, room) {
  const letters = Array.from(text);
  if (letters.reduce((sum, letter) => sum + widthOf(letter), 0) <= room) return text;
  const code = /^\(\d+\)/.test(text);
  if (code) letters.reverse();
  let used = 12, count = 0;
  while (count < letters.length && used + widthOf(letters[count]) <= room) used += widthOf(letters[count++]);
  const kept = letters.slice(0, count);
  return code ? `…${kept.reverse().join("")}` : `${kept.join("")}…`;
}
