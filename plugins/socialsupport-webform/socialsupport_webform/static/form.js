// All of it is comfort: the form works without. In a frame it tells the page around it how high it is.

const origins = document.documentElement.dataset.origins.split(" ").filter(Boolean);
const form = document.querySelector("form");

document.querySelector("#trouble")?.focus();

if (window.parent !== window) {
  document.body.classList.add("framed");
  const tell = () => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    for (const origin of [location.origin, ...origins]) {
      window.parent.postMessage({ webform: height }, origin);
    }
  };
  new ResizeObserver(tell).observe(document.body);
  tell();
}

form?.addEventListener("submit", (event) => {
  const button = form.querySelector("button");
  if (button.getAttribute("aria-disabled") === "true") event.preventDefault();
  button.setAttribute("aria-disabled", "true");
});

window.addEventListener("pageshow", () => form?.querySelector("button").removeAttribute("aria-disabled"));
