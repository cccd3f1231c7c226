// Runs before the app's own scripts and notes when it was last heard, and when each part of a page was last painted.
(() => {
  const bench = (window.bench = { began: 0, heard: 0, painted: {}, first: 0 })
  const waiting = new Set()

  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given)
      this.addEventListener("message", () => (bench.heard = performance.now()))
    }
  }

  function see(node) {
    const root = node.getRootNode()
    const element = root instanceof ShadowRoot ? root.host : node.nodeType === 1 ? node : node.parentElement
    const part = element?.closest('[class*="st-key-states_"], [class*="st-key-words_"], [class*="st-key-compare_"]')
    const name = part && /st-key-((?:states|words)_[a-z]+|compare_[a-z]+(?:_[0-9])?)/.exec(part.className)[1]
    if (!name || waiting.has(name)) return
    waiting.add(name)
    requestAnimationFrame(() => {
      waiting.delete(name)
      setTimeout(() => (bench.painted[name] = performance.now())) // a task after the frame: it has been painted
    })
  }

  function watch(root) {
    new MutationObserver(records => records.forEach(record => see(record.target))).observe(root, {
      subtree: true, childList: true, attributes: true, characterData: true,
    })
  }
  watch(document)
  const attach = Element.prototype.attachShadow
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options)
    watch(root)
    return root
  }
  for (const name of ["putImageData", "drawImage", "fillRect", "clearRect", "fillText", "stroke"]) {
    const draw = CanvasRenderingContext2D.prototype[name]
    CanvasRenderingContext2D.prototype[name] = function (...given) {
      see(this.canvas)
      return draw.apply(this, given)
    }
  }

  document.addEventListener("keydown", event => {
    if (event.key === "Enter" && event.ctrlKey) Object.assign(bench, { began: performance.now(), painted: {} })
  }, true)

  // The first page stands when every part is there: headings, the box for the text, the place of the chart or the chart,
  // and no widget whose script is still being fetched.
  const one = selector => document.querySelector(selector)
  const headings = () => [...document.querySelectorAll("h1, h2, h3")].map(heading => heading.textContent).join("\n")
  const stands = () =>
    ["Unrolled", "word by word", "Starter models"].every(text => headings().includes(text)) &&
    one('textarea[aria-label="Text"]')?.value &&
    one('[data-testid="stMain"] :is([data-testid="stSkeletonElement"], .stPlotlyChart, [data-testid="stAlert"])') &&
    !one('[data-testid="stSkeleton"]')
  const look = () =>
    stands() ? setTimeout(() => (bench.first = performance.timeOrigin + performance.now())) : requestAnimationFrame(look)
  if (location.pathname === "/") requestAnimationFrame(look) // elsewhere it would ask in vain at every frame
})()
