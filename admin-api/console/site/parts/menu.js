import { useRef } from 'preact/hooks';
import { html } from './html.js';

/**
 * A button and its menu (APG, "Menu button"). The menu stands beside the button, wherever there is room. A button that
 * is `named` holds its name as words.
 * @param {{ id: string, class: string, label: string, button: any, children?: any, tabIndex?: number, named?: boolean }} props
 */
export function Menu({ id, class: name, label, button, children, tabIndex, named }) {
  const menu = useRef(/** @type {HTMLDivElement | null} */ (null));
  const by = useRef(/** @type {HTMLButtonElement | null} */ (null));

  const items = () => /** @type {HTMLElement[]} */ ([...(menu.current?.querySelectorAll('[role^="menuitem"]') ?? [])]);

  const open = () => {
    const [box, from] = [menu.current, by.current];
    if (!box || !from) return;
    box.showPopover();
    const at = from.getBoundingClientRect();
    const own = box.getBoundingClientRect();
    const below = at.bottom + 4 + own.height < innerHeight;
    Object.assign(box.style, {
      position: 'fixed',
      margin: '0',
      inset: 'auto',
      left: `${Math.max(8, Math.min(at.right - own.width, innerWidth - own.width - 8))}px`,
      top: `${below ? at.bottom + 4 : Math.max(8, at.top - own.height - 4)}px`,
    });
    items()[0]?.focus();
  };

  /** @param {KeyboardEvent} event */
  const move = (event) => {
    const all = items();
    const now = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    /** @type {Record<string, number>} */
    const to = { ArrowDown: (now + 1) % all.length, ArrowUp: (now - 1 + all.length) % all.length, Home: 0, End: all.length - 1 };
    const next = to[event.key];
    if (event.key === 'Tab') menu.current?.hidePopover();
    if (next === undefined) return;
    event.preventDefault();
    all[next]?.focus();
  };

  return html`<button ref=${by} type="button" class=${name} tabindex=${tabIndex} aria-haspopup="menu" aria-label=${named ? undefined : label} onClick=${open}>${button}</button>
    <div ref=${menu} class="menu" popover="auto" id=${`menu-${id}`} role="menu" aria-label=${label} onKeyDown=${move} onClick=${() => { menu.current?.hidePopover(); by.current?.focus(); }}>
      ${children}
    </div>`;
}
