// The bus: elements of one group tell each other in the browser what was chosen, without asking the server.
// A group is one text on one page. `stamp` names the text, so that a choice never outlives it.
const bus = (window.unrolledBus ??= new EventTarget())
const chosen = (window.unrolledChosen ??= {})

function lastChoice(group, stamp) {
  const last = chosen[group]
  return last && last.stamp === stamp ? last : null
}

function publish(group, stamp, change, at = performance.now()) {
  const detail = { ...(lastChoice(group, stamp) ?? { stamp }), ...change, at }
  chosen[group] = detail
  bus.dispatchEvent(new CustomEvent(group, { detail }))
}

function hover(group, stamp, place) {
  bus.dispatchEvent(new CustomEvent(group + ":hover", { detail: { stamp, ...place } }))
}

function subscribe(group, onChoice, onHover) {
  const choice = (event) => onChoice(event.detail)
  const over = (event) => onHover?.(event.detail)
  bus.addEventListener(group, choice)
  bus.addEventListener(group + ":hover", over)
  return () => {
    bus.removeEventListener(group, choice)
    bus.removeEventListener(group + ":hover", over)
  }
}

// Streamlit's theme can change without a run of the script: ask the colours themselves.
function isDark(element) {
  const color = getComputedStyle(element).getPropertyValue("--st-background-color").trim() || "#ffffff"
  const probe = document.createElement("canvas").getContext("2d")
  probe.fillStyle = color
  probe.fillRect(0, 0, 1, 1)
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 110
}

function element(tag, className, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text // never innerHTML: words are whatever a person typed
  return made
}
