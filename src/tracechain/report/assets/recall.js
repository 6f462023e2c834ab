// The page of a recall: what the lists, the picture and the map show, and what a click on one does to another.

const UNKNOWN = { place: "js.no_place", holder: "js.no_holder", maker: "js.no_maker", lot: "js.no_lot" };

/** An id in words: its name, a buyer by the begin of the token, or the id itself. */
function called(id, kind) {
  if (id < 0) return UNKNOWN[kind] ? word(UNKNOWN[kind]) : "";
  const text = data.texts[id];
  if (text.startsWith("person/")) return word("js.buyer", { token: `${text.slice(7, 15)}…` });
  return data.names[id] ?? text;
}

function spelled(id) {
  return id < 0 ? "" : data.texts[id];
}

const entriesOf = new Map();

/** All ids, as entries of columns; what is not known is called by the kind. */
function ids(kind) {
  if (!entriesOf.has(kind)) entriesOf.set(kind, new Entries(data.texts.length, (id) => called(id, kind), spelled));
  return entriesOf.get(kind);
}

function lotName(row) {
  if (row < 0) return word("js.no_lot");
  const lot = data.lots.lot[row];
  return lot < 0 ? word("js.no_lot") : word("js.lot_name", { lot: data.texts[lot] });
}

function productOfLot(row) {
  return row < 0 ? "" : called(data.lots.product[row]);
}

// ---- lists

const named = (key) => () => word(key);
const subject = { style: "subject" };

/** Columns of the units of each group, for groups that have any. */
function groupColumns(groups, sum) {
  const columns = [numberColumn("units", sum, { name: named("js.col.units"), style: "total" })];
  groups.forEach((counts, at) => {
    if (counts.length === 0) return;
    columns.push({
      ...numberColumn(`group${at}`, counts, {
        name: () => `${word(`do.${data.groups[at]}`)} (${word(`group.${data.groups[at]}`)})`,
      }),
      text: (row) => (counts[row] === 0 ? "" : number(counts[row])),
    });
  });
  return columns;
}

function sums(groups, count) {
  return Array.from({ length: count }, (_, row) => groups.reduce((total, counts) => total + (counts[row] ?? 0), 0));
}

function partyList(panel) {
  const { id, groups, count } = data.parties;
  return new Listing(panel, {
    name: "parties", count: id.length, total: count, columns: [
      entryColumn("party", id, ids("holder"), { name: named("js.col.party"), ...subject }),
      ...groupColumns(groups, sums(groups, id.length)),
    ],
  });
}

function placeList(panel) {
  const { id, groups, count } = data.places;
  return new Listing(panel, {
    name: "places", count: id.length, total: count, columns: [
      entryColumn("place", id, ids("place"), { name: named("js.col.place"), ...subject }),
      ...groupColumns(groups, sums(groups, id.length)),
    ],
  });
}

function lotList(panel) {
  const { product, lot, maker, groups, count } = data.lots;
  return new Listing(panel, {
    name: "lots", count: lot.length, total: count, sort: { key: "units", down: true }, columns: [
      entryColumn("lot", lot, ids("lot"), { name: named("js.col.lot"), ...subject }),
      entryColumn("product", product, ids(), { name: named("js.col.product") }),
      entryColumn("maker", maker, ids("maker"), { name: named("js.col.maker") }),
      ...groupColumns(groups, sums(groups, lot.length)),
    ],
  });
}

function stateName([custody, ...flags]) {
  const name = custody < 0 ? word("group.unknown") : word(`custody.${data.custodies[custody]}`);
  return [name, ...flags.map((flag) => word(`flag.${flag}`))].join(language() === "zh" ? "、" : ", ");
}

/** A time of the ledger for people: Beijing time, as the receipt times everywhere. */
function clockTime(seconds) {
  return new Date((seconds + 8 * 3600) * 1000).toISOString().slice(0, 16).replace("T", " ");
}

function unitList(panel) {
  const units = data.units;
  const count = units.tail.length;
  const groupOf = units.states.map(([custody]) => data.states.find((one) => one[0] === custody)[1]);
  const group = units.state.map((state) => groupOf[state]);
  const custody = units.state.map((state) => units.states[state][0]);
  const states = new Entries(units.states.length, (at) => (at < 0 ? "" : stateName(units.states[at])));
  const groups = new Entries(data.groups.length, (at) => (at < 0 ? "" : `${word(`do.${data.groups[at]}`)}`),
    (at) => (at < 0 ? "" : word(`group.${data.groups[at]}`)));
  const lots = new Entries(data.lots.lot.length, (at) => (data.lots.lot[at] < 0 ? "" : data.texts[data.lots.lot[at]]), productOfLot);
  // A code is broken where its parts begin, if at all.
  const pieces = (_, text) => make("span", {}, ...text.split(/(?=\()/).flatMap((part) => [make("wbr"), part]));
  const dot = (row, text) => make("span", {}, make("span", { class: `swatch ${data.groups[group[row]]}`, "aria-hidden": "true" }), text);
  const columns = [
    textColumn("code", count, (row) => units.heads[units.head[row]] + units.tail[row], { name: named("js.col.code"), style: "code", cell: pieces }),
    entryColumn("lot", units.lot, lots, { name: named("js.col.lot") }),
    entryColumn("state", units.state, states, { name: named("js.col.state") }),
    entryColumn("do", group, groups, { name: named("js.col.do"), cell: dot, style: "do" }),
    entryColumn("place", units.place, ids("place"), { name: named("js.col.place"), style: "named" }),
    entryColumn("holder", units.holder, ids("holder"), { name: named("js.col.holder"), style: "named" }),
    entryColumn("container", units.container, ids(), { name: named("js.col.container"), style: "code container" }),
    numberColumn("time", units.time, { name: named("js.col.time") }, clockTime),
    numberColumn("last", units.last, { name: named("js.col.last") }),
  ];
  const list = new Listing(panel, { name: "units", count, total: units.count, columns });
  // Asked for by the map, where custody is what counts; no column of its own.
  list.hidden = { custody };
  return list;
}

function unresolvedList(panel) {
  const { kind, subject: of, index, detail, count } = data.unresolved;
  const kinds = Array.from(new Set(kind));
  const at = kind.map((one) => kinds.indexOf(one));
  const why = (one) => {
    const text = kinds[one];
    return text === undefined ? "" : data.words[language()][`unresolved.${text}`] ?? text;
  };
  return new Listing(panel, {
    name: "unresolved", count: kind.length, total: count, columns: [
      entryColumn("kind", at, new Entries(kinds.length, why), { name: named("js.col.kind"), ...subject }),
      entryColumn("subject", of, ids(), { name: named("js.col.subject"), style: "code" }),
      numberColumn("index", index, { name: named("js.col.last") }),
      textColumn("detail", kind.length, (row) => detail[row], { name: named("js.col.detail") }),
    ],
  });
}

// ---- tabs: a list is made when it is first looked at

const makers = { parties: partyList, places: placeList, lots: lotList, units: unitList, unresolved: unresolvedList };
const lists = new Map();
const stale = new Set(); // lists that are still in the other language
const tabs = Array.from(document.querySelectorAll("[data-tab]"));

function list(name) {
  if (!lists.has(name)) lists.set(name, makers[name](document.getElementById(`panel-${name}`)));
  else if (stale.has(name)) lists.get(name).arrange();
  stale.delete(name);
  return lists.get(name);
}

function open(name, { focus = false } = {}) {
  for (const tab of tabs) {
    const chosen = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.setAttribute("tabindex", chosen ? "0" : "-1");
    document.getElementById(`panel-${tab.dataset.tab}`).hidden = !chosen;
    if (chosen && focus) tab.focus();
  }
  return list(name);
}

tabs.forEach((tab, at) => {
  tab.querySelector(".count").textContent = ` ${number(data[tab.dataset.tab].count)}`;
  tab.addEventListener("click", () => open(tab.dataset.tab));
  tab.addEventListener("keydown", (event) => {
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    open(tabs[(next + tabs.length) % tabs.length].dataset.tab, { focus: true });
  });
});

/** The units that have one of these values, in their list. */
function showUnits(key, values, label) {
  const units = open("units");
  units.only(key, values, label);
  document.getElementById("lists").scrollIntoView();
}

// ---- the picture, the map, the tiles

const drawings = [];
const spreadBox = document.getElementById("spread");
if (spreadBox !== null) {
  const label = (layer, id) => (data.layers[layer] === "lot" ? lotName(id) : called(id, data.layers[layer]));
  const hint = (layer, id) => (data.layers[layer] === "lot" ? productOfLot(id) : spelled(id));
  const pick = (layer, values, name) => {
    const kind = data.layers[layer];
    if (kind !== "maker") return showUnits(kind, values, name);
    const rows = data.lots.maker.flatMap((maker, row) => (values.includes(maker) ? [row] : []));
    return showUnits("lot", rows, name);
  };
  // Two products can have lots of one number.
  const several = new Set(data.lots.product).size > 1;
  const more = (layer, id) => (several && data.layers[layer] === "lot" ? productOfLot(id) : "");
  drawings.push(new Spread(spreadBox, data.spread, { label, hint, more, pick }));
  drawings.push(new StateMap(document.getElementById("states"), data.states, (custody, name) => showUnits("custody", [custody], name)));
}
for (const tile of document.querySelectorAll("[data-group]")) {
  const group = Number(tile.dataset.group);
  tile.addEventListener("click", () => showUnits("do", [group], () => word(`group.${data.groups[group]}`)));
}
if (tabs.length > 0) open(data.units.count === 0 ? "unresolved" : "parties");

whenLanguageChanges.push(() => {
  for (const name of lists.keys()) stale.add(name);
  for (const tab of tabs) if (tab.getAttribute("aria-selected") === "true") list(tab.dataset.tab);
  for (const one of drawings) one.render();
});

// On paper every list begins, with as many rows as a page of it has on the screen.
window.addEventListener("beforeprint", () => {
  for (const tab of tabs) list(tab.dataset.tab);
});
