// The history of a unit: a filter over its steps, by text and by kind.

const filter = document.getElementById("steps-filter");

if (filter !== null) {
  const steps = Array.from(document.querySelectorAll(".step"));
  const none = document.getElementById("steps-none");
  const choices = Array.from(document.querySelectorAll("[data-kind][type=checkbox]"));
  const texts = steps.map((step) => step.textContent.toLowerCase());

  const apply = () => {
    const needles = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const left = new Set(choices.filter((choice) => !choice.checked).map((choice) => choice.dataset.kind));
    let shown = 0;
    steps.forEach((step, at) => {
      const fits = !left.has(step.dataset.kind) && needles.every((needle) => texts[at].includes(needle));
      step.hidden = !fits;
      if (fits) shown += 1;
    });
    none.hidden = shown > 0;
  };
  filter.addEventListener("input", apply);
  for (const choice of choices) choice.addEventListener("change", apply);
  // A link leads to its step even while that is filtered away.
  window.addEventListener("hashchange", () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target !== null && target.hidden) {
      filter.value = "";
      for (const choice of choices) choice.checked = true;
      apply();
      target.scrollIntoView();
    }
  });
}
