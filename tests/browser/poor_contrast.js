// Texts whose contrast is below WCAG AA's 4.5, with the ratio; a tile's both ends count.
() => {
  const lum = (c) => {
    const [r, g, b] = c.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage.startsWith("linear-gradient") && at.classList.contains("tile")) {
        return style.backgroundImage.match(/(rgba?|hsla?|color)\([^)]*\)/g).map((c) => rgb(c).slice(0, 3));
      }
      const [r, g, b, a] = rgb(style.backgroundColor);
      if (a > 250) return [[r, g, b]];
    }
    return [[255, 255, 255]];
  };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !node.checkVisibility({ visibilityProperty: true }) || node.closest(".hidden, .skip")) continue;
    const style = getComputedStyle(node);
    const ink = lum(rgb(style.color).slice(0, 3));
    for (const back of ground(node)) {
      const paper = lum(back);
      const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
      if (ratio < 4.5) poor.push(`${node.tagName}.${node.className}: ${ratio.toFixed(2)}`);
    }
  }
  return [...new Set(poor)];
}
