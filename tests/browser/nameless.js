// Controls that nobody who hears the page could tell apart.
() => [...document.querySelectorAll("button, input, select, [role=region]")]
  .filter((node) => node.checkVisibility())
  .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim()
    || [...(node.labels ?? [])].some((label) => label.textContent.trim())))
  .map((node) => node.outerHTML)
