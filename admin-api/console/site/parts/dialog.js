import { useEffect, useRef } from 'preact/hooks';
import { html } from './html.js';
import { Icon } from './icon.js';
import { t } from '../words/words.js';

/**
 * A dialog that is open as long as it is drawn. Focus goes in, and back. A button of its footer submits the form `<id>-form`.
 * @param {{ id: string, title: any, close: () => void, submit?: () => void, footer: any, children?: any }} props
 */
export function Dialog({ id, title, close, submit, footer, children }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const from = document.activeElement;
    box.current?.showModal();
    return () => {
      if (from instanceof HTMLElement && from.isConnected) from.focus();
    };
  }, []);
  /** @param {Event} event */
  const done = (event) => {
    event.preventDefault();
    submit?.();
  };
  /** @param {Event} event */
  const cancel = (event) => {
    event.preventDefault();
    close();
  };
  return html`<dialog ref=${box} aria-labelledby=${`${id}-title`} onCancel=${cancel}>
    <header>
      <h2 id=${`${id}-title`}>${title}</h2>
      <button type="button" class="btn icon quiet" aria-label=${t('close')} title=${t('close')} onClick=${close}><${Icon} name="x" /></button>
    </header>
    ${submit ? html`<form class="body stack" id=${`${id}-form`} onSubmit=${done}>${children}</form>` : html`<div class="body stack">${children}</div>`}
    <footer>${footer}</footer>
  </dialog>`;
}
