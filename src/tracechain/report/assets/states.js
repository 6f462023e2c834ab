// The map of states: an area for each custody, as large as its units are many, those with one thing to be done side by side.

/** Squarified areas (Bruls, Huizing, van Wijk): [[item, x, y, width, height]] for items in descending order of `size`. */
function areas(items, x, y, width, height) {
  const placed = [];
  const total = items.reduce((sum, item) => sum + item.size, 0);
  let rest = items.map((item) => ({ item, area: (item.size / total) * width * height }));
  while (rest.length > 0) {
    const side = Math.min(width, height);
    let count = 0, sum = 0, worst = Infinity;
    while (count < rest.length) {
      const next = sum + rest[count].area;
      const largest = rest[0].area, smallest = rest[count].area;
      const ratio = Math.max((side * side * largest) / (next * next), (next * next) / (side * side * smallest));
      if (ratio > worst) break;
      worst = ratio;
      sum = next;
      count += 1;
    }
    const thick = sum / side;
    let along = 0;
    for (const { item, area } of rest.slice(0, count)) {
      const long = area / thick;
      placed.push(width >= height ? [item, x, y + along, thick, long] : [item, x + along, y, long, thick]);
      along += long;
    }
    if (width >= height) { x += thick; width -= thick; } else { y += thick; height -= thick; }
    rest = rest.slice(count);
  }
  return placed;
}

class StateMap {
  constructor(box, states, pick) {
    Object.assign(this, { box, states, pick });
    // In the next frame, as what is drawn can make the box change again.
    new ResizeObserver(() => requestAnimationFrame(() => {
      if (Math.abs(box.clientWidth - this.width) > 8) this.render();
    })).observe(box);
    this.render();
  }

  render() {
    const width = (this.width = this.box.clientWidth), height = this.box.clientHeight;
    const groups = new Map();
    for (const [custody, group, size, flags] of this.states) {
      if (!groups.has(group)) groups.set(group, { group, size: 0, items: [] });
      const into = groups.get(group);
      into.size += size;
      into.items.push({ custody, group, size, flags });
    }
    const ordered = Array.from(groups.values()).sort((a, b) => b.size - a.size);
    const total = ordered.reduce((sum, one) => sum + one.size, 0);
    const tiles = [];
    for (const [one, x, y, w, h] of areas(ordered, 0, 0, width, height)) {
      for (const [item, ...place] of areas(one.items, x, y, w, h)) tiles.push(this.tile(item, place, width, height, total));
    }
    this.box.replaceChildren(...tiles);
  }

  tile({ custody, group, size, flags }, [x, y, w, h], width, height, total) {
    const name = custody < 0 ? word("group.unknown") : word(`custody.${data.custodies[custody]}`);
    const marked = Object.entries(flags).map(([flag, units]) => `${word(`flag.${flag}`)} ${number(units)}`).join(", ");
    const share = size === total ? "100 %" : `${Math.min(Math.max(Math.floor((size / total) * 1000), 1), 999) / 10} %`;
    const text = [name, word("js.unit", { n: size }), share, marked && word("js.marked", { list: marked })].filter(Boolean);
    const tile = make("button", { type: "button", class: `area ${data.groups[group]}`, title: text.join("\n"), "aria-label": text.join(", ") });
    // In percent, so that the map is still one on paper.
    const percent = (part, whole) => `${(part / whole) * 100}%`;
    Object.assign(tile.style, { left: percent(x, width), top: percent(y, height), width: percent(w, width), height: percent(h, height) });
    if (w > 62 && h > 42) tile.append(make("b", {}, name), make("span", {}, number(size)));
    tile.addEventListener("click", () => this.pick(custody, () => name));
    return tile;
  }
}
