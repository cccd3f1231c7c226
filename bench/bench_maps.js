// Clicks a cell of the first map, waits for one painted frame, and says where everything then stands; and notes when
// the chart of the unit that was clicked has been painted in place of the other's.
async ({ across, down }) => {
  const rootOf = (selector) =>
    [...document.querySelectorAll("*")].find((one) => one.shadowRoot?.querySelector(selector)).shadowRoot
  const over = rootOf(".maps").querySelector("canvas.over")
  const box = over.getBoundingClientRect()
  const at = { bubbles: true, clientX: box.left + box.width * across, clientY: box.top + box.height * down }
  const line = () => document.querySelector(".st-key-states_unit .scatterlayer path.js-line")?.getAttribute("d")
  const before = line()
  const began = performance.now()
  Object.assign(window.bench, { began, painted: {}, answered: 0 })
  const look = () => {
    if (!line() || line() === before) requestAnimationFrame(look)
    else requestAnimationFrame(() => setTimeout(() => (window.bench.answered = performance.now())))
  }
  requestAnimationFrame(look)
  over.dispatchEvent(new MouseEvent("click", at))
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
  const took = performance.now() - began
  const cursors = ["states_verdict", "states_unit"].map((name) => {
    const plot = document.querySelector(`.st-key-${name} .js-plotly-plot`)
    const axis = plot._fullLayout.xaxis
    return Math.round(axis.p2d(parseFloat(plot.querySelector(".unrolled-cursor").style.left) + 0.75 - axis._offset))
  })
  const places = [...rootOf(".strip").querySelectorAll(".place")]
  const pressed = places.findIndex((place) => place.getAttribute("aria-pressed") === "true")
  return { took, cursors, pressed, chosen: { ...window.unrolledChosen.states } }
}
