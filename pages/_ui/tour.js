// The offer of a tour: a card, or a small button once a person has said no. The browser alone remembers that.
const KEY = "unrolled-tour"

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".tour")
  const isDismissed = () => {
    try { return localStorage.getItem(KEY) === "dismissed" } catch { return false } // storage may be forbidden
  }
  const dismiss = () => {
    try { localStorage.setItem(KEY, "dismissed") } catch { /* it is offered again next time */ }
  }
  const press = (text, className, then) => {
    const made = element("button", className, text)
    made.type = "button"
    made.onclick = then
    return made
  }
  const start = () => { dismiss(); setTriggerValue("start", true) }
  const draw = (isSmall) => {
    root.classList.toggle("small", isSmall)
    if (isSmall) {
      root.replaceChildren(press(data.again, "again", start))
      return
    }
    const row = element("div", "row")
    row.append(press(data.start, "start", start), press(data.later, "later", () => { dismiss(); draw(true) }))
    root.replaceChildren(element("strong", "", data.title), element("p", "", data.text), row)
  }
  draw(isDismissed())
}
