// Dialogs that say what will happen before it does.

import { element, set } from '/dashboard/text.js';

let asked = 0;

/** Closes whatever is open, as if the operator had: what was opened last first, for each gives the focus back. */
export function closeAll() {
  for (const dialog of [...document.querySelectorAll('dialog[open]')].reverse()) dialog.close();
}

/**
 * Asks; resolves to what `act(values)` came to, or to null when the operator changed their mind. `lines` is the text, or
 * makes it of the values as they are typed. `fields` are attributes of inputs, with a `label` and a `name`. When `act`
 * fails the dialog stays, with the reason.
 */
export function confirm({ title, lines, fields = [], button, act, error = '' }) {
  const inputs = fields.map(({ label, ...attributes }) => ({ label, input: element('input', attributes) }));
  const values = () => Object.fromEntries(inputs.map(({ input }) => [input.name, input.value]));
  const heading = element('h2', { id: `ask-${++asked}` }, title);
  const text = element('div', { id: `${heading.id}-text` });
  const failed = element('p', { class: 'failed', role: 'alert' }, error);
  const cancel = element('button', { type: 'button' }, 'Cancel');
  const go = element('button', { type: 'submit', class: 'go' }, button);
  const form = element('form', {}, heading, text,
    ...inputs.map(({ label, input }) => element('label', {}, element('span', {}, label), input)),
    failed, element('div', { class: 'actions' }, cancel, go));
  const dialog = element('dialog', { class: 'ask', 'aria-labelledby': heading.id, 'aria-describedby': text.id }, form);

  const write = () => text.replaceChildren(...[typeof lines === 'function' ? lines(values()) : lines].flat()
    .map((line) => element('p', {}, line)));
  form.addEventListener('input', write);
  write();

  return new Promise((resolve) => {
    let result = null;
    cancel.addEventListener('click', () => dialog.close());
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      go.disabled = true;
      set(failed, '');
      try {
        result = await act(values());
        dialog.close();
      } catch (problem) {
        set(failed, problem.message);
        go.disabled = false;
        go.focus();
      }
    });
    dialog.addEventListener('close', () => { dialog.remove(); resolve(result); });
    document.body.append(dialog);
    dialog.showModal();
  });
}
