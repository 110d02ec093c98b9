// Small words for the page. Text is always text: nothing here makes markup of a string.

export const find = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== ""));
  return made;
}

export function show(element, is_shown) {
  element.hidden = !is_shown;
}

// Writes only what differs: what a finger is on stays where it is.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// One message instead of the page: `kind` is "", "good" or "over".
export function tell(kind, what, why = "") {
  find("message").className = `message ${kind}`;
  write(find("message-what"), what);
  write(find("message-why"), why);
  show(find("message"), true);
  show(find("main"), false);
}
