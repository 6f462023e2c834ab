// Both pages: the data that stands in the page, words of the language shown, the switch between the two.

const root = document.documentElement;
const data = JSON.parse(document.getElementById("data").textContent);
const whenLanguageChanges = [];

function language() {
  return root.dataset.language;
}

const digits = new Intl.NumberFormat("en-US");

/** A number as both languages write it: 1,234. */
function number(value) {
  return digits.format(value);
}

/** The text of a key in the language shown; a value `n` chooses between the forms for one and for many. */
function word(key, values = {}) {
  const text = data.words[language()][key];
  if (text === undefined) throw new Error(`no text ${key}`);
  const bar = text.indexOf("|");
  const form = bar < 0 ? text : values.n === 1 ? text.slice(0, bar) : text.slice(bar + 1);
  return form.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : value;
  });
}

/** An element with attributes and children: texts become text nodes, nothing is ever parsed as HTML. */
function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function draw(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function show(next) {
  root.dataset.language = next;
  root.lang = next === "zh" ? "zh-Hans" : "en";
  for (const element of document.querySelectorAll("[data-en]")) {
    const text = element.dataset[next];
    if (element.dataset.attribute === undefined) element.textContent = text;
    else for (const attribute of element.dataset.attribute.split(" ")) element.setAttribute(attribute, text);
  }
  for (const button of document.querySelectorAll("[data-to]")) {
    button.setAttribute("aria-pressed", String(button.dataset.to === next));
  }
  for (const act of whenLanguageChanges) act();
}

for (const button of document.querySelectorAll("[data-to]")) {
  button.addEventListener("click", () => show(button.dataset.to));
}
for (const element of document.querySelectorAll(".languages, .tools")) element.hidden = false;
